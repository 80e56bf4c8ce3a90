"""Files and directories that only their owner can use."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from .errors import ConnectionFileError

_WINDOWS = os.name == "nt"


def private_directory(path: Path) -> Path:
    """Make sure that `path` is a directory that only we can use, and return it.

    Raises:
        ConnectionFileError: it is a link, a file, somebody else's, or open to others. It is left as it is.
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        check_private(path, path.lstat(), directory=True)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only we can read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_private(path: Path, *, any_owner: bool = False) -> bytes:
    """Read a file after checking that it is ours alone, or its owner's, where that may be anybody.

    Raises:
        ConnectionFileError: others could have written it.
        FileNotFoundError: there is none.
    """
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ConnectionFileError(f"expected {path} to be a plain file of yours: {error}; remove it") from error
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if status.st_nlink == 0 and not _WINDOWS:
                continue  # its owner removed or replaced it just now
            check_private(path, status, directory=False, any_owner=any_owner)
            return file.read()


def check_private(path: Path, status: os.stat_result, *, directory: bool, any_owner: bool = False) -> None:
    """Check what was found at `path`: that nobody but its owner can use it, and, mostly, that we own it.

    Raises:
        ConnectionFileError: it is of another kind, somebody else's, or open to others.
    """
    kind_ok = stat.S_ISDIR(status.st_mode) if directory else stat.S_ISREG(status.st_mode) and status.st_nlink == 1
    owner_ok = _WINDOWS or any_owner or status.st_uid == os.geteuid()
    mode_ok = _WINDOWS or not status.st_mode & 0o077
    if kind_ok and owner_ok and mode_ok:
        return
    kind, mode = ("a directory", "0700") if directory else ("a plain file", "0600")
    raise ConnectionFileError(
        f"expected {path} to be {kind} of your own with mode {mode}, got {stat.filemode(status.st_mode)} of user "
        f"{status.st_uid}; remove it, or set IPYWEB_RUNTIME_DIR and IPYWEB_DATA_DIR to directories of your own"
    )


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[bool]:
    """Hold a lock file while entered; tells whether we do, as nobody waits for it.

    A lock of the kernel (``flock``), which ends with its process. Everybody gets it where the platform has none.
    """
    try:
        import fcntl
    except ImportError:
        yield True
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing is not enough: a child forked meanwhile has it open too
    finally:
        os.close(descriptor)
