"""A fork waits until nothing is half done.

The child of a fork has only the thread that forked. What another thread was importing stays half imported there for
ever, and a lock that it held stays locked.
"""

import os
import threading
from collections.abc import Callable

whole = threading.RLock()
"""Held while something is done that a fork must not cut in two: imports on threads of ours, a session's beginning."""


def watch_forks(forked: Callable[[], None]) -> None:
    """From now on forks wait for `whole`, and `forked` is called in every child."""

    def in_child() -> None:
        whole.release()
        forked()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=whole.acquire, after_in_parent=whole.release, after_in_child=in_child)
