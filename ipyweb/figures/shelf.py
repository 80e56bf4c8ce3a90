"""Snapshots on disk: in the keeper's own private directory, checked by a MAC before anybody unpickles them.

A file is the HMAC-SHA256 of the rest under the directory's key, the number of parts, their lengths (unsigned 64-bit
big-endian), and the parts. It is written whole or not at all. The oldest go when there are too many bytes or days, and
so does the whole shelf of another environment that was not used for so long. Whoever puts sees to that now and then.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import shutil
import struct
import time
from pathlib import Path

from ..errors import KeeperUnavailable
from ..keepers import SUFFIX, read_record, secret, shelf_dir, snapshot_name
from ..private import read_private
from .snapshot import Buffer, Snapshot

KEY = "key"
STAMP = "pruned"
"""A file whose time is that of the last pruning."""

PRUNE_SECONDS = 300.0
_MAC = hashlib.sha256().digest_size
_LARGEST_HEAD = 4096


class Shelf:
    """The snapshots of one environment.

    Args:
        environment: its id.
        max_bytes: what all snapshots together may take.
        max_age: days for which a snapshot that nobody asks for is kept.

    Raises:
        KeeperUnavailable: the directory cannot be used.
    """

    def __init__(self, environment: str, max_bytes: int = 2**30, max_age: float = 30.0) -> None:
        self._directory = shelf_dir(environment)
        self._max_bytes = max_bytes
        self._max_age = max_age
        try:
            self._key = secret(self._directory / KEY)
        except Exception as error:
            raise KeeperUnavailable(f"the shelf of figures cannot be used: {error}") from error

    def put(self, snapshot: Snapshot) -> None:
        """Keep a snapshot.

        Raises:
            OSError: it cannot be written.
        """
        parts = snapshot.parts()
        head = struct.pack(f">I{len(parts)}Q", len(parts), *map(len, parts))
        temporary = self._directory / f".{secrets.token_hex(8)}"
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(self._mac(snapshot.id, [head, *parts]))
                file.write(head)
                for part in parts:
                    file.write(part)
            os.replace(temporary, self._path(snapshot.id))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if self._is_due():
            self.prune()

    def get(self, figure: str) -> Snapshot:
        """A snapshot that was kept.

        Raises:
            KeeperUnavailable: it is not there any more, or was tampered with.
        """
        path = self._path(figure)
        try:
            data = memoryview(read_private(path))
            head, parts = _split(data[_MAC:])
            if not hmac.compare_digest(self._mac(figure, [head, *parts]), data[:_MAC]):
                raise ValueError("its MAC is wrong")
            os.utime(path)
            return Snapshot.of_parts(parts)
        except FileNotFoundError as error:
            raise KeeperUnavailable("this figure is not kept any more") from error
        except Exception as error:
            raise KeeperUnavailable(f"this figure's snapshot cannot be used: {error}") from error

    def drop(self, figure: str) -> None:
        """Keep a snapshot no longer, if it was kept."""
        with contextlib.suppress(OSError):
            os.unlink(self._path(figure))

    def __contains__(self, figure: str) -> bool:
        return self._path(figure).is_file()

    def prune(self) -> None:
        """Let go of what is too old or too much, here and where nobody puts anything any more."""
        with contextlib.suppress(OSError):
            (self._directory / STAMP).touch(mode=0o600)
        self._prune_own()
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(self._directory.parent)):
                if entry.name != self._directory.name and self._is_given_up(entry):
                    shutil.rmtree(entry.path, ignore_errors=True)

    def _is_due(self) -> bool:
        try:
            return abs(time.time() - (self._directory / STAMP).stat().st_mtime) > PRUNE_SECONDS
        except OSError:
            return True

    def _is_given_up(self, entry: "os.DirEntry[str]") -> bool:
        """Whether this is the shelf of an environment of which nothing was used for longer than it, or we, keep it."""
        if not entry.is_dir(follow_symlinks=False):
            return False
        times = [entry.stat(follow_symlinks=False).st_mtime]
        times += [each.stat(follow_symlinks=False).st_mtime for each in os.scandir(entry.path)]
        age = (time.time() - max(times)) / 86400
        return age > self._max_age and age > _max_age_of(entry.name)

    def _prune_own(self) -> None:
        found = []
        with contextlib.suppress(OSError):
            for entry in os.scandir(self._directory):
                with contextlib.suppress(OSError):
                    found.append((entry.stat(follow_symlinks=False), entry))
        kept = 0
        for status, entry in sorted(found, key=lambda pair: -pair[0].st_mtime):
            age = (time.time() - status.st_mtime) / 86400
            left_over = entry.name.startswith(".") and age > 0.01
            if entry.name.endswith(SUFFIX):
                kept += status.st_size
            elif not left_over:
                continue
            if left_over or kept > self._max_bytes or age > self._max_age:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)

    def _path(self, figure: str) -> Path:
        return self._directory / snapshot_name(figure)

    def _mac(self, figure: str, parts: list[Buffer]) -> bytes:
        """Bound to the name too: nobody passes one figure off as another."""
        made = hmac.new(self._key, figure.encode(), "sha256")
        for part in parts:
            made.update(part)
        return made.digest()


def _max_age_of(environment: str) -> float:
    """Days for which an environment's own settings keep its figures."""
    with contextlib.suppress(KeeperUnavailable, TypeError, ValueError):
        return float(read_record(environment)["settings"]["max_age"])
    return 0.0


def _split(data: memoryview) -> tuple[memoryview, list[Buffer]]:
    (count,) = struct.unpack_from(">I", data)
    if count > _LARGEST_HEAD:
        raise ValueError(f"it claims to have {count} parts")
    lengths = struct.unpack_from(f">{count}Q", data, 4)
    end = 4 + 8 * count
    if sum(lengths) != len(data) - end:
        raise ValueError("it is cut short")
    parts: list[Buffer] = []
    head = data[:end]
    for length in lengths:
        parts.append(data[end : end + length])
        end += length
    return head, parts
