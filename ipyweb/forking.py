"""A fork waits until nothing is half done.

The child of a fork has only the thread that forked. What another thread was importing stays half imported there for
ever, and a lock that it held stays locked.
"""

import contextlib
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import subprocess

whole = threading.RLock()
"""Held while something is done that a fork must not cut in two: imports on threads of ours, a session's
beginning, that of another process."""


def watch_forks(forked: Callable[[], None]) -> None:
    """From now on forks wait for `whole`, and `forked` is called in every child."""
    waited = False

    def before() -> None:
        nonlocal waited
        waited = whole.acquire()

    def in_parent() -> None:
        nonlocal waited
        if waited:
            waited = False
            whole.release()

    def in_child() -> None:
        if not waited:  # it had begun before we were told of forks: whoever holds the lock is not here any more
            whole._at_fork_reinit()  # type: ignore[attr-defined]
        in_parent()
        forked()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.01)  # such a fork is done by then, and cuts nothing in two that follows


def in_each_fork(renew: Callable[[], object]) -> None:
    """From now on call `renew` in every child of a fork, such as for a lock that another thread held."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)


def begin(command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
    """Start another process, as `subprocess.Popen` does.

    The child of a fork in the middle of it would hold the write ends of its pipes: who reads them would wait for that
    child's end, too.

    Raises:
        OSError: it cannot be started.
    """
    with whole:
        import subprocess

        return subprocess.Popen(command, **options)


def ask(command: Sequence[str], timeout: float, **options: Any) -> str | None:
    """What another process prints; ``None`` when it cannot be started, fails, or takes longer.

    Args:
        timeout: seconds.
        options: of `subprocess.Popen`.
    """
    import subprocess

    silent = subprocess.DEVNULL
    try:
        process = begin(command, stdin=silent, stdout=subprocess.PIPE, stderr=silent, **options)
    except (OSError, ValueError):
        return None
    with process:
        try:
            said = process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return None
    return said.decode(errors="replace") if process.returncode == 0 else None


def detach(work: Callable[[], object], limit: int) -> bool:
    """Do something in a copy of this process that outlives it: without a terminal, silently, at low priority.

    Args:
        work: called there, and nothing after it. What it raises is lost.
        limit: seconds after which the kernel ends it.

    Returns:
        Whether that is possible. Frameworks of macOS do not survive a fork.
    """
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads; ours wait for `whole`
        try:
            child = os.fork()
        except OSError:
            return False
    if child == 0:
        _be_detached(work, limit)
    with contextlib.suppress(ChildProcessError):  # who ignores SIGCHLD has no children to wait for
        os.waitpid(child, 0)
    return True


def _be_detached(work: Callable[[], object], limit: int) -> NoReturn:
    """In the child, which leaves its work to a child of its own, so that init is who waits for that."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(limit)
        os.nice(19)
        null = os.open(os.devnull, os.O_RDWR)
        for each in (0, 1, 2):
            os.dup2(null, each)
        work()
    finally:
        os._exit(0)
