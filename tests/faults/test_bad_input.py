"""Reprs that misbehave and frames of garbage, the whole way: a notice where the output would be, and no harm."""

import json
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ipyweb.connection import Connection
from ipyweb.protocol import MAX_FRAME, encode

from .conftest import Scripts, data_of, outputs, the_hub, titles, wait_for_titles

BAD = """
import math, sys, ipyweb
from IPython.display import display

def show(title, **methods):
    ipyweb.display(type("Bad", (), {"__repr__": lambda self: "plain", **methods})(), title=title)

def fail(*args, **kwargs):
    raise ValueError("on purpose")

def noisy(self):
    print("noise on stdout"); print("noise on stderr", file=sys.stderr)
    return "<b>noisy</b>"

show("html raises", _repr_html_=fail)
show("everything raises", __repr__=fail, _repr_html_=fail, _repr_mimebundle_=fail)
show("display raises", _ipython_display_=fail)
show("empty bundle", _repr_mimebundle_=lambda self, **k: {})
show("no bundle", _repr_mimebundle_=lambda self, **k: None)
show("bundle of rubbish", _repr_mimebundle_=lambda self, **k: 7)
show("metadata is None", _repr_mimebundle_=lambda self, **k: ({"text/html": "x"}, None))
show("wrong type", _repr_html_=lambda self: 7)
show("wrong base64", _repr_png_=lambda self: "no base64 \\u00e4")
show("nan", _repr_json_=lambda self: {"a": math.nan})
show("surrogate", _repr_html_=lambda self: "a\\ud800b")
show("huge", _repr_html_=lambda self: "x" * 200_000_000)
show("prints", _repr_html_=noisy)
ipyweb.display({"text/plain": "\\ud800"}, raw=True, title="raw \\ud800")
ipyweb.display("not a bundle", raw=True, title="raw text")
ipyweb.display(None, title="None")
print("went on")
"""


def test_every_bad_repr_leaves_an_output_and_the_program_goes_on(scripts: Scripts) -> None:
    done = scripts.run(BAD)
    assert done.out.endswith("went on\n")
    assert "Traceback" not in done.err
    stored = {record["title"]: record for record in outputs()}
    assert len(stored) == 16
    for title, said in {
        "html raises": "text/html: ValueError: on purpose",
        "everything raises": "ValueError: on purpose",
        "display raises": "_ipython_display_: ValueError: on purpose",
        "bundle of rubbish": "expected a dict, got int",
        "wrong type": "expected text, got int",
        "wrong base64": "image/png",
        "nan": "NaN",
        "surrogate": "lone surrogates",
        "huge": "200,000,000 bytes",
        "raw text": "expected the data to be a dict",
    }.items():
        problems = stored[title]["problems"]
        assert said in " ".join(problems), title
        assert all("\n" not in problem for problem in problems)
    for record in stored.values():
        assert data_of(record, record["mimetypes"][0])
    assert psutil.Process(the_hub().pid).memory_info().rss < 150e6


def session_socket(hub: Connection, scope: Any = "session") -> ClientConnection:
    token = hub.token_for(scope)
    return connect(
        "ws" + hub.url[4:] + "/ws/session", additional_headers={"X-Ipyweb-Token": token}, proxy=None, legacy=True
    )


def exchange(socket: ClientConnection, frames: list[str | bytes]) -> None:
    """Send frames, then listen until the hub closes."""
    for frame in frames:
        socket.send(frame)
    while True:
        socket.recv(timeout=20)


def hello(key: str = "0" * 64, **fields: Any) -> str:
    session = {"id": "ab" * 16, "project": "/p", "title": "t", "name": None, "kind": "script", "host": "h", "pid": 1}
    session |= {"python": "3.11.7", "argv": [], "cwd": "/p", "started": "2026-11-20T11:01:38.123456Z", "private": False}
    text = encode({"type": "hello", "protocol": 1, "key": key, "session": session} | fields)
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([b"\x00\xff garbage"], 4400),
        (["no json"], 4400),
        (["[]"], 4400),
        ([b""], 4400),
        ([hello(), "x" * (MAX_FRAME + 1)], 1009),
        ([hello(protocol=0)], 4406),
        ([hello(protocol=99)], 4406),
        ([hello(key="")], 4400),
    ],
)
def test_a_peer_that_speaks_garbage_is_told_why_and_others_go_on(
    scripts: Scripts, frames: list[str | bytes], code: int
) -> None:
    scripts.run("import ipyweb; ipyweb.display(1, title='before')")
    with session_socket(the_hub()) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            exchange(socket, frames)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
        assert closed.value.rcvd.reason
    scripts.run("import ipyweb; ipyweb.display(1, title='after')")
    wait_for_titles(["before", "after"])


def test_a_session_cannot_be_taken_over_with_another_key(scripts: Scripts) -> None:
    scripts.run("import ipyweb; ipyweb.display(1, title='before')")
    with session_socket(the_hub()) as first:
        first.send(hello())
        assert json.loads(first.recv(timeout=20))["type"] == "welcome"
        with session_socket(the_hub()) as thief:
            thief.send(hello(key="1" * 64))
            with pytest.raises(ConnectionClosed) as closed:
                thief.recv(timeout=20)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4403
        message = {
            "type": "clear_output",
            "seq": 1,
            "time": "2026-11-20T11:01:38.123456Z",
            "content": {"display_ids": []},
        }
        first.send(json.dumps(message))
        assert json.loads(first.recv(timeout=20))["acked"] == 1


def test_a_wrong_token_opens_no_socket(scripts: Scripts) -> None:
    scripts.run("import ipyweb; ipyweb.display(1, title='before')")
    for token in ("", "0" * 64, the_hub().token_for("pane")):
        with pytest.raises(InvalidStatus) as refused:
            connect(
                "ws" + the_hub().url[4:] + "/ws/session",
                additional_headers={"X-Ipyweb-Token": token},
                proxy=None,
                legacy=True,
            )
        assert refused.value.response.status_code == 403


def test_many_garbage_frames_cost_the_hub_no_memory(scripts: Scripts) -> None:
    scripts.run("import ipyweb; ipyweb.display(1, title='before')")
    process = psutil.Process(the_hub().pid)
    before = process.memory_info().rss
    for _ in range(60):
        with session_socket(the_hub()) as socket:
            socket.send(hello())
            with pytest.raises(ConnectionClosed):
                exchange(socket, [(2**32 - 1).to_bytes(4, "big") + b"\xff" * (MAX_FRAME - 4)])
    assert process.memory_info().rss - before < 20e6
    assert titles() == ["before"]
