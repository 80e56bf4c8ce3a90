"""A session's line to the hub, on the client's own thread: finds or starts the hub, sends, settles, dials again.

Everything that was sent and not acknowledged is sent again after a break; the hub knows by the numbers what it has.
"""

import contextlib
import encodings.idna
import hashlib
import logging
import random
import select
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import platformdirs
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection

from .. import browser
from .. import connection as hubs
from ..errors import HubError, IpywebError
from ..protocol import BLOB_THRESHOLD, MAX_FRAME, encode, is_companion, read_header
from ..websocket import open_websocket
from .backlog import Entry

if TYPE_CHECKING:
    from .client import Client

log = logging.getLogger("ipyweb")
_LATER = (browser, encodings.idna, platformdirs, select, subprocess)
"""What reaching a hub imports: now, while forks wait for this module, since a child would find it half imported."""

HEADROOM = 128 * 1024
"""Bytes of a frame that are left for its header."""

BACKOFF = (0.1, 10.0)
"""Shortest and longest pause in seconds between attempts to reach a hub."""

IDLE_LOOK = 5.0
"""Seconds between looks for a hub while nothing waits to be sent."""

TOO_LARGE = 413
"""HTTP status for a blob that the hub does not take at all."""

FORBIDDEN = 403
"""HTTP status for a token that opens nothing."""

FULL_PAUSE = 5.0
"""Seconds until a message is sent again after the hub had no room for it."""


class Break(Exception):
    """This connection is of no more use; dial again."""


class Line:
    """Carries a client's backlog to the hub, for as long as the client is open."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._backlog = client.backlog
        self._pause = BACKOFF[0]
        self._expected = 1
        self._warned = False
        self._uploaded: dict[bytes, str] = {}

    def run(self) -> None:
        """Converse with one hub after the other."""
        while not self._client.closed:
            self._wait_for_work()
            try:
                self._converse(hubs.start())
            except (Break, WebSocketException, TimeoutError, EOFError) as reason:
                log.debug("the connection to the hub broke: %s", reason)
            except (IpywebError, OSError) as error:
                self._warn_once("%s; the program goes on", error)
            except Exception as error:
                log.debug("the connection to the hub failed unexpectedly", exc_info=True)
                self._warn_once("the connection to the hub failed unexpectedly (%r); the program goes on", error)
            self._backlog.rewind()
            time.sleep(self._pause * random.uniform(0.5, 1.0))
            self._pause = min(2 * self._pause, BACKOFF[1])

    def _wait_for_work(self) -> None:
        """Until something waits, or a hub that somebody else started is there."""
        while not self._client.closed and not self._backlog.wait_for_work(IDLE_LOOK):
            with contextlib.suppress(IpywebError):
                if hubs.find() is not None:
                    return

    def _warn_once(self, text: str, reason: object) -> None:
        log.log(logging.DEBUG if self._warned else logging.WARNING, f"ipyweb: {text}", reason)
        self._warned = True

    def _converse(self, connection: hubs.Connection) -> None:
        self._uploaded.clear()
        with open_websocket(connection, "/ws/session") as socket:
            socket.send(encode(self._client.hello()))
            welcome = read_header(socket.recv(timeout=10))
            if welcome["type"] != "welcome":
                raise Break(f"expected welcome, got {welcome['type']}")
            self._expected = int(welcome["acked"]) + 1
            self._await_spool(self._backlog.first_seq)
            self._pause = BACKOFF[0]
            with self._sending(socket, connection):
                self._client.on_connect(connection)
                for frame in socket:
                    self._settle(read_header(frame))

    def _await_spool(self, seq: int) -> None:
        """Spooled messages come before message `seq`, or the hub would take them for replays later on."""
        if seq > self._expected and self._client.has_spooled():
            raise Break("the hub has not yet taken in the spool file")

    @contextlib.contextmanager
    def _sending(self, socket: ClientConnection, connection: hubs.Connection) -> Iterator[None]:
        """While it is entered, a second thread sends what waits."""
        self._client.hub = connection
        sender = threading.Thread(target=self._send_all, args=(socket, connection), name="ipyweb-send", daemon=True)
        sender.start()
        try:
            yield
        finally:
            self._client.hub = None
            self._backlog.wake()
            socket.close()
            sender.join()

    def _send_all(self, socket: ClientConnection, connection: hubs.Connection) -> None:
        try:
            while self._wait_for_entry():
                entry = self._backlog.take()
                if entry is not None:
                    self._await_spool(entry.seq)
                    socket.send(encode(*self._referenced(entry, connection)))
                    self._expected = max(self._expected, entry.seq + 1)
                    if entry.header["type"] == "session":  # it may say that the uploads which follow are private
                        self._backlog.wait_settled(entry.seq, self._is_going)
        except HubError as error:
            if error.status != FORBIDDEN:  # the hub took new tokens meanwhile
                self._warn_once("%s; it is sent again", error)
                self._pause = FULL_PAUSE
            socket.close()
        except (Break, WebSocketException, IpywebError, OSError) as error:
            log.debug("sending to the hub broke: %s", error)
            socket.close()

    def _wait_for_entry(self) -> bool:
        self._backlog.wait_for_entry(self._is_going)
        return self._is_going()

    def _is_going(self) -> bool:
        return self._client.connected and not self._client.closed

    def _referenced(self, entry: Entry, connection: hubs.Connection) -> tuple[dict[str, Any], list[bytes]]:
        """A message as it fits in a frame: small data in buffers, large data as blobs that go ahead."""
        header = {**entry.header, "seq": entry.seq}
        if not entry.parts:
            return header, []
        references: dict[str, dict[str, Any]] = {}
        buffers: list[bytes] = []
        refused: list[str] = []
        room = MAX_FRAME - HEADROOM
        for mime, part in sorted(entry.parts.items(), key=lambda item: len(item[1])):
            if is_companion(mime):
                references[mime] = {"blob": self._upload_once(part, connection), "size": len(part)}
            elif len(part) <= min(BLOB_THRESHOLD, room):
                references[mime] = {"buffer": len(buffers)}
                buffers.append(part)
                room -= len(part)
            else:
                try:
                    references[mime] = {"blob": self._upload(part, connection), "size": len(part)}
                except HubError as error:
                    if error.status != TOO_LARGE:
                        raise
                    refused.append(f"{mime} was left out: {error}")
        data = {mime: references[mime] for mime in entry.parts if mime in references}
        if not data:
            data = {"text/plain": {"buffer": len(buffers)}}
            buffers.append("\n".join(refused).encode())
        problems = [*header["content"]["problems"], *refused]
        header["content"] = {**header["content"], "data": data, "problems": problems}
        return header, buffers

    def _upload_once(self, data: bytes, connection: hubs.Connection) -> str:
        """For what goes with many messages: asks the hub for it once in a connection."""
        if data not in self._uploaded:
            self._uploaded[data] = self._upload(data, connection)
        return self._uploaded[data]

    def _upload(self, data: bytes, connection: hubs.Connection) -> str:
        name = hashlib.sha256(data).hexdigest()
        session = {"X-Ipyweb-Session": self._client.hello()["session"]["id"]}
        try:
            hubs.request(connection, "HEAD", f"api/blobs/{name}", headers=session, scope="session")
        except HubError as error:
            if error.status != 404:
                raise
            hubs.request(connection, "PUT", f"api/blobs/{name}", data, session, timeout=60, scope="session")
        return name

    def _settle(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ack":
                self._backlog.acked(int(message["acked"]), message.get("outputs", ()))
            case "nack":
                self._refused(int(message["seq"]), str(message["reason"]), str(message.get("message", "")))
            case other:
                log.debug("the hub sent %r, which this session does not know", other)

    def _refused(self, seq: int, reason: str, message: str) -> None:
        if reason in ("storage_full", "missing_blob"):
            self._warn_once("%s; it is sent again", message or reason)
            time.sleep(FULL_PAUSE if reason == "storage_full" else 0)
            raise Break(reason)
        log.warning("ipyweb: the hub refused an output: %s", message or reason)
        self._backlog.failed(seq, message or reason)
