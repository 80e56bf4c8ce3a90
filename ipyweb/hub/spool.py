"""Spool files: what sessions could not hand over before their processes ended."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import FrameError
from ..protocol import Message, decode
from .disk import is_private_file

log = logging.getLogger("ipyweb.hub.spool")
SUFFIX = ".spool"
BAD_SUFFIX = ".bad"


def waiting(directory: Path) -> list[Path]:
    """The spool files that wait: sessions by their oldest file, and the files of a session by name.

    Clocks are too coarse, and may be set back. What is not ours alone is left alone.
    """
    try:
        names = [path for path in directory.iterdir() if path.suffix == SUFFIX]
    except OSError:
        return []
    ages = {path: age for path in names if (age := _age(path)) is not None}
    oldest: dict[str, int] = {}
    for path, age in ages.items():
        oldest[_session(path)] = min(age, oldest.get(_session(path), age))
    return sorted(ages, key=lambda path: (oldest[_session(path)], path.name))


def _session(path: Path) -> str:
    return path.name.partition("-")[0]


def _age(path: Path) -> int | None:
    """When a file of our own was written; ``None`` for others, and for one that vanished meanwhile."""
    try:
        return path.lstat().st_mtime_ns if is_private_file(path) else None
    except OSError:
        return None


def read(path: Path) -> list[Message]:
    """The messages of a spool file.

    Raises:
        FrameError: it is cut short or malformed.
        OSError: it cannot be read.
    """
    return list(_messages(memoryview(path.read_bytes())))


def set_aside(path: Path, reason: Exception) -> None:
    """Keep a file that cannot be read, under a name that is not tried again."""
    log.error("%s cannot be taken in (%s); it is kept as %s%s", path, reason, path.name, BAD_SUFFIX)
    os.replace(path, path.with_name(path.name + BAD_SUFFIX))


def _messages(rest: memoryview) -> Iterator[Message]:
    while rest:
        length = int.from_bytes(rest[:4], "big")
        if len(rest) < 4 + length or not length:
            raise FrameError(f"expected a frame of {length} bytes, got {max(0, len(rest) - 4)}")
        frame = rest[4 : 4 + length]
        yield decode(_text(frame) if frame[0] == ord("{") else frame)
        rest = rest[4 + length :]


def _text(frame: memoryview) -> str:
    try:
        return str(frame, "utf-8")
    except UnicodeDecodeError as error:
        raise FrameError(f"expected a frame in UTF-8: {error}") from error
