"""``ipyweb url``."""

import json

from traitlets import Bool

from .. import __version__
from ..browser import link
from ..connection import Connection, listening_socket
from ..project import project_of
from ..protocol import PREVIOUS, PROTOCOL
from .app import Command, started


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
    flags = {"json": ({"Url": {"json": True}}, "Print one JSON object, which has the token too.")}  # noqa: RUF012

    def start(self) -> None:
        """Print it."""
        connection = started()
        print(json.dumps(_as_fields(connection)) if self.json else link(connection, project_of()))


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
