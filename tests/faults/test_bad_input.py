"""Rubbish from the user's objects, and rubbish on the sockets: said where it happened, and nobody else is disturbed."""

import http.client
import os
import secrets
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from ipyweb import connection

from ..hub.conftest import Session, hello_fields
from .conftest import Scripts, chance, data_of, outputs, the_hub, wait_until

MEMORY = 400 * 2**20
"""Bytes that a process may grow by at its peak over a repr of 200 MB: the text, its UTF-8, and room for one more."""

RUBBISH = """
import ipyweb

class Thing:
    def __init__(self, **reprs):
        self.reprs = reprs
    def __getattr__(self, name):
        if name in self.__dict__["reprs"]:
            return self.reprs[name]
        raise AttributeError(name)

def fails(*args, **kwargs):
    raise ZeroDivisionError("on purpose")

class Base:
    def __repr__(self):
        return "<Base>"

class Raises(Base):
    _repr_html_ = fails
class RaisesEverywhere:
    __repr__ = _repr_html_ = _repr_png_ = fails
class Empty(Base):
    def _repr_mimebundle_(self, **kwargs):
        return {}
class NoMetadata(Base):
    def _repr_mimebundle_(self, **kwargs):
        return {"text/html": "<b>x</b>"}, None
class NoDict(Base):
    def _repr_mimebundle_(self, **kwargs):
        return 17
class WrongTypes(Base):
    def _repr_mimebundle_(self, **kwargs):
        return {"text/html": 17, "image/png": object(), 3: "x", "no mime": "x", "application/json": {1, 2}}
class NotANumber(Base):
    def _repr_mimebundle_(self, **kwargs):
        return {"application/json": {"a": float("nan"), "b": [float("inf"), 1]}}
class Surrogates(Base):
    def _repr_html_(self):
        return "<b>\\ud800</b>"
class Prints(Base):
    def _repr_html_(self):
        print("printed")
        return "<b>printed</b>"
class NoText(Base):
    def __repr__(self):
        return 17
class Deep(Base):
    def _repr_mimebundle_(self, **kwargs):
        deep = []
        for _ in range(100_000):
            deep = [deep]
        return {"application/json": deep}
class BadBase64(Base):
    def _repr_png_(self):
        return "not base64!"

for each in (Raises, RaisesEverywhere, Empty, NoMetadata, NoDict, WrongTypes, NotANumber, Surrogates, Prints, NoText,
             Deep, BadBase64):
    ipyweb.display(each(), title=each.__name__)
ipyweb.display({}, raw=True, title="raw and empty")
ipyweb.display(None, raw=True, title="raw and nothing")
ipyweb.display({"text/plain": "fine"}, raw=True, title="\\ud800 title\\nof two lines", metadata={"a": float("nan")})
ipyweb.display("last", title="last")
print("goes on")
"""


def test_rubbish_is_a_notice_in_its_output_and_nothing_else_suffers(scripts: Scripts) -> None:
    done = scripts.run(RUBBISH)
    assert done.out == "printed\ngoes on\n"
    assert "Traceback" not in done.err, done
    found = {record["title"]: record for record in outputs()}
    assert len(found) == 16
    for name in (
        "Raises",
        "RaisesEverywhere",
        "NoDict",
        "WrongTypes",
        "NotANumber",
        "Surrogates",
        "NoText",
        "BadBase64",
    ):
        assert found[name]["problems"], name
        assert all("\n" not in each and len(each) <= 500 for each in found[name]["problems"]), name
    assert any("ZeroDivisionError: on purpose" in each for each in found["Raises"]["problems"])
    assert data_of(found["Raises"], "text/plain") == b"<Base>"
    assert data_of(found["NotANumber"], "application/json") == b'{"a":null,"b":[null,1]}'
    assert data_of(found["NoMetadata"], "text/html") == b"<b>x</b>"
    assert data_of(found["last"], "text/plain") == b"'last'"
    for record in found.values():
        for mime in record["data"]:
            assert data_of(record, mime) is not None


def test_a_repr_of_200_megabytes_is_cut_off_with_bounded_memory(scripts: Scripts) -> None:
    done = scripts.run(
        """
import resource
import ipyweb

class Huge:
    def __repr__(self):
        return "y" * 200_000_000
    def _repr_html_(self):
        return "x" * 200_000_000

ipyweb.display("warm").wait(30)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(ipyweb.display(Huge(), title="huge").wait(60).status)
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""
    )
    status, grown = done.out.split()
    hub = psutil.Process(the_hub().pid).memory_info().rss
    print(f"200 MB twice: the script grew by {int(grown) / 2**20:.0f} MiB at most, the hub has {hub / 2**20:.0f} MiB")
    assert status == "stored"
    assert int(grown) < 2 * MEMORY
    assert hub < 200 * 2**20
    record = outputs()[-1]
    assert list(record["data"]) == ["text/plain"]
    assert len(record["problems"]) == 2
    assert record["data"]["text/plain"]["size"] < 33 * 2**20


def test_what_the_hub_finds_too_large_is_left_out_and_what_follows_arrives(scripts: Scripts) -> None:
    config = os.path.join(os.environ["XDG_CONFIG_HOME"], "ipyweb")
    os.mkdir(config)
    with open(os.path.join(config, "ipyweb_config.py"), "w") as file:
        file.write("c.Hub.max_blob_bytes = 1_000_000\n")
    done = scripts.run(
        """
import ipyweb
first = ipyweb.display({"image/png": b"x" * 2_000_000, "text/plain": "small"}, raw=True, title="large")
last = ipyweb.display({"text/plain": "x"}, raw=True, title="last")
print(last.wait(30).status)
"""
    )
    assert done.out == "stored\n", done
    assert [record["title"] for record in outputs()] == ["large", "last"]
    record = outputs()[0]
    assert list(record["data"]) == ["text/plain"]
    assert "max_blob_bytes" in record["problems"][0]


# -- on the sockets ---------------------------------------------------------------------------------------------------


def rss() -> int:
    """Resident memory of the hub, in bytes."""
    return int(psutil.Process(the_hub().pid).memory_info().rss)


def closed_with(session: Session, frame: bytes | None = None) -> tuple[int, str]:
    """Code and reason with which the hub closes a socket, after a frame if one is given."""

    def converse() -> None:
        if frame is not None:
            session.ws.send(frame)
        while True:
            session.ws.recv(timeout=120)

    with pytest.raises(ConnectionClosed) as caught:
        converse()
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def test_garbage_and_oversize_frames_close_their_socket_with_a_reason_and_memory_stays_flat() -> None:
    random = chance()
    hub = connection.start()
    token = hub.token_for("session")
    witness = Session(hub.port, token)
    witness.welcome()
    before = 0
    for number in range(300):
        session = Session(hub.port, token)
        session.welcome()
        oversize = number % 3 == 0
        garbage = random.randbytes(2**20 + 1 if oversize else random.randrange(200))
        code, reason = closed_with(session, garbage)
        assert code == (1009 if oversize else 4400), (code, reason)
        assert reason
        session.close()
        if number == 100:
            before = rss()
    print(f"hub: {before / 2**20:.1f} MiB after 100 bad frames, {rss() / 2**20:.1f} MiB after 300")
    assert rss() < before + 20 * 2**20
    witness.display()
    assert len(witness.acked()) == 1
    witness.close()


@pytest.mark.parametrize("token", ["", "0" * 64, "x" * 10_000, "pane"])
def test_a_wrong_token_never_becomes_a_socket(token: str) -> None:
    hub = connection.start()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Authorization": f"Bearer {hub.token_for('pane') if token == 'pane' else token}",
    }
    for _ in range(20):
        answer = connection.exchange(hub.url, "GET", "ws/session", headers=headers)
        assert (answer.status, answer.body) == (403, b"")


def test_a_wrong_key_takes_no_session_over_and_the_session_goes_on(scripts: Scripts) -> None:
    script = scripts.start(
        """
import sys
import ipyweb
for line in sys.stdin:
    print(ipyweb.display({"text/plain": "x"}, raw=True).wait(30).status, flush=True)
"""
    )
    assert script.stdin is not None
    assert script.stdout is not None

    def show() -> str:
        assert script.stdin is not None
        assert script.stdout is not None
        script.stdin.write("more\n")
        script.stdin.flush()
        return script.stdout.readline()

    assert show() == "stored\n"
    hub = the_hub()
    (record,) = connection.request(hub, "GET", "api/sessions").json()["sessions"]
    for key in ("0" * 64, secrets.token_hex(32)):
        thief = Session(hub.port, hub.token_for("session"), key=key, **hello_fields(id=record["id"]))
        code, reason = closed_with(thief)
        assert (code, "belongs to another process" in reason) == (4403, True)
        thief.close()
    assert show() == "stored\n"
    wait_until(lambda: len(outputs()) == 2, "both outputs")


def test_connections_that_say_nothing_or_stop_halfway_disturb_nobody(scripts: Scripts) -> None:
    hub = connection.start()
    halfway: list[Any] = []
    for number in range(100):
        peer = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=180)
        peer.connect()
        if number % 2:
            peer.send(b"PUT /api/blobs/" + b"0" * 64 + b" HTTP/1.1\r\nContent-Length: 1000000\r\n")
        halfway.append(peer)
    scripts.run("import ipyweb; ipyweb.display({'text/plain': 'x'}, raw=True, title='fine')")
    assert [record["title"] for record in outputs()] == ["fine"]
    for peer in halfway:
        peer.close()
