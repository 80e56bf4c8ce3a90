"""``ipyweb show``."""

import os
import sys

from traitlets import Bool, Enum, Int

from .. import graphics, inline
from ..connection import Connection
from ..plaintext import harmless
from ..project import project_of
from ..screen import PROTOCOLS, Terminal, look
from .app import Command, Failure, started
from .outputs import Record, check_id, record_of


class Show(Command):
    """Draw one output where the command was typed."""

    name = "show"
    usage = "[ID|last] [--protocol PROTOCOL] [--width COLUMNS] [--height ROWS]"
    arguments = (0, 1)
    description = """
        Draw an output in the terminal, the newest of this project unless an id is given: by the protocol of kitty or
        iTerm2, as sixels, or in half blocks, whichever is the best that the terminal takes, through tmux too. A hub is
        started if there is none; no browser and no tunnel is needed.

        A matplotlib figure is drawn anew for the terminal; other pictures are never enlarged. What has no picture is
        shown as text.
    """
    examples = """
        ipyweb show
        ipyweb show 17 --width 60
        ipyweb show last --protocol blocks
    """

    protocol = Enum(
        ("auto", *PROTOCOLS), "auto", help=f"One of {', '.join(PROTOCOLS)}, for a terminal that does not tell."
    ).tag(config=True)
    width = Int(0, min=0, help="Columns that the picture may have; the window's when left out.").tag(
        config=True, metavar="COLUMNS"
    )
    height = Int(0, min=0, help="Rows that the picture may have; the window's when left out.").tag(
        config=True, metavar="ROWS"
    )
    all = Bool(False, help="`last` looks at every project.").tag(config=True)
    aliases = {  # noqa: RUF012
        **Command.aliases,
        "protocol": "Show.protocol",
        "width": "Show.width",
        "height": "Show.height",
    }
    flags = {"all": ({"Show": {"all": True}}, "`last` looks at every project.")}  # noqa: RUF012

    def start(self) -> None:
        """Draw it.

        Raises:
            UsageError: there can be no such output.
            OutputNotFound: there is no such output.
            Failure: it has nothing to show in a terminal, or there is none, or a library is missing.
        """
        which = check_id((self.extra_args or ["last"])[0])
        if sys.stdout is None:
            raise Failure("stdout is closed")
        connection = started()
        record = record_of(connection, which, None if self.all else project_of())
        terminal = look(sys.stdout, next((each for each in PROTOCOLS if each == self.protocol), None))
        if not self._draw(connection, record, terminal):
            _print(connection, record, terminal)

    def _draw(self, connection: Connection, record: Record, terminal: Terminal | None) -> bool:
        """Draw the output's picture, if it has one and the terminal takes it."""
        if terminal is None or terminal.protocol is None:
            return False
        room = graphics.area(terminal, self.width, self.height)
        found = inline.picture(record, terminal, room, fill=bool(self.width or self.height))
        if found is None:
            return False
        try:
            graphics.require()
            pieces = graphics.draw(inline.read_picture(connection, record, found), terminal, room)
        except ImportError as error:
            raise Failure(graphics.INSTALL) from error
        except graphics.Undrawable as error:
            raise Failure(f"output {record['id']}: {error}") from error
        if terminal.hint:
            print(f"ipyweb: {terminal.hint}", file=sys.stderr)
        sys.stdout.flush()
        graphics.send(pieces, sys.stdout.fileno())
        return True


def _print(connection: Connection, record: Record, terminal: Terminal | None) -> None:
    """Print the output's text.

    Raises:
        Failure: it has none, or none that says more than that there is a picture.
    """
    mime, is_picture = inline.text(record), inline.has_picture(record)
    words = None if mime is None else inline.read_text(connection, record, mime)[1]
    number = record["id"]
    if is_picture and (words is None or inline.is_bare(words)):
        why = "stdout is no terminal" if terminal is None else terminal.hint or "this terminal shows none"
        raise Failure(f"output {number} is a picture: {why}; `ipyweb get {number} -o FILE` writes it")
    if words is None:
        has = ", ".join(record["mimetypes"]) or "nothing"
        raise Failure(f"output {number} has {has}, which a terminal cannot show; `ipyweb open {number}` does")
    colours = terminal is not None and terminal.colours > 0 and not os.environ.get("NO_COLOR")
    text = harmless(words, colours)
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
