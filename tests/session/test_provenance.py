"""The commit of the project and the versions of its libraries, as they are told with outputs."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ipyweb.connection import Connection
from ipyweb.session import provenance
from ipyweb.session.provenance import Provenance
from ipyweb.session.session import Session

from ..conftest import wait_until
from .conftest import Sent


def git(directory: Path, *words: str) -> str:
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *words], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work tree with one commit."""
    monkeypatch.setattr(provenance, "LOOK_SECONDS", -1.0)
    directory = tmp_path / "tree"
    directory.mkdir()
    git(directory, "init", "-q", "-b", "trunk")
    (directory / "a.py").write_text("1\n")
    git(directory, "add", "a.py")
    git(directory, "commit", "-q", "-m", "one")
    return directory


def test_commit_and_branch_are_those_of_git_and_git_tells_of_changes(tree: Path) -> None:
    known = Provenance(str(tree))
    assert known.git() == {"commit": git(tree, "rev-parse", "HEAD"), "branch": "trunk", "dirty": None}
    assert known.settle(30) == {"commit": git(tree, "rev-parse", "HEAD"), "branch": "trunk", "dirty": False}


def test_changes_make_it_dirty_and_files_that_git_does_not_know_do_not(tree: Path) -> None:
    (tree / "b.py").write_text("2\n")
    clean = Provenance(str(tree))
    clean.git()
    settled = clean.settle(30)
    assert settled is not None
    assert settled["dirty"] is False
    (tree / "a.py").write_text("2\n")
    changed = Provenance(str(tree))
    changed.git()
    settled = changed.settle(30)
    assert settled is not None
    assert settled["dirty"] is True


def test_a_new_commit_is_seen_at_once(tree: Path) -> None:
    known = Provenance(str(tree))
    first = known.git()
    known.settle(30)
    (tree / "a.py").write_text("2\n")
    git(tree, "commit", "-q", "-a", "-m", "two")
    second = known.git()
    assert first is not None
    assert second is not None
    assert second["commit"] == git(tree, "rev-parse", "HEAD") != first["commit"]
    assert second["dirty"] is None


def test_packed_refs_detached_heads_and_linked_work_trees_are_read(tree: Path, tmp_path: Path) -> None:
    commit = git(tree, "rev-parse", "HEAD")
    git(tree, "pack-refs", "--all")
    assert Provenance(str(tree)).git() == {"commit": commit, "branch": "trunk", "dirty": None}
    git(tree, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    assert Provenance(str(tmp_path / "linked")).git() == {"commit": commit, "branch": "side", "dirty": None}
    git(tree, "checkout", "-q", "--detach")
    assert Provenance(str(tree)).git() == {"commit": commit, "branch": None, "dirty": None}


@pytest.mark.parametrize("head", [b"", b"\xff\xfe", b"ref: refs/heads/none"])
def test_what_is_no_work_tree_says_nothing_and_raises_nothing(tmp_path: Path, head: bytes) -> None:
    assert Provenance(str(tmp_path)).git() is None
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_bytes(head)
    known = Provenance(str(tmp_path))
    found = known.git()
    assert found is not None
    assert found["commit"] is None
    settled = known.settle(30)
    assert settled is not None
    assert settled["dirty"] is None


def test_without_git_itself_the_commit_is_known_and_changes_are_not(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tree))
    known = Provenance(str(tree))
    known.git()
    settled = known.settle(30)
    assert settled is not None
    assert settled["commit"]
    assert settled["dirty"] is None


def test_versions_are_of_the_libraries_that_are_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = Provenance(str(tmp_path))
    for name in provenance.LIBRARIES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert known.versions() == {}
    plotly, torch = ModuleType("plotly"), ModuleType("torch")
    plotly.__dict__["__version__"] = "6.1"
    monkeypatch.setitem(sys.modules, "plotly", plotly)
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert known.versions() == {"plotly": "6.1"}


def test_displays_tell_where_they_come_from_and_the_end_what_git_told_later(
    tree: Path, session: Session, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_provenance", Provenance(str(tree)))
    session.publish({"text/plain": "x"}, seconds=0.25)
    session.client.hub = Connection("http://127.0.0.1:1", "hub", "token")
    monkeypatch.setattr(session.config, "flush_timeout", 0.0)
    entries = []
    monkeypatch.setattr(session.client, "close", lambda timeout: entries.extend(sent.entries()))
    session.end()
    (display, _), (bye, _) = entries
    assert display["content"]["seconds"] == 0.25
    assert display["content"]["source"]["git"]["commit"] == git(tree, "rev-parse", "HEAD")
    assert set(display["content"]["source"]["versions"]) <= set(provenance.LIBRARIES)
    assert bye["type"] == "bye"
    assert bye["content"]["git"]["dirty"] is False


def test_a_later_display_knows_of_changes_by_itself(tree: Path) -> None:
    known = Provenance(str(tree))
    assert wait_until(lambda: (known.git() or {}).get("dirty") is False, "git's answer")
