"""Does jobs side by side: the most urgent first, one at a time for each key, and slow ones out of the others' way."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SLOW = 2.0
"""Seconds after which a job no longer counts: another may run beside it."""

QUIET = 2.0
"""Seconds without anything urgent before something that has time is done."""

NOW, SOON, IDLE = 0, 1, 9
MOST = 8
log = logging.getLogger("ipyweb.keeper")


@dataclass(order=True)
class Ticket:
    """A job that waits, runs, or is over."""

    priority: int
    number: int
    begins: float = field(compare=False)
    key: str = field(compare=False)
    job: Callable[[], None] = field(compare=False)
    cancelled: bool = field(compare=False, default=False)


class Lanes:
    """Threads that do jobs.

    Args:
        count: how many jobs run side by side; slow ones do not count.
    """

    def __init__(self, count: int) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._running: dict[str, float] = {}
        self._numbers = itertools.count()
        self._count = count
        self._threads = 0
        self._urgent = 0.0
        self._ended = False

    def submit(self, key: str, priority: int, job: Callable[[], None], delay: float = 0.0) -> Ticket:
        """Queue a job.

        Args:
            key: of jobs with the same key only one runs at a time.
            priority: `NOW`, `SOON`, or `IDLE` for what has time until nothing else is to be done.
            delay: seconds before which it is not begun.
        """
        with self._changed:
            begins = time.monotonic() + delay
            ticket = Ticket(priority, next(self._numbers), begins, key, job)
            heapq.heappush(self._waiting, ticket)
            if priority < IDLE:
                self._urgent = begins
            if self._threads < self._count:
                self._begin()
            self._changed.notify_all()
            return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Do not begin a job any more."""
        ticket.cancelled = True

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        with self._changed:
            return bool(self._waiting or self._running)

    def tick(self) -> None:
        """Let others pass the jobs that turned out to be slow. To be called every second or so."""
        with self._changed:
            slow = sum(time.monotonic() - since > SLOW for since in self._running.values())
            if self._waiting and self._threads < min(self._count + slow, MOST):
                self._begin()
            self._changed.notify_all()

    def end(self) -> None:
        """Begin nothing any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _begin(self) -> None:
        self._threads += 1
        threading.Thread(target=self._run, name="lane", daemon=True).start()

    def _run(self) -> None:
        while (ticket := self._take()) is not None:
            try:
                ticket.job()
            except Exception:
                log.exception("a job failed")
            with self._changed:
                del self._running[ticket.key]
                self._changed.notify_all()

    def _take(self) -> Ticket | None:
        with self._changed:
            while not self._ended:
                slow = sum(time.monotonic() - since > SLOW for since in self._running.values())
                if self._threads > self._count + slow:
                    break
                ticket = self._next()
                if ticket is not None:
                    self._running[ticket.key] = time.monotonic()
                    return ticket
                self._changed.wait(self._patience())
            self._threads -= 1
            return None

    def _next(self) -> Ticket | None:
        """The most urgent job that may begin."""
        passed: list[Ticket] = []
        found: Ticket | None = None
        while self._waiting and found is None:
            ticket = heapq.heappop(self._waiting)
            if ticket.cancelled:
                continue
            if ticket.key in self._running or not self._is_due(ticket):
                passed.append(ticket)
            else:
                found = ticket
        for each in passed:
            heapq.heappush(self._waiting, each)
        return found

    def _is_due(self, ticket: Ticket) -> bool:
        return ticket.begins <= time.monotonic() and (ticket.priority < IDLE or self._is_quiet())

    def _patience(self) -> float | None:
        """Seconds after which a job may begin although nothing changes."""
        left = (each.begins - time.monotonic() for each in self._waiting)
        return min((min(QUIET, seconds) if seconds > 0 else QUIET for seconds in left), default=None)

    def _is_quiet(self) -> bool:
        return not self._running and time.monotonic() - self._urgent >= QUIET
