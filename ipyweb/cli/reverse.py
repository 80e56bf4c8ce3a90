"""The other direction: scripts of an account on another machine display into the hub here."""

import shlex
from collections.abc import Callable

from ..connection import Connection, challenge, listening_socket, scope_token, start
from ..unix import LONGEST, SCHEME
from .app import Failure
from .ssh import Ssh, SshFailed

_MAKE = "exec sh -c 'umask 077; d=$(mktemp -d /tmp/ipyweb-XXXXXXXX) && cat >$d/token && echo $d'"
"""Makes a private directory on a disk of that machine, with what comes on stdin in a file that only its user reads."""


class Reverse:
    """The way from an account to the hub here.

    Args:
        ssh: a connection to the account.
        told: called with what scripts over there need in their environment.
    """

    def __init__(self, ssh: Ssh, told: Callable[[dict[str, str]], None]) -> None:
        self._ssh = ssh
        self._told = told
        self._directory = ""
        self._hub: Connection | None = None
        self._forwarded = ""

    def open(self) -> None:
        self._hub = hub = start()
        first = not self._directory
        if first:
            self._directory = self._make(scope_token(hub.token, "session"))
        self._forward()
        if first:
            self._told({"IPYWEB_HUB": SCHEME + self._socket, "IPYWEB_TOKEN_FILE": f"{self._directory}/token"})

    def probe(self, timeout: float) -> None:
        assert self._hub is not None
        challenge(self._hub, timeout)

    def revive(self) -> None:
        self._hub = hub = start()
        self._write_token(scope_token(hub.token, "session"))
        if _door(hub) != self._forwarded:
            self._ssh.cancel("-R", self._socket, self._forwarded)
            self._forward()

    def close(self) -> None:
        """Take away what was put there, if the connection still stands."""
        if self._directory and self._ssh.alive:
            self._ssh.run(f"rm -rf {shlex.quote(self._directory)}")

    @property
    def _socket(self) -> str:
        return f"{self._directory}/hub.sock"

    def _make(self, token: str) -> str:
        answer = self._ssh.run(_MAKE, token.encode())
        words = answer.out.split()
        if answer.status or not words or not words[-1].startswith("/tmp/ipyweb-"):
            raise Failure(f"no private directory could be made at {self._ssh.destination}: {answer.err.strip()}")
        return words[-1]

    def _write_token(self, token: str) -> None:
        self._ssh.run(f"cat >{shlex.quote(self._directory)}/token", token.encode())

    def _forward(self) -> None:
        assert self._hub is not None
        self._ssh.run(f"rm -f {shlex.quote(self._socket)}")  # what a broken connection left would be in the way
        self._forwarded = _door(self._hub)
        try:
            self._ssh.forward("-R", self._socket, self._forwarded)
        except SshFailed as error:
            raise Failure(
                f"{self._ssh.destination} takes no socket of ours ({error}); AllowStreamLocalForwarding in its "
                "sshd_config forbids it"
            ) from error


def _door(hub: Connection) -> str:
    """Where our own hub listens, for ssh."""
    path = listening_socket()
    return path if path and len(path.encode()) <= LONGEST else f"127.0.0.1:{hub.port}"
