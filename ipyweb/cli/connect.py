"""``ipyweb connect``."""

import contextlib
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from traitlets import Bool, Int, Unicode

from .. import __version__
from ..browser import is_terminal, link, open_pane
from ..connection import Connection
from ..errors import HubError
from .account import Account
from .app import Command, Failure, UsageError
from .reverse import Reverse
from .ssh import Ssh, SshFailed
from .tunnel import Tunnel, keep, say


class Verbatim(Unicode[str, str]):
    """A text in which ``~`` stays what it is: over there it is another home."""

    def from_string(self, s: str) -> str:
        return s


class Connect(Command):
    """Bring the hub of another machine here."""

    name = "connect"
    usage = "[USER@]HOST"
    arguments = (1, 1)
    description = """
        Show the pane of an account on another machine in the browser here, through ssh; a hub is started over there if
        there is none. The connection comes back by itself after sleep and changes of the network, and open panes go on
        where they were. Ctrl-C ends it.

        It uses the ssh of this system with its configuration, keys, agent and jump hosts. With --reverse, scripts over
        there display into the hub here instead.
    """
    examples = """
        ipyweb connect me@login.example.org
        ipyweb connect --node node17 login
        ipyweb connect --command '~/venv/bin/ipyweb' server
        ipyweb connect --ssh 'ssh -p 2222 -i ~/.ssh/other' server
        ipyweb connect --reverse server
    """
    node = Unicode(help="Go on from HOST, a login node, to this compute node (ssh -J).").tag(config=True)
    command = Verbatim(help="The program ipyweb over there, where it is not found by itself.").tag(config=True)
    ssh = Unicode("ssh", help="The program ssh here, with options of yours.").tag(config=True)
    port = Int(
        0, min=0, max=65535, help="Port here; if none is given, the far hub's own number, or another if that is taken."
    ).tag(config=True)
    reverse = Bool(False, help="Let scripts over there display into the hub here.").tag(config=True)
    aliases = {  # noqa: RUF012
        "log-level": "IPyWeb.log_level",
        "node": "Connect.node",
        "command": "Connect.command",
        "ssh": "Connect.ssh",
        "port": "Connect.port",
    }
    flags = {"reverse": ({"Connect": {"reverse": True}}, "Let scripts over there display into the hub here.")}  # noqa: RUF012

    def start(self) -> None:
        """Connect, until Ctrl-C.

        Raises:
            UsageError: HOST is no name of a machine.
            Failure: it cannot be reached, or has no ipyweb.
        """
        ssh = self._ssh(*_route(self.extra_args[0], self.node))
        with _ends_in_order(), contextlib.closing(ssh):
            try:
                self._reverse(ssh) if self.reverse else keep(ssh, Tunnel(ssh, self.command, self.port, self._show))
            except SshFailed as error:
                raise Failure(f"ssh did not get through to {ssh.destination}: {error}") from error
            except KeyboardInterrupt:
                if is_terminal(sys.stderr):
                    print(file=sys.stderr)  # behind the terminal's ^C

    def _ssh(self, destination: str, options: list[str]) -> Ssh:
        program = [os.path.expanduser(word) for word in shlex.split(self.ssh)]
        if not program or not shutil.which(program[0]):
            raise Failure(f"there is no program {self.ssh or 'ssh'} here; install the OpenSSH client")
        return Ssh(program, destination, options, terminal=is_terminal(sys.stderr))

    def _show(self, connection: Connection, account: Account) -> None:
        """Open the pane, and say where it is; the link is a secret, and only a terminal is no log."""
        host = self.node or self.extra_args[0]
        terminal = is_terminal(sys.stderr)
        if account.version != __version__:
            say(f"{host} has ipyweb {account.version}, and this is {__version__}")
        say(f"{link(connection) if terminal else connection.url} shows {host}; Ctrl-C ends the connection")
        try:
            outcome = open_pane(connection, asked=True)
        except HubError as error:
            say(f"not opened: {error}")
        else:
            if not outcome.opened:
                say(f"not opened: {outcome.reason}")

    def _reverse(self, ssh: Ssh) -> None:
        way = Reverse(ssh, self._tell)
        try:
            keep(ssh, way)
        finally:
            with contextlib.suppress(SshFailed):
                way.close()

    def _tell(self, environment: dict[str, str]) -> None:
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
        say(f"scripts at {self.extra_args[0]} display here after: export {words}")
        say("Ctrl-C ends the connection")


def _route(host: str, node: str) -> tuple[str, list[str]]:
    """Destination and options of ssh."""
    for name in (host, node):
        if name.startswith("-") or name.split() != ([name] if name else []):
            raise UsageError(f"expected [USER@]HOST, got {name!r}")
    if not node:
        return host, []
    user = host.rpartition("@")[0]
    return f"{user}@{node}" if user and "@" not in node else node, ["-J", host]


@contextlib.contextmanager
def _ends_in_order() -> Iterator[None]:
    """While it is entered, what else ends a process ends it as Ctrl-C does, so that no ssh is left behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    wanted = [each for name in ("SIGTERM", "SIGHUP") if (each := getattr(signal, name, None)) is not None]
    before = {each: signal.signal(each, interrupt) for each in wanted}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
