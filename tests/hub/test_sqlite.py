"""What is SQLite's own of the store: files, privacy, and what happens when the disk refuses. See also `test_store`."""

import contextlib
import hashlib
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipyweb.hub import disk, schema
from ipyweb.hub import sqlite as module
from ipyweb.hub.blobs import INLINE
from ipyweb.hub.messages import Blob, SessionChange
from ipyweb.hub.retention import Limits
from ipyweb.hub.sqlite import SqliteStore
from ipyweb.hub.store import Filter, Unavailable

from .conftest import Bare
from .test_store import A, B, check, stored, tidy


@pytest.mark.parametrize("size", [0, 1, INLINE, INLINE + 1, 10 * INLINE])
def test_small_data_lies_in_the_database_and_large_data_in_a_file(bare: Bare, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    bare.open()
    bare.display(1, {"image/png": content})
    sha256 = hashlib.sha256(content).hexdigest()
    path = tmp_path / "blobs" / sha256[:2] / sha256
    assert stored(bare, 1) == content
    assert path.exists() == (size > INLINE)
    if path.exists():
        assert path.stat().st_mode & 0o777 == 0o600
    bare.call(lambda store: store.purge(1))
    assert not path.exists()


def test_the_same_bytes_are_stored_once(bare: Bare, tmp_path: Path) -> None:
    content = os.urandom(INLINE * 2)
    bare.open()
    bare.display(1, {"image/png": content, "image/x-copy": content})
    bare.display(2, {"image/png": content})
    assert bare.store.blobs.file_bytes == len(content)
    bare.call(lambda store: store.purge(1))
    assert stored(bare, 2) == content


def bytes_on_disk(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def test_private_sessions_leave_no_byte_on_disk(make_store: Callable[..., Bare], tmp_path: Path) -> None:
    secret, large = b"my-secret-output", b"my-secret-upload" * INLINE
    bare = make_store()
    bare.open(A, private=True, title="my-secret-title")
    bare.display(1, {"text/plain": secret, "image/png": large}, title="my-secret-title", display_id="my-secret-id")
    sha256 = hashlib.sha256(large).hexdigest()
    bare.call(lambda store: store.put_blob(sha256, large, len(large), A))
    bare.display(2, {"image/png": Blob(sha256)}, display_id="my-secret-other")
    bare.call(lambda store: store.edit(1, {"note": "my-secret-note"}))
    assert stored(bare, 1, "text/plain") == secret
    assert stored(bare, 2) == large
    bare.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"my-secret" not in bytes_on_disk(tmp_path)
    assert make_store().store.figures().outputs == 0


def test_outputs_from_before_and_after_a_private_stretch_are_kept_and_those_within_are_not(
    make_store: Callable[..., Bare], tmp_path: Path
) -> None:
    bare = make_store()
    bare.open(A)
    bare.display(1)
    bare.apply(SessionChange(2, {"private": True}))
    bare.apply(SessionChange(3, {"name": "my-secret-name"}))
    bare.display(4, {"text/plain": b"my-secret"}, display_id="d1")
    assert [row.id for row in bare.store.outputs(Filter(), None, None, 9).outputs] == [1, 2]
    assert b"my-secret" not in bytes_on_disk(tmp_path)
    bare.apply(SessionChange(5, {"private": False, "name": "public"}))
    bare.display(6)
    bare = make_store()
    assert [row.id for row in bare.store.outputs(Filter(), None, None, 9).outputs] == [1, 3]
    assert bare.store.sessions(None).rows[0][3] == "public"


def test_private_outputs_that_went_with_the_hub_leave_tombstones(make_store: Callable[..., Bare]) -> None:
    bare = make_store()
    bare.open(A)
    bare.open(B, private=True)
    bare.display(1, session=A)
    bare.display(1, session=B)
    bare.display(2, session=A)
    event = bare.store.event
    bare = make_store()
    bare.store.bury_lost()
    assert bare.store.changes(event, 9).rows == [(2, event + 1)]
    bare.store.bury_lost()
    assert bare.store.event == event + 1


def test_a_store_in_memory_has_no_directory_and_works_alike(make_store: Callable[..., Bare]) -> None:
    bare = make_store(None)
    bare.open()
    bare.display(1, {"image/png": bytes(INLINE * 3)})
    assert len(stored(bare, 1)) == INLINE * 3
    assert not bare.store.durable
    assert bare.call(lambda store: store.is_private(None))


@contextlib.contextmanager
def full(bare: Bare) -> Iterator[None]:
    """No page more for the database."""
    (pages,) = bare.store.db.execute("PRAGMA main.page_count").fetchone()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "page_quota", lambda *_: pages)
        bare.store.guard_disk()
        yield
    bare.store.guard_disk()


def test_a_full_database_refuses_new_outputs_reads_on_and_recovers_without_restart(bare: Bare) -> None:
    bare.open()
    bare.display(1)
    before = bare.store.event
    with full(bare):
        for seq in (2, 3):
            with pytest.raises(Unavailable):
                bare.display(seq, {"text/plain": os.urandom(50_000)})
        assert stored(bare, 1) == b"output 1"
        assert bare.store.event == before
    with pytest.raises(Unavailable, match="comes first"):
        bare.display(3)
    assert bare.display(2).acked == 2
    assert bare.display(3).acked == 3
    check(bare)


def test_a_full_database_gives_up_the_trash_before_it_refuses(bare: Bare) -> None:
    bare.open()
    for seq in range(1, 6):
        bare.display(seq, {"text/plain": os.urandom(50_000)})
    bare.call(lambda store: store.remove([1, 2, 3]))
    with full(bare):
        assert bare.display(6, {"text/plain": os.urandom(50_000)}).output == 6
    assert bare.store.figures().trash == 0
    assert bare.store.figures().outputs == 3


def test_a_locked_database_refuses_writes_and_answers_reads(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_MILLISECONDS", 200)
    bare.open()
    bare.display(1)
    other = sqlite3.connect(tmp_path / "outputs.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        bare.display(2)
    assert stored(bare, 1) == b"output 1"
    assert bare.store.outputs(Filter(), None, None, 10).total == 1
    other.execute("COMMIT")
    other.close()
    assert bare.display(2).output == 2


def test_a_disk_that_is_truly_full_is_survived(tmp_path: Path) -> None:
    """On a small file system of its own, where we may mount one; elsewhere the quota stands for it."""
    directory = tmp_path / "small"
    directory.mkdir()
    mounted = os.geteuid() == 0 and os.system(f"mount -t tmpfs -o size=6m tmpfs {directory}") == 0
    try:
        store = SqliteStore(schema.connect(directory / "outputs.sqlite"), directory, Limits(max_bytes=4 * 2**20))
        store.guard_disk()
        bare = Bare(store)
        bare.open()
        refused = taken = 0
        for _ in range(200):
            try:
                bare.display(taken + 1, {"image/png": os.urandom(INLINE - 1)})
                taken += 1
            except Unavailable:
                refused += 1
                ids = [row.id for row in store.outputs(Filter(), None, None, 9).outputs]
                with contextlib.suppress(Unavailable):
                    bare.call(lambda store, ids=ids: [store.purge(number) for number in ids])
        assert taken > 100
        assert store.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        check(bare)
        store.close()
    finally:
        if mounted:
            os.system(f"umount -l {directory}")


def test_a_log_cut_or_damaged_anywhere_leaves_a_prefix(tmp_path: Path) -> None:
    """What a power cut may do to the write-ahead log (the database itself is only written by checkpoints)."""
    origin, chance = tmp_path / "origin", random.Random(3)
    origin.mkdir()
    bare = Bare(SqliteStore(schema.connect(origin / "outputs.sqlite"), origin))
    bare.open()
    for seq in range(1, 40):
        bare.display(seq)
    log = (origin / "outputs.sqlite-wal").read_bytes()
    for trial in range(40):
        copy = tmp_path / f"copy{trial}"
        copy.mkdir()
        shutil.copy(origin / "outputs.sqlite", copy)
        cut = bytearray(log[: chance.randrange(len(log))])
        if cut and trial % 2:
            cut[chance.randrange(len(cut))] ^= 0xFF
        (copy / "outputs.sqlite-wal").write_bytes(bytes(cut))
        connection = schema.connect(copy / "outputs.sqlite")
        store = SqliteStore(connection, copy)
        ids = [row.id for row in store.outputs(Filter(), None, None, 1000).outputs]
        assert ids == list(range(1, len(ids) + 1))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        again = Bare(store)
        acked = again.open()
        assert acked == len(ids)
        for seq in range(acked + 1, 40):
            again.display(seq)
        assert store.outputs(Filter(), None, None, 1000).total == 39
        store.close()
    bare.store.close()


def test_private_outputs_have_a_bound_of_their_own(make_store: Callable[..., Bare]) -> None:
    bare = make_store(limits=Limits(private_bytes=2**20))
    bare.open(private=True)
    for seq in range(1, 41):
        bare.display(seq, {"text/plain": os.urandom(50_000)})
    tidy(bare)
    assert 10 < bare.store.figures().private < 25


def test_lists_use_indexes_over_both_schemas(bare: Bare) -> None:
    plans = [
        "SELECT * FROM outputs WHERE id > 5 AND removed IS NULL ORDER BY id LIMIT 9",
        "SELECT * FROM outputs WHERE event > 5 ORDER BY event LIMIT 9",
        "SELECT * FROM outputs WHERE id = 5",
        "SELECT * FROM data WHERE sha256 = x'00'",
    ]
    for statement in plans:
        plan = " ".join(row[3] for row in bare.store.db.execute(f"EXPLAIN QUERY PLAN {statement}"))
        assert "SCAN outputs" not in plan, plan
        assert "SCAN data" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
