"""The figures themselves, held until somebody could load their snapshots, and drawn where nobody could."""

import contextlib
import signal
import threading
from collections import deque
from collections.abc import Iterator
from types import FrameType
from typing import Any
from weakref import ref

MOST = 8
"""Figures that are held; older ones are there only if somebody else holds them, so that a loop of many stays small."""


class Originals:
    """The figures whose snapshots are on their way, by id."""

    def __init__(self) -> None:
        self._figures: dict[str, ref[Any]] = {}
        self._held: deque[Any] = deque(maxlen=MOST)

    def hold(self, figure_id: str, figure: Any) -> None:
        """Hold a figure, for a while at least."""
        with contextlib.suppress(TypeError):  # a class of the user's own that cannot be referred to weakly
            self._figures[figure_id] = ref(figure)
            self._held.append(figure)

    def get(self, figure_id: str) -> Any:
        """A figure that is still there; ``None`` for others."""
        found = self._figures.get(figure_id)
        return None if found is None else found()

    def let_go(self, figure_id: str) -> None:
        """Forget a figure."""
        self._figures.pop(figure_id, None)
        if not self._figures:
            self._held.clear()


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Interrupt what is done inside after a time, where that is possible: on the main thread, if nobody uses the alarm.

    Raises:
        TimeoutError: the time is over.
    """
    if not _can_interrupt():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"it took longer than {seconds:g} s")

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # and again, should somebody swallow the exception
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _can_interrupt() -> bool:
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        return False
    return signal.getsignal(signal.SIGALRM) is signal.SIG_DFL and signal.getitimer(signal.ITIMER_REAL)[0] == 0
