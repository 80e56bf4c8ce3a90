"""Children that multiprocessing starts anew, rather than by a fork, show what they plot as their parent does.

Such a child gets its start from what `multiprocessing.spawn` pickles for it. There we put in what switches the
libraries over, before the child imports the script. A child that cannot find us goes on without.
"""

from __future__ import annotations

import functools
import os
import sys

from .install import when_imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SPAWN = "multiprocessing.spawn"
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_BEGIN = """
import sys
sys.path.insert(0, {root!r})
try:
    from ipyweb.session.runner import begin
    begin({settings!r})
except Exception:
    pass
finally:
    if {root!r} in sys.path:
        sys.path.remove({root!r})
"""


class _Beginning:
    """What a child does when it unpickles this; of it, the child needs to know nothing."""

    def __init__(self, settings: str | None) -> None:
        self._settings = settings

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return exec, (_BEGIN.format(root=_ROOT, settings=self._settings), {})


def follow_children(settings: str | None) -> Callable[[], None]:
    """Do in each such child what `runner.begin` did here.

    Args:
        settings: traitlets configuration as JSON.

    Returns:
        A function that ends this.
    """
    undos: list[Callable[[], None]] = []

    def take_over(module: str) -> None:
        spawn: Any = sys.modules[_SPAWN]
        original = spawn.get_preparation_data

        @functools.wraps(original)
        def get_preparation_data(name: str) -> dict[str, Any]:
            return {**original(name), "ipyweb": _Beginning(settings)}

        def undo() -> None:
            spawn.get_preparation_data = original

        spawn.get_preparation_data = get_preparation_data
        undos.append(undo)

    undos.append(when_imported({_SPAWN}, take_over))

    def end() -> None:
        while undos:
            undos.pop()()

    return end
