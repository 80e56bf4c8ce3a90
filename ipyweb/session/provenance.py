"""Where outputs come from: the commit of the project, and the versions of the libraries that are loaded.

The commit is read from git's own files whenever they changed, which is looked for at most four times a second. Whether
there are changes that were not committed, only git itself can tell: a thread asks it, and nobody waits for that.
The files: https://git-scm.com/docs/gitrepository-layout.
"""

import contextlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import TypedDict

from ..forking import ask

LOOK_SECONDS = 0.25
"""Seconds within which git's files are not looked at again."""

CHECK_SECONDS = 10.0
"""Seconds within which git is not asked again whether there are changes."""

CALM_SECONDS = 0.3
"""Seconds before git is asked, so that it takes no time from a display, or from what follows one."""

GIT_SECONDS = 10.0
"""Seconds that git may take for an answer."""

LIBRARIES = (  # noqa: SIM905 - fifty lines otherwise
    "altair anywidget arviz bokeh bqplot cartopy cupy dask datashader folium geopandas graphviz great_tables holoviews "
    "hvplot ipyleaflet ipympl ipyvizzu ipywidgets itables jax keras lets_plot lightgbm matplotlib mpld3 networkx numba "
    "numpy pandas panel PIL plotly plotnine polars pyarrow pydeck pygal scipy seaborn shap skimage sklearn statsmodels "
    "sympy tensorflow torch vega_datasets xarray xgboost"
).split()
"""Modules whose versions are told with an output, where they are loaded."""


class Git(TypedDict):
    """The state of a work tree; `dirty` is ``None`` until git has told."""

    commit: str | None
    branch: str | None
    dirty: bool | None


class Provenance:
    """What is known of one project.

    Args:
        project: its directory, an absolute path.
    """

    def __init__(self, project: str) -> None:
        self._project = project
        self._directory = _git_directory(Path(project, ".git"))
        self._git: Git | None = None
        self._stamp: tuple[int, ...] | None = None
        self._looked = self._checked = -1e9
        self._check: threading.Thread | None = None
        self._hurry = threading.Event()
        self._modules = 0
        self._versions: dict[str, str] = {}

    def git(self) -> Git | None:
        """The work tree's commit and branch as they are now, and whether it had changes when git was last asked.

        Returns:
            ``None`` where there is no git work tree. The dictionary is never changed later.
        """
        if self._directory is None:
            return None
        now = time.monotonic()
        if now - self._looked > LOOK_SECONDS:
            self._looked = now
            self._look(self._directory, now)
        return self._git

    def versions(self) -> dict[str, str]:
        """The versions of the known libraries that are loaded. The dictionary is never changed later."""
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            self._versions = _versions()
        return self._versions

    def settle(self, timeout: float) -> Git | None:
        """Wait for git's answer, if one is on its way.

        Args:
            timeout: seconds.
        """
        if self._check is not None:
            self._hurry.set()
            self._check.join(timeout)
        return self._git

    def _look(self, directory: Path, now: float) -> None:
        stamp = _stamp(directory)
        if stamp != self._stamp:
            self._stamp, self._checked = stamp, -1e9
            commit, branch = _head(directory)
            self._git = {"commit": commit, "branch": branch, "dirty": None}
        if now - self._checked > CHECK_SECONDS and not (self._check is not None and self._check.is_alive()):
            self._checked = now
            self._check = threading.Thread(target=self._ask_git, args=(self._git,), name="ipyweb-git", daemon=True)
            with contextlib.suppress(RuntimeError):  # no new threads at the end of the interpreter
                self._check.start()

    def _ask_git(self, before: Git) -> None:
        self._hurry.wait(CALM_SECONDS)
        dirty = _is_dirty(self._project)
        if self._git is before:  # else the commit is another one by now
            self._git = {**before, "dirty": dirty}


def _git_directory(path: Path) -> Path | None:
    """The directory that ``.git`` is, or names (in linked work trees and submodules)."""
    with contextlib.suppress(OSError, ValueError):
        if path.is_dir():
            return path
        name = path.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
        return path.parent / name if name else None
    return None


def _stamp(directory: Path) -> tuple[int, ...]:
    """Something that changes with every commit and checkout: the reflog grows, or HEAD is written."""
    found = []
    for name in ("HEAD", "logs/HEAD"):
        with contextlib.suppress(OSError):
            status = os.stat(directory / name)
            found += [status.st_mtime_ns, status.st_size]
    return tuple(found)


def _head(directory: Path) -> tuple[str | None, str | None]:
    """The commit and the branch that HEAD names."""
    with contextlib.suppress(OSError, ValueError):
        head = (directory / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head or None, None
        ref = head.removeprefix("ref: ")
        return _commit(directory, ref), ref.removeprefix("refs/heads/")
    return None, None


def _commit(directory: Path, ref: str) -> str | None:
    common = directory
    with contextlib.suppress(OSError, ValueError):
        common = directory / (directory / "commondir").read_text(encoding="utf-8").strip()
    for place in (directory, common):
        with contextlib.suppress(OSError, ValueError):
            return (place / ref).read_text(encoding="utf-8").strip() or None
    with contextlib.suppress(OSError, ValueError):
        for line in (common / "packed-refs").read_text(encoding="utf-8").splitlines():
            commit, _, name = line.partition(" ")
            if name == ref:
                return commit
    return None


def _is_dirty(project: str) -> bool | None:
    """Whether tracked files have changes; ``None`` when git does not tell."""
    command = ["git", "-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=no"]
    said = ask(command, GIT_SECONDS, cwd=project, env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"})
    return None if said is None else bool(said.strip())


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        version = getattr(sys.modules.get(name), "__dict__", {}).get("__version__")  # no lazy attribute is woken up
        if isinstance(version, str):
            found[name] = version
    return found
