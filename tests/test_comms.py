"""Comm messages: what is joined while it waits, what is split to fit frames, what state is by then."""

import pytest

from ipyweb.comms import MAX_MESSAGE, MAX_TOLD, PIECE, Comms, Joiner, Message, Outbox, State, frames, models_in
from ipyweb.errors import FrameError


def opened(comm: str = "a", **state: object) -> Message:
    data = {"state": state, "buffer_paths": []}
    return Message({"type": "comm_open", "comm_id": comm, "target_name": "jupyter.widget", "data": data, "texts": {}})


def update(comm: str = "a", method: str = "update", parent: str | None = None, **state: object) -> Message:
    data = {"method": method, "state": state, "buffer_paths": []}
    return Message({"type": "comm_msg", "comm_id": comm, "data": data, "parent": parent})


def binary(path: list[object], content: bytes, comm: str = "a", **state: object) -> Message:
    data = {"method": "update", "state": state, "buffer_paths": [path]}
    return Message({"type": "comm_msg", "comm_id": comm, "data": data}, [content])


def custom(comm: str = "a", **content: object) -> Message:
    return Message({"type": "comm_msg", "comm_id": comm, "data": {"method": "custom", "content": content}})


def taken(outbox: Outbox) -> list[Message]:
    found = []
    while (message := outbox.take()) is not None:
        found.append(message)
    return found


def states(messages: list[Message]) -> list[object]:
    return [each.header["data"].get("state", each.header["data"].get("content")) for each in messages]


def test_updates_that_wait_become_one_in_which_the_latest_wins() -> None:
    outbox = Outbox()
    for message in (update(value=1, label="x"), update(value=2), update("b", value=9), update(value=3)):
        outbox.add(message)
    assert states(taken(outbox)) == [{"value": 3, "label": "x"}, {"value": 9}]


def test_nothing_overtakes_a_message_of_its_own_comm() -> None:
    outbox = Outbox()
    for message in (update(value=1), custom(click=1), update(value=2), custom(click=2), update(value=3)):
        outbox.add(message)
    assert states(taken(outbox)) == [{"value": 1}, {"click": 1}, {"value": 2}, {"click": 2}, {"value": 3}]


def test_updates_of_other_methods_and_on_other_behalf_stay_apart() -> None:
    outbox = Outbox()
    for message in (update(value=1), update(method="echo_update", value=1), update(parent="p", value=2)):
        outbox.add(message)
    assert len(taken(outbox)) == 3


def test_a_message_that_is_joined_gives_back_the_one_that_it_replaced() -> None:
    outbox = Outbox()
    first, second = update(value=1), update(value=2)
    first.header["msg_id"], second.header["msg_id"] = "1", "2"
    assert outbox.add(first) is None
    replaced = outbox.add(second)
    assert replaced is not None
    assert replaced.header["msg_id"] == "1"
    assert taken(outbox)[0].header["msg_id"] == "2"


def test_buffers_go_with_their_key() -> None:
    outbox = Outbox()
    for message in (binary(["x", "data"], b"old", x={"shape": [1]}), binary(["y"], b"y"), binary(["x"], b"new")):
        outbox.add(message)
    (message,) = taken(outbox)
    assert message.header["data"]["buffer_paths"] == [["x"], ["y"]]
    assert [bytes(each) for each in message.buffers] == [b"new", b"y"]
    assert message.header["data"]["state"] == {}
    assert outbox.bytes == 0


@pytest.mark.parametrize("paths", [[], [["x"], ["y"]], [[]], [[1, "x"]], "x", [None]])
def test_buffer_paths_that_do_not_fit_are_refused(paths: object) -> None:
    data = {"method": "update", "state": {}, "buffer_paths": paths}
    with pytest.raises(FrameError, match="buffer paths"):
        Outbox().add(Message({"type": "comm_msg", "comm_id": "a", "data": data}, [b"x"]))


def test_comms_are_opened_anew_with_their_state_by_then() -> None:
    comms = Comms()
    for message in (opened(value=1, label="x"), opened("b"), update(value=2), binary(["data"], b"12"), custom(x=1)):
        comms.take(message)
    comms.take(Message({"type": "comm_close", "comm_id": "b", "data": {}}))
    (message,) = comms.opens()
    assert message.header["type"] == "comm_open"
    assert message.header["data"] == {"state": {"value": 2, "label": "x"}, "buffer_paths": [["data"]]}
    assert message.buffers == [b"12"]
    assert comms.bytes >= 2


def test_what_is_said_of_a_comm_that_is_not_open_changes_nothing() -> None:
    comms = Comms()
    for message in (update("nobody", value=1), Message({"type": "comm_close", "comm_id": "nobody", "data": {}})):
        comms.take(message)
    assert (len(comms), list(comms.opens())) == (0, [])


def test_a_long_text_is_named_until_it_is_replaced() -> None:
    state, message = State(), opened(value=1)
    message.header["texts"] = {"_esm": "0" * 64}
    state.take(message)
    assert state.texts == {"_esm": "0" * 64}
    state.take(update(_esm="new"))
    assert state.texts == {}
    assert state.get("_esm") == "new"


def test_all_that_a_model_refers_to_is_found() -> None:
    comms = Comms()
    comms.take(opened("box", children=["IPY_MODEL_a", {"x": ["IPY_MODEL_b"]}], layout="IPY_MODEL_gone"))
    comms.take(opened("a", parent="IPY_MODEL_box"))
    comms.take(opened("b"))
    comms.take(opened("other"))
    assert set(comms.reachable("box")) == {"box", "a", "b"}
    assert comms.reachable("nobody") == {}
    assert list(models_in([1, "x", None])) == []


def test_what_comms_hold_is_bounded_and_what_is_replaced_counts_no_more() -> None:
    comms = Comms(closed=0)
    empty = comms.bytes
    assert comms.take(opened(value="x" * 10_000, deep={"in": ["y" * 10_000]}))
    held = comms.bytes
    assert held > 20_000
    assert not comms.take(update(other="z" * 5000), held + 4000)
    assert not comms.take(binary(["points"], b"z" * 5000), held + 4000)
    assert not comms.take(opened("b"), held + 1000)
    assert comms.bytes == held
    assert comms.take(update(value="z" * 10_000), held)
    assert comms.take(update(value=1), 0)
    assert comms.bytes < held - 9000
    assert [each.header["data"]["state"]["value"] for each in comms.opens()] == [1]
    comms.take(opened())
    comms.take(Message({"type": "comm_close", "comm_id": "a", "data": {}}))
    assert comms.bytes == empty


def test_models_are_found_however_deep() -> None:
    value: object = "IPY_MODEL_a"
    for _ in range(5000):
        value = [{"in": value}, 1]
    assert list(models_in([value, "IPY_MODEL_b", None])) == ["b", "a"]


@pytest.mark.parametrize("method", [[], {}, None, 1])
def test_a_method_may_be_any_json(method: object) -> None:
    comms, outbox = Comms(), Outbox()
    message = Message({"type": "comm_msg", "comm_id": "a", "data": {"method": method}})
    comms.take(opened(_model_module=method))
    comms.take(message)
    outbox.add(message)
    outbox.add(message)
    assert len(taken(outbox)) == 2
    assert not comms.is_drawn_by(custom())


@pytest.mark.parametrize("buffers", [[], [b"x" * (3 * PIECE)], [b"1", b"2"]])
def test_a_message_goes_through_frames_however_long_it_is(buffers: list[bytes]) -> None:
    message = Message({"type": "comm_msg", "comm_id": "a", "text": "ü" * (PIECE if not buffers else 1)}, buffers)
    joiner = Joiner()
    *rest, last = [joiner.take(frame) for frame in frames(message)]
    assert not any(rest)
    assert last is not None
    assert last.header["text"] == message.header["text"]
    assert [bytes(each) for each in last.buffers] == buffers


def test_messages_that_are_too_long_are_refused_by_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipyweb.comms.MAX_MESSAGE", 2 * PIECE)
    message = Message({"type": "x"}, [b"x" * (3 * PIECE)])
    with pytest.raises(FrameError, match="at most"):
        list(frames(message))
    monkeypatch.setattr("ipyweb.comms.MAX_MESSAGE", MAX_MESSAGE)
    pieces = list(frames(message))
    monkeypatch.setattr("ipyweb.comms.MAX_MESSAGE", 2 * PIECE)
    joiner = Joiner()
    with pytest.raises(FrameError, match="at most"):
        [joiner.take(frame) for frame in pieces]


def test_a_value_that_is_taken_back_at_once_is_said_all_the_same() -> None:
    outbox = Outbox()
    for message in (update(order={"n": 1}), update(order=None), update(order={"n": 2}), update(order=None)):
        outbox.add(message)
    assert states(taken(outbox)) == [{"order": {"n": 1}}, {"order": {"n": 2}}, {"order": None}]


def closed(comm: str) -> Message:
    return Message({"type": "comm_close", "comm_id": comm, "data": {}})


def test_models_that_were_closed_last_are_reachable_and_told_of_as_closed() -> None:
    comms = Comms(closed=1)
    for comm in ("a", "b"):
        comms.take(opened(comm, value=1))
        comms.take(closed(comm))
    assert list(comms.opens()) == []
    assert (set(comms.reachable("a")), set(comms.reachable("b"))) == (set(), {"b"})
    assert [each.header for each in comms.ended()] == [opened("b", value=1).header, closed("b").header]


def test_what_closed_models_hold_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipyweb.comms.MAX_CLOSED_BYTES", 15_000)
    comms = Comms()
    for comm in ("a", "b"):
        comms.take(opened(comm))
        comms.take(binary(["data"], bytes(10_000), comm))
        comms.take(closed(comm))
    assert (set(comms.reachable("a")), set(comms.reachable("b"))) == (set(), {"b"})


def test_what_messages_have_drawn_is_drawn_again_from_the_first_and_the_latest_of_them() -> None:
    comms = Comms()
    comms.take(opened(_model_module="ipycanvas"))
    comms.take(opened("b", _model_module="anywidget"))
    clicked = Message({**custom(n=-1).header, "msg_id": "of a pane"})
    for message in (*(custom(n=n) for n in range(MAX_TOLD + 5)), clicked, custom("b", n=-2)):
        comms.take(message)
    told = [each.header["data"]["content"]["n"] for each in list(comms.opens())[2:]]
    assert told == [0, *range(5, MAX_TOLD + 5)]
    comms.take(Message({"type": "comm_close", "comm_id": "a", "data": {}}))
    assert len(list(comms.opens())) == 1
