"""Which displays were made while an object displayed itself."""

import threading

from .session import Shown


class Collector:
    """While it is entered, displays by an object's own ``_ipython_display_`` get its name, and are remembered.

    Args:
        display_id, title: given to the first display.
        update: whether the first display is an update.
    """

    _local = threading.local()

    def __init__(self, display_id: str | None = None, title: str | None = None, update: bool = False) -> None:
        self.display_id = display_id
        self.title = title
        self.update = update
        self.shown: list[Shown] = []

    @classmethod
    def active(cls) -> "Collector | None":
        """The one entered on this thread, if any."""
        return getattr(cls._local, "active", None)

    def __enter__(self) -> "Collector":
        self._outer = self.active()
        self._local.active = self
        return self

    def __exit__(self, *exception: object) -> None:
        self._local.active = self._outer
