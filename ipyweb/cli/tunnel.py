"""A far hub kept within reach: a tunnel, watched, and made anew on the same port after every break."""

import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from ..connection import Connection, challenge
from ..errors import HubImpostor, HubUnreachable
from .account import Account, ask
from .app import Failure
from .ssh import Ssh, SshFailed

LOOK = 0.1
"""Seconds between looks at ssh, which tells when the connection is gone."""

PROBE = 2.0
"""Seconds between challenges through the tunnel, which tell when the hub is gone."""

ASLEEP = 10.0
"""Seconds by which the clock may jump before the machine must have slept."""

BACKOFF = (0.2, 10.0)
"""Shortest and longest pause in seconds between attempts to connect again."""

PORTS = range(20000, 30000)


class Broken(Exception):
    """The connection is gone, or so it must be taken."""


class HubGone(Exception):
    """The connection stands, but no hub answers at its other end."""


class Way(Protocol):
    """What is kept: a tunnel in one direction or the other."""

    def open(self) -> None:
        """Make everything anew over a new connection, as it was.

        Raises:
            SshFailed, Failure: it cannot be had, now or at all.
        """

    def probe(self, timeout: float) -> None:
        """Look whether the hub answers.

        Raises:
            HubUnreachable: it does not.
        """

    def revive(self) -> None:
        """Bring the hub back, over the connection that stands.

        Raises:
            SshFailed, Failure, HubUnreachable: it cannot be had.
        """


class Tunnel:
    """The way from here to the hub of an account.

    Args:
        ssh: a connection to the account.
        command: ipyweb's program over there; empty looks for it.
        port: the local port; 0 takes the far hub's own number, or another where that is taken.
        changed: called with what is dialled here, when there is a new link to open.
    """

    def __init__(self, ssh: Ssh, command: str, port: int, changed: Callable[[Connection, Account], None]) -> None:
        self._ssh = ssh
        self._command = command
        self._wanted = port
        self._changed = changed
        self._port = 0
        self._door = ""
        self._account: Account | None = None
        self._connection: Connection | None = None

    def open(self) -> None:
        self._door = ""
        self.revive()

    def probe(self, timeout: float) -> None:
        assert self._connection is not None
        challenge(self._connection, timeout)

    def revive(self) -> None:
        account = ask(self._ssh, self._command)
        if not self._stands(account):
            self._dig(account)
        before, self._account = self._account, account
        self._connection = account.at(self._port)
        if before is None or before.token != account.token:
            self._changed(self._connection, account)

    def _stands(self, account: Account) -> bool:
        return bool(self._door) and self._answers(account)

    def _answers(self, account: Account) -> bool:
        try:
            challenge(account.at(self._port))
        except HubImpostor as error:
            raise Failure(f"{error} (at the other end of the tunnel should be hub {account.hub})") from error
        except HubUnreachable:
            return False
        return True

    def _dig(self, account: Account) -> None:
        """Forward a port to the first door of the hub at which it answers."""
        if self._door:
            self._ssh.cancel("-L", f"127.0.0.1:{self._port}", self._door)
        self._port = self._port or self._choose_port(account.port)
        for door in account.doors:
            self._door = door
            self._ssh.forward("-L", f"127.0.0.1:{self._port}", door)
            if self._answers(account):
                return
            self._ssh.cancel("-L", f"127.0.0.1:{self._port}", door)
        self._door = ""
        raise SshFailed("no hub answers through the tunnel; does sshd over there allow AllowTcpForwarding?")

    def _choose_port(self, theirs: int) -> int:
        if self._wanted:
            if not _is_free(self._wanted):
                raise Failure(f"port {self._wanted} is taken on this machine; choose another with --port, or none")
            return self._wanted
        return next(port for port in _candidates(theirs) if _is_free(port))


def _candidates(theirs: int) -> Iterator[int]:
    """The far hub's own number first: links that are printed over there then work here as they are."""
    yield theirs
    while True:
        yield random.choice(PORTS)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def keep(ssh: Ssh, way: Way) -> None:
    """Open a way, and keep it open whatever happens, for ever.

    Raises:
        SshFailed, Failure, HubUnreachable: it cannot be opened at first.
        SshFailed: the other machine does not let us in again.
    """
    ssh.connect()
    way.open()
    while True:
        try:
            _watch(ssh, way)
        except Broken as reason:
            say(f"the connection to {ssh.destination} broke ({reason}); connecting again")
            _again(lambda: _reconnect(ssh, way))
            say(f"connected to {ssh.destination} again")
        except HubGone:
            say(f"the hub at {ssh.destination} is gone; bringing it back")
            try:
                way.revive()
                say("it is back")
            except (SshFailed, Failure, HubUnreachable) as error:
                say(f"it did not come back: {error}")
                ssh.disconnect()


def _watch(ssh: Ssh, way: Way) -> None:
    """Return never.

    Raises:
        Broken, HubGone: what happened.
    """
    due, clock = time.monotonic() + PROBE, time.time()
    while True:
        time.sleep(LOOK)
        if not ssh.alive:
            raise Broken(ssh.reason)
        now = time.time()
        slept, clock = abs(now - clock) > ASLEEP, now
        if slept or time.monotonic() >= due:
            _probe(way, slept)
            due, clock = time.monotonic() + PROBE, time.time()


def _probe(way: Way, slept: bool) -> None:
    try:
        way.probe(2.0 if slept else 5.0)
    except HubUnreachable as error:
        if not isinstance(error.__cause__, TimeoutError):
            raise HubGone from error
        if slept:  # else ssh itself finds out whether the other end is there
            raise Broken("this machine slept") from error


def _reconnect(ssh: Ssh, way: Way) -> None:
    ssh.connect(shown=False)
    way.open()


def _again(attempt: Callable[[], None]) -> None:
    """Try until it works, with growing pauses; what is new about the failures is said."""
    pause, said = BACKOFF[0], ""
    while True:
        try:
            attempt()
            return
        except (SshFailed, Failure, HubUnreachable) as error:
            if isinstance(error, SshFailed) and error.final:
                raise
            if str(error) != said:
                said = str(error)
                say(f"not yet: {said}")
        time.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(2 * pause, BACKOFF[1])


def say(text: str) -> None:
    """One line for whoever watches."""
    print(f"ipyweb: {text}", file=sys.stderr, flush=True)
