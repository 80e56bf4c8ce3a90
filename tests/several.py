"""Several hubs on one store: their processes, a load balancer before them, and a pane that follows through it."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from ipyweb.connection import Connection, Scope, challenge, request, scope_token
from ipyweb.errors import IpywebError

from .conftest import wait_until

Record = dict[str, Any]


class Hubs:
    """Hub processes that share one store.

    Args:
        address: of their database.
        directory: for what each has of its own.
        count: how many there are.

    Attributes:
        ports: where they listen.
    """

    def __init__(self, address: str, directory: Path, count: int = 2) -> None:
        self._address = address
        self._directories = [directory / f"hub{number}" for number in range(count)]
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self.ports = [_free_port() for _ in range(count)]
        for number in range(count):
            self.start(number)

    def start(self, number: int) -> None:
        """Start one, and wait until it answers; all have the identity of the first."""
        directory = self._directories[number]
        for name in ("run", "data"):
            (directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        identity, own = (self._directories[each] / "data" / "identity.json" for each in (0, number))
        if not own.exists() and identity.exists():
            shutil.copy(identity, own)
        runtime, data = str(directory / "run"), str(directory / "data")
        self._processes[number] = subprocess.Popen(
            [sys.executable, "-m", "ipyweb", "serve", f"--store={self._address}", f"--port={self.ports[number]}"],
            env={**os.environ, "IPYWEB_RUNTIME_DIR": runtime, "IPYWEB_DATA_DIR": data},
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: self._answers(number), f"hub {number}")

    def _answers(self, number: int) -> bool:
        process = self._processes[number]
        assert process is None or process.poll() is None, f"hub {number} has ended"
        with contextlib.suppress(IpywebError, OSError, KeyError, ValueError):
            return bool(challenge(self.connection(number)))
        return False

    def connection(self, number: int) -> Connection:
        """How to reach one."""
        fields = json.loads((self._directories[number] / "run" / "hub.json").read_bytes())
        return Connection(fields["url"], fields["hub"], fields["token"])

    def token(self, scope: Scope) -> str:
        """A token that all of them take."""
        return scope_token(self.connection(0).token, scope)

    def kill(self, number: int) -> None:
        """Kill one."""
        process = self._processes[number]
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait()

    def outputs(self, number: int) -> list[Record]:
        """Every output, as one of them lists it."""
        found: list[Record] = []
        hub = self.connection(number)
        while page := _page(hub, found[-1]["id"] if found else 0):
            found += page
        return found

    def stop(self) -> None:
        """End all that still run."""
        for process in filter(None, self._processes):
            process.kill()
            process.wait()


def _page(hub: Connection, after: int) -> list[Record]:
    page: list[Record] = request(hub, "GET", f"api/outputs?limit=1000&after={after}").json()["outputs"]
    return page


class Balancer:
    """Passes connections on to one of several ports in turn, to the next one where nobody listens.

    Attributes:
        port: where it listens itself.
    """

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop
        ).result(180)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._turn += 1
        for number in range(len(self._ports)):
            with contextlib.suppress(OSError):
                port = self._ports[(self._turn + number) % len(self._ports)]
                there, to_there = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_pass(reader, to_there), _pass(there, writer))
                return
        writer.close()

    def stop(self) -> None:
        """Take no more connections."""
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(180)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def balancer(ports: list[int]) -> Iterator[Balancer]:
    """A load balancer, while it is entered."""
    made = Balancer(ports)
    try:
        yield made
    finally:
        made.stop()


class Follower:
    """A pane that connects again whenever it has to, and notes what it is told.

    Attributes:
        events: the events of all records it got, in the order they came.
        outputs: the newest record of each output, in the order in which it first came.
        told: when it first heard of each output, by id, as `time.time` tells it.
        resets: how often a hub said that its store is another one.
    """

    def __init__(self, port: int, token: str) -> None:
        self.events: list[int] = []
        self.outputs: dict[int, Record] = {}
        self.told: dict[int, float] = {}
        self.resets = 0
        self._url, self._token = f"ws://127.0.0.1:{port}/ws/pane", token
        self._cursor = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                self._follow()
            self._stopped.wait(0.02)

    def _follow(self) -> None:
        headers = {"X-Ipyweb-Token": self._token}
        with connect(self._url, additional_headers=headers, proxy=None, compression=None, close_timeout=1) as socket:
            socket.send(json.dumps({"type": "subscribe", "since": self._cursor}))
            while not self._stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    self._take(json.loads(socket.recv(timeout=0.2)))

    def _take(self, message: Record) -> None:
        if message["type"] != "changed":
            return
        self.resets += "reset" in message
        records = sorted(message["outputs"] + message["sessions"], key=lambda record: record["event"])
        self.events += [record["event"] for record in records]
        for record in message["outputs"]:
            self.told.setdefault(record["id"], time.time())
        self.outputs |= {record["id"]: record for record in message["outputs"]}
        self._cursor = message["event"]

    def stop(self) -> None:
        """Let go."""
        self._stopped.set()
        self._thread.join(180)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
