"""SIGTERM ends a worker of a pool, or a rank of a job, once what it has shown has arrived.

The main thread's handler sees to that. As Python runs handlers between its own instructions only, and SIGTERM has to
end also what is lost in a library, a thread hears of the signal too, and ends the process where the main thread does
not. Whoever has another idea of SIGTERM, or of the descriptor by which signals are heard of, keeps that.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

GRACE = 1.0
"""Seconds that the main thread has to hear of the signal, which is repeated `KNOCKS` times."""

KNOCKS = 4

_handled = False
_handler: object = None
_descriptors: tuple[int, int] | None = None


def watch(end: Callable[[], None]) -> None:
    """Let `end` be called before SIGTERM ends this process.

    Args:
        end: waits for what was shown, for a time.
    """
    global _descriptors, _handler
    here = threading.current_thread() is threading.main_thread()
    if not here or _descriptors is not None or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)
        return
    _descriptors = reading, writing
    threading.Thread(target=_listen, args=(reading, end), name="ipyweb-term", daemon=True).start()
    signal.signal(signal.SIGTERM, lambda number, frame: _handle(number, end))
    _handler = signal.getsignal(signal.SIGTERM)
    os.register_at_fork(before=_set_aside, after_in_parent=_take_up, after_in_child=_forget)


def _handle(number: int, end: Callable[[], None]) -> None:
    global _handled
    _handled = True
    try:
        end()
    finally:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _listen(reading: int, end: Callable[[], None]) -> None:
    while signal.SIGTERM not in os.read(reading, 64):
        pass
    main = threading.main_thread().ident
    for _ in range(KNOCKS):
        time.sleep(GRACE / KNOCKS)
        if _handled:
            return
        if main is not None:  # it may have begun to wait for something just when the signal came
            signal.pthread_kill(main, signal.SIGTERM)
    time.sleep(GRACE / KNOCKS)
    if not _handled:
        end()
        os.kill(os.getpid(), signal.SIGKILL)


def _set_aside() -> None:
    """Before a fork: what the child hears would else be heard here."""
    if _descriptors is not None:
        _replace(_descriptors[1], -1)


def _take_up() -> None:
    if _descriptors is not None:
        _replace(-1, _descriptors[1])


def _forget() -> None:
    """In the child of a fork, whose signals are its own."""
    global _descriptors
    if _descriptors is None:
        return
    for each in _descriptors:
        os.close(each)
    _descriptors = None
    if signal.getsignal(signal.SIGTERM) is _handler:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _replace(old: int, new: int) -> None:
    """Let signals be heard of at another descriptor, unless somebody else has taken that over."""
    with contextlib.suppress(ValueError):  # this is not the main thread
        found = signal.set_wakeup_fd(new, warn_on_full_buffer=False)
        if found != old:
            signal.set_wakeup_fd(found)
