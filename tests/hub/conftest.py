"""A hub in a thread of the test's process, a session and a pane to talk to it, and bare stores."""

import asyncio
import http.client
import json
import secrets
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from ipyweb.config import Hub
from ipyweb.connection import Connection, Response, data_dir, read_connection_file, request, runtime_dir, scope_token
from ipyweb.hub import identity as identities
from ipyweb.hub import schema
from ipyweb.hub.app import Process
from ipyweb.hub.messages import Command, Display, Hello
from ipyweb.hub.postgres import Connection as Postgres
from ipyweb.hub.retention import Limits
from ipyweb.hub.shared import SharedStore
from ipyweb.hub.sql import SqlStore
from ipyweb.hub.sqlite import SqliteStore
from ipyweb.hub.store import Applied, Changes, Job, Left, timestamp
from ipyweb.private import private_directory, write_private
from ipyweb.protocol import decode, encode

from ..conftest import HANGS, wait_until
from ..postgres_server import Cluster, cluster

TIME = timestamp(datetime.now(UTC))
FIGURE, KEEPER = "f" * 32, "0123456789abcdef"
SHOWN = {"id": FIGURE, "keeper": KEEPER, "size": [640, 480], "dpi": 100, "default_size": True}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


class Live:
    """A running hub."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(HANGS), "the hub did not start"
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        def ready(state: dict[str, Any]) -> None:
            self.state = state
            self._ready.set()

        try:
            asyncio.run(Process(Hub(**self.settings), private_directory(runtime_dir()), ready).run())
        except BaseException as error:
            self._failure = error
            self._ready.set()

    @property
    def connection(self) -> Connection:
        found = read_connection_file()
        assert found is not None
        return found

    @property
    def port(self) -> int:
        return int(self.state["port"])

    def token(self, scope: Any = "admin") -> str:
        return scope_token(self.state["token"], scope)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        scope: str | None = "admin",
    ) -> Response:
        """One request, with nothing but the headers given and a token."""
        sent = {"Authorization": f"Bearer {self.token(scope)}"} if scope else {}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return raw_request(self.port, method, path, data, {**sent, **(headers or {})})

    def get(self, path: str) -> Any:
        response = self.request("GET", path)
        assert response.status == 200, response
        return response.json()

    def outputs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/api/outputs?limit=1000&removed=all")["outputs"]
        return found

    def session(self, **fields: Any) -> "Session":
        return Session(self.port, self.token("session"), **fields)

    def pane(self, since: int = 0) -> "Pane":
        return Pane(self.port, self.token("pane"), since)

    def stop(self) -> None:
        if self._thread.is_alive():
            with suppress(OSError, http.client.HTTPException):
                if self.state["url"].startswith("https:"):
                    request(self.connection, "POST", "api/stop", {})
                else:
                    wait_until(self._takes_a_stop, "the hub to take one of its tokens")
            self._thread.join(HANGS)
            assert not self._thread.is_alive(), "the hub does not stop"

    def _takes_a_stop(self) -> bool:
        """Whether it was told to stop."""
        headers = ({"Authorization": f"Bearer {token}"} for token in self._tokens())
        return any(raw_request(self.port, "POST", "/api/stop", b"{}", each).status == 200 for each in headers)

    def _tokens(self) -> Iterator[str]:
        """Its token, and those that it may have by now, or be about to have."""
        yield self.token()
        yield scope_token(identities.load(Hub(**self.settings).directory).token, "admin")
        found = read_connection_file()
        if found is not None:
            yield found.token_for("admin")


def raw_request(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Response:
    """One HTTP request, exactly as given."""
    peer = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
    try:
        peer.putrequest(method, path, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            peer.putheader(name, value)
        if body is not None and "Content-Length" not in (headers or {}):
            peer.putheader("Content-Length", str(len(body)))
        peer.endheaders(body)
        answer = peer.getresponse()
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        peer.close()


class Socket:
    """A WebSocket whose frames are read in the order they come."""

    def __init__(self, port: int, path: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"ws://127.0.0.1:{port}{path}"
        self._manager = connect(url, additional_headers=headers, compression=None, proxy=None, max_size=2**20)
        self.ws: ClientConnection = self._manager.__enter__()

    def send(self, header: dict[str, Any], *buffers: bytes) -> None:
        self.ws.send(encode(header, buffers))

    def receive(self, timeout: float = 180) -> dict[str, Any]:
        frame = self.ws.recv(timeout=timeout)
        assert len(frame) <= 2**20
        message: dict[str, Any] = json.loads(frame)
        return message

    def until_closed(self) -> tuple[int, str]:
        """Read on until the hub closes it: code and reason."""
        with suppress(ConnectionClosedError):
            for _ in self.ws:
                pass
        return self.ws.close_code or 0, self.ws.close_reason or ""

    def close(self) -> None:
        self._manager.__exit__(None, None, None)


class Session(Socket):
    """A producer, as the contract describes it."""

    def __init__(self, port: int, token: str, *, key: str | None = None, protocol: int = 1, **fields: Any) -> None:
        super().__init__(port, "/ws/session", token)
        self.key = key or secrets.token_hex(32)
        self.fields = hello_fields(**fields)
        self.id = self.fields["id"]
        self.seq = 0
        self.send({"type": "hello", "protocol": protocol, "key": self.key, "session": self.fields})

    def welcome(self) -> dict[str, Any]:
        message = self.receive()
        assert message["type"] == "welcome", message
        self.seq = max(self.seq, message["acked"])
        return message

    def display(self, parts: dict[str, bytes] | None = None, **options: Any) -> int:
        self.seq = options.pop("seq", self.seq + 1)
        self.send(*display_frame(self.seq, parts, **options))
        return self.seq

    def tell(self, kind: str, content: dict[str, Any] | None = None) -> int:
        self.seq += 1
        self.send({"type": kind, "seq": self.seq, "content": content or {}})
        return self.seq

    def acked(self, seq: int | None = None) -> list[list[int]]:
        """Wait until a message is acknowledged; the outputs that the acknowledgements name."""
        outputs: list[list[int]] = []
        while True:
            message = self.receive()
            assert message["type"] == "ack", message
            outputs += message["outputs"]
            if message["acked"] >= (seq or self.seq):
                return outputs


class Pane(Socket):
    """A frontend that collects what changed."""

    def __init__(self, port: int, token: str, since: int) -> None:
        super().__init__(port, "/ws/pane", token)
        self.outputs: dict[int, dict[str, Any]] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.event = since
        self.notices: list[str] = []
        self.send({"type": "subscribe", "since": since})

    def until(self, condition: Callable[["Pane"], Any], timeout: float = 180) -> None:
        deadline = time.monotonic() + timeout
        while not condition(self):
            self.take(self.receive(max(0.01, deadline - time.monotonic())))

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "notice":
            self.notices.append(message["message"])
        if message["type"] != "changed":
            return
        events = sorted(row["event"] for row in (*message["outputs"], *message["sessions"]))
        assert not events or (events[0] > self.event and events[-1] <= message["event"])
        self.event = message["event"]
        self.outputs.update({row["id"]: row for row in message["outputs"]})
        self.sessions.update({row["id"]: row for row in message["sessions"]})


class Keeper:
    """A keeper that draws nothing."""

    def __init__(self, live: Live, environment: str = KEEPER) -> None:
        headers = {"Authorization": f"Bearer {live.token('session')}"}
        self._manager = connect(f"ws://127.0.0.1:{live.port}/ws/keeper", additional_headers=headers)
        self.socket: ClientConnection = self._manager.__enter__()
        self.say({"type": "hello", "protocol": 1, "keeper": environment})
        assert self.hear()["type"] == "welcome"

    def say(self, header: dict[str, Any], *buffers: bytes) -> None:
        self.socket.send(encode(header, buffers))

    def hear(self) -> dict[str, Any]:
        """The next answer or request."""
        while (header := decode(self.socket.recv(timeout=120)).header)["type"] == "undrawn":
            pass
        return header

    def undrawn(self) -> list[list[Any]]:
        """The figures that wait."""
        header = decode(self.socket.recv(timeout=120)).header
        assert header["type"] == "undrawn"
        figures: list[list[Any]] = header["figures"]
        return figures

    def drawn(self, parts: dict[str, bytes], figure: str = FIGURE, n: int = 1, **content: Any) -> dict[str, Any]:
        data = {mime: {"buffer": number} for number, mime in enumerate(parts)}
        self.say({"type": "drawn", "n": n, "figure": figure, "content": {"data": data, **content}}, *parts.values())
        return self.hear()

    def answer(self, data: bytes) -> "threading.Thread":
        """Answer the next request, in another thread."""

        def run() -> None:
            asked = self.hear()
            self.asked = asked
            half = len(data) // 2
            self.say({"type": "rendered", "n": asked["n"], "last": False}, data[:half])
            self.say({"type": "rendered", "n": asked["n"], "last": True}, data[half:])

        thread = threading.Thread(target=run)
        thread.start()
        return thread


@pytest.fixture
def shown(live: Live) -> Live:
    """A hub with one output that shows a figure."""
    session = live.session()
    session.welcome()
    session.display(parts={"text/plain": b"<Figure>"}, figure=SHOWN)
    session.acked()
    return live


def hello_fields(**fields: Any) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(16),
        "project": "/home/me/project",
        "title": "train.py",
        "name": None,
        "kind": "script",
        "host": "node7",
        "pid": 4242,
        "python": "3.11.7",
        "argv": ["train.py"],
        "cwd": "/home/me/project",
        "started": TIME,
        "private": False,
        **fields,
    }


def write_spool(name: str, *frames: str | bytes) -> Path:
    """A file as a session leaves it that found no hub."""
    directory = data_dir() / "spool"
    directory.mkdir(mode=0o700, exist_ok=True)
    raw = [frame.encode() if isinstance(frame, str) else frame for frame in frames]
    write_private(directory / name, b"".join(len(each).to_bytes(4, "big") + each for each in raw))
    return directory / name


def display_frame(
    seq: int,
    parts: dict[str, bytes] | None = None,
    *,
    display_id: str | None = None,
    kind: str = "display_data",
    **content: Any,
) -> tuple[Any, ...]:
    """Header and buffers of a display."""
    if parts is None:
        parts = {"image/png": PNG + str(seq).encode(), "text/plain": b"<Figure>"}
    return (
        {
            "type": kind,
            "seq": seq,
            "time": TIME,
            "content": {
                "data": {mime: {"buffer": n} for n, mime in enumerate(parts)},
                "metadata": {},
                "transient": {"display_id": display_id or f"d{seq}"},
                "title": None,
                "source": {"file": "train.py", "line": seq, "cell": None, "code": f"show({seq})"},
                "problems": [],
                **content,
            },
        },
        *parts.values(),
    )


class Bare:
    """A store without thread: each call is a transaction of its own."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.changes: list[Changes] = []
        self.left: list[Left] = []

    def call(self, job: Job) -> Any:
        batch = self.store.run([job])
        self.changes.append(batch.changes)
        self.left += batch.left
        (outcome,) = batch.outcomes
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def open(self, session: str = "a" * 32, key: str = "b" * 64, **fields: Any) -> int:
        hello = make_hello(session, key, **fields)
        acked: int = self.call(lambda store: store.open_session(hello))
        return acked

    def display(self, seq: int, data: dict[str, Any] | None = None, session: str = "a" * 32, **fields: Any) -> Applied:
        display = make_display(seq, data, **fields)
        applied: Applied = self.call(lambda store: store.apply(session, display))
        return applied

    def apply(self, command: Command, session: str = "a" * 32) -> Applied:
        applied: Applied = self.call(lambda store: store.apply(session, command))
        return applied


def make_hello(session: str = "a" * 32, key: str = "b" * 64, **fields: Any) -> Hello:
    values: dict[str, Any] = {**hello_fields(id=session), "argv": '["train.py"]', "key": key, **fields}
    return Hello(**values)


def make_display(seq: int, data: dict[str, Any] | None = None, **fields: Any) -> Display:
    values: dict[str, Any] = {
        "seq": seq,
        "time": TIME,
        "display_id": f"d{seq}",
        "title": None,
        "data": {"text/plain": f"output {seq}".encode()} if data is None else data,
        "metadata": "{}",
        "source": {"file": "train.py", "line": seq, "cell": None, "code": f"show({seq})"},
        "problems": [],
        **fields,
    }
    return Display(**values)


_UNDOING: dict[int, tuple[str, ...]] = {
    8: ("DROP INDEX outputs_updated",),
    7: ("DROP TABLE grams", "DROP TABLE grams_due"),
    6: (
        "DROP INDEX outputs_display_id",
        *(f"ALTER TABLE sessions DROP COLUMN {name}" for name in ("place", "lost")),
    ),
    5: (
        "DROP INDEX outputs_stack",
        "DROP INDEX sessions_script",
        *(f"ALTER TABLE outputs DROP COLUMN {name}" for name in ("site", "stack", "fingerprint", "run")),
        *(f"ALTER TABLE sessions DROP COLUMN {name}" for name in ("script", "run")),
    ),
    4: ("ALTER TABLE outputs DROP COLUMN seconds",),
    3: ("DROP TABLE texts",),
    2: (
        "DROP INDEX versions_figure",
        "ALTER TABLE outputs DROP COLUMN figure",
        "ALTER TABLE versions DROP COLUMN figure",
    ),
}
"""What each version of the tables brought, taken back."""


def make_old(path: Path, version: int) -> None:
    """Turn a closed database into one that an earlier ipyweb wrote."""
    with sqlite3.connect(path) as db:
        (newest,) = db.execute("PRAGMA user_version").fetchone()
        for each in range(newest, version, -1):
            for statement in _UNDOING[each]:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {version}")
    db.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Live]]:
    """Start hubs; they are stopped at the end."""
    started: list[Live] = []

    def begin(**settings: Any) -> Live:
        started.append(Live(**settings))
        return started[-1]

    yield begin
    for live in started:
        live.stop()


@pytest.fixture
def live(start: Callable[..., Live]) -> Live:
    return start()


BOTH = pytest.mark.parametrize("make_store", ["sqlite", "postgresql"], indirect=True)
"""For tests of what any store does."""


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """A PostgreSQL for all tests of a worker; it may lose everything when the machine does."""
    with cluster(fsync="off") as made:
        yield made


@pytest.fixture
def postgresql(server: Cluster) -> Cluster:
    """A PostgreSQL with an empty store."""
    server.forget()
    return server


@pytest.fixture
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Bare]]:
    """Open bare stores in one place; the ones before are closed."""
    opened: list[Bare] = []
    shared = getattr(request, "param", "sqlite") == "postgresql"
    address = request.getfixturevalue("postgresql").address if shared else ""

    def begin(directory: Path | None = tmp_path, limits: Limits | None = None, **options: Any) -> Bare:
        path = None if directory is None else directory / "outputs.sqlite"
        for each in opened:
            each.store.close()
        if shared:
            opened.append(Bare(SharedStore(Postgres(address), limits or Limits(), **options)))
        else:
            opened.append(Bare(SqliteStore(schema.connect(path), directory, limits, **options)))
        return opened[-1]

    yield begin
    for each in opened:
        each.store.close()


@pytest.fixture
def bare(make_store: Callable[..., Bare]) -> Bare:
    return make_store()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
