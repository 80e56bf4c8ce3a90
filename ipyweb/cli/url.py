"""``ipyweb url``."""

import json
import shlex
from pathlib import Path

from traitlets import Bool, Unicode

from .. import __version__
from ..browser import introduce, link
from ..connection import Connection, listening_socket
from ..private import write_private
from ..project import project_of
from ..protocol import PREVIOUS, PROTOCOL
from .app import Command, Failure, started


class Url(Command):
    """Print the link and nothing else."""

    name = "url"
    description = """
        Print the pane's link, and nothing else; a hub is started if there is none.

        The link carries a token: whoever has it can read and remove outputs. It shows this project first.
    """
    json = Bool(False, help="Print one JSON object, as `ipyweb connect` at the other end of ssh needs it.").tag(
        config=True
    )
    token_file = Unicode(
        help="Write the token for programs on other machines there, which opens no pane, and print what they need."
    ).tag(config=True)
    aliases = {**Command.aliases, "token-file": "Url.token_file"}  # noqa: RUF012
    flags = {"json": ({"Url": {"json": True}}, "Print one JSON object, which has the token too.")}  # noqa: RUF012

    def start(self) -> None:
        """Print it.

        Raises:
            Failure: the token could not be written.
        """
        connection = started()
        introduce(connection)
        if self.token_file:
            print(_for_programs(connection, Path(self.token_file).expanduser().absolute()))
        else:
            print(json.dumps(_as_fields(connection)) if self.json else link(connection, project_of()))


def _for_programs(connection: Connection, path: Path) -> str:
    """Write the token of sessions, and say in the shell's words how a program elsewhere finds the hub."""
    try:
        write_private(path, connection.token_for("session").encode() + b"\n")
    except OSError as error:
        raise Failure(f"the token could not be written to {path}: {error}") from error
    return f"export IPYWEB_HUB={shlex.quote(connection.url)} IPYWEB_TOKEN_FILE={shlex.quote(str(path))}"


def _as_fields(connection: Connection) -> dict[str, str | int]:
    return {
        "url": connection.url,
        "hub": connection.hub,
        "port": connection.port,
        "socket": listening_socket(),
        "token": connection.token_for("pane"),
        "version": connection.version or __version__,
        "protocol": PROTOCOL,
        "previous": PREVIOUS,
    }
