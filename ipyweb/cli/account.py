"""The hub of an account on another machine, asked for over ssh.

What it takes to reach it comes on the stdout of ``ipyweb url --json`` over there: it stands in no command line.
"""

import json
from typing import Any, NamedTuple

from .. import __version__
from ..connection import Connection
from ..protocol import PREVIOUS, PROTOCOL
from ..unix import LONGEST
from .app import Failure
from .ssh import Ssh

ASK = "url --json"
NOT_FOUND = 127
"""Exit status of a shell that knows no such command."""

# Every login shell reads this the same, since it has no quote, backslash or exclamation mark between its single quotes.
_FIND = (
    "exec sh -c '"
    "look() { "
    f"command -v ipyweb >/dev/null 2>&1 && exec ipyweb {ASK}; "
    f'python3 -P -c "import ipyweb" >/dev/null 2>&1 && exec python3 -P -m ipyweb {ASK}; '
    "}; "
    "look; "
    'PATH=$(echo "printenv PATH" | "${SHELL:-sh}" -l 2>/dev/null | tail -n 1):$PATH; '
    "look; "
    f"exit {NOT_FOUND}'"
)
"""Looks where a command of ssh looks, then where the account's login shell does."""


class Account(NamedTuple):
    """A hub over there, as ``ipyweb url --json`` tells.

    Attributes:
        hub: its id.
        token: of the scope ``pane``.
        version: of ipyweb over there.
        port: its TCP port.
        socket: path of its Unix socket, empty when it has none.
        protocols: the versions of the protocol that it speaks.
    """

    hub: str
    token: str
    version: str
    port: int
    socket: str
    protocols: tuple[int, ...]

    @property
    def doors(self) -> list[str]:
        """Where a forward may lead, the best first: nobody else over there can even dial the socket."""
        short = self.socket and len(self.socket.encode()) <= LONGEST
        return [*([self.socket] if short else []), f"127.0.0.1:{self.port}"]

    def at(self, port: int) -> Connection:
        """The hub as it is dialled here."""
        return Connection(f"http://127.0.0.1:{port}", self.hub, self.token, self.version, local=False, scope="pane")


def ask(ssh: Ssh, command: str = "") -> Account:
    """Find the hub of an account, or start it.

    Args:
        ssh: a connection to the account.
        command: ipyweb's program over there; looked for when empty.

    Raises:
        SshFailed: the connection broke.
        Failure: there is no ipyweb over there, it failed, or it is too old or too new.
    """
    answer = ssh.run(f"{command} {ASK}" if command else _FIND)
    fields = next(filter(None, map(_fields, reversed(answer.out.splitlines()))), None)
    if fields is None:
        raise Failure(_complaint(ssh.destination, command, answer.status, answer.err))
    try:
        account = Account(
            **{name: fields[name] for name in Account._fields if name != "protocols"}, protocols=_spoken(fields)
        )
    except KeyError as error:
        raise Failure(f"ipyweb at {ssh.destination} did not say its {error}; update it there") from error
    if not {PREVIOUS, PROTOCOL} & {*account.protocols}:
        raise Failure(
            f"ipyweb {account.version} at {ssh.destination} speaks another protocol than ipyweb {__version__} here; "
            "update the older one"
        )
    return account


def _spoken(fields: dict[str, Any]) -> tuple[int, ...]:
    return int(fields["protocol"]), int(fields["previous"])


def _fields(line: str) -> dict[str, Any] | None:
    """What a line of stdout says; a login shell may have printed others."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) and "hub" in fields else None


def _complaint(destination: str, command: str, status: int, said: str) -> str:
    if status == NOT_FOUND:
        where = f"{command} was not found" if command else "no ipyweb was found"
        return f"{where} at {destination}; install it there, or name its program: --command='~/venv/bin/ipyweb'"
    words = said.strip().splitlines() or [f"it ended with status {status}"]
    return f"ipyweb at {destination} did not say where its hub is: {words[-1].removeprefix('ipyweb: ')}"
