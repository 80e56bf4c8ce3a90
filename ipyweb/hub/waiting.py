"""Requests that wait for a change: an answer is read again whenever a row changed that concerns it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from .store import Row

T = TypeVar("T")
Concerns = Callable[[Row], bool]

MAX_WAITING = 2048
"""Requests that may wait at once."""

MOST_SECONDS = 60
"""Longest wait. Proxies cut connections on which nothing comes for longer."""


class Waiting:
    """Who waits, and for changes of what."""

    def __init__(self) -> None:
        self._concerns: dict[asyncio.Event, Concerns] = {}

    def __len__(self) -> int:
        return len(self._concerns)

    def tell(self, rows: Sequence[Row]) -> None:
        """Wake those whom a change concerns."""
        for event, concerns in self._concerns.items():
            if not event.is_set() and any(map(concerns, rows)):
                event.set()

    async def until(
        self, read: Callable[[], Awaitable[T]], enough: Callable[[T], bool], concerns: Concerns, seconds: float
    ) -> T:
        """Read until it is enough.

        Args:
            read: reads the answer.
            enough: whether the answer is what is waited for.
            concerns: whether a changed row may change the answer.
            seconds: after which whatever was read last is the answer.
        """
        changed = asyncio.Event()
        deadline = asyncio.get_running_loop().time() + seconds
        self._concerns[changed] = concerns  # before the first look, so that nothing comes between
        try:
            while not enough(found := await read()) and await _is_set_before(deadline, changed):
                changed.clear()
        finally:
            del self._concerns[changed]
        return found


async def _is_set_before(deadline: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout_at(deadline):
            return await event.wait()
    except TimeoutError:
        return False
