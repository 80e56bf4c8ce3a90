"""Projects and session titles."""

import os
import sys
from pathlib import Path

import pytest

from ipyweb.project import own_title, program, project_of, session_title


def test_a_project_is_the_root_of_the_git_work_tree(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    below = tmp_path / "src" / "deep"
    below.mkdir(parents=True)
    assert project_of(str(below)) == str(tmp_path)


def test_a_linked_work_tree_is_a_project_of_its_own(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / ".git").write_text("gitdir: elsewhere\n")
    assert project_of(str(linked)) == str(linked)


def test_without_git_a_project_is_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_of() == os.getcwd()


def test_a_deleted_working_directory_counts_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("PWD", str(gone))
    gone.rmdir()
    assert project_of() == str(gone)


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["train.py", "--fast"], "train.py"),
        (["/home/me/train.py"], "train.py"),
        (["/usr/bin/ipython"], "ipython"),
        (["/usr/bin/ipython3"], "ipython"),
        (["/lib/IPython/__main__.py"], "ipython"),
        (["/lib/mypackage/__main__.py"], "mypackage"),
        ([""], "python"),
        (["-c"], "python"),
        ([], "python"),
    ],
)
def test_the_program_is_named_as_its_user_names_it(argv: list[str], name: str) -> None:
    assert program(argv) == name


@pytest.mark.parametrize(
    ("environ", "terminal", "title"),
    [
        ({}, "/dev/pts/3", "train.py · pts/3 · node7"),
        ({"TMUX": "/tmp/tmux-0/default,1,0", "TMUX_PANE": "%4"}, "/dev/pts/3", "train.py · tmux %4 · node7"),
        ({"STY": "12.pts-0", "WINDOW": "2"}, "/dev/pts/3", "train.py · screen 2 · node7"),
        ({}, "", "train.py · node7"),
    ],
)
def test_a_title_tells_terminals_apart(environ: dict[str, str], terminal: str, title: str) -> None:
    assert session_title(["train.py"], environ, terminal, "node7.cluster.example") == title


def test_this_process_has_a_title() -> None:
    assert program(sys.argv) in own_title()
