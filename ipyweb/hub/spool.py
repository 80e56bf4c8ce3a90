"""Spool files: what sessions could not hand over before their processes ended."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import FrameError
from ..protocol import Message, decode
from .disk import is_private_file

log = logging.getLogger("ipyweb.hub.spool")
SUFFIX = ".spool"
BAD_SUFFIX = ".bad"
BATCH_BYTES = 4 * 2**20
BATCH_MESSAGES = 256


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
        oldest[session_of(path)] = min(age, oldest.get(session_of(path), age))
    return sorted(ages, key=lambda path: (oldest[session_of(path)], path.name))


def session_of(path: Path) -> str:
    """The session that a file is of, by its name."""
    return path.name.partition("-")[0]


def _age(path: Path) -> int | None:
    """When a file of our own was written; ``None`` for others, and for one that vanished meanwhile."""
    try:
        return path.lstat().st_mtime_ns if is_private_file(path) else None
    except OSError:
        return None


def read(path: Path) -> Iterator[list[Message]]:
    """The messages of a spool file, a batch at a time; what comes before a fault is told before it is raised.

    Raises:
        FrameError: it is cut short or malformed.
        OSError: it cannot be read.
    """
    batch: list[Message] = []
    size = 0
    with path.open("rb") as file:
        try:
            for frame in _frames(file):
                batch.append(decode(_text(frame) if frame[0] == ord("{") else frame))
                size += len(frame)
                if size >= BATCH_BYTES or len(batch) >= BATCH_MESSAGES:
                    yield batch
                    batch, size = [], 0
        except FrameError:
            if batch:
                yield batch
            raise
    if batch:
        yield batch


def set_aside(path: Path, reason: Exception) -> None:
    """Keep a file that cannot be read, under a name that is not tried again."""
    log.error("%s cannot be taken in (%s); it is kept as %s%s", path, reason, path.name, BAD_SUFFIX)
    os.replace(path, path.with_name(path.name + BAD_SUFFIX))


def _frames(file: BinaryIO) -> Iterator[bytes]:
    rest = os.fstat(file.fileno()).st_size
    while rest:
        length = int.from_bytes(file.read(4), "big")
        rest -= 4 + length
        if rest < 0 or not length:
            raise FrameError(f"expected a frame of {length} bytes, got {max(0, rest + length)}")
        yield file.read(length)


def _text(frame: bytes) -> str:
    try:
        return str(frame, "utf-8")
    except UnicodeDecodeError as error:
        raise FrameError(f"expected a frame in UTF-8: {error}") from error
