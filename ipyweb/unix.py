"""Unix sockets at paths of any length, where the system has them."""

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST = 100
"""Bytes that the address of a Unix socket may have everywhere, about (104 with its end on macOS, 108 on Linux)."""

SCHEME = "unix://"


@contextlib.contextmanager
def short_address(path: Path) -> Iterator[str]:
    """What binds and dials the socket at `path`, however long that is.

    Raises:
        OSError: it is too long, and this system has no way around that; or its directory is not there.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    if sys.platform != "linux":
        raise OSError(errno.ENAMETOOLONG, "too long for a socket; set IPYWEB_RUNTIME_DIR to a shorter one", str(path))
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def dial(path: Path, timeout: float | None) -> socket.socket:
    """A connection to the socket at `path`.

    Args:
        timeout: seconds, here and for each later step.

    Raises:
        OSError: nobody listens there.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(errno.EAFNOSUPPORT, "this system has no Unix sockets", str(path))
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.settimeout(timeout)
        with short_address(path) as address:
            peer.connect(address)
    except BaseException:
        peer.close()
        raise
    return peer
