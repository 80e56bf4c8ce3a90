"""What a session has displayed and the hub has not yet acknowledged: order, numbers, replay, conflation. No I/O.

A message is numbered when it is taken for sending, so that an update which a newer one overtakes while both wait never
had a number. Everything sent is kept until the hub acknowledges it, and is sent again after a break.
"""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import takewhile
from threading import Condition
from typing import Any, Literal

from ..protocol import is_companion

Status = Literal["queued", "stored", "failed"]


class Receipt:
    """What becomes of one message.

    Attributes:
        status: ``queued`` until the hub committed it, then ``stored``; ``failed`` when it refused it for good.
        output: the hub's id of the output, once known.
        version: which version of the output this message made, once known.
        error: why it failed.
    """

    __slots__ = ("error", "output", "status", "version")

    def __init__(self) -> None:
        self.status: Status = "queued"
        self.output: int | None = None
        self.version: int | None = None
        self.error: str | None = None


class Entry:
    """One message: its header without number, its data by MIME type, its receipts."""

    __slots__ = ("header", "parts", "receipts", "seq", "size")

    def __init__(self, header: dict[str, Any], parts: dict[str, bytes], receipt: Receipt) -> None:
        self.header = header
        self.parts = parts
        self.receipts = [receipt]
        self.seq = 0
        # companions are the same bytes in many messages; 512 is about the header
        self.size = sum(len(part) for mime, part in parts.items() if not is_companion(mime)) + 512

    @property
    def update_of(self) -> str | None:
        """The display id that this message updates, if it is an update."""
        if self.header["type"] != "update_display_data":
            return None
        return str(self.header["content"]["transient"]["display_id"])


class Backlog:
    """The messages of one session on their way. Safe to use from several threads.

    Attributes:
        changed: notified when something is added or settled; the lock of everything here.
        bytes: how much is held.
        outputs: ids of the outputs stored so far, in order, without repetition.
    """

    def __init__(self) -> None:
        self.changed = Condition()
        self.bytes = 0
        self.outputs: dict[int, None] = {}
        self._unsent: deque[Entry] = deque()
        self._sent: dict[int, Entry] = {}
        self._waiting_updates: dict[str, Entry] = {}
        self._last_seq = 0

    def __len__(self) -> int:
        return len(self._unsent) + len(self._sent)

    def add(self, header: dict[str, Any], parts: dict[str, bytes]) -> Receipt:
        """Append a message. An update takes the place of an older update of the same display id that still waits."""
        entry = Entry(header, parts, Receipt())
        with self.changed:
            display_id = entry.update_of
            older = self._waiting_updates.get(display_id) if display_id is not None else None
            if older is not None:
                self._replace(older, entry)
            else:
                self._unsent.append(entry)
                self.bytes += entry.size
                if display_id is not None:
                    self._waiting_updates[display_id] = entry
                else:
                    self._waiting_updates.clear()  # an update must not overtake the message that it follows
            self.changed.notify_all()
        return entry.receipts[-1]

    def _replace(self, older: Entry, newer: Entry) -> None:
        older.header, older.parts = newer.header, newer.parts
        older.receipts += newer.receipts
        newer.receipts = older.receipts
        self.bytes += newer.size - older.size
        older.size = newer.size

    def take(self) -> Entry | None:
        """The next message to send, numbered; ``None`` when nothing waits."""
        with self.changed:
            if not self._unsent:
                return None
            entry = self._unsent.popleft()
            display_id = entry.update_of
            if display_id is not None and self._waiting_updates.get(display_id) is entry:
                del self._waiting_updates[display_id]
            if not entry.seq:
                self._last_seq += 1
                entry.seq = self._last_seq
            self._sent[entry.seq] = entry
            return entry

    def rewind(self) -> None:
        """After a break: everything that was sent without being acknowledged waits again, in order."""
        with self.changed:
            self._unsent.extendleft(entry for _, entry in sorted(self._sent.items(), reverse=True))
            self._sent.clear()

    def acked(self, seq: int, outputs: Iterable[tuple[int, int, int]]) -> None:
        """The hub committed everything up to `seq`.

        Args:
            outputs: of each message that made one: its number, the output's id, the version.
        """
        with self.changed:
            for number, output, version in outputs:
                if entry := self._sent.get(number):
                    self.outputs[output] = None
                    for receipt in entry.receipts:
                        receipt.output, receipt.version = output, version
            for number in list(takewhile(lambda n: n <= seq, self._sent)):  # they stand in order
                self._settle(number, "stored")
            self.changed.notify_all()

    def failed(self, seq: int, error: str) -> None:
        """The hub refused one message for good."""
        with self.changed:
            if entry := self._sent.get(seq):
                for receipt in entry.receipts:
                    receipt.error = error
                self._settle(seq, "failed")
            self.changed.notify_all()

    def _settle(self, seq: int, status: Status) -> None:
        entry = self._sent.pop(seq)
        self.bytes -= entry.size
        for receipt in entry.receipts:
            receipt.status = status

    def drain(self) -> list[Entry]:
        """Give up everything that is not acknowledged, numbered and in order, for somebody else to keep."""
        entries = []
        with self.changed:  # as a whole: what a sender takes in between would be neither sent again nor given up
            self.rewind()
            while (entry := self.take()) is not None:
                entries.append(entry)
            self._sent.clear()
            self.bytes = 0
            self.changed.notify_all()
        return entries

    @property
    def first_seq(self) -> int:
        """Number of the oldest message held, or the next number when none is."""
        with self.changed:
            numbered = [*self._sent, *(entry.seq for entry in self._unsent if entry.seq)]
            return min(numbered, default=self._last_seq + 1)

    def wait_empty(self, timeout: float) -> bool:
        """Wait until everything is settled.

        Args:
            timeout: seconds.
        """
        with self.changed:
            return self.changed.wait_for(lambda: not len(self), timeout)

    def wait_for_work(self, timeout: float) -> bool:
        """Wait until something is held.

        Args:
            timeout: seconds.
        """
        with self.changed:
            return self.changed.wait_for(lambda: bool(len(self)), timeout)

    def wait_for_entry(self, going: Callable[[], bool]) -> None:
        """Wait until something waits to be sent, or it is no longer `going`."""
        with self.changed:
            self.changed.wait_for(lambda: self._unsent or not going())

    def wait_settled(self, seq: int, going: Callable[[], bool]) -> None:
        """Wait until a message that was sent is settled, or it is no longer `going`."""
        with self.changed:
            self.changed.wait_for(lambda: seq not in self._sent or not going())

    def wake(self) -> None:
        """Let everyone who waits look again."""
        with self.changed:
            self.changed.notify_all()

    def wait_for(self, receipt: Receipt, timeout: float) -> bool:
        """Wait until one message is settled.

        Args:
            timeout: seconds.
        """
        with self.changed:
            return self.changed.wait_for(lambda: receipt.status != "queued", timeout)
