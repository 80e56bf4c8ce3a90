"""The figures themselves, held until somebody could load their snapshots, and drawn where nobody could."""

import contextlib
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar
from weakref import ref

from ..forking import whole

Result = TypeVar("Result")

MOST = 8
"""Figures that are held; older ones are there only if somebody else holds them, so that a loop of many stays small."""


PATIENCE = 1.0
"""Seconds that a thread has to end once it was told to."""


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


class Overdue(TimeoutError):
    """The time of something that was done on a thread of its own is over."""


def within(seconds: float, draw: Callable[[], Result]) -> Result:
    """Draw something that may never end, once nobody else draws.

    Where it cannot be interrupted by the alarm it is done on a thread of its own, which is left behind if it does not
    end when it is told to.

    Args:
        seconds: that it may take.

    Raises:
        TimeoutError: the time is over.
        BaseException: what `draw` raises.
    """
    if getattr(_inside, "yes", False):  # a signal's handler, or an artist that shows a figure when it is drawn
        return draw()
    with whole:  # imports
        from ..figures.drawing import take_over

    take_over(seconds)
    if _can_interrupt():
        with _at_most(seconds):
            return _marked(draw)
    try:
        return _beside(seconds, draw)
    except Overdue:
        take_over(seconds)
        raise


_inside = threading.local()


def _marked(draw: Callable[[], Result]) -> Result:
    _inside.yes = True
    try:
        return draw()
    finally:
        _inside.yes = False


def _beside(seconds: float, draw: Callable[[], Result]) -> Result:
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(_marked(draw))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name=threading.current_thread().name, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is shutting down
        return _marked(draw)
    thread.join(seconds)
    if thread.is_alive():
        _tell_to_end(thread)
        raise Overdue(_words(seconds))
    if errors:
        raise errors[0]
    return results[0]


def _tell_to_end(thread: threading.Thread) -> None:
    """Let a thread raise an exception as soon as it is at work in Python."""
    import ctypes

    with contextlib.suppress(AttributeError):  # another Python than CPython
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
    thread.join(PATIENCE)


def _words(seconds: float) -> str:
    return f"it took longer than {seconds:g} s"


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Interrupt what is done inside after a time. Only for where `_can_interrupt`.

    Raises:
        TimeoutError: the time is over.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(_words(seconds))

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # and again, should somebody swallow the exception
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _can_interrupt() -> bool:
    """Whether this is the main thread, and nobody uses the alarm."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        return False
    return signal.getsignal(signal.SIGALRM) is signal.SIG_DFL and signal.getitimer(signal.ITIMER_REAL)[0] == 0
