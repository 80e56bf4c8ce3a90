"""Calls of a function wait their turn, and the newest takes the place of one that waits; the function goes once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipyweb import keepers
from ipyweb.config import IPyWeb
from ipyweb.figures import channel
from ipyweb.figures.recipe import take_call
from ipyweb.session.deferred import _pickled
from ipyweb.session.figures import Handover, environment
from ipyweb.session.session import Session

from ..conftest import wait_until


class Keeper:
    """A keeper's end of a conversation, which answers when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import socket
        from multiprocessing.connection import Connection

        ours, theirs = socket.socketpair()
        self.peer, self.other = Connection(ours.detach()), Connection(theirs.detach())
        monkeypatch.setattr(Handover, "_reach", lambda handover: self.other)

    def put(self) -> tuple[str, list[bytes]]:
        """The next figure that is handed over."""
        assert self.peer.poll(20)
        header, parts = channel.receive(self.peer)
        assert header["type"] == "put"
        return header["id"], parts

    def loaded(self, figure: str) -> None:
        channel.send(self.peer, {"type": "loaded", "id": figure})


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Keeper:
    return Keeper(monkeypatch)


@pytest.fixture
def handover(keeper: Keeper) -> Iterator[Handover]:
    made = Handover(Session("script", IPyWeb()))
    yield made
    made._pending.clear()
    made.close(0)


def plot(n: int) -> Any:
    from matplotlib.figure import Figure

    made = Figure()
    made.subplots().plot(range(n))
    return made


def add(handover: Handover, n: int, display_id: str, function: Callable[..., Any] = plot) -> str:
    call = take_call(_pickled(function), (n,), "plot")
    handover.add(call, display_id)
    return call.id


def test_a_call_that_waits_is_replaced_before_it_is_sent(keeper: Keeper, handover: Handover) -> None:
    first = add(handover, 0, "loop")
    assert keeper.put()[0] == first
    later = [add(handover, n, "loop") for n in range(1, 10)]
    keeper.loaded(first)
    assert keeper.put()[0] == later[-1]
    keeper.loaded(later[-1])
    wait_until(lambda: not handover._pending, "everything to be handed over")
    assert not keeper.peer.poll(0)


def test_calls_for_other_outputs_do_not_wait(keeper: Keeper, handover: Handover) -> None:
    first, other = add(handover, 1, "one"), add(handover, 2, "two")
    assert [keeper.put()[0], keeper.put()[0]] == [first, other]


def test_the_function_is_sent_once(keeper: Keeper, handover: Handover) -> None:
    bodies = []
    for n in range(3):
        figure = add(handover, n, "loop")
        found, parts = keeper.put()
        assert found == figure
        bodies.append(parts[-1])
        keeper.loaded(figure)
    assert bodies == [_pickled(plot), b"", b""]


def test_the_function_is_sent_again_to_a_new_keeper(
    keeper: Keeper, handover: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = add(handover, 1, "loop")
    assert keeper.put()[1][-1] == _pickled(plot)
    another = Keeper(monkeypatch)
    keeper.peer.close()
    again, parts = another.put()
    assert (again, parts[-1]) == (figure, _pickled(plot))
    another.loaded(figure)
    add(handover, 2, "loop")
    assert another.put()[1][-1] == b""


def test_a_figure_whose_drawing_fails_unexpectedly_at_the_end_keeps_no_other_from_being_drawn(
    handover: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (add(handover, n, f"output {n}") for n in (1, 2))
    filled: dict[str, Any] = {}

    def fill(figure: str, parts: Any, content: Any) -> None:
        if figure == first and not filled:
            filled[first] = None
            raise RuntimeError("unexpected")
        filled[figure] = parts

    monkeypatch.setattr(handover._session, "fill", fill)
    handover.close(0)
    assert filled[first] is None
    assert filled[second]["image/png"].startswith(b"\x89PNG")
    assert {first, second} == {each.stem for each in keepers.shelf_dir(environment()).glob("*.figure")}
