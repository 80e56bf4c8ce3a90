"""A session's comms at the hub: merged, passed on, kept at its end; and who may speak to them."""

import hashlib
import json
import secrets
from typing import Any

import nbformat
import pytest
from websockets.exceptions import ConnectionClosed

from ipyweb.comms import Joiner, Message, frames
from ipyweb.errors import FrameError
from ipyweb.hub import comms as module
from ipyweb.hub.comms import WIDGETS, Follower, Room, Rooms
from ipyweb.protocol import WIDGET_VIEW

from ..conftest import wait_until
from .conftest import Live, Session, Socket

TEXT = b"export default {}" * 2000
NAME = hashlib.sha256(TEXT).hexdigest()


def opened(comm: str = "a", texts: dict[str, str] | None = None, **state: object) -> Message:
    data = {"state": state, "buffer_paths": []}
    header = {"type": "comm_open", "comm_id": comm, "target_name": "jupyter.widget", "data": data}
    return Message({**header, "metadata": {"version": "2.1.0"}, "texts": texts or {}})


def update(comm: str = "a", **state: object) -> Message:
    data = {"method": "update", "state": state, "buffer_paths": []}
    return Message({"type": "comm_msg", "comm_id": comm, "data": data, "msg_id": "1"})


def text() -> Message:
    return Message({"type": "text", "sha256": NAME}, [TEXT])


def heard(follower: Follower) -> list[Message]:
    found = []
    while (message := follower.take()) is not None:
        found.append(message)
    return found


def kinds(messages: list[Message]) -> list[str]:
    return [each.header["type"] for each in messages]


def nothing(*_: object) -> None: ...


@pytest.fixture
def room() -> Room:
    room = Room()
    room.enter(nothing)
    return room


def test_who_follows_gets_everything_as_it_is_and_then_what_changes(room: Room) -> None:
    for message in (text(), Message({"type": "module", "name": "bqplot", "sha256": NAME}), opened(value=1)):
        room.take(message)
    room.take(update(value=2))
    follower = room.follow(nothing)
    found = heard(follower)
    assert kinds(found) == ["reset", "text", "module", "comm_open", "live"]
    assert found[3].header["data"]["state"] == {"value": 2}
    room.take(update(value=3))
    room.leave()
    room.end()
    assert kinds(heard(follower)) == ["comm_msg", "live", "ended"]


def test_a_long_text_goes_to_each_once_and_not_to_who_has_it(room: Room) -> None:
    room.take(text())
    follower, other = room.follow(nothing), room.follow(nothing, [NAME])
    room.take(text())
    assert kinds(heard(follower)).count("text") == 1
    assert kinds(heard(other)).count("text") == 0


def test_who_is_slow_gets_everything_anew(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 10_000)
    room.take(opened(value=0))
    follower = room.follow(nothing)
    for number in range(100):
        room.take(Message({"type": "comm_msg", "comm_id": "a", "data": {"method": "custom"}}))
        room.take(update(value=number))
    found = heard(follower)
    assert len(found) < 60
    assert kinds(found)[0] == "reset"
    states = [each.header["data"]["state"] for each in found if "state" in each.header.get("data", {})]
    assert states[-1] == {"value": 99}


def test_who_is_slow_gets_what_is_old_taken_anew_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 1000)
    room, said = Room(), list[Message]()
    room.enter(said.append)
    room.take(opened(value=0))
    follower = room.follow(nothing)
    room.take(Message({"type": "old"}))
    for _ in range(10):
        room.take(Message({"type": "comm_msg", "comm_id": "a", "data": {"method": "custom"}}))
    assert kinds(said) == ["refresh"]
    state = {"method": "update", "state": {"value": 1}, "buffer_paths": []}
    room.take(Message({"type": "comm_state", "comm_id": "a", "data": state}))
    room.take(Message({"type": "fresh"}))
    found = heard(follower)
    assert kinds(found) == ["reset", "comm_open", "live"]
    assert found[1].header["data"]["state"] == {"value": 1}


def test_who_has_much_to_hear_at_first_is_not_slow_for_that(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 10_000)
    for number in range(100):
        room.take(opened(str(number)))
    follower = room.follow(nothing)
    room.take(update("0", value=1))
    room.take(update("0", value=2))
    assert kinds(heard(follower)) == ["reset", *["comm_open"] * 100, "live", "comm_msg"]


def test_a_reset_forgets_what_was(room: Room) -> None:
    for message in (text(), opened("old")):
        room.take(message)
    room.take(Message({"type": "reset"}))
    room.take(opened("new"))
    assert [each.header.get("comm_id") for each in heard(room.follow(nothing))] == [None, "new", None]


def test_panes_reach_comms_that_are_there_of_sessions_that_are_there() -> None:
    room, said = Room(), list[Message]()
    assert not room.ask(update(value=1))
    room.enter(said.append)
    room.take(opened(value=0))
    assert room.ask(update(value=1))
    assert not room.ask(update("foreign", value=1))
    room.leave()
    assert not room.ask(update(value=2))
    assert [each.header["data"]["state"] for each in said] == [{"value": 1}]
    assert heard(room.follow(nothing))[1].header["data"]["state"] == {"value": 1}


@pytest.mark.parametrize(
    "message",
    [
        Message({"type": "text", "sha256": "0" * 64}, [b"another"]),
        Message({"type": "comm_open", "comm_id": 1, "data": {}}),
        Message({"type": "comm_msg", "comm_id": "a", "data": "x"}),
        Message({"type": "comm_open", "comm_id": "a", "data": {"state": {}, "buffer_paths": [["x"]]}}),
    ],
)
def test_what_makes_no_sense_is_refused(room: Room, message: Message) -> None:
    with pytest.raises(FrameError):
        room.take(message)


def test_a_room_takes_so_much_and_says_so(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COMMS", 1)
    monkeypatch.setattr(module, "MAX_BYTES", 20_000)
    assert room.take(opened("a")) is None
    assert "all that a hub takes" in str(room.take(opened("b")))
    assert "MiB" in str(room.take(text()))
    assert "unknown" in str(room.take(Message({"type": "other"})))


def test_panes_fill_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COMMS", 2)
    monkeypatch.setattr(module, "MAX_BYTES", 20_000)
    room, said = Room(), list[Message]()
    room.enter(said.append)
    room.take(opened(value="x" * 10_000))
    for _ in range(2):
        assert not room.ask(update(other=["x" * 10_000]))
    assert room.ask(update(value="y" * 10_000))
    assert room.ask(update(value=1))
    assert not room.ask(opened("a"))
    assert room.ask(opened("b"))
    assert not room.ask(opened("c"))
    assert kinds(said) == ["notice", "comm_msg", "comm_msg", "comm_open", "notice"]
    assert "MiB" in said[0].header["message"]


def test_a_session_that_has_much_to_hear_hears_no_more_of_panes() -> None:
    room, said = Room(), list[Message]()
    room.enter(said.append, lambda: bool(said))
    room.take(opened(value=1))
    assert room.ask(update(value=2))
    assert not room.ask(update(value=3))
    assert len(said) == 1


def test_what_a_view_needs_is_kept_with_its_texts_and_modules(room: Room) -> None:
    room.take(text())
    room.take(Message({"type": "module", "name": "anywidget", "sha256": NAME}))
    room.take(opened("box", children=["IPY_MODEL_a"], _model_module="@jupyter-widgets/controls", _model_name="Box"))
    room.take(opened("a", {"_esm": NAME}, _model_module="anywidget", _model_name="AnyModel"))
    data = {"method": "update", "state": {}, "buffer_paths": [["points"]]}
    room.take(Message({"type": "comm_msg", "comm_id": "a", "data": data}, [b"\x00\x01"]))
    room.take(opened("other"))
    kept = room.keep("box")
    models = json.loads(kept.pop(WIDGETS))["state"]
    assert models.keys() == {"box", "a"}
    assert models["a"]["buffers"] == [{"path": ["points"], "encoding": "base64", "data": "AAE="}]
    assert models["a"]["texts"] == {"_esm": NAME}
    assert kept == {
        f"application/vnd.ipyweb.asset; name=text:{NAME}": TEXT,
        "application/vnd.ipyweb.asset; name=module:anywidget": TEXT,
    }
    assert room.keep("gone") == {}


def test_what_is_said_to_a_front_end_before_any_pane_is_there_waits_for_the_first(room: Room) -> None:
    room.take(opened())
    draw = Message({"type": "comm_msg", "comm_id": "a", "data": {"method": "custom", "content": "draw"}})
    room.take(draw)
    assert heard(room.follow(nothing))[-1] == draw
    assert draw not in heard(room.follow(nothing))


def test_what_messages_have_drawn_is_told_to_every_pane_and_kept(room: Room) -> None:
    room.take(opened(_model_module="ipycanvas"))
    draw = Message({"type": "comm_msg", "comm_id": "a", "data": {"method": "custom", "content": "draw"}}, [b"\0"])
    room.take(draw)
    for _ in range(2):
        assert heard(room.follow(nothing)).count(draw) == 1
    messages = json.loads(room.keep("a")[WIDGETS])["state"]["a"]["messages"]
    assert messages == [{"data": draw.header["data"], "buffers": ["AA=="]}]


def test_what_a_module_takes_as_given_goes_before_it_and_is_kept_with_what_is_named(room: Room) -> None:
    room.take(Message({"type": "text", "sha256": NAME}, [TEXT]))
    for name in ("script:lib.js", "https://cdn.example/used.css", "https://cdn.example/other.css"):
        room.take(Message({"type": "asset", "name": name, "sha256": NAME}))
    room.take(Message({"type": "module", "name": "acme", "sha256": NAME, "scripts": ["script:lib.js"]}))
    room.take(opened(_model_module="acme", page="<link href='https://cdn.example/used.css'>"))
    kinds = [each.header["type"] for each in heard(room.follow(nothing))]
    assert kinds[:6] == ["reset", "text", "asset", "asset", "asset", "module"]
    kept = room.keep("a")
    assert json.loads(kept[WIDGETS])["scripts"] == {"acme": ["script:lib.js"]}
    names = {mime.rpartition("name=")[2] for mime in kept if "name=" in mime}
    assert names == {"module:acme", "script:lib.js", "https://cdn.example/used.css"}


def test_the_last_state_of_a_model_that_was_closed_is_kept(room: Room) -> None:
    room.take(opened("a", value=1, _model_module="x"))
    room.take(Message({"type": "comm_close", "comm_id": "a", "data": {}}))
    assert json.loads(room.keep("a")[WIDGETS])["state"]["a"]["state"]["value"] == 1


def test_a_session_hears_what_somebody_looks_at() -> None:
    room, said = Room(), list[Message]()
    one, other = room.follow(nothing), room.follow(nothing)
    room.watch(one, "a")
    room.enter(said.append)
    for follower, comm in ((other, "a"), (other, "b"), (one, None)):
        room.watch(follower, comm)
    room.unfollow(other)
    assert [each.header["comms"] for each in said] == [["a"], ["a", "b"], ["b"], []]


def test_a_room_that_nobody_needs_is_forgotten() -> None:
    rooms = Rooms()
    follower = rooms.of("s").follow(nothing)
    rooms.tidy("s")
    assert rooms.find("s") is not None
    rooms.of("s").unfollow(follower)
    rooms.tidy("s")
    assert rooms.find("s") is None
    assert rooms.end("s") is None


# -- on sockets -------------------------------------------------------------------------------------------------------


class Peer(Socket):
    """Either end of comms."""

    def __init__(self, port: int, path: str, token: str, **hello: Any) -> None:
        super().__init__(port, path, token)
        self._joiner = Joiner()
        self.say(Message(hello))

    def say(self, message: Message) -> None:
        for frame in frames(message):
            self.ws.send(frame)

    def hear(self) -> Message:
        while (message := self._joiner.take(self.ws.recv(timeout=120))) is None:
            pass
        return message

    def until(self, kind: str) -> Message:
        while (message := self.hear()).header["type"] != kind:
            pass
        return message


def source(live: Live, session: Session, key: str | None = None) -> Peer:
    token = live.token("session")
    hello = {"type": "hello", "protocol": 1, "session": session.id, "key": key or session.key}
    return Peer(live.port, "/ws/comms/session", token, **hello)


def follow(live: Live, session: Session) -> Peer:
    return Peer(live.port, "/ws/comms/pane", live.token("pane"), type="follow", protocol=1, session=session.id)


@pytest.fixture
def session(live: Live) -> Session:
    session = live.session()
    session.welcome()
    return session


def test_a_session_and_a_pane_speak_to_each_other(live: Live, session: Session) -> None:
    pane = follow(live, session)
    assert not pane.until("welcome").header["live"]
    program = source(live, session)
    program.until("welcome")
    program.say(opened(value=1, data="x" * 2_000_000))
    assert pane.until("comm_open").header["data"]["state"]["value"] == 1
    pane.say(update(value=2))
    assert program.until("comm_msg").header["data"]["state"] == {"value": 2}
    program.say(Message({"type": "status", "parent": "1", "execution_state": "idle"}))
    assert pane.until("status").header["parent"] == "1"


def test_nobody_speaks_for_another_session(live: Live, session: Session) -> None:
    program = source(live, session, key=secrets.token_hex(32))
    with pytest.raises(ConnectionClosed, match="4403"):
        program.hear()


def test_what_a_pane_says_may_be_any_json_in_its_place(live: Live, session: Session) -> None:
    session.display(parts={WIDGET_VIEW: b'{"model_id":"a"}', "text/plain": b"W()"})
    session.acked()
    program, pane = source(live, session), follow(live, session)
    program.until("welcome")
    program.say(opened(value=1, _model_module="ipycanvas"))
    pane.until("comm_open")
    pane.say(update(_model_module=[], _view_module={}, value=json.loads("[" * 900 + "]" * 900)))
    for data in ({"method": []}, {"method": "custom"}):
        pane.say(Message({"type": "comm_msg", "comm_id": "a", "data": data, "msg_id": "2", "texts": {"value": []}}))
    said = [program.until("comm_msg").header for _ in range(3)]
    assert [each["data"].get("method") for each in said] == ["update", [], "custom"]
    assert "texts" not in said[1]
    session.tell("bye")
    session.acked()
    session.close()
    wait_until(lambda: WIDGETS in live.outputs()[0]["data"], "the last state")


@pytest.mark.parametrize("wrong", [{"comm_id": []}, {"msg_id": "x" * 301}, {"metadata": []}, {"type": "comm_open"}])
def test_what_no_pane_says_ends_its_line_in_words(live: Live, session: Session, wrong: dict[str, Any]) -> None:
    pane = follow(live, session)
    pane.say(Message({**update(value=1).header, **wrong}))
    with pytest.raises(ConnectionClosed, match="4400"):
        pane.until("never")


def test_what_reaches_nobody_counts_as_handled(live: Live, session: Session) -> None:
    pane = follow(live, session)
    pane.say(update("nobody", value=1))
    assert pane.until("status").header == {"type": "status", "parent": "1", "execution_state": "idle"}


def test_a_pane_says_only_what_panes_say(live: Live, session: Session) -> None:
    pane = follow(live, session)
    pane.say(Message({"type": "reset"}))
    with pytest.raises(ConnectionClosed, match="4400"):
        pane.until("never")


def test_the_last_state_is_kept_when_a_session_ends(live: Live, session: Session) -> None:
    session.display(parts={WIDGET_VIEW: b'{"model_id":"a"}', "text/plain": b"IntSlider()"})
    session.acked()
    program = source(live, session)
    program.until("welcome")
    for message in (text(), opened("a", {"_esm": NAME}, value=1, _model_module="anywidget"), update(value=7)):
        program.say(message)
    program.say(Message({"type": "settle"}))
    program.until("settled")
    pane = follow(live, session)
    session.tell("bye")
    session.acked()
    session.close()
    pane.until("ended")

    def kept() -> bool:
        return WIDGETS in live.outputs()[0]["data"]

    wait_until(kept, "the last state")
    (output,) = live.outputs()
    assert output["mimetypes"] == [WIDGET_VIEW, "text/plain"]
    state = json.loads(live.request("GET", f"/api/outputs/1/data?mime={WIDGETS}").body)
    assert state["state"]["a"]["state"]["value"] == 7
    assert output["data"][f"application/vnd.ipyweb.asset; name=text:{NAME}"]["sha256"] == NAME
    notebook = nbformat.reads(live.request("GET", "/api/export?format=ipynb").body.decode(), as_version=4)
    nbformat.validate(notebook)
    model = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"].state.a
    assert (model.model_module, model.state.value, model.state._esm) == ("anywidget", 7, TEXT.decode())
    assert notebook.cells[0].outputs[0].data[WIDGET_VIEW] == {"model_id": "a"}
