"""Requests that wait for a change."""

import http.client
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ipyweb.connection import Response

from ..conftest import wait_until
from .conftest import Live


class Asking(threading.Thread):
    """A request that is under way."""

    def __init__(self, live: Live, path: str) -> None:
        super().__init__(daemon=True)
        self._ask: Callable[[], Response] = lambda: live.request("GET", path)
        self.start()

    def run(self) -> None:
        self._response = self._ask()

    def answer(self) -> Any:
        self.join(30)
        assert not self.is_alive(), "there was no answer"
        assert self._response.status == 200, self._response
        return self._response.json()


def publish(live: Live, **fields: Any) -> int:
    body = {"data": {"text/plain": "x"}, **fields}
    return int(live.request("POST", "/api/outputs", body).json()["id"])


def test_a_list_waits_for_the_first_output_that_it_would_have(live: Live) -> None:
    first = publish(live, project="/mine")
    assert [each["id"] for each in live.get("/api/outputs?after=0&wait=60")["outputs"]] == [first]
    asking = Asking(live, f"/api/outputs?after={first}&project=/mine&q=wanted&wait=9")
    publish(live, project="/other", title="wanted")
    publish(live, project="/mine", title="something else")
    publish(live, project="/mine", display_id="a")
    publish(live, project="/mine", display_id="a", title="wanted")
    assert [each["title"] for each in asking.answer()["outputs"]] == ["wanted"]


def test_a_record_waits_for_its_next_change(live: Live) -> None:
    number = publish(live, display_id="a")
    record = live.get(f"/api/outputs/{number}")
    asking = Asking(live, f"/api/outputs/{number}?event={record['event']}&wait=9")
    publish(live)
    publish(live, display_id="a")
    changed = asking.answer()
    assert (changed["id"], changed["version"]) == (number, 2)
    assert changed["event"] > record["event"]
    assert live.get(f"/api/outputs/{number}?event={record['event']}&wait=9") == changed


def test_when_the_time_is_up_the_answer_is_what_there_is(live: Live) -> None:
    number = publish(live)
    record = live.get(f"/api/outputs/{number}")
    assert live.get(f"/api/outputs?after={number}&wait=0.05")["outputs"] == []
    assert live.get(f"/api/outputs/{number}?event={record['event']}&wait=0.05") == record


def test_an_output_that_is_purged_ends_the_wait(live: Live) -> None:
    number = publish(live)
    event = live.get(f"/api/outputs/{number}")["event"]
    found: list[Response] = []
    path = f"/api/outputs/{number}?event={event}&wait=30"
    thread = threading.Thread(target=lambda: found.append(live.request("GET", path)))
    thread.start()
    live.request("DELETE", f"/api/outputs/{number}?purge=1")
    thread.join(30)
    assert [response.status for response in found] == [404]


def test_a_wrong_wait_is_explained(live: Live) -> None:
    for query in ("wait=1", "after=0&wait=-1", "after=0&wait=x", "after=0&wait=1e3", f"after=0&wait={'9' * 10}"):
        response = live.request("GET", f"/api/outputs?{query}")
        assert response.status == 400, query
        assert "expected" in response.json()["error"]


def test_the_hub_ends_although_somebody_waits(live: Live) -> None:
    peer = http.client.HTTPConnection("127.0.0.1", live.port, timeout=30)
    peer.request("GET", "/api/outputs?after=0&wait=60", headers={"Authorization": f"Bearer {live.token()}"})
    wait_until(lambda: live.get("/api/state")["waiting"], "the request")
    live.stop()
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        peer.getresponse()
