"""The hub's second door: a Unix socket in a private directory, at which other users of the machine cannot even knock.

What comes in through it is let in by the same check as what comes over TCP. Tunnels and containers use it.
"""

import contextlib
import errno
import os
import socket
import struct
import tempfile
from pathlib import Path

from tornado import netutil

from ..connection import SOCKET
from ..private import private_directory
from ..unix import short_address

_CREDENTIALS = struct.Struct("iII")
"""The ``struct ucred`` of unix(7): process, user and group id of a peer."""


class Door:
    """Where a hub listens besides its port.

    Args:
        runtime: its private runtime directory.

    Attributes:
        path: the socket; ``None`` while there is none.
    """

    def __init__(self, runtime: Path) -> None:
        self.path: Path | None = None
        self._runtime = runtime
        self._own: Path | None = None

    def open(self) -> socket.socket:
        """Listen, in the runtime directory, or in a short one of our own where its file system has no sockets.

        Raises:
            OSError: there can be no such socket.
        """
        self.path = None
        if not hasattr(socket, "AF_UNIX"):
            raise OSError(errno.EAFNOSUPPORT, "this system has none")
        try:
            return self._listen(private_directory(self._runtime))
        except OSError:
            self._own = Path(tempfile.mkdtemp(prefix="ipyweb-"))
            return self._listen(self._own)

    def _listen(self, directory: Path) -> socket.socket:
        (directory / SOCKET).unlink(missing_ok=True)  # of a hub that was killed: ours is the only one, we have the lock
        with short_address(directory / SOCKET) as address:
            listening = netutil.bind_unix_socket(address, mode=0o600, backlog=512)
        self.path = directory / SOCKET
        return listening

    @property
    def is_gone(self) -> bool:
        """Whether somebody cleaned the socket away."""
        return self.path is not None and not self.path.exists()

    def close(self) -> None:
        """Take the socket away."""
        with contextlib.suppress(OSError):
            if self.path is not None:
                self.path.unlink()
            if self._own is not None:
                self._own.rmdir()


def is_ours(peer: socket.socket) -> bool:
    """Whether the other end of a Unix socket is of our user, or root, as far as the system tells.

    It proves nothing by itself: through a tunnel everybody at its far end is its user.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    _, user, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return user in (os.geteuid(), 0, _unmapped())


def _unmapped() -> int:
    """The user id of those who have none in our user namespace, such as the host's root in a container's."""
    try:
        return int(Path("/proc/sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        return 65534
