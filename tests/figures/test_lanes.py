"""Jobs side by side: the urgent first, one at a time for each key, what is slow or has time out of the way."""

import threading
from collections.abc import Callable, Iterator

import pytest

from ipyweb.figures import lanes as module
from ipyweb.figures.lanes import IDLE, NOW, SOON, Lanes

from ..conftest import HANGS, wait_until


@pytest.fixture
def one() -> Iterator[Lanes]:
    lanes = Lanes(1)
    yield lanes
    lanes.end()


class Gate:
    """A job that waits to be let go."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.let_go.wait(HANGS)


def recording(done: list[str]) -> Callable[[str], Callable[[], None]]:
    return lambda name: lambda: done.append(name)


def test_the_most_urgent_job_comes_first_and_equal_ones_in_order(one: Lanes) -> None:
    gate, done = Gate(), list[str]()
    job = recording(done)
    one.submit("gate", NOW, gate)
    assert gate.begun.wait(HANGS)
    for name, priority in (("idle", IDLE), ("soon", SOON), ("later", SOON), ("now", NOW)):
        one.submit(name, priority, job(name))
    gate.let_go.set()
    wait_until(lambda: len(done) == 4, "all jobs")
    assert done == ["now", "soon", "later", "idle"]


def test_of_one_key_only_one_job_runs_at_a_time() -> None:
    lanes, gate, done = Lanes(2), Gate(), list[str]()
    job = recording(done)
    lanes.submit("a", NOW, gate)
    assert gate.begun.wait(HANGS)
    lanes.submit("a", NOW, job("a"))
    lanes.submit("b", SOON, job("b"))
    wait_until(lambda: done == ["b"], "the other key")
    gate.let_go.set()
    wait_until(lambda: done == ["b", "a"], "the same key")
    lanes.end()


def test_a_cancelled_job_is_not_begun(one: Lanes) -> None:
    gate, done = Gate(), list[str]()
    job = recording(done)
    one.submit("gate", NOW, gate)
    assert gate.begun.wait(HANGS)
    ticket = one.submit("a", NOW, job("a"))
    one.submit("b", NOW, job("b"))
    one.cancel(ticket)
    gate.let_go.set()
    wait_until(lambda: not one.busy, "the end")
    assert done == ["b"]


def test_a_job_that_raises_harms_no_other(one: Lanes) -> None:
    done: list[str] = []
    one.submit("a", NOW, lambda: [][0])
    one.submit("a", NOW, lambda: done.append("b"))
    wait_until(lambda: done == ["b"], "the next job")


def test_others_pass_a_job_that_turns_out_to_be_slow(one: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, done = Gate(), list[str]()
    one.submit("slow", NOW, gate)
    assert gate.begun.wait(HANGS)
    one.submit("quick", NOW, lambda: done.append("quick"))
    one.tick()
    assert done == []
    monkeypatch.setattr(module, "SLOW", 0.0)
    one.tick()
    wait_until(lambda: done == ["quick"], "the quick one")
    monkeypatch.undo()
    gate.let_go.set()
    wait_until(lambda: not one.busy, "the end")


def test_what_has_time_waits_until_it_is_quiet(one: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(module, "QUIET", 1e6)
    one.submit("a", NOW, lambda: None)
    one.submit("b", IDLE, lambda: done.append("b"))
    wait_until(lambda: not one._running, "the urgent one")
    assert one.busy
    assert done == []
    monkeypatch.setattr(module, "QUIET", 0.0)
    one.tick()
    wait_until(lambda: done == ["b"], "what had time")


def test_nothing_begins_after_the_end(one: Lanes) -> None:
    gate, done = Gate(), list[str]()
    one.submit("gate", NOW, gate)
    assert gate.begun.wait(HANGS)
    one.submit("a", NOW, lambda: done.append("a"))
    one.end()
    gate.let_go.set()
    wait_until(lambda: one._threads == 0, "the lane to end")
    assert done == []


def test_what_is_to_wait_begins_later_and_others_meanwhile(one: Lanes) -> None:
    done = list[str]()
    job = recording(done)
    one.submit("later", NOW, job("later"), delay=0.2)
    one.submit("soon", SOON, job("soon"))
    one.submit("idle", IDLE, job("idle"))
    wait_until(lambda: len(done) == 3, "all jobs")
    assert done == ["soon", "later", "idle"]
