"""Sessions and panes at their sockets: hello, acknowledgement, replay, take-over, events."""

import contextlib
import hashlib
import json
import os
import random
import secrets
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from ipyweb.hub import audience, links, sockets
from ipyweb.hub import hub as hub_module
from ipyweb.hub.sqlite import SqliteStore
from ipyweb.protocol import encode

from .conftest import PNG, Live, Session, Socket, display_frame


def closing(peer: Socket) -> tuple[int, str]:
    """Code and reason with which the hub closes a socket."""
    with pytest.raises(ConnectionClosed) as caught:
        drain(peer)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def drain(peer: Socket) -> None:
    while True:
        peer.ws.recv(timeout=120)


def test_a_display_is_acknowledged_with_its_output_and_reaches_a_pane(live: Live) -> None:
    session, pane = live.session(), live.pane()
    welcome = session.welcome()
    assert welcome["acked"] == 0
    assert welcome["hub"] == live.state["hub"]
    session.display(title="Residuals")
    assert session.acked() == [[1, 1, 1]]
    pane.until(lambda pane: 1 in pane.outputs)
    record = pane.outputs[1]
    assert (record["title"], record["project"], record["mimetypes"]) == (
        "Residuals",
        "/home/me/project",
        ["image/png", "text/plain"],
    )
    assert record["source"] == {
        "file": "train.py",
        "line": 1,
        "cell": None,
        "code": "show(1)",
        "git": None,
        "versions": {},
        "argv": ["train.py"],
        "cwd": "/home/me/project",
    }
    assert live.request("GET", "/" + record["data"]["image/png"]["url"], scope=None).body == PNG + b"1"


def test_an_update_makes_a_version_and_one_of_an_unknown_display_id_an_output(live: Live) -> None:
    session = live.session()
    session.welcome()
    session.display(display_id="loss")
    session.display(display_id="loss", kind="update_display_data")
    session.display(display_id="other", kind="update_display_data")
    assert session.acked() == [[1, 1, 1], [2, 1, 2], [3, 2, 1]]


def test_the_same_display_id_in_two_sessions_is_two_outputs(live: Live) -> None:
    for _ in range(2):
        session = live.session()
        session.welcome()
        session.display(display_id="same")
        session.acked()
    assert len(live.outputs()) == 2


def test_replayed_messages_are_stored_once_and_acknowledged_again(live: Live) -> None:
    session = live.session()
    session.welcome()
    for _ in range(20):
        session.display()
    first = session.acked()
    session.close()
    again = Session(live.port, live.token("session"), key=session.key, **session.fields)
    assert again.welcome()["acked"] == 20
    for seq in range(1, 31):
        again.display(seq=seq)
    assert again.acked(30)[:20] == first
    assert [output["display_id"] for output in live.outputs()] == [f"d{seq}" for seq in range(1, 31)]


def test_another_key_cannot_take_a_session_over(live: Live) -> None:
    session = live.session()
    session.welcome()
    thief = Session(live.port, live.token("session"), key=secrets.token_hex(32), **session.fields)
    code, reason = closing(thief)
    assert code == 4403
    assert "another process" in reason
    session.display()
    session.acked()


def test_messages_sent_before_the_welcome_are_refused(live: Live) -> None:
    """Otherwise a thief's would be stored before the key was looked at."""
    session = live.session()
    session.welcome()
    thief = Session(live.port, live.token("session"), key=secrets.token_hex(32), **session.fields)
    with contextlib.suppress(ConnectionClosed):
        thief.display()
    assert closing(thief)[0] in (4400, 4403)
    assert live.outputs() == []


@pytest.mark.parametrize("protocol", [0, 2, "1", None])
def test_an_unknown_protocol_is_told_what_to_do(live: Live, protocol: Any) -> None:
    code, reason = closing(live.session(protocol=protocol))
    assert code == 4406
    assert "upgrade" in reason


GARBAGE: list[str | bytes] = [
    "",
    "{}",
    "[]",
    "null",
    "{",
    '{"type":1}',
    '{"type":"display_data","seq":1}',
    '{"type":"hello"}',
    '{"type":"hello","protocol":1}',
    '{"type":"hello","protocol":1,"key":"x","session":{}}',
    b"",
    b"\x00",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x02{}",
    b"\x00\x00\x00\x05\xff\xfe{}x",
    "[" * 100_000,
    '{"type":"hello","n":' + "9" * 5000 + "}",
    os.urandom(1000),
]


@pytest.mark.parametrize("number", range(len(GARBAGE)))
def test_garbage_closes_the_socket_with_a_reason_and_nobody_else(live: Live, number: int) -> None:
    other = live.session()
    other.welcome()
    peer = Socket(live.port, "/ws/session", live.token("session"))
    peer.ws.send(GARBAGE[number])
    code, reason = closing(peer)
    assert code in (4400, 4406)
    assert reason
    other.display()
    other.acked()


def test_a_garbage_frame_after_the_welcome_closes_too(live: Live) -> None:
    for frame in ("nonsense", encode({"type": "display_data", "seq": "one"}), encode({"type": "bye"}), b"\x00" * 9):
        session = live.session()
        session.welcome()
        session.ws.send(frame)
        assert closing(session)[0] == 4400


def test_a_frame_above_one_mebibyte_is_refused(live: Live) -> None:
    session = live.session()
    session.welcome()
    with contextlib.suppress(ConnectionClosed):
        session.display({"image/png": bytes(2**20)})
    assert closing(session)[0] == 1009


BAD_CONTENTS: list[dict[str, Any]] = [
    {"data": None},
    {"data": []},
    {"data": {"text/plain": {"buffer": 9}}},
    {"data": {"text/plain": {"buffer": -1}}},
    {"data": {"text/plain": {"buffer": True}}},
    {"data": {"text/plain": {"blob": "../../etc/passwd"}}},
    {"data": {"text/plain": "inline"}},
    {"data": {"no mime": {"buffer": 0}}},
    {"data": {"text/pl\nain": {"buffer": 0}}},
    {"data": {f"text/x{n}": {"buffer": 0} for n in range(100)}},
    {"transient": None},
    {"transient": {"display_id": ""}},
    {"transient": {"display_id": "x" * 2000}},
    {"transient": {"display_id": "a\x00b"}},
    {"transient": {"display_id": 5}},
]


def test_a_message_that_makes_no_sense_is_said_to_and_counted_and_the_session_goes_on(live: Live) -> None:
    session = live.session()
    session.welcome()
    for content in BAD_CONTENTS:
        seq = session.display(**content)
        messages = [session.receive(), session.receive()]
        (nack,) = (message for message in messages if message["type"] == "nack")
        (ack,) = (message for message in messages if message["type"] == "ack")
        assert (nack["seq"], nack["reason"], ack["acked"]) == (seq, "bad_message", seq)
    seq = session.tell("surprise")
    assert {message["type"] for message in (session.receive(), session.receive())} == {"ack", "nack"}
    session.tell("comm_open")
    session.display()
    assert [output for _, output, _ in session.acked()] == [1]


@pytest.mark.parametrize("display_id", ["../../x", "__proto__", "'; drop table outputs; --", "🙂", "a b/c", "%00"])
def test_any_printable_display_id_is_only_a_name(live: Live, display_id: str) -> None:
    session = live.session()
    session.welcome()
    session.display(display_id=display_id)
    session.acked()
    assert live.outputs()[0]["display_id"] == display_id


def test_unusual_fields_are_made_good(live: Live) -> None:
    session = live.session()
    session.welcome()
    session.display(
        title="x" * 5000 + "\n",
        metadata=None,
        source={"file": 5, "line": "x", "cell": {}, "code": "c" * 10_000},
        problems=["p" * 1000] * 100,
    )
    session.acked()
    (record,) = live.outputs()
    assert len(record["title"]) == 1000
    assert len(record["source"]["code"]) == 4096
    assert record["source"]["line"] is None
    assert len(record["problems"]) == 20
    session.display(metadata={"x": "y" * 200_000})
    session.acked()
    assert live.outputs()[1]["metadata"] == {}
    assert "metadata" in live.outputs()[1]["problems"][0]


def test_lone_surrogates_do_no_harm(live: Live) -> None:
    session = live.session()
    session.welcome()
    header, *buffers = display_frame(1, {"text/plain": b"x"}, title="\ud800", metadata={"a": "\udfff"})
    text = json.dumps({**header, "buffers": [1]}).encode()
    session.ws.send(len(text).to_bytes(4, "big") + text + buffers[0])
    session.seq = 1
    session.acked()
    assert live.outputs()[0]["title"] == " "


def test_a_blob_that_is_missing_is_asked_for_and_later_messages_wait_for_it(live: Live) -> None:
    content = os.urandom(300_000)
    sha256 = hashlib.sha256(content).hexdigest()
    reference = {"image/png": {"blob": sha256, "size": len(content)}}
    session = live.session()
    session.welcome()
    session.display({}, display_id="big", data={**reference})
    session.display()
    first, second = session.receive(), session.receive()
    assert (first["type"], first["seq"], first["reason"]) == ("nack", 1, "missing_blob")
    assert (second["type"], second["seq"]) == ("nack", 2)
    session.close()
    again = Session(live.port, live.token("session"), key=session.key, **session.fields)
    assert again.welcome()["acked"] == 0
    assert live.request("PUT", f"/api/blobs/{sha256}", content).status == 201
    again.display({}, display_id="big", data={**reference})
    again.display()
    assert again.acked() == [[1, 1, 1], [2, 2, 1]]
    assert live.request("GET", "/api/outputs/1/data").body == content


def test_clear_output_moves_the_named_outputs_to_the_trash(live: Live) -> None:
    session = live.session()
    session.welcome()
    for _ in range(4):
        session.display()
    session.tell("clear_output", {"display_ids": ["d2", "d3", "unknown"]})
    session.acked()
    assert [output["id"] for output in live.get("/api/outputs")["outputs"]] == [1, 4]
    assert [output["id"] for output in live.get("/api/outputs?removed=1")["outputs"]] == [2, 3]
    session.tell("clear_output")
    session.acked()
    assert live.get("/api/outputs")["outputs"] == []
    session.display(display_id="d2")
    assert session.acked() == [[7, 2, 2]]
    assert live.outputs()[1]["removed"] is None


def test_a_session_can_be_renamed(live: Live) -> None:
    session, pane = live.session(), live.pane()
    session.welcome()
    session.tell("session", {"name": "NAME", "title": "new"})
    session.acked()
    pane.until(lambda pane: pane.sessions.get(session.id, {}).get("name") == "NAME")
    assert pane.sessions[session.id]["title"] == "new"


def test_bye_ends_a_session_and_a_lost_socket_ends_it_later(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "ENDED_AFTER", 0.2)
    pane, leaving, lost = live.pane(), live.session(), live.session()
    for session in (leaving, lost):
        session.welcome()
    pane.until(lambda pane: len(pane.sessions) == 2 and all(each["connected"] for each in pane.sessions.values()))
    leaving.tell("bye")
    leaving.acked()
    pane.until(lambda pane: pane.sessions[leaving.id]["ended"])
    assert not pane.sessions[leaving.id]["connected"]
    lost.close()
    pane.until(lambda pane: not pane.sessions[lost.id]["connected"])
    assert pane.sessions[lost.id]["ended"] is None
    pane.until(lambda pane: pane.sessions[lost.id]["ended"])


def test_a_session_that_comes_back_in_time_goes_on(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "ENDED_AFTER", 0.3)
    session, pane = live.session(), live.pane()
    session.welcome()
    session.close()
    pane.until(lambda pane: pane.sessions and not pane.sessions[session.id]["connected"])
    again = Session(live.port, live.token("session"), key=session.key, **session.fields)
    again.welcome()
    pane.until(lambda pane: pane.sessions[session.id]["connected"])
    with pytest.raises(TimeoutError):
        pane.until(lambda pane: pane.sessions[session.id]["ended"], timeout=0.6)


def test_a_session_that_is_not_read_while_the_store_is_behind_stays(
    start: Callable[..., Live], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "PING_SECONDS", 0.1)
    live = start()
    session, other = live.session(), live.session()
    session.welcome()
    other.welcome()
    with monkeypatch.context() as behind:
        behind.setattr(hub_module, "MAX_PENDING", 0)
        session.display()
        session.acked()
        with pytest.raises(TimeoutError):  # several pings, whose answers the hub does not read
            session.receive(timeout=0.8)
    other.display()
    other.acked()
    session.display()
    session.acked()


def test_a_session_that_floods_the_hub_holds_up_no_other(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    flooding, other = live.session(), live.session()
    flooding.welcome()
    other.welcome()
    gate, apply = threading.Event(), SqliteStore.apply
    monkeypatch.setattr(SqliteStore, "apply", lambda *values: gate.wait() and apply(*values))
    flood = threading.Thread(target=lambda: [flooding.display() for _ in range(8000)])
    flood.start()
    time.sleep(2)  # for the hub to take as much as it takes
    other.display()
    gate.set()
    ((_, before, _),) = other.acked()
    flooding.acked(8000)
    flood.join()
    assert before <= hub_module.MAX_PENDING // links.LEAST_BYTES + 2


def test_of_many_panes_those_looked_at_last_are_told_first_and_the_others_soon(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "AT_ONCE", 2)
    monkeypatch.setattr(audience, "PORTION", 2)
    panes = [live.pane() for _ in range(6)]
    panes[0].send({"type": "look"})
    live.get("/api/state")
    session = live.session()
    session.welcome()
    for pane in panes:
        pane.until(lambda pane: pane.sessions)
    monkeypatch.setattr(audience, "SOON", 6.0)
    heard: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: (panes[n].until(lambda pane: len(pane.outputs) == 3), heard.append(n)))
        for n in range(len(panes))
    ]
    for each in threads:
        each.start()
    for _ in range(3):
        session.display()
        session.acked()
    for each in threads:
        each.join()
    assert set(heard[:2]) == {0, 5}
    assert set(heard) == set(range(6))


def test_a_second_socket_of_one_session_replaces_the_first(live: Live) -> None:
    session = live.session()
    session.welcome()
    again = Session(live.port, live.token("session"), key=session.key, **session.fields)
    again.welcome()
    assert closing(session)[0] == 1001
    again.display()
    again.acked()
    assert live.get("/api/sessions")["sessions"][0]["connected"]


def test_a_pane_resumes_at_its_event_and_gets_only_what_is_newer(live: Live) -> None:
    session = live.session()
    session.welcome()
    for _ in range(5):
        session.display()
    session.acked()
    event = live.get("/api/outputs")["event"]
    session.display()
    session.display(display_id="d2", kind="update_display_data")
    session.acked()
    pane = live.pane(event)
    pane.until(lambda pane: len(pane.outputs) == 2)
    assert set(pane.outputs) == {6, 2}
    assert pane.outputs[2]["version"] == 2


def test_a_pane_far_behind_is_served_from_the_store_in_frames_below_one_mebibyte(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = live.session()
    session.welcome()
    for _ in range(2300):
        session.display({"text/plain": b"x"}, source={"code": "c" * 4000})
    session.acked()
    pane = live.pane(0)
    pane.until(lambda pane: len(pane.outputs) == 2300)
    assert pane.event == live.get("/api/state")["event"]


def test_a_pane_ahead_of_the_store_is_told_to_begin_anew(live: Live) -> None:
    message = live.pane(10_000).receive()
    assert message["reset"] is True
    assert message["event"] == live.get("/api/state")["event"]


@pytest.mark.parametrize("frame", ["nonsense", '{"type":"subscribe"}', '{"type":"subscribe","since":-1}', b"\x00"])
def test_a_pane_that_talks_nonsense_is_closed(live: Live, frame: str | bytes) -> None:
    pane = live.pane()
    pane.ws.send(frame)
    assert closing(pane)[0] == 4400


def test_removing_restoring_and_purging_reach_the_pane(live: Live) -> None:
    session, pane = live.session(), live.pane()
    session.welcome()
    session.display()
    session.acked()
    live.request("DELETE", "/api/outputs/1")
    pane.until(lambda pane: pane.outputs.get(1, {}).get("removed"))
    live.request("POST", "/api/outputs/1/restore")
    pane.until(lambda pane: pane.outputs[1]["removed"] is None)
    live.request("DELETE", "/api/outputs/1?purge=1")
    pane.until(lambda pane: pane.outputs[1].get("purged"))
    assert live.request("GET", "/api/outputs/1").status == 404


def test_snapshot_and_cursor_never_lose_or_repeat_anything_while_outputs_stream_in(live: Live) -> None:
    session = live.session()
    session.welcome()
    done = threading.Event()

    def produce() -> None:
        chance = random.Random(7)
        for _ in range(600):
            known = f"d{chance.randint(1, 50)}"
            session.display({"text/plain": b"x"}, display_id=known if chance.random() < 0.3 else None)
        session.acked()
        done.set()

    thread = threading.Thread(target=produce)
    thread.start()
    views = []
    while not done.is_set() or len(views) < 5:
        page = live.get("/api/outputs?limit=1000")
        pane = live.pane(page["event"])
        pane.outputs.update({row["id"]: row for row in page["outputs"]})
        views.append(pane)
    thread.join()
    truth = {row["id"]: row for row in live.outputs()}
    assert len(views) >= 5
    for pane in views[-15:]:
        pane.until(lambda pane: pane.event >= live.get("/api/state")["event"])
        assert {number: row for number, row in pane.outputs.items() if "purged" not in row} == truth


def test_events_have_no_gaps(live: Live) -> None:
    """Every change takes the next event: after n changes the counter stands n higher."""
    session = live.session()
    session.welcome()
    before = live.get("/api/state")["event"]
    for n in range(10):
        session.display()
        session.acked()
        assert live.outputs()[-1]["event"] == before + n + 1


def test_a_pane_that_does_not_read_is_closed_and_others_are_served(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipyweb.hub.sockets.WRITE_SECONDS", 0.1)
    stuck = stuck_pane(live)
    session, pane = live.session(), live.pane()
    session.welcome()
    for _ in range(1500):
        session.display({"text/plain": b"x"}, source={"code": "c" * 4000})
    session.acked()
    pane.until(lambda pane: len(pane.outputs) == 1500)
    gone = threading.Event()
    for _ in range(100):
        if live.get("/api/state")["frontends"] == 1:
            gone.set()
            break
        session.display({"text/plain": b"x"}, source={"code": "c" * 4000})
        session.acked()
        threading.Event().wait(0.05)
    assert gone.is_set()
    stuck.close()


def stuck_pane(live: Live) -> socket.socket:
    """A pane that subscribes and never reads."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect(("127.0.0.1", live.port))
    head = (
        f"GET /ws/pane HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\nAuthorization: Bearer {live.token('pane')}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    peer.sendall(head.encode())
    assert b" 101 " in peer.recv(4096)
    text = b'{"type":"subscribe","since":0}'
    peer.sendall(struct.pack("!BB4s", 0x81, 0x80 | len(text), bytes(4)) + text)
    return peer


def test_too_many_sessions_and_panes_are_told_so(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipyweb.hub.links.MAX_SESSIONS", 1)
    monkeypatch.setattr("ipyweb.hub.links.MAX_FRONTENDS", 1)
    first, pane = live.session(), live.pane()
    first.welcome()
    first.display()
    first.acked()
    pane.until(lambda pane: pane.outputs)
    assert closing(live.session())[0] == 4429
    assert closing(Socket(live.port, "/ws/pane", live.token("pane")))[0] == 4429


def test_a_private_session_is_shown_and_said_to_be_private(live: Live) -> None:
    session, pane = live.session(private=True), live.pane()
    session.welcome()
    session.display()
    session.acked()
    pane.until(lambda pane: pane.outputs)
    assert pane.outputs[1]["private"]
    assert live.get("/api/state")["private"] == 1


def test_sessions_are_listed_with_their_counts(live: Live) -> None:
    session = live.session(project="/a")
    session.welcome()
    session.display()
    session.display()
    session.acked()
    live.session(project="/b").welcome()
    (found,) = live.get("/api/sessions?project=/a")["sessions"]
    assert (found["outputs"], found["kind"], found["argv"]) == (2, "script", ["train.py"])
    assert len(live.get("/api/sessions")["sessions"]) == 2
