"""Sockets over plain HTTP: the same frames to the same peers, none lost, none twice, and nobody more may come in."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipyweb.connection import Response
from ipyweb.hub import polling
from ipyweb.hub.polling import BINARY, CLOSE, OPEN, TEXT, record, records
from ipyweb.protocol import MAX_FRAME, decode, encode

from ..conftest import wait_until
from .conftest import Live, raw_request

Line = Callable[..., "Polled"]


class Polled:
    """A page without WebSockets."""

    def __init__(self, live: Live, token: str) -> None:
        self.live = live
        self.token = token
        self.said = self.heard = 0
        self.waiting: list[tuple[int, bytes, bytes]] = []
        answer = self.ask("POST", "/poll")
        assert answer.status == 200, answer
        self.name = answer.json()["line"]

    def ask(self, method: str, path: str, body: bytes | None = None) -> Response:
        return raw_request(self.live.port, method, path, body, {"X-Ipyweb-Token": self.token})

    def say(self, channel: int, kind: bytes, payload: bytes = b"", *, first: int | None = None) -> int:
        sent = record(channel, kind, payload)
        path = f"/poll/{self.name}?first={self.said if first is None else first}"
        status = self.ask("POST", path, sent).status
        if status == 200 and first is None:
            self.said += 1
        return status

    def send(self, channel: int, header: dict[str, Any]) -> int:
        return self.say(channel, TEXT, json.dumps(header).encode())

    def open(self, channel: int, address: str) -> None:
        assert self.say(channel, OPEN, address.encode()) == 200

    def poll(self, seconds: int = 20, after: int | None = None) -> list[tuple[int, bytes, bytes]]:
        """What comes next, without taking note of it."""
        count = self.heard if after is None else after
        answer = self.ask("GET", f"/poll/{self.name}?after={count}&seconds={seconds}")
        assert answer.status == 200, answer
        return list(records(answer.body))

    def next(self) -> tuple[int, bytes, bytes]:
        """The next record."""
        while not self.waiting:
            self.waiting = self.poll()
            self.heard += len(self.waiting)
        return self.waiting.pop(0)

    def frame(self) -> dict[str, Any]:
        _, kind, payload = self.next()
        assert kind in (TEXT, BINARY)
        return decode(payload if kind == BINARY else payload.decode()).header

    def pane(self, since: int = 0) -> None:
        """Open the pane's socket and subscribe."""
        self.open(1, "ws/pane")
        assert self.next() == (1, OPEN, b"")
        assert self.send(1, {"type": "subscribe", "since": since}) == 200


@pytest.fixture
def line(live: Live) -> Iterator[Line]:
    """Open a line with a token, by default the pane's; it is closed at the end."""
    made: list[Polled] = []

    def line(token: str | None = None) -> Polled:
        made.append(Polled(live, token or live.token("pane")))
        return made[-1]

    yield line
    for each in made:
        each.ask("DELETE", f"/poll/{each.name}")


def publish(live: Live, text: str) -> int:
    body = {"data": {"text/plain": text}, "project": "/p", "session": "s"}
    response = live.request("POST", "/api/outputs", body)
    assert response.status in (200, 201), response
    return int(response.json()["id"])


def test_a_pane_hears_what_is_published(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    wait_until(lambda: live.get("/api/state")["frontends"] == 1, "the pane")
    first = publish(live, "one")
    assert [row["id"] for row in page.frame()["outputs"]] == [first]
    second = publish(live, "two")
    assert [row["id"] for row in page.frame()["outputs"]] == [second]


def test_an_answer_that_was_lost_comes_again_and_one_that_came_does_not(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    publish(live, "one")
    lost = wait_until(page.poll, "a frame")
    assert page.poll() == lost
    page.heard += len(lost)
    assert page.poll(seconds=0) == []
    for wrong in (page.heard + 1, page.heard - 1):
        assert page.ask("GET", f"/poll/{page.name}?after={wrong}").status == 400


def test_a_request_that_was_sent_twice_is_taken_once(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    again = record(1, OPEN, b"ws/pane") + record(1, TEXT, b'{"type":"subscribe","since":0}')
    assert page.ask("POST", f"/poll/{page.name}?first=0", again).status == 200
    assert live.get("/api/state")["frontends"] == 1
    assert page.say(1, TEXT, b"{}", first=7) == 400


def test_the_newest_request_gets_what_comes_and_the_one_before_it_gives_way(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    answers: list[list[Any]] = []
    older = threading.Thread(target=lambda: answers.append(page.poll(after=1)))
    older.start()
    newer = threading.Thread(target=lambda: answers.append(page.poll(after=1)))
    wait_until(lambda: any(each._giving.locked() for each in lines_of(live)), "the first request")
    newer.start()
    older.join()
    publish(live, "one")
    newer.join()
    assert [bool(answer) for answer in answers] == [False, True]


def lines_of(live: Live) -> list[polling.Line]:
    """The lines of a hub in this process."""
    import gc

    # type(), not isinstance(), which would ask what weak proxies stand for
    return [each for each in gc.get_objects() if type(each) is polling.Line and not each.is_over]


def test_many_sockets_share_a_line(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    page.open(2, "ws/comms/pane")
    assert page.next() == (2, OPEN, b"")
    page.send(2, {"type": "follow", "protocol": 1, "session": "5" * 32, "has": []})
    assert page.frame()["type"] == "welcome"
    page.say(2, CLOSE)
    publish(live, "one")
    while page.next()[0] == 2:
        pass
    page.open(2, "ws/reach")


def test_what_a_peer_refuses_ends_its_channel_with_the_reason(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    page.say(1, TEXT, b"no json")
    number, kind, payload = page.next()
    assert (number, kind) == (1, CLOSE)
    assert json.loads(payload)["code"] == 4400
    wait_until(lambda: live.get("/api/state")["frontends"] == 0, "the end of the pane")


def test_frames_have_the_same_bound(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    page.say(1, BINARY, bytes(MAX_FRAME + 1))
    _, kind, payload = page.next()
    assert kind == CLOSE
    assert json.loads(payload)["code"] == 1009


@pytest.mark.parametrize("address", ["ws/session", "ws/keeper", "ws/comms/session", "", "api/state", "/ws/pane"])
def test_nothing_else_can_be_opened(live: Live, line: Line, address: str) -> None:
    page = line(live.token())
    page.open(1, address)
    number, kind, payload = page.next()
    assert (number, kind, json.loads(payload)["code"]) == (1, CLOSE, polling.REFUSED)


def test_a_link_opens_over_http_what_it_opens_by_websocket(live: Live, line: Line) -> None:
    number = publish(live, "one")
    publish(live, "secret")
    shared = live.request("POST", "/api/shares", {"scope": "viewer", "output": number, "seconds": 60}).json()["token"]
    page = line(shared)
    page.open(2, "ws/comms/pane")
    assert page.next()[:2] == (2, CLOSE)
    page.pane()
    assert [row["id"] for row in page.frame()["outputs"]] == [number]


def test_nobody_else_hears_a_line(live: Live, line: Line) -> None:
    page = line()
    shared = live.request("POST", "/api/shares", {"scope": "viewer", "seconds": 60}).json()["token"]
    for token, status in ((shared, 404), (live.token("session"), 403), ("0" * 64, 403)):
        other = Polled.__new__(Polled)
        other.live, other.token = live, token
        for method in ("GET", "POST", "DELETE"):
            assert other.ask(method, f"/poll/{page.name}?seconds=0").status == status


@pytest.mark.parametrize("body", [b"x", record(1, TEXT, b"x")[:-1], record(1, OPEN, b"\xff")])
def test_what_makes_no_sense_is_refused(line: Line, body: bytes) -> None:
    page = line()
    assert page.ask("POST", f"/poll/{page.name}?first=0", body).status == 400


def test_the_number_of_channels_and_of_lines_is_bounded(
    live: Live, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MOST_CHANNELS", 1)
    monkeypatch.setattr(polling, "MOST_LINES", 1)
    page = line()
    page.pane()
    page.open(2, "ws/reach")
    assert page.next()[:2] == (2, CLOSE)
    assert page.ask("POST", "/poll").status == 503


def test_a_page_that_asks_no_more_is_gone(live: Live, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "SILENCE", 0.5)
    page = line()
    page.pane()
    wait_until(lambda: live.get("/api/state")["frontends"] == 0, "the end of the pane")
    assert page.ask("GET", f"/poll/{page.name}?after=1").status == 404


def test_a_page_that_says_so_is_gone_at_once(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    assert page.ask("DELETE", f"/poll/{page.name}").status == 200
    wait_until(lambda: live.get("/api/state")["frontends"] == 0, "the end of the pane")


def test_a_page_that_never_asks_is_not_heard_for_ever(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "MOST_WAITING", 5)
    page = line()
    many = b"".join(record(number, OPEN, b"ws/nothing") for number in range(1, 9))
    assert page.ask("POST", f"/poll/{page.name}?first=0", many).status == 400
    assert len(page.poll()) == 5
    assert page.ask("POST", f"/poll/{page.name}?first=0", many).status == 200
    assert [channel for channel, _, _ in page.poll(after=5)] == [6, 7, 8]


def asked(page: Polled) -> Callable[[], list[tuple[int, bytes, bytes]]]:
    """Let a page ask, and wait until the hub knows; returns what waits for the answer."""
    answers: list[tuple[int, bytes, bytes]] = []
    waits = threading.Thread(target=lambda: answers.extend(page.poll()))
    waits.start()
    wait_until(lambda: any(each._giving.locked() for each in lines_of(page.live)), "the request")

    def answer() -> list[tuple[int, bytes, bytes]]:
        waits.join()
        return answers

    return answer


def test_new_tokens_end_it(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    answer = asked(page)
    assert live.request("POST", "/api/rotate", {}).status == 200
    assert [kind for _, kind, _ in answer()] == [CLOSE]
    assert page.ask("GET", f"/poll/{page.name}?after=2").status == 403


def test_a_hub_that_stops_says_so_to_whoever_waits(live: Live, line: Line) -> None:
    page = line()
    page.pane()
    answer = asked(page)
    live.stop()
    *_, (_, kind, said) = answer()
    assert (kind, json.loads(said)["code"]) == (CLOSE, 1001)
    page.ask = lambda *_: Response(200, {}, b"")  # type: ignore[method-assign]


def test_frames_of_bytes_are_bytes_at_the_other_end() -> None:
    sent = encode({"type": "x"}, [b"\x00\xff"])
    assert isinstance(sent, bytes)
    assert list(records(record(1, BINARY, sent) + record(2, TEXT, b"{}"))) == [(1, BINARY, sent), (2, TEXT, b"{}")]
