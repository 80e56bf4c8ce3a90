"""A fork waits until nothing is half done.

The child of a fork has only the thread that forked. What another thread was importing stays half imported there for
ever, and a lock that it held stays locked.
"""

import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

whole = threading.RLock()
"""Held while something is done that a fork must not cut in two: imports on threads of ours, a session's
beginning, that of another process."""


def watch_forks(forked: Callable[[], None]) -> None:
    """From now on forks wait for `whole`, and `forked` is called in every child."""

    def in_child() -> None:
        whole.release()
        forked()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=whole.acquire, after_in_parent=whole.release, after_in_child=in_child)


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
