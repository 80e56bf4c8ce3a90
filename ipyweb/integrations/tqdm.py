"""tqdm.notebook: a bar is one output, which follows the loop."""

from collections.abc import Callable
from typing import Any

from . import chain, replace


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Let bars be displayed in a way that they can be updated."""
    from tqdm import notebook

    return chain(replace(notebook, "display", _display))


def _display(container: Any) -> None:
    from IPython.display import display

    handle = display(container, display_id=True)
    *_, bar, words = container.children
    words.observe(lambda change: handle.update(container), "value")  # the last thing that a step sets
    bar.observe(lambda change: handle.update(container), "bar_style")
