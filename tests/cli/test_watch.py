"""``ipyweb run --watch``: run again at each save."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipyweb import connection
from ipyweb.cli.watch import files_of

from ..conftest import HANGS, wait_until

SHOWS = "import ipyweb\nfrom part import text\nipyweb.display({{'text/plain': text}}, raw=True)\n{}\n"


class Watched:
    """A script that is watched, and what was said of it."""

    def __init__(self, project: str, log: Path, script: str = "shows.py") -> None:
        self._log = log
        with log.open("wb") as file:
            command = [sys.executable, "-B", "-m", "ipyweb", "run", "--watch", script]
            self.process = subprocess.Popen(command, cwd=project, stderr=file, stdin=subprocess.DEVNULL)

    def said(self, text: str) -> str:
        wait_until(lambda: text in self._log.read_text(), f"{text!r} in what it says")
        return self._log.read_text()


@pytest.fixture
def watched(hub: connection.Connection, project: str, tmp_path: Path) -> Iterator[Watched]:
    Path(project, "part.py").write_text("text = 'one'\n")
    Path(project, "shows.py").write_text(SHOWS.format(""))
    begun = Watched(project, tmp_path / "log")
    yield begun
    begun.process.kill()
    begun.process.wait(HANGS)


def save(path: Path, text: str) -> None:
    """As editors do: the new file takes the place of the old one."""
    other = path.with_suffix(".new")
    other.write_text(text)
    os.replace(other, path)


def runs(hub: connection.Connection) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = connection.request(hub, "GET", "api/runs").json()["runs"]
    return found


def test_a_script_runs_again_when_what_it_imports_is_saved(
    hub: connection.Connection, project: str, watched: Watched
) -> None:
    watched.said("run 1 of shows.py ended: 1 output, 1 new; 2 files watched, Ctrl-C ends it")
    save(Path(project, "part.py"), "text = 'another'\n")
    watched.said("run 2 of shows.py ended: 1 output, 1 changed; 2 files watched")
    assert [(each["number"], each["changed"]) for each in runs(hub)] == [(2, 1), (1, 0)]
    watched.process.send_signal(signal.SIGINT)
    assert watched.process.wait(HANGS) == 130


def test_a_program_that_still_runs_is_ended_and_one_that_fails_is_waited_for(
    hub: connection.Connection, project: str, watched: Watched
) -> None:
    watched.said("run 1 of shows.py ended")
    save(Path(project, "shows.py"), SHOWS.format("import time; time.sleep(1000)"))
    wait_until(lambda: len(runs(hub)) == 2, "the second run")
    save(Path(project, "shows.py"), SHOWS.format("raise SystemExit(3)"))
    said = watched.said("ended with status 3: 1 output")
    assert said.count("running it again") == 2


def test_only_the_programs_own_files_are_watched(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(project)
    for name, text in {
        "main.py": "import json, helper\nfrom package import part\nfrom package.deep import *\n",
        "helper.py": "import missing\nimport main\n",
        "package/__init__.py": "",
        "package/part.py": "from . import other\nfrom .deep import leaf\n",
        "package/other.py": "x = = 1",
        "package/deep/__init__.py": "",
        "package/deep/leaf.py": "",
        "package/__main__.py": "from . import other\n",
        "json/nothing.txt": "",
        "unused.py": "",
    }.items():
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_text(text)
    monkeypatch.chdir(root)
    found = {str(path.relative_to(root)) for path in files_of(["main.py"])}
    package = {"package/__init__.py", "package/part.py", "package/other.py"}
    assert found == {"main.py", "helper.py", "package/deep/__init__.py", "package/deep/leaf.py", *package}
    assert root / "package/__init__.py" in files_of(["-m", "package"])
    assert files_of(["notes.ipynb"]) == [root / "notes.ipynb"]
