"""Queue → thread → hub: hands messages over and never holds the caller up.

The caller's part is `Client.submit`, which appends to the backlog. A daemon thread finds or starts the hub, sends what
waits, and settles what the hub acknowledges; after any break it dials again and replays. What is left when the process
ends goes to a spool file.
"""

import contextlib
import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any

from .. import connection as hubs
from ..errors import HubError, IpywebError
from ..protocol import BLOB_THRESHOLD, MAX_FRAME, encode, read_header
from .backlog import Backlog, Entry, Receipt
from .spool import write_spool

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

log = logging.getLogger("ipyweb")

HEADROOM = 128 * 1024
"""Bytes of a frame that are left for its header."""

BACKOFF = (0.1, 10.0)
"""Shortest and longest pause in seconds between attempts to reach a hub."""

FULL_PAUSE = 5.0
"""Seconds until a message is sent again after the hub had no room for it."""


class _Break(Exception):
    """This connection is of no more use; dial again."""


class Client:
    """One session's line to the hub.

    Args:
        hello: makes the session's ``hello``, anew for each connection.
        queue_bytes: bytes held in memory; what is more is spooled.
        private: whether nothing may be written to disk.
        on_connect: called on the client's thread when a hub was reached.
    """

    def __init__(
        self,
        hello: Callable[[], dict[str, Any]],
        queue_bytes: int = 256 * 2**20,
        private: Callable[[], bool] = lambda: False,
        on_connect: Callable[[hubs.Connection], object] = lambda connection: None,
    ) -> None:
        self.backlog = Backlog()
        self.connection: hubs.Connection | None = None
        self.spooled: list[Path] = []
        self._hello = hello
        self._queue_bytes = queue_bytes
        self._private = private
        self._on_connect = on_connect
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()
        self._closed = False
        self._warned = False
        self._socket: ClientConnection | None = None

    # -- the caller's side

    def submit(self, header: Mapping[str, Any], parts: Mapping[str, bytes]) -> Receipt:
        """Hand over one message, without its number. Returns at once."""
        receipt = self.backlog.add(dict(header), dict(parts))
        if self._closed:
            self._spool()
        elif self.backlog.bytes > self._queue_bytes:
            self._overflow()
        if self._thread is None:
            self._start()
        return receipt

    def flush(self, timeout: float) -> bool:
        """Wait until the hub has acknowledged everything.

        Args:
            timeout: seconds.

        Returns:
            Whether it has.
        """
        return self.backlog.wait_empty(timeout)

    def close(self, timeout: float) -> int:
        """Wait for the hub at most `timeout` seconds, spool what it did not take, and stop.

        Returns:
            How many messages could be neither sent nor spooled.
        """
        try:
            if self._thread is not None:
                self.flush(timeout)
        finally:
            self._closed = True
            lost = self._spool()
            with self.backlog.changed:
                self.backlog.changed.notify_all()
        return lost

    def abandon(self) -> None:
        """Stop without a word: the child of a fork does not own the parent's line."""
        self._closed = True

    def _start(self) -> None:
        with self._start_lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="ipyweb", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is shutting down
                self._closed = True
                self._spool()
                return
            self._thread = thread

    def _overflow(self) -> None:
        # A later message must not reach the hub before those that go to the file: the hub would take them for replays.
        self._hang_up()
        self._spool()

    def _hang_up(self) -> None:
        socket = self._socket
        if socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(SHUT_RDWR)

    def _spool(self) -> int:
        entries = self.backlog.drain()
        if not entries:
            return 0
        if self._private():
            return self._lost(entries, "no hub took them, and they are private")
        try:
            self.spooled.append(write_spool(self._hello(), entries))
        except (OSError, IpywebError) as error:
            return self._lost(entries, f"no hub took them, and they cannot be kept: {error}")
        return 0

    def _lost(self, entries: list[Entry], reason: str) -> int:
        log.warning("ipyweb: %d messages are lost: %s", len(entries), reason)
        return len(entries)

    # -- the thread's side

    def _run(self) -> None:
        pause = BACKOFF[0]
        while not self._closed:
            self._wait_for_work()
            try:
                self._converse(hubs.start())
                pause = BACKOFF[0]
            except _Break as reason:
                log.debug("the connection to the hub broke: %s", reason)
            except (IpywebError, OSError) as error:
                self._warn_once("%s; the program goes on", error)
            except Exception:
                log.exception("ipyweb: the connection to the hub failed unexpectedly; it is tried again")
            self.connection = None
            self.backlog.rewind()
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, BACKOFF[1])

    def _wait_for_work(self) -> None:
        """Until something waits, or a hub that somebody else started is there."""
        while not self._closed and not self.backlog.wait_for_work(5.0):
            with contextlib.suppress(IpywebError):
                if hubs.find() is not None:
                    return

    def _warn_once(self, text: str, reason: object) -> None:
        log.log(logging.DEBUG if self._warned else logging.WARNING, f"ipyweb: {text}", reason)
        self._warned = True

    def _converse(self, connection: hubs.Connection) -> None:
        with self._dial(connection) as socket:
            socket.send(encode(self._hello()))
            welcome = read_header(socket.recv(timeout=10))
            if welcome["type"] != "welcome":
                raise _Break(f"expected welcome, got {welcome['type']}")
            self._await_spool(int(welcome["acked"]))
            self.connection, self._socket = connection, socket
            sender = threading.Thread(target=self._send_all, args=(socket, connection), name="ipyweb-send", daemon=True)
            sender.start()
            try:
                self._on_connect(connection)
                for frame in socket:
                    self._settle(read_header(frame))
            finally:
                self.connection = self._socket = None
                with self.backlog.changed:
                    self.backlog.changed.notify_all()
                socket.close()
                sender.join()
        raise _Break("the hub closed it")

    def _await_spool(self, acked: int) -> None:
        """Spooled messages come before those in memory: the hub takes their file in by itself."""
        self.spooled = [path for path in self.spooled if path.exists()]
        if self.spooled and acked + 1 < self.backlog.first_seq:
            raise _Break("the hub has not yet taken in the spool file")

    @contextlib.contextmanager
    def _dial(self, connection: hubs.Connection) -> Iterator["ClientConnection"]:
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        url = "ws" + connection.url.removeprefix("http") + "/ws/session"
        token = connection.token_for("session")
        try:
            with connect(
                url,
                additional_headers={"Authorization": f"Bearer {token}", "X-Ipyweb-Token": token},
                open_timeout=10,
                close_timeout=1,
                compression=None,
                proxy=None if connection.local else True,
                max_size=MAX_FRAME,
                ping_interval=None if connection.local else 20,
            ) as socket:
                yield socket
        except (WebSocketException, TimeoutError, EOFError) as error:
            raise _Break(str(error)) from error

    def _send_all(self, socket: "ClientConnection", connection: hubs.Connection) -> None:
        from websockets.exceptions import WebSocketException

        try:
            while self._wait_for_entry():
                entry = self.backlog.take()
                if entry is not None:
                    socket.send(encode(*self._referenced(entry, connection)))
        except (WebSocketException, IpywebError, OSError) as error:
            log.debug("sending to the hub broke: %s", error)
            socket.close()

    def _wait_for_entry(self) -> bool:
        with self.backlog.changed:
            self.backlog.changed.wait_for(lambda: self.backlog.waiting or self.connection is None or self._closed)
            return self.connection is not None and not self._closed

    def _referenced(self, entry: Entry, connection: hubs.Connection) -> tuple[dict[str, Any], list[bytes]]:
        """A message as it fits in a frame: small data in buffers, large data as blobs that go ahead."""
        header = {**entry.header, "seq": entry.seq}
        if not entry.parts:
            return header, []
        references: dict[str, dict[str, Any]] = {}
        buffers: list[bytes] = []
        room = MAX_FRAME - HEADROOM
        for mime, part in sorted(entry.parts.items(), key=lambda item: len(item[1])):
            if len(part) <= min(BLOB_THRESHOLD, room):
                references[mime] = {"buffer": len(buffers)}
                buffers.append(part)
                room -= len(part)
            else:
                references[mime] = {"blob": self._upload(part, connection), "size": len(part)}
        data = {mime: references[mime] for mime in entry.parts}
        header["content"] = {**header["content"], "data": data}
        return header, buffers

    def _upload(self, data: bytes, connection: hubs.Connection) -> str:
        name = hashlib.sha256(data).hexdigest()
        session = {"X-Ipyweb-Session": self._hello()["session"]["id"]}
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
                self.backlog.acked(int(message["acked"]), message.get("outputs", ()))
            case "nack":
                self._refused(int(message["seq"]), str(message["reason"]), str(message.get("message", "")))
            case other:
                log.debug("the hub sent %r, which this session does not know", other)

    def _refused(self, seq: int, reason: str, message: str) -> None:
        if reason in ("storage_full", "missing_blob"):
            self._warn_once("%s; it is sent again", message or reason)
            time.sleep(FULL_PAUSE if reason == "storage_full" else 0)
            raise _Break(reason)
        log.warning("ipyweb: the hub refused an output: %s", message or reason)
        self.backlog.failed(seq, message or reason)
