"""Panes that reach into figures, at the hub: what they say is checked and passed on, and what copies say comes back."""

import asyncio
import contextlib
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from ipyweb.hub.messages import BadMessage
from ipyweb.hub.reach import BURST, EVENTS, Reacher, event
from ipyweb.hub.sharing import Grant
from ipyweb.protocol import decode, encode

from .conftest import FIGURE, KEEPER, PNG, SHOWN, Keeper, Live, Socket

BEGIN = {"type": "reach", "protocol": 1, "output": 1, "version": 1, "width": 800, "height": 600, "dpi": 100}
MOVED = {"type": "motion_notify", "x": 10.5, "y": 20, "button": 0, "buttons": 1, "step": 0, "modifiers": ["shift"]}
VIEW = {"id": "a" * 32, "keeper": KEEPER, "size": [640, 480], "dpi": 100, "default_size": True}


class Reaching(Socket):
    """A pane that reaches into a figure."""

    def __init__(self, live: Live, scope: str = "pane", token: str | None = None, **fields: Any) -> None:
        super().__init__(live.port, "/ws/reach", token or live.token(scope))
        self.send({**BEGIN, **fields})

    def hear(self) -> tuple[dict[str, Any], list[bytes]]:
        message = decode(self.ws.recv(timeout=120))
        return message.header, [bytes(each) for each in message.buffers]

    def ended(self) -> tuple[int, str]:
        """Close code and reason."""
        with pytest.raises(ConnectionClosedError) as closed:
            list(self.ws)
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.fixture
def keeper(shown: Live) -> Keeper:
    return Keeper(shown)


@pytest.fixture
def pane(shown: Live, keeper: Keeper) -> Reaching:
    """A pane with a copy of its own, number 1."""
    made = Reaching(shown)
    assert keeper.hear()["n"] == 1
    keeper.say({"type": "reached", "n": 1})
    assert made.hear()[0] == {"type": "reached", "keeps": True}
    return made


def test_a_copy_is_asked_of_the_keeper_of_the_figure(shown: Live, keeper: Keeper) -> None:
    Reaching(shown)
    (output,) = shown.outputs()
    assert keeper.hear() == {
        "type": "reach",
        "n": 1,
        "figure": FIGURE,
        "wanted": {"width": 800, "height": 600, "dpi": 100},
        "session": output["session"],
        "private": False,
    }


def test_events_go_to_the_copy_with_their_known_fields_only(pane: Reaching, keeper: Keeper) -> None:
    pane.send({**MOVED, "guiEvent": {"isTrusted": True}, "figure_id": 1})
    assert keeper.hear() == {"type": "event", "n": 1, "event": MOVED}
    pane.send({"type": "ack"})
    assert keeper.hear() == {"type": "event", "n": 1, "event": {"type": "ack"}}


def test_pictures_and_small_messages_come_to_the_pane(pane: Reaching, keeper: Keeper) -> None:
    keeper.say(
        {"type": "frame", "n": 1, "size": [800, 600], "at": [0, 10], "mime": "image/png", "last": False}, PNG[:100]
    )
    keeper.say(
        {"type": "frame", "n": 1, "size": [800, 600], "at": [0, 10], "mime": "image/png", "last": True}, PNG[100:]
    )
    for last in (False, True):
        header, (part,) = pane.hear()
        assert {name: header[name] for name in ("type", "size", "at", "mime", "last")} == {
            "type": "frame",
            "size": [800, 600],
            "at": [0, 10],
            "mime": "image/png",
            "last": last,
        }
        assert part == (PNG[100:] if last else PNG[:100])
    keeper.say({"type": "said", "n": 1, "messages": [{"type": "cursor", "cursor": "move"}]})
    assert pane.hear()[0] == {"type": "cursor", "cursor": "move"}


def test_of_small_messages_a_slow_pane_gets_the_newest_and_no_picture_is_left_out() -> None:
    reacher = Reacher(None, None, True, Grant("pane").check, lambda: None, lambda *_: None)  # type: ignore[arg-type]
    for number in range(3):
        said = [{"type": "message", "message": str(number)}, {"type": "cursor", "cursor": "move"}]
        reacher.hear(decode(encode({"type": "said", "n": 1, "messages": said})))
        reacher.hear(decode(encode({"type": "frame", "n": 1, "last": True}, [bytes([number])])))
    frames = [asyncio.run(reacher.next_frame()) for _ in range(6)]
    assert frames.pop() is None
    assert [json.loads(frame) for frame in frames[:2]] == said
    assert [bytes(decode(frame).buffers[0]) for frame in frames[2:]] == [b"\0", b"\1", b"\2"]


@pytest.mark.parametrize(
    "bad",
    [
        {**MOVED, "x": "left"},
        {**MOVED, "x": 1e9},
        {**MOVED, "y": None},
        {**MOVED, "buttons": 99},
        {**MOVED, "button": 0.5},
        {**MOVED, "modifiers": ["hyper"]},
        {**MOVED, "modifiers": [[]] * 9},
        {**MOVED, "modifiers": "shift"},
        {"type": "key_press", "key": "k" + "a" * 100},
        {"type": "key_press", "key": "a"},
        {"type": "key_press", "key": 7},
        {"type": "toolbar_button", "name": "save_figure"},
        {"type": "toolbar_button", "name": ["pan"]},
        {"type": "resize", "width": 1e6, "height": 600, "dpi": 100},
        {"type": "resize", "width": 15_000, "height": 15_000, "dpi": 100},
        {"type": "resize", "width": 800, "height": 600, "dpi": 0},
        {"type": "resize", "width": True, "height": 600, "dpi": 100},
        {"type": "handle_event"},
        {"type": "reach"},
        {"type": "send_image_mode"},
    ],
)
def test_what_no_pane_may_say_ends_it_with_a_reason_and_the_copy_too(
    pane: Reaching, keeper: Keeper, bad: dict[str, Any]
) -> None:
    with pytest.raises(BadMessage):
        event(bad)
    pane.send(bad)
    code, reason = pane.ended()
    assert code == 4400
    assert reason
    assert keeper.hear() == {"type": "leave", "n": 1}


def test_every_event_has_a_table_of_what_its_fields_may_be() -> None:
    assert {"ack", "draw", "refresh", "resize", "motion_notify", "button_press", "key_press", "scroll"} <= {*EVENTS}
    assert not any(check(None) for checks in EVENTS.values() for check in checks.values())


def test_a_pane_that_talks_without_end_is_sent_away(pane: Reaching) -> None:
    with contextlib.suppress(ConnectionClosed):
        for _ in range(int(3 * BURST)):
            pane.send({"type": "ack"})
    assert pane.ended()[0] == 4429


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "subscribe"},
        {"output": "1"},
        {"version": None},
        {"width": -1},
        {"dpi": "sharp"},
        {"width": 15_000, "height": 15_000},
    ],
)
def test_a_beginning_that_makes_no_sense_is_refused(shown: Live, fields: dict[str, Any]) -> None:
    assert Reaching(shown, **fields).ended()[0] == 4400


def test_another_protocol_is_refused_in_words(shown: Live) -> None:
    code, reason = Reaching(shown, protocol=99).ended()
    assert code == 4406
    assert "protocol 99" in reason


def test_without_a_figure_or_its_keeper_the_pane_hears_why(shown: Live) -> None:
    assert Reaching(shown, output=77).hear()[0]["reason"].startswith("there is no output 77")
    assert "nothing is known of the environment" in Reaching(shown).hear()[0]["reason"]
    session = shown.session()
    session.welcome()
    session.display()
    session.acked()
    assert "shows no figure" in Reaching(shown, output=2).hear()[0]["reason"]


def test_a_copy_that_ended_is_told_with_its_reason(pane: Reaching, keeper: Keeper) -> None:
    keeper.say({"type": "left", "n": 1, "reason": "its process crashed"})
    assert pane.hear()[0] == {"type": "gone", "reason": "its process crashed"}


def test_a_keeper_that_goes_is_told_and_the_pane_may_begin_again(
    shown: Live,
    pane: Reaching,
    keeper: Keeper,
) -> None:
    keeper.socket.close()
    assert pane.hear()[0] == {"type": "gone", "reason": "the figure keeper went away"}
    pane.send({"type": "ack"})
    another = Keeper(shown)
    Reaching(shown)
    assert another.hear()["type"] == "reach"


def test_a_pane_that_goes_ends_its_copy(pane: Reaching, keeper: Keeper) -> None:
    pane.close()
    assert keeper.hear() == {"type": "leave", "n": 1}


def test_two_panes_have_a_copy_each(shown: Live, pane: Reaching, keeper: Keeper) -> None:
    other = Reaching(shown)
    number = keeper.hear()["n"]
    keeper.say({"type": "reached", "n": number})
    keeper.say({"type": "said", "n": number, "messages": [{"type": "message", "message": "second"}]})
    keeper.say({"type": "said", "n": 1, "messages": [{"type": "message", "message": "first"}]})
    assert pane.hear()[0]["message"] == "first"
    assert other.hear()[0]["type"] == "reached"
    assert other.hear()[0]["message"] == "second"


def test_a_kept_view_is_the_next_version_and_the_first_stays(
    shown: Live,
    pane: Reaching,
    keeper: Keeper,
) -> None:
    keeper.drawn({"image/png": PNG})
    (before,) = shown.outputs()
    pane.send({"type": "keep"})
    assert keeper.hear()["event"] == {"type": "keep"}
    keeper.say({"type": "kept", "n": 1, "figure": VIEW})
    assert pane.hear()[0] == {"type": "kept", "version": 2}
    assert keeper.drawn({"image/png": PNG[::-1]}, figure=VIEW["id"])["type"] == "filled"
    (after,) = shown.outputs()
    assert after["version"] == 2
    assert after["figure"]["id"] == VIEW["id"]
    assert [after[name] for name in ("source", "title", "metadata")] == [
        before[name] for name in ("source", "title", "metadata")
    ]
    first, second = shown.get("/api/outputs/1/versions")
    assert (first["figure"]["id"], second["figure"]["id"]) == (SHOWN["id"], VIEW["id"])
    assert shown.request("GET", "/api/outputs/1/data?mime=image/png&version=1").body == PNG


def test_a_view_can_be_kept_of_an_output_whose_session_is_over(live: Live) -> None:
    session = live.session()
    session.welcome()
    session.display(parts={"text/plain": b"<Figure>"}, figure=SHOWN)
    session.acked(session.tell("bye"))
    session.close()
    keeper, pane = Keeper(live), Reaching(live)
    keeper.say({"type": "kept", "n": keeper.hear()["n"], "figure": VIEW})
    assert pane.hear()[0] == {"type": "kept", "version": 2}


def test_a_view_that_cannot_be_kept_is_refused_in_words(
    shown: Live,
    pane: Reaching,
    keeper: Keeper,
) -> None:
    keeper.say({"type": "kept", "n": 1, "error": "it holds a lock"})
    assert pane.hear()[0] == {"type": "refused", "reason": "it holds a lock"}
    shown.request("DELETE", "/api/outputs/1?purge=1")
    keeper.say({"type": "kept", "n": 1, "figure": VIEW})
    assert pane.hear()[0]["reason"].startswith("there is no output 1")


def shared(live: Live, **asked: Any) -> str:
    """The token of a link that only looks."""
    return str(live.request("POST", "/api/shares", {"seconds": 60, **asked}).json()["token"])


def test_a_link_to_another_output_reaches_into_nothing(shown: Live, keeper: Keeper) -> None:
    shown.request("POST", "/api/outputs", {"data": {"text/plain": "x"}})
    other = Reaching(shown, token=shared(shown, output=2))
    assert other.hear()[0] == {"type": "gone", "reason": "there is no output 1"}
    pane = Reaching(shown, token=shared(shown, output=1))
    keeper.say({"type": "reached", "n": keeper.hear()["n"]})
    assert pane.hear()[0] == {"type": "reached", "keeps": False}


def test_a_pane_that_may_only_look_reaches_in_but_keeps_nothing(shown: Live, keeper: Keeper) -> None:
    pane = Reaching(shown, token=shared(shown))
    keeper.say({"type": "reached", "n": keeper.hear()["n"]})
    assert pane.hear()[0] == {"type": "reached", "keeps": False}
    pane.send({"type": "keep"})
    assert pane.hear()[0]["type"] == "refused"
    pane.send(MOVED)
    assert keeper.hear()["event"] == MOVED


def test_sessions_may_not_reach_into_figures(shown: Live) -> None:
    with pytest.raises(Exception, match="403"):
        Reaching(shown, scope="session")
