"""Widgets that show more than their state says: their libraries change what they show by orders to the front end.

Who comes late gets a model's state, so it has to be taken anew for them. Integrations say here how.
"""

import sys
from collections.abc import Callable
from typing import Any

Present = Callable[[Any], dict[str, Any]]
"""From a widget the part of its state that has become old, as its traits would send it."""

_known: dict[str, Present] = {}


def add(kind: str, present: Present) -> Callable[[], None]:
    """Say how the present state of a kind of widget is taken.

    Args:
        kind: its class, as ``module.name``.

    Returns:
        A function that takes this back.
    """
    _known[kind] = present

    def undo() -> None:
        if _known.get(kind) is present:
            del _known[kind]

    return undo


def is_kind(comm: str) -> bool:
    """Whether a comm is of such a widget."""
    return _find(comm) is not None


def state_of(comm: str) -> tuple[dict[str, Any], list[Any], list[Any]] | None:
    """The part of a widget's state that may have become old, the paths of its buffers, and these."""
    from ipywidgets.widgets import widget as base

    present = _find(comm)
    return None if present is None else base._remove_buffers(present(base._instances[comm]))


def _find(comm: str) -> Present | None:
    widgets = getattr(sys.modules.get("ipywidgets.widgets.widget"), "_instances", {})
    kinds = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(widgets.get(comm)).__mro__)
    return next((_known[kind] for kind in kinds if kind in _known), None)
