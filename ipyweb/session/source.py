"""Where in the user's code a display call stands."""

import linecache
import sys
from functools import cache
from pathlib import Path
from types import FrameType
from typing import NotRequired, TypedDict

from .provenance import Git

MAX_CODE = 4096
"""Characters of code that are stored with an output."""

_PACKAGE = str(Path(__file__).parent.parent)


class Source(TypedDict):
    """The place of a call: file and line in a script, number and code of the cell in IPython.

    Besides, the commit of the project, the versions of the libraries that are loaded, and of a cluster the task: its
    ``name``, its ``id`` there, and the ``worker``.
    """

    file: str | None
    line: int | None
    cell: int | None
    code: str | None
    git: NotRequired[Git | None]
    versions: NotRequired[dict[str, str]]
    task: NotRequired[dict[str, str]]


def find_source(cell: int | None = None, cell_code: str | None = None) -> Source:
    """The innermost frame of the caller that is neither ours nor a library's.

    Args:
        cell: the number of the running IPython cell, if one is.
        cell_code: the code of that cell.
    """
    frame = _user_frame(sys._getframe(1))
    if frame is None:
        return Source(file=None, line=None, cell=cell, code=_cut(cell_code))
    file, line = frame.f_code.co_filename, frame.f_lineno
    if cell_code is not None and not Path(file).is_file():  # the cell itself, compiled under a made-up name
        return Source(file=None, line=line, cell=cell, code=_cut(cell_code))
    code = cell_code or linecache.getline(file, line).strip() or None
    return Source(file=file, line=line, cell=cell, code=_cut(code))


def _user_frame(frame: FrameType | None) -> FrameType | None:
    while frame is not None:
        file = frame.f_code.co_filename
        # "/tmp/ipykernel…" and "<ipython-input…>" are the user's; "<frozen importlib…>" and "<string>" of libraries not
        if not file.startswith(libraries()):
            return frame
        frame = frame.f_back
    return None


@cache
def libraries() -> tuple[str, ...]:
    """Beginnings of the names of files that are not the user's."""
    import sysconfig

    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (_PACKAGE, "<frozen ", *paths)


def _cut(code: str | None) -> str | None:
    return code if code is None or len(code) <= MAX_CODE else code[: MAX_CODE - 1] + "…"
