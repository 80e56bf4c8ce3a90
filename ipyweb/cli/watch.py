"""``ipyweb run --watch``: a program is run again whenever its files are saved."""

import ast
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..connection import find, request
from ..errors import IpywebError
from ..project import project_of
from .diff import name_of, settled, summary

LOOK_SECONDS = 0.2
"""Seconds between looks at the files."""

PATIENCE = 5.0
"""Seconds that a program which is in the way gets for each signal, before the next."""

DRAWN_WITHIN = 5.0
"""Seconds that figures are waited for before the summary of a run."""

Stamps = Mapping[Path, tuple[int, int]]


def watch(command: Sequence[str], words: Sequence[str]) -> int:
    """Run a program, and again whenever one of its files was saved, until Ctrl-C.

    Args:
        command: what runs it, in a process of its own.
        words: the program as `Run` takes it: a script, a notebook, or ``-m`` and a module.

    Returns:
        The exit status.
    """
    while True:
        stamps = stamps_of(files_of(words))
        process = subprocess.Popen(command)
        try:
            ended = _until_ended_or_saved(process, stamps)
            if ended:
                _say(f"{_summary(process)}; {_count(len(stamps), 'file')} watched, Ctrl-C ends it")
                _until_saved(stamps)
            else:
                _end(process)
            _say("saved; running it again")
        except KeyboardInterrupt:
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                process.wait(PATIENCE)  # the terminal has told it too, and it hands over what it showed
            _end(process)
            return 130


def files_of(words: Sequence[str]) -> list[Path]:
    """The program's own files: the script, and what it imports from its own directory."""
    if words[0] != "-m":
        start, root = Path(words[0]).absolute(), Path(words[0]).absolute().parent
    else:
        root = Path.cwd()
        start = next(_modules([words[1], f"{words[1]}.__main__"], root), root / f"{words[1]}.py")
    found = [start]
    for path in found:  # which grows
        if path.suffix == ".py":
            found += [each for each in _modules(_imported(path, root), root) if each not in found]
    return found


def stamps_of(files: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """When each file was written, and its size; files that are not there just now are left out."""
    found = {}
    for path in files:
        with contextlib.suppress(OSError):
            status = path.stat()
            found[path] = (status.st_mtime_ns, status.st_size)
    return found


def _imported(path: Path, root: Path) -> Iterator[str]:
    """Names of modules that a file may import, absolute ones, packages first."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError):  # it is being written, or will not run anyway
        return
    package = path.parent.relative_to(root).parts if path.is_relative_to(root) else ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*parts, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)]
        else:
            continue
        for name in names:
            words = name.split(".")
            yield from (".".join(words[:end]) for end in range(1, len(words) + 1))


def _modules(names: Iterable[str], root: Path) -> Iterator[Path]:
    """The files below a directory that hold these modules."""
    for name in dict.fromkeys(filter(None, names)):
        path = root.joinpath(*name.split("."))
        yield from (each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file())


def _until_ended_or_saved(process: "subprocess.Popen[bytes]", stamps: Stamps) -> bool:
    """Wait; whether the program ended by itself."""
    while not _is_saved(stamps):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
            return True
    return False


def _until_saved(stamps: Stamps) -> None:
    while not _is_saved(stamps):
        time.sleep(LOOK_SECONDS)


def _is_saved(stamps: Stamps) -> bool:
    """Whether a file was written; one that is gone is being replaced, and comes back."""
    now = stamps_of(stamps)
    return any(stamps[path] != stamp for path, stamp in now.items())


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program, so that it can still hand over what it showed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(PATIENCE)


def _summary(process: "subprocess.Popen[bytes]") -> str:
    """What a run showed, and what changed since the one before."""
    status = f"ended with status {process.returncode}" if process.returncode else "ended"
    try:
        connection = find()
        if connection is None:
            return status
        sessions = request(connection, "GET", "api/sessions").json()["sessions"]
        own = [
            each for each in sessions if each["pid"] == process.pid and each["run"] and each["project"] == project_of()
        ]
        if not own:
            return f"{status} without outputs"
        compared = settled(connection, own[-1]["id"], None, DRAWN_WITHIN)
        return f"{name_of(compared['run'])} {status}: {summary(compared)}"
    except IpywebError as error:
        return f"{status}; {error}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _say(text: str) -> None:
    print(f"ipyweb: {text}", file=sys.stderr, flush=True)


def again(options: Sequence[str], words: Sequence[str]) -> list[str]:
    """The command that runs a program once."""
    interpreter = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    given = interpreter[:-2] if interpreter[-2:] == ["-m", "ipyweb"] else []
    before = [each for each in options if each != "--watch"]
    return [sys.executable, *given, "-m", "ipyweb", "run", *before, *words]
