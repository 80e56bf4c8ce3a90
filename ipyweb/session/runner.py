"""``ipyweb run``: a script, a module or a notebook, as Python runs it, with every library's show in the pane.

The script gets an interpreter of its own, in this process's place, which runs it as ``python script.py`` would. What
is imported here is what every start of Python has loaded already; see ``startup/sitecustomize.py``.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STARTUP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "startup")
"""The directory whose ``sitecustomize`` goes before the script."""


def run(words: Sequence[str], settings: str | None = None) -> int:
    """Run a script, a module or a notebook.

    Args:
        words: the path of a script or notebook, or ``-m`` and the name of a module, and then its arguments.
        settings: traitlets configuration as JSON, for this run.

    Returns:
        The exit status, where this process was not given to the script.
    """
    if words[0].endswith(".ipynb"):
        from .notebook import run_notebook

        return run_notebook(words, settings)
    options = _interpreter_options(words)
    if sys.flags.ignore_environment:
        print("ipyweb: expected Python without -E and -I, which keep ipyweb out of the script", file=sys.stderr)
        return 2
    return _become([sys.executable, *options, *words], _environment(settings))


def _interpreter_options(words: Sequence[str]) -> list[str]:
    """The options of ``python OPTIONS -m ipyweb run …``, which are meant for the script too."""
    before = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    return before[:-2] if before[-2:] == ["-m", "ipyweb"] else []


def _environment(settings: str | None) -> dict[str, str]:
    before = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": STARTUP if before is None else f"{STARTUP}{os.pathsep}{before}"}
    if settings is not None:
        environment["_IPYWEB_RUN"] = settings
    return environment


def _become(command: list[str], environment: dict[str, str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], command, environment)
    import signal
    import subprocess

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the script's
    return subprocess.call(command, env=environment)


def begin(settings: str | None) -> None:
    """In the script's interpreter: switch all libraries over, those it has and those it will import.

    Args:
        settings: traitlets configuration as JSON.
    """
    import atexit

    from .install import switch_on
    from .spawning import follow_children

    atexit.register(_end_by_interrupt)
    if settings is not None:
        _configure(settings)
    switch_on()
    follow_children(settings)


def _configure(settings: str) -> None:
    import json

    from traitlets.config import Config

    from .. import config
    from .session import current

    merged = config.merged_config(Config(json.loads(settings)))
    current("script", config.IPyWeb.instance(config=merged))


class _Ending:
    """Ends the process with a status when the interpreter drops it, as one of its very last acts."""

    def __init__(self, status: int) -> None:
        self._status = status
        self._streams = [stream for stream in (sys.__stdout__, sys.__stderr__) if stream is not None]
        self._exit = os._exit

    def __del__(self) -> None:
        for stream in self._streams:
            stream.flush()
        self._exit(self._status)


def _end_by_interrupt() -> None:
    """Let a script that Ctrl-C ends have the exit status 130, where Python would have SIGINT kill it at its end."""
    if isinstance(getattr(sys, "last_value", None), KeyboardInterrupt):
        sys._ipyweb_ending = _Ending(130)  # type: ignore[attr-defined]
