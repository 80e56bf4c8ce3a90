"""The way between a session and its figure keeper: a Unix socket in a private directory, authenticated both ways.

Snapshots hold pickles, and whoever makes a process unpickle controls it. So they go over no network: the socket lies in
a directory that only its user can enter, and both sides prove by HMAC (`multiprocessing.connection`'s challenge) that
they know the key in a file beside it, before anything else is read. Only byte strings are exchanged, never objects: a
message is a JSON object, followed by raw parts of the lengths in its ``parts``.
"""

import contextlib
import hashlib
import json
import os
import socket
from collections.abc import Mapping, Sequence
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from typing import Any

from ..errors import KeeperUnavailable
from ..keepers import channel_dir, secret
from ..unix import short_address
from .snapshot import Buffer

SOCKET = "socket"
KEY = "key"


def dial(environment: str) -> Connection:
    """A connection to the running keeper of an environment.

    Raises:
        KeeperUnavailable: none listens, or it does not know the key.
    """
    directory = channel_dir(environment)
    try:
        key = secret(directory / KEY)
        with short_address(directory / SOCKET) as address:
            return Client(address, family="AF_UNIX", authkey=key)
    except AuthenticationError as error:
        raise KeeperUnavailable("what listens at the keeper's socket does not know its key") from error
    except (OSError, EOFError) as error:
        raise KeeperUnavailable(f"no keeper listens: {error}") from error


class Door:
    """Where a keeper listens.

    Args:
        environment: its environment id.

    Raises:
        KeeperUnavailable: the socket cannot be made.
    """

    def __init__(self, environment: str) -> None:
        self._directory = channel_dir(environment)
        try:
            self._key = secret(self._directory / KEY)
            (self._directory / SOCKET).unlink(missing_ok=True)
            with short_address(self._directory / SOCKET) as address:
                self._listener = Listener(address, family="AF_UNIX", backlog=64)
        except OSError as error:
            raise KeeperUnavailable(f"the keeper's socket cannot be made: {error}") from error
        os.chmod(self._directory / SOCKET, 0o600)

    def accept(self) -> Connection:
        """The next peer, not yet authenticated.

        Raises:
            OSError: the door was closed.
        """
        return self._listener.accept()

    def admit(self, peer: Connection) -> bool:
        """Let a peer prove that it knows the key, and prove it to the peer; else close the connection."""
        try:
            deliver_challenge(peer, self._key)
            answer_challenge(peer, self._key)
        except (AuthenticationError, OSError, EOFError, ValueError):
            peer.close()
            return False
        return True

    def close(self) -> None:
        """Listen no more."""
        (self._directory / SOCKET).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._listener.close()


def hang_up(peer: Connection) -> None:
    """End a conversation without closing the connection, which another thread may be reading from: it gets `EOFError`.

    The connection closes when nobody has it any more.
    """
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(peer.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)


def send(peer: Connection, header: Mapping[str, Any], parts: Sequence[Buffer] = ()) -> None:
    """Send one message.

    Raises:
        OSError: the peer is gone.
    """
    peer.send_bytes(json.dumps({**header, "parts": [len(part) for part in parts]}).encode())
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(peer.fileno(), rest) :]


class Repeated:
    """Parts that come again and again over one connection, such as a function for each call of it: each goes once.

    Both ends remember the same ones, since both see the same messages in the same order.
    """

    MOST = 32

    def __init__(self) -> None:
        self._known: dict[str, Buffer] = {}

    def shorten(self, name: str, parts: Sequence[Buffer]) -> list[Buffer]:
        """Leave the last part out if the other end has it.

        Args:
            name: the part's SHA-256, in hexadecimal digits.
            parts: of a message.
        """
        known = name in self._known
        self._remember(name, b"")
        return [*parts[:-1], b""] if known else list(parts)

    def restore(self, name: str, parts: Sequence[Buffer]) -> list[Buffer]:
        """Put the last part in again.

        Raises:
            ValueError: it is neither here nor known, or another one.
        """
        last = parts[-1] or self._known.get(name, b"")
        if hashlib.sha256(last).hexdigest() != name:
            raise ValueError("a part is not what its name says")
        self._remember(name, last)
        return [*parts[:-1], last]

    def _remember(self, name: str, part: Buffer) -> None:
        self._known.pop(name, None)
        self._known[name] = part
        while len(self._known) > self.MOST:
            del self._known[next(iter(self._known))]


def receive(peer: Connection) -> tuple[dict[str, Any], list[bytearray]]:
    """The next message: its header and its parts.

    Raises:
        EOFError: the peer closed the connection.
        OSError: it broke.
        ValueError: this is no message.
    """
    header: dict[str, Any] = json.loads(peer.recv_bytes())
    return header, [_part(peer, int(length)) for length in header["parts"]]


def _part(peer: Connection, length: int) -> bytearray:
    """Read straight to where it stays: `Connection` would make room for all that is to come at each read."""
    part = bytearray(length)
    rest = memoryview(part)
    while rest:
        count = os.readv(peer.fileno(), [rest])
        if not count:
            raise EOFError
        rest = rest[count:]
    return part
