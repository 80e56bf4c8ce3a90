"""Queue → thread → hub: hands messages over and never holds the caller up.

`Client.submit` appends to the backlog; the rest is done by a daemon thread, which runs the `line`. What is left when
the process ends goes to a spool file.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import IpywebError
from ..forking import whole
from .backlog import Backlog, Entry, Receipt

if TYPE_CHECKING:
    from ..connection import Connection

log = logging.getLogger("ipyweb")


class Client:
    """One session's way to the hub.

    Args:
        hello: makes the session's ``hello``, anew for each connection.
        queue_bytes: bytes held in memory; what is more is spooled.
        private: whether nothing may be written to disk.
        on_connect: called on the client's thread when a hub was reached.

    Attributes:
        backlog: what is not yet acknowledged.
        hub: the hub that takes what is submitted, while there is one.
        closed: whether nothing is sent any more.
        spooled: files that wait for a hub.
    """

    def __init__(
        self,
        hello: Callable[[], dict[str, Any]],
        queue_bytes: int = 256 * 2**20,
        private: Callable[[], bool] = lambda: False,
        on_connect: "Callable[[Connection], object]" = lambda connection: None,
    ) -> None:
        self.backlog = Backlog()
        self.hello = hello
        self.on_connect = on_connect
        self.hub: Connection | None = None
        self.closed = False
        self.spooled: list[Path] = []
        self._queue_bytes = queue_bytes
        self._private = private
        self._thread: threading.Thread | None = None
        self._start_lock = threading.RLock()  # a signal's handler may end the process in the midst of it
        self._spooling = threading.RLock()

    @property
    def connected(self) -> bool:
        """Whether a hub takes what is submitted."""
        return self.hub is not None

    def submit(self, header: Mapping[str, Any], parts: Mapping[str, bytes]) -> Receipt:
        """Hand over one message, without its number. Returns at once."""
        receipt = self.backlog.add(dict(header), dict(parts))
        if self.closed or self.backlog.bytes > self._queue_bytes:
            self._spool()
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
        return self.backlog.wait_empty(timeout) and not self.has_spooled()

    def has_spooled(self) -> bool:
        """Whether files of ours still wait for a hub to take them in."""
        with self._spooling:
            self.spooled = [path for path in self.spooled if path.exists()]
            return bool(self.spooled)

    def secure(self, timeout: float) -> None:
        """Wait for the hub at most `timeout` seconds, and spool what it did not take. More may follow.

        What is private goes to no file. A hub that did not take what was spooled before is not waited for, unless it is
        there by now.
        """
        patience = timeout if self.connected or not self.has_spooled() else 0
        if not self.backlog.wait_empty(patience) and not self._private():
            self._spool()

    def close(self, timeout: float) -> int:
        """Wait for the hub at most `timeout` seconds, spool what it did not take, and stop.

        Returns:
            How many messages could be neither sent nor spooled.
        """
        try:
            if self._thread is not None:
                self.flush(timeout)
        finally:
            self.closed = True
            lost = self._spool()
            self.backlog.wake()
        return lost

    def abandon(self) -> None:
        """Stop without a word: the child of a fork does not own the parent's line."""
        self.closed = True

    def _start(self) -> None:
        with self._start_lock:
            if self._thread is not None:
                return
            # Nobody waits for a thread that begins in an exit handler; some Pythons refuse to start it.
            main = threading.main_thread()
            if threading.current_thread() is main and not main.is_alive():
                self.closed = True
                self._spool()
                return
            self._thread = threading.Thread(target=self._run, name="ipyweb", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        with whole:
            from .line import Line  # on this thread, since it takes a while to import

        Line(self).run()

    def _spool(self) -> int:
        with whole:
            from .spool import write_spool
        with self._spooling:
            entries = self.backlog.drain()
            if not entries:
                return 0
            if self._private():
                return _lost(entries, "no hub took them, and they are private")
            try:
                self.spooled.append(write_spool(self.hello(), entries))
            except (OSError, IpywebError) as error:
                return _lost(entries, f"no hub took them, and they cannot be kept: {error}")
            return 0


def _lost(entries: list[Entry], reason: str) -> int:
    log.warning("ipyweb: %d messages are lost: %s", len(entries), reason)
    return len(entries)
