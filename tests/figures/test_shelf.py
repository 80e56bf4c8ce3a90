"""What lies on the shelf comes back as it was, or not at all."""

import os
import time
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from ipyweb import keepers
from ipyweb.errors import KeeperUnavailable
from ipyweb.figures.shelf import STAMP, Shelf
from ipyweb.figures.snapshot import Snapshot, take

ENVIRONMENT = "0123456789abcdef"


def files() -> list[Path]:
    return sorted(keepers.shelf_dir(ENVIRONMENT).glob("*.figure"))


def test_a_snapshot_comes_back_as_it_was() -> None:
    snapshot = Snapshot("a" * 32, {"cwd": "/"}, b"pickle", [b"one", b"", b"three" * 1000])
    Shelf(ENVIRONMENT).put(snapshot)
    assert Shelf(ENVIRONMENT).get(snapshot.id) == snapshot


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_snapshot_that_was_tampered_with_is_refused(place: int) -> None:
    shelf, snapshot = Shelf(ENVIRONMENT), take(Figure())
    shelf.put(snapshot)
    (path,) = files()
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(KeeperUnavailable, match="cannot be used"):
        shelf.get(snapshot.id)


def test_one_figure_cannot_be_passed_off_as_another() -> None:
    shelf, first, second = Shelf(ENVIRONMENT), take(Figure()), take(Figure())
    shelf.put(first)
    path = files()[0]
    os.rename(path, path.with_name(f"{second.id}.figure"))
    with pytest.raises(KeeperUnavailable, match="its MAC is wrong"):
        shelf.get(second.id)


def test_a_file_that_others_can_write_is_refused() -> None:
    shelf, snapshot = Shelf(ENVIRONMENT), take(Figure())
    shelf.put(snapshot)
    files()[0].chmod(0o666)
    with pytest.raises(KeeperUnavailable, match="cannot be used"):
        shelf.get(snapshot.id)


def test_what_was_never_there_is_said_to_be_gone() -> None:
    with pytest.raises(KeeperUnavailable, match="not kept any more"):
        Shelf(ENVIRONMENT).get("f" * 32)


@pytest.mark.parametrize("name", ["../record.json", "a" * 31, "/" * 32])
def test_an_id_is_no_path(name: str) -> None:
    with pytest.raises(KeeperUnavailable, match="expected a figure id"):
        Shelf(ENVIRONMENT).get(name)


def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    shelf = Shelf(ENVIRONMENT, max_bytes=2500)
    for number in range(4):
        snapshot = Snapshot(f"{number:032x}", {}, b"x" * 1000, [])
        shelf.put(snapshot)
        os.utime(keepers.shelf_dir(ENVIRONMENT) / f"{snapshot.id}.figure", (number, time.time() - 100 + number))
    shelf.prune()
    assert [path.stem[-1] for path in files()] == ["2", "3"]


def test_what_nobody_asked_for_in_a_long_time_goes() -> None:
    shelf = Shelf(ENVIRONMENT, max_age=30)
    for number, days in enumerate((1, 31)):
        snapshot = Snapshot(f"{number:032x}", {}, b"x", [])
        shelf.put(snapshot)
        then = time.time() - days * 86400
        os.utime(keepers.shelf_dir(ENVIRONMENT) / f"{snapshot.id}.figure", (then, then))
    shelf.prune()
    assert [path.stem[-1] for path in files()] == ["0"]


def put(number: int, days: float = 0.0, **limits: float) -> None:
    snapshot = Snapshot(f"{number:032x}", {}, b"x" * 1000, [])
    Shelf(ENVIRONMENT, **limits).put(snapshot)  # type: ignore[arg-type]
    age(keepers.shelf_dir(ENVIRONMENT) / f"{snapshot.id}.figure", days)


def age(path: Path, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def test_whoever_puts_prunes_now_and_then() -> None:
    put(0, days=31)
    put(1, days=29)
    assert len(files()) == 2
    age(keepers.shelf_dir(ENVIRONMENT) / STAMP, 1)
    put(2)
    assert [path.stem[-1] for path in files()] == ["1", "2"]
    put(3, max_bytes=1500)
    assert len(files()) == 3
    age(keepers.shelf_dir(ENVIRONMENT) / STAMP, 1)
    put(4, max_bytes=1500)
    assert [path.stem[-1] for path in files()] == ["4"]


@pytest.mark.parametrize(
    ("days", "kept", "there"), [(29, None, True), (31, None, False), (31, 365.0, True), (400, 365.0, False)]
)
def test_the_shelf_of_an_environment_that_nobody_uses_any_more_goes(
    days: float, kept: float | None, there: bool
) -> None:
    other = "f" * 16
    Shelf(other).put(Snapshot("a" * 32, {}, b"x", []))
    if kept is not None:
        keepers.write_record(other, ["python"], {}, {"max_age": kept})
    directory = keepers.shelf_dir(other)
    for path in (*directory.iterdir(), directory):
        age(path, days)
    Shelf(ENVIRONMENT, max_age=30).prune()
    assert directory.exists() is there
