"""Notebooks without a kernel: the cells run in order in this process, by a light shell, up to the first error.

The format is nbformat 4 (``cells``), and 3 (``worksheets``), as https://nbformat.readthedocs.io describes them.
"""

import asyncio
import json
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from IPython.core.async_helpers import get_asyncio_loop
from IPython.core.interactiveshell import ExecutionResult
from traitlets.config import Config

from ..errors import IpywebError
from ..integrations.matplotlib import take_over
from .extension import attach
from .install import take_windows, when_imported
from .pump import go_on_with
from .shell import LightShell

_OURS = str(Path(__file__).parent.parent)


class NotebookError(IpywebError):
    """A file is no notebook of Python."""


class NotebookShell(LightShell):
    """A light shell whose ``%matplotlib`` and ``%gui`` need no event loop."""

    exit_now = False

    def ask_exit(self) -> None:
        """``exit()`` in a cell ends the run after it."""
        self.exit_now = True

    def enable_gui(self, gui: Any = None) -> None: ...

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the error ends the run, and is printed then."""

    showsyntaxerror = showtraceback


def run_notebook(words: Sequence[str], settings: str | None = None) -> int:
    """Run a notebook.

    Args:
        words: its path, and the arguments that it sees in ``sys.argv``.
        settings: traitlets configuration as JSON, for this run.

    Returns:
        The exit status: 0, 1 after an error, or what the notebook gave to ``sys.exit``.

    Raises:
        NotebookError: the file is no notebook of Python.
        OSError: it cannot be read.
    """
    path = Path(words[0])
    cells = list(code_cells(path))
    main = _main_module(path, words)
    config = Config(json.loads(settings or "{}"))
    config.HistoryManager.enabled = False
    shell: Any = NotebookShell.instance(config=config, user_module=main)
    asyncio.set_event_loop(get_asyncio_loop())  # tasks of cells with and without `await` are of one loop
    go_on_with(get_asyncio_loop())
    take_windows()
    attach(shell, "script", terminal=False)
    when_imported({"matplotlib.pyplot"}, _show_as_a_kernel_does)
    for source in cells:
        error = _error(shell.run_cell(source, store_history=True))
        if error is not None:
            return _end(error)
        if shell.exit_now:
            break
    return 0


def code_cells(path: Path) -> Iterator[str]:
    """The code of a notebook, cell by cell.

    Raises:
        NotebookError: it is none, or its language is another.
        OSError: it cannot be read.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        code = ["".join(cell.get("source", cell.get("input", ""))) for cell in cells if cell["cell_type"] == "code"]
        language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotebookError(f"expected a notebook, {path} is none: {type(error).__name__}: {error}") from error
    if language != "python":
        raise NotebookError(f"expected a notebook in Python, {path} is in {language}")
    yield from code


def _main_module(path: Path, words: Sequence[str]) -> ModuleType:
    """What the notebook's code is the module of: ``__main__``, so that its classes can be pickled."""
    main = ModuleType("__main__", "Automatically created module for a notebook")
    sys.modules["__main__"] = main
    sys.argv = list(words)
    if not sys.flags.safe_path:
        sys.path[0] = str(path.resolve().parent)
    return main


def _show_as_a_kernel_does(module: str) -> None:
    take_over(notebook=True)


def _error(result: ExecutionResult) -> BaseException | None:
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    return error


def _end(error: BaseException) -> int:
    """What Python does at the end of a script that raised: print the traceback, on stderr, and say the status."""
    if isinstance(error, SystemExit):
        return _status(error.code)
    shown = error.with_traceback(_without_us(error.__traceback__))
    traceback.print_exception(shown)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def _status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _without_us(frames: TracebackType | None) -> TracebackType | None:
    """A traceback from the notebook's own code on."""
    while frames is not None and _is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames


def _is_ours(file: str) -> bool:
    import IPython

    return file.startswith((_OURS, str(Path(IPython.__file__).parent)))
