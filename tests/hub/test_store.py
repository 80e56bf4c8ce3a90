"""The store, in either database: versions, trash, numbers, retention."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ipyweb.hub.messages import Blob, Bye, Clear, Command
from ipyweb.hub.retention import Limits
from ipyweb.hub.store import Filter, MissingBlob, NotFound, Selection, TooLarge, Unavailable, WrongKey

from .conftest import BOTH, KEEPER, SHOWN, Bare, make_display, make_hello

pytestmark = BOTH
A, B = "a" * 32, "b" * 32


def stored(bare: Bare, output: int, mimetype: str | None = None, version: int | None = None) -> bytes:
    data = bare.store.data(output, mimetype, version)
    if isinstance(data.content, bytes):
        return data.content
    with data.content as file:
        return file.read()


def test_what_was_displayed_can_be_read_back(bare: Bare) -> None:
    assert bare.open() == 0
    assert bare.display(1, {"text/plain": b"hi", "image/png": b"\x89PNG"}) == (1, 1, 1)
    assert stored(bare, 1) == b"\x89PNG"
    assert stored(bare, 1, "text/plain") == b"hi"
    with pytest.raises(NotFound, match=r"no text/html; it has image/png, text/plain"):
        stored(bare, 1, "text/html")
    with pytest.raises(NotFound, match=r"no version 7; it has 1"):
        stored(bare, 1, None, 7)


def test_a_resumed_session_needs_its_key(bare: Bare) -> None:
    bare.open(A, "b" * 64)
    bare.display(1)
    assert bare.open(A, "b" * 64) == 1
    with pytest.raises(WrongKey):
        bare.open(A, "c" * 64)


def test_a_message_is_applied_once_however_often_it_comes(bare: Bare) -> None:
    bare.open()
    first = [bare.display(seq) for seq in (1, 2, 3)]
    assert [bare.display(seq)[1:] for seq in (1, 2, 3)] == [applied[1:] for applied in first]
    assert bare.store.outputs(Filter(), None, None, 10).total == 3


def test_sequence_numbers_are_unique_in_the_database_itself(bare: Bare) -> None:
    bare.open()
    bare.display(1)
    with pytest.raises(bare.store.db.Error):
        bare.store.db.execute(
            f"INSERT INTO {bare.store.db.main}.versions(output, version, session, seq, created, size, data) "
            "VALUES(9, 1, ?, 1, '', 0, '{}')",
            (A,),
        )


def test_a_gap_right_after_resuming_is_the_sessions_loss_and_a_later_one_waits(bare: Bare) -> None:
    bare.open()
    assert bare.display(5).acked == 5
    with pytest.raises(Unavailable, match="message 6 of this session comes first"):
        bare.display(7)
    assert bare.display(6).acked == 6


def test_versions_are_kept_up_to_a_limit_and_the_first_and_newest_stay(make_store: Callable[..., Bare]) -> None:
    bare = make_store(limits=Limits(max_versions=4))
    bare.open()
    for seq in range(1, 11):
        bare.display(seq, {"text/plain": b"v%d" % seq}, display_id="loss")
    assert [row.version for row in bare.store.versions(1)] == [1, 8, 9, 10]
    assert stored(bare, 1) == b"v10"
    assert stored(bare, 1, None, 1) == b"v1"
    with pytest.raises(NotFound):
        stored(bare, 1, None, 5)
    check(bare)


def test_figures_that_nothing_shows_any_more_are_told_once_that_is_there_for_good(
    make_store: Callable[..., Bare],
) -> None:
    bare = make_store(limits=Limits(max_versions=2))
    bare.open()
    for seq, (output, figure) in enumerate([("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 4)], 1):
        shown = json.dumps({**SHOWN, "id": f"{figure:032x}"})
        bare.apply(make_display(seq, display_id=output, figure=shown))
    assert bare.left == [(KEEPER, f"{2:032x}")]
    bare.call(lambda store: store.remove([1, 2]))
    bare.call(lambda store: store.purge(2))
    assert len(bare.left) == 1
    bare.call(lambda store: store.purge(3))
    bare.call(lambda store: store.purge(1))
    assert bare.left[1:] == [(KEEPER, f"{number:032x}") for number in (4, 1, 3)]


def test_a_keeper_is_awaited_for_what_no_connected_session_will_draw(bare: Bare) -> None:
    bare.open()
    bare.apply(make_display(1, figure=json.dumps(SHOWN)))
    assert bare.store.keepers_awaited() == []
    bare.call(lambda store: store.close_session(A))
    assert bare.store.keepers_awaited() == [KEEPER]
    bare.call(lambda store: store.remove([1]))
    assert bare.store.keepers_awaited() == []


def test_one_version_kept_means_the_newest(make_store: Callable[..., Bare]) -> None:
    bare = make_store(limits=Limits(max_versions=1))
    bare.open()
    for seq in (1, 2, 3):
        bare.display(seq, {"text/plain": b"v%d" % seq}, display_id="loss")
    assert [row.version for row in bare.store.versions(1)] == [3]


def test_an_update_keeps_the_source_and_title_it_does_not_give(bare: Bare) -> None:
    bare.open()
    bare.display(1, title="T", display_id="x")
    bare.display(2, display_id="x", update=True, source={"file": "other.py"})
    row = bare.store.output(1)
    assert row.title == "T"
    assert "train.py" in row.source
    bare.display(3, display_id="x", source={"file": "other.py"})
    assert "other.py" in bare.store.output(1).source


def test_removing_restoring_and_purging(bare: Bare) -> None:
    bare.open()
    bare.display(1)
    assert bare.call(lambda store: store.remove([1])) == [1]
    assert bare.call(lambda store: store.remove([1])) == []
    assert bare.store.outputs(Filter(), None, None, 10).outputs == []
    assert bare.call(lambda store: store.restore(1)).removed is None
    event = bare.call(lambda store: store.purge(1))
    assert bare.store.changes(0, 100).rows[-1] == (1, event)
    with pytest.raises(NotFound, match="there are none yet"):
        bare.store.output(1)


def test_an_unknown_output_is_answered_with_its_neighbours(bare: Bare) -> None:
    bare.open()
    for seq in range(1, 6):
        bare.display(seq)
    bare.call(lambda store: store.purge(3))
    with pytest.raises(NotFound, match="there is no output 3; the nearest are 2 and 4"):
        bare.store.output(3)


def test_clear_spares_what_is_pinned_and_keeps_to_its_project_session_and_age(bare: Bare) -> None:
    bare.open(A, project="/a")
    bare.open(B, project="/b")
    for seq in (1, 2, 3):
        bare.display(seq, session=A)
        bare.display(seq, session=B)
    bare.call(lambda store: store.edit(1, {"pinned": 1}))
    assert bare.call(lambda store: store.clear(Selection(project="/a", older_than=10 * 365 * 86400))) == []
    assert bare.call(lambda store: store.clear(Selection(project="/a"))) == [3, 5]
    assert bare.call(lambda store: store.clear(Selection(session=B, older_than=0))) == [2, 4, 6]
    bare.apply(Clear(4, ["d1"]), A)
    assert bare.store.output(1).removed is not None


def test_pages_go_forward_and_backward_and_are_filtered(bare: Bare) -> None:
    bare.open(A, project="/a")
    bare.open(B, project="/b")
    for seq in range(1, 11):
        bare.display(seq, session=A, title=f"Ärger {seq}")
        bare.display(seq, session=B)

    def ids(which: Filter | None = None, after: Any = None, before: Any = None, limit: int = 3) -> list[int]:
        which = which or Filter()
        return [row.id for row in bare.store.outputs(which, after, before, limit).outputs]

    assert ids() == [18, 19, 20]
    assert ids(after=5) == [6, 7, 8]
    assert ids(before=5) == [2, 3, 4]
    assert ids(Filter(project="/a")) == [15, 17, 19]
    assert ids(Filter(session=B), after=10) == [12, 14, 16]
    assert ids(Filter(q="ÄRGER 1"), limit=10) == [1, 19]
    assert ids(Filter(q="show(4)")) == [7, 8]
    assert bare.store.outputs(Filter(project="/a"), None, None, 2).total == 10
    bare.call(lambda store: store.edit(4, {"note": "Look HERE"}))
    assert ids(Filter(q="look here")) == [4]


def test_every_change_takes_the_next_event_and_a_delta_has_the_newest_state_in_order(bare: Bare) -> None:
    bare.open()
    for seq in range(1, 6):
        bare.display(seq)
    bare.call(lambda store: store.edit(2, {"title": "new"}))
    bare.call(lambda store: store.purge(4))
    assert bare.store.event == 8
    rows = bare.store.changes(0, 100).rows
    assert [row.event for row in rows] == [1, 2, 4, 6, 7, 8]
    assert [row.event for change in bare.changes for row in change.rows] == list(range(1, 9))
    first = bare.store.changes(0, 2)
    assert (first.event, len(first.rows)) == (2, 2)
    assert bare.store.changes(7, 100).event == 8


def test_numbers_go_on_after_a_restart(make_store: Callable[..., Bare]) -> None:
    bare = make_store()
    bare.open()
    bare.display(1)
    bare.display(2)
    bare.call(lambda store: store.purge(2))
    event = bare.store.event
    bare = make_store()
    assert bare.store.event == event
    bare.open()
    assert bare.display(3).output == 3


def test_what_cannot_be_written_at_all_is_refused_for_good(make_store: Callable[..., Bare]) -> None:
    bare = make_store(limits=Limits(max_bytes=1000))
    bare.open()
    with pytest.raises(TooLarge):
        bare.display(1, {"text/plain": bytes(2000)})


def test_a_message_that_needs_an_unknown_blob_changes_nothing(bare: Bare) -> None:
    bare.open()
    with pytest.raises(MissingBlob):
        bare.display(1, {"text/plain": b"here", "image/png": Blob("0" * 64)})
    check(bare)
    assert bare.store.figures().outputs == 0


def test_an_unreferenced_blob_lives_an_hour(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"uploaded"
    sha256 = hashlib.sha256(content).hexdigest()
    bare.call(lambda store: store.put_blob(sha256, content, len(content), None))
    bare.call(lambda store: store.forget())
    assert bare.call(lambda store: store.has_blob(sha256, None))
    now = time.time()
    monkeypatch.setattr("ipyweb.hub.blobs.time.time", lambda: now + 3700)
    bare.call(lambda store: store.forget())
    assert not bare.call(lambda store: store.has_blob(sha256, None))


def test_one_failing_job_does_not_harm_its_neighbours(bare: Bare) -> None:
    bare.open()

    def broken(store: Any) -> None:
        store.db.execute(f"INSERT INTO {store.db.main}.meta(key, value) VALUES('other', NULL)")

    jobs = [lambda s: s.apply(A, make_display(1)), broken, lambda s: s.apply(A, make_display(2))]
    outcomes = bare.store.run(jobs).outcomes
    assert [outcome.value and outcome.value.acked for outcome in outcomes] == [1, None, 2]
    assert isinstance(outcomes[1].error, bare.store.db.Error)
    check(bare)


def tidy(bare: Bare) -> None:
    while bare.call(lambda store: store.tidy()):
        pass


def test_the_oldest_outputs_go_when_there_are_too_many_bytes_and_pinned_ones_stay(
    make_store: Callable[..., Bare],
) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    bare = make_store(limits=Limits(max_bytes=2 * 2**20), clock=lambda: now)
    bare.open()
    for seq in range(1, 81):
        bare.display(seq, {"text/plain": os.urandom(50_000)}, time=f"2026-11-20T11:00:{seq:02d}.000000Z")
        if seq == 2:
            bare.call(lambda store: store.edit(2, {"pinned": 1}))
    tidy(bare)
    kept = [row.id for row in bare.store.outputs(Filter(), None, None, 1000).outputs]
    assert bare.store.figures().bytes <= 2 * 2**20
    assert kept[0] == 2
    assert kept[1:] == list(range(kept[1], 81))
    assert len(kept) > 30
    check(bare)


def test_the_trash_goes_before_anything_else(make_store: Callable[..., Bare]) -> None:
    bare = make_store(limits=Limits(max_bytes=2**20))
    bare.open()
    for seq in range(1, 21):
        bare.display(seq, {"text/plain": os.urandom(50_000)})
    bare.call(lambda store: store.remove([18, 19, 20]))
    for seq in (21, 22):
        bare.display(seq, {"text/plain": os.urandom(50_000)})
    tidy(bare)
    kept = {row.id for row in bare.store.outputs(Filter(removed=None), None, None, 1000).outputs}
    assert not kept & {18, 19, 20}
    assert {17, 21, 22} <= kept


def test_age_and_the_trash_have_their_days(make_store: Callable[..., Bare]) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    bare = make_store(limits=Limits(max_age=90, trash_days=7), clock=lambda: now)
    bare.open()
    times = ("2026-08-01", "2026-08-01", "2026-11-01", "2026-11-19")
    for seq, day in enumerate(times, 1):
        bare.display(seq, time=f"{day}T00:00:00.000000Z")
    bare.call(lambda store: store.edit(2, {"pinned": 1}))
    bare.call(lambda store: store.remove([3]))
    tidy(bare)
    assert [row.id for row in bare.store.outputs(Filter(removed=None), None, None, 9).outputs] == [2, 3, 4]
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    tidy(bare)
    assert [row.id for row in bare.store.outputs(Filter(removed=None), None, None, 9).outputs] == [2, 4]


def test_ended_sessions_without_outputs_are_forgotten(make_store: Callable[..., Bare]) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    bare = make_store(clock=lambda: now)
    for session in (A, B):
        bare.open(session)
        bare.display(1, session=session)
        bare.apply(Bye(2), session)
    bare.call(lambda store: store.purge(1))
    now = datetime(2026, 12, 20, tzinfo=UTC)
    bare.call(lambda store: store.forget())
    assert [row[0] for row in bare.store.sessions(None).rows] == [B]


def test_a_command_that_asks_for_nothing_is_counted(bare: Bare) -> None:
    bare.open()
    assert bare.apply(Command(1)).acked == 1
    assert bare.open() == 1


def test_what_is_published_without_a_socket_is_filed_under_its_label(bare: Bare) -> None:
    hello = make_hello("c" * 32, kind="http")
    for n in (1, 2):
        applied = bare.call(lambda store: store.publish(hello, make_display(0, display_id="x")))
        assert (applied.output, applied.version) == (1, n)
    assert bare.store.sessions(None).rows[0][4] == "http"


def check(bare: Bare) -> None:
    """The database agrees with itself: references are counted right, and every file is known."""
    db = bare.store.db
    for place in db.schemas:
        counted: dict[str, int] = {}
        for (data,) in db.execute(f"SELECT data FROM {place}.versions"):
            for reference in json.loads(data).values():
                counted[reference["sha256"]] = counted.get(reference["sha256"], 0) + 1
        rows = {digest.hex(): refs for digest, refs in db.execute(f"SELECT sha256, refs FROM {place}.data")}
        assert {name: refs for name, refs in rows.items() if refs} == counted
        stored_in_db = {n for (n,) in db.execute(f"SELECT n FROM {place}.bytes")}
        assert stored_in_db == {n for (n,) in db.execute(f"SELECT n FROM {place}.data WHERE file = 0")}
        for output, versions, version in db.execute(f"SELECT id, versions, version FROM {place}.outputs"):
            statement = f"SELECT count(*), max(version) FROM {place}.versions WHERE output = ?"
            assert db.execute(statement, (output,)).fetchone() == (versions, version)


def test_sessions_that_are_over_are_not_kept_in_memory(bare: Bare) -> None:
    for number in range(20):
        session = f"{number:032x}"
        bare.open(session)
        bare.display(1, session=session)
        bare.apply(Bye(2), session)
        ended = bare.store.sessions(None).rows[-1]
        bare.call(lambda store, session=session: store.end_session(session))
        assert bare.store.sessions(None).rows[-1] == ended
    hello = make_hello("c" * 32, kind="http")
    bare.call(lambda store: store.publish(hello, make_display(0)))
    assert bare.store.known == {}
