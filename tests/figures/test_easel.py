"""Easels: each figure has a process of its own, and one that has rehearsed waits for the next."""

import os
import signal
from collections.abc import Iterator

import psutil
import pytest
from matplotlib.figure import Figure

from ipyweb.figures.easel import _ROOM, Easel, Easels
from ipyweb.figures.snapshot import Snapshot, take

from ..conftest import wait_until

PNG = b"\x89PNG"


@pytest.fixture
def easels() -> Iterator[Easels]:
    made = Easels(2**30)
    made.begin()
    assert made.await_warm()
    yield made
    made.end()


def snapshot() -> Snapshot:
    figure = Figure()
    figure.subplots().plot([1, 2])
    return take(figure)


def template() -> psutil.Process:
    (found,) = (each for each in psutil.Process().children() if "ipyweb.figures.easel" in each.cmdline())
    return found


def spare() -> psutil.Process:
    """The process that waits for the next figure."""
    (found,) = wait_until(template().children, "a spare")
    return found


def draws(easel: Easel) -> bool:
    easel.load(snapshot(), 60)
    return easel.draw({"mime": "image/png"}, 60)[1].startswith(PNG)


def test_a_spare_serves_the_next_figure_and_another_takes_its_place(easels: Easels) -> None:
    waiting = spare().pid
    easel = easels.new()
    assert easel.pid == waiting
    assert draws(easel)
    easel.end()
    wait_until(lambda: [each.pid for each in template().children() if each.pid != waiting], "the next spare")


def test_nothing_is_imported_anew_for_a_figure(easels: Easels) -> None:
    spare()  # is forked once all is imported
    easel = easels.new()
    assert easel.load(snapshot(), 60).imported == []
    easel.end()


def test_without_a_spare_an_easel_is_forked(easels: Easels) -> None:
    made = [easels.new() for _ in range(3)]
    assert len({easel.pid for easel in made}) == 3
    assert all(draws(easel) for easel in made)
    for easel in made:
        easel.end()


def test_a_spare_that_died_is_no_loss(easels: Easels) -> None:
    waiting = spare()
    os.kill(waiting.pid, signal.SIGKILL)
    waiting.wait(60)
    easel = easels.new()
    assert draws(easel)
    easel.end()


def test_a_spare_ends_with_its_template(easels: Easels) -> None:
    waiting = spare()
    busy = [easels.new(), easels.new()]
    (waiting,) = wait_until(
        lambda: [each for each in template().children() if each.pid not in {easel.pid for easel in busy}], "a spare"
    )
    easels.end()
    waiting.wait(60)
    for easel in busy:
        easel.end()


def test_where_memory_is_short_there_is_no_spare() -> None:
    lean = Easels(2**30, spares=False)
    lean.begin()
    assert lean.await_warm()
    before = lean.memory()
    easel = lean.new()
    assert draws(easel)
    assert [each.pid for each in template().children()] == [easel.pid]
    assert _ROOM < before < 4 * _ROOM
    easel.end()
    lean.end()
    assert lean.memory() == 0


def test_the_room_of_a_spare_is_given_back_after_the_drawing(easels: Easels) -> None:
    spare()
    easel = easels.new()
    assert draws(easel)
    wait_until(lambda: easel.memory() < _ROOM, "free memory to be given back")
    easel.end()
