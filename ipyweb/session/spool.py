"""What no hub took in time waits in a private file for the next hub.

A spool file is a sequence of records: an unsigned 32-bit big-endian length, then a frame of `protocol` of that many
bytes (a text frame as its UTF-8; it begins with ``{``). The first frame is the session's ``hello``, the rest are its
numbered messages in order, with all data inline. Such frames may be larger than what a socket carries.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..connection import data_dir
from ..private import private_directory, write_private
from ..protocol import Frame, encode
from .backlog import Entry


def write_spool(hello: Mapping[str, Any], entries: Sequence[Entry]) -> Path:
    """Write a session's messages for the next hub.

    Returns:
        The file, in the store's directory. The names of a session's files are in the order of its messages.

    Raises:
        OSError: it cannot be written.
        ConnectionFileError: the directory is not ours alone.
    """
    frames = [encode(dict(hello)), *(encode(*inline(entry)) for entry in entries)]
    directory = private_directory(private_directory(data_dir()) / "spool")
    path = directory / f"{hello['session']['id']}-{entries[0].seq:012d}.spool"
    write_private(path, b"".join(map(_record, frames)))
    return path


def inline(entry: Entry) -> tuple[dict[str, Any], list[bytes]]:
    """A message with all its data in buffers."""
    header = {**entry.header, "seq": entry.seq}
    if entry.parts:
        references = {mime: {"buffer": index} for index, mime in enumerate(entry.parts)}
        header["content"] = {**header["content"], "data": references}
    return header, list(entry.parts.values())


def _record(frame: Frame) -> bytes:
    data = frame.encode() if isinstance(frame, str) else frame
    return len(data).to_bytes(4, "big") + data
