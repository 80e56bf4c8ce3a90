"""Which project a process works in, and the title that tells its session apart from others."""

import os
import sys
from collections.abc import Mapping, Sequence


def project_of(cwd: str | None = None) -> str:
    """The project of a directory: the root of its git work tree, else the directory itself.

    Args:
        cwd: an absolute path; the process's own working directory when left out.

    Returns:
        An absolute path. A working directory that was deleted counts by the name it had.
    """
    here = _working_directory() if cwd is None else os.path.abspath(cwd)
    directory = here
    while not os.path.exists(os.path.join(directory, ".git")):  # a file in linked work trees and submodules
        parent = os.path.dirname(directory)
        if parent == directory:
            return here
        directory = parent
    return directory


def _working_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.environ.get("PWD") or os.sep


def session_title(argv: Sequence[str], environ: Mapping[str, str], terminal: str, host: str, label: str = "") -> str:
    """What tells a session apart at a glance, such as ``train.py · pts/3 · node7``.

    Args:
        argv: as ``sys.argv``.
        environ: as ``os.environ``; tmux and screen name their windows there.
        terminal: path of the terminal's device, empty when there is none.
        host: the machine's name; only its first label is used.
        label: what tells it apart from others of the same job or cluster, which have no windows of their own.
    """
    parts = (program(argv), label or _window(environ, terminal), host.partition(".")[0])
    return " · ".join(part for part in parts if part)


def own_title(label: str = "", argv: Sequence[str] | None = None) -> str:
    """The title of this process's session.

    Args:
        label: as for `session_title`.
        argv: that of what runs, where it is not this process's own.
    """
    import socket

    return session_title(sys.argv if argv is None else argv, os.environ, _terminal(), socket.gethostname(), label)


def program(argv: Sequence[str]) -> str:
    """The name of what runs: a script, a module, ``ipython``, or ``python`` for the plain prompt."""
    name = argv[0] if argv else ""
    if name in ("", "-", "-c"):
        return "python"
    directory, base = os.path.split(name)
    if base == "__main__.py":  # python -m package
        base = os.path.basename(directory)
    stem = base.removesuffix(".exe").lower()
    return "ipython" if stem in ("ipython", "ipython3", "ipython-script.py") else base


def _window(environ: Mapping[str, str], terminal: str) -> str:
    if environ.get("TMUX") and (pane := environ.get("TMUX_PANE")):
        return f"tmux {pane}"
    if environ.get("STY") and (window := environ.get("WINDOW")):
        return f"screen {window}"
    return terminal.removeprefix("/dev/")


def _terminal() -> str:
    for descriptor in (2, 0, 1):
        try:
            return os.ttyname(descriptor)
        except (OSError, AttributeError):  # not a terminal; no terminals at all on Windows
            continue
    return ""
