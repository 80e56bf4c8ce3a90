"""The panes that are there, told of news in the order in which somebody looked at them last.

To wake a pane costs the event loop a tenth of a millisecond, which a thousand idle ones would take from the one that
somebody looks at. So the first of them are told at once, and the others soon after, some at a time.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .links import Frontend

AT_ONCE = 64
SOON = 0.25
"""Seconds until the others are told; what changes meanwhile comes along."""

PORTION = 25
PAUSE = 0.02
"""Seconds between two portions of the others, for whatever else the hub has to do."""


class Audience:
    """All connected panes.

    Args:
        event: tells the newest event.
    """

    def __init__(self, event: Callable[[], int]) -> None:
        self._event = event
        self._panes: dict[Frontend, None] = {}
        self._others: asyncio.Task[None] | None = None

    def __iter__(self) -> "Iterator[Frontend]":
        return iter(list(self._panes))

    def __len__(self) -> int:
        return len(self._panes)

    def look(self, pane: "Frontend") -> None:
        """Note that a pane is there, or that somebody looks at it again."""
        self._panes.pop(pane, None)
        self._panes[pane] = None

    def leave(self, pane: "Frontend") -> None:
        """Note that a pane is gone."""
        self._panes.pop(pane, None)

    def wake(self) -> None:
        """Let all know that there is something new."""
        for pane in islice(reversed(self._panes), AT_ONCE):
            pane.wake()
        if len(self._panes) > AT_ONCE and self._others is None:
            self._others = asyncio.ensure_future(self._wake_others())

    async def _wake_others(self) -> None:
        told = -1
        while told != self._event():
            await asyncio.sleep(SOON)
            told = self._event()
            others = list(islice(reversed(self._panes), AT_ONCE, None))
            for first in range(0, len(others), PORTION):
                for pane in others[first : first + PORTION]:
                    pane.wake()
                await asyncio.sleep(PAUSE)
        self._others = None
