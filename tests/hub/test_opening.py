"""Opening the store in whatever state the disk is."""

import os
import sqlite3
from pathlib import Path

import pytest

from ipyweb.hub import schema
from ipyweb.hub.opening import DATABASE, MOST_RESETS, Opener
from ipyweb.hub.retention import Limits

from .conftest import Bare


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    return made


def fill(directory: Path) -> int:
    """Make a database with some outputs, and return its newest event."""
    bare = Bare(Opener(directory, Limits())(None))
    bare.open()
    for seq in range(1, 20):
        bare.display(seq, {"text/plain": os.urandom(20_000)})
    event = bare.store.event
    bare.store.close()
    return event


def test_a_good_store_opens_without_a_notice(directory: Path) -> None:
    event = fill(directory)
    store = Opener(directory, Limits())(None)
    assert (store.notices, store.event, store.durable) == ([], event, True)
    store.close()


def test_numbers_go_on_after_a_damaged_database_was_set_aside_if_they_can_be_read(directory: Path) -> None:
    event = fill(directory)
    with (directory / DATABASE).open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.seek(file.tell() // 2)
        file.write(os.urandom(100_000))
    store = Opener(directory, Limits())(None)
    assert store.event >= event
    assert store.next_id > 19
    assert "set aside" in store.notices[0]
    store.close()


def test_every_cut_of_the_file_opens(directory: Path) -> None:
    fill(directory)
    whole = (directory / DATABASE).read_bytes()
    for length in (0, 1, 15, 16, 99, 100, 4095, 4096, 5000, len(whole) // 2, len(whole) - 1):
        (directory / DATABASE).write_bytes(whole[:length])
        opener = Opener(directory, Limits())
        bare = Bare(opener(None))
        bare.open(session="f" * 32)
        bare.display(1, session="f" * 32)
        bare.store.close()


def test_a_store_that_is_damaged_again_and_again_ends_in_memory(directory: Path) -> None:
    opener = Opener(directory, Limits())
    store = opener(None)
    for _ in range(MOST_RESETS + 1):
        assert store.durable
        store.close()
        store = opener(store)
    assert not store.durable
    store.close()
    assert len(list(directory.glob("damaged-*"))) == MOST_RESETS + 1


def test_a_directory_in_place_of_the_database_means_memory(directory: Path) -> None:
    (directory / DATABASE).mkdir()
    store = Opener(directory, Limits())(None)
    assert not store.durable
    assert "cannot be used" in store.notices[0]
    store.close()


def test_a_newer_database_of_unknown_tables_is_left_alone(directory: Path) -> None:
    database = sqlite3.connect(directory / DATABASE)
    database.executescript(f"CREATE TABLE something(else_); PRAGMA user_version = {schema.SCHEMA + 1};")
    database.close()
    before = (directory / DATABASE).read_bytes()
    store = Opener(directory, Limits())(None)
    assert "newer ipyweb" in store.notices[0]
    store.close()
    assert (directory / DATABASE).read_bytes() == before


def test_connecting_says_what_is_wrong(directory: Path) -> None:
    (directory / "x").write_bytes(b"no database" * 1000)
    with pytest.raises(schema.Damaged):
        schema.connect(directory / "x")


def test_files_left_by_a_crash_are_removed_and_known_ones_stay(directory: Path) -> None:
    bare = Bare(Opener(directory, Limits())(None))
    bare.open()
    bare.display(1, {"image/png": os.urandom(100_000)})
    bare.store.close()
    (known,) = [path for path in (directory / "blobs").rglob("*") if path.is_file()]
    strays = [directory / "blobs" / "incoming" / "half", known.parent / ("0" * 64)]
    for stray in strays:
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(b"x")
    Opener(directory, Limits())(None).close()
    assert known.exists()
    assert not any(stray.exists() for stray in strays)
