"""``ipyweb share``."""

import sys
from typing import Any

from traitlets import Bool, Unicode

from ..browser import introduce, link
from ..connection import Connection, request
from ..errors import HubError, OutputNotFound
from ..hub.sharing import LONGEST
from ..project import project_of
from .app import Command, Failure, UsageError, started
from .outputs import check_id, record_of
from .text import seconds


class Share(Command):
    """Make a link to give away."""

    name = "share"
    usage = "[--output ID|last | --display-id NAME] [--read-only] [--expires AGE]"
    description = """
        Print a link to give away: to the whole pane, or to a single output and nothing else. With --read-only it
        looks, searches, zooms and exports, but changes nothing. It ends after --expires; `ipyweb rotate` ends all links
        at once.

        Of a single output, --image prints the address of a picture for <img> instead, which always shows the newest
        version, drawn at ?width=… if it is a figure.
    """
    examples = """
        ipyweb share --read-only
        ipyweb share --output 17 --read-only --expires 2w
        ipyweb share --display-id loss --image
    """

    output = Unicode("", help="Only this output, with its versions.").tag(config=True, metavar="ID")
    display_id = Unicode("", help="Only the newest output of this project with this display id.").tag(
        config=True, metavar="NAME"
    )
    read_only = Bool(False, help="Look, and change nothing.").tag(config=True)
    expires = Unicode("1d", help="For how long it is good: 30m, 12h, 1d, 2w. Default: 1d.").tag(
        config=True, metavar="AGE"
    )
    image = Bool(False, help="Print the address of the output's newest picture.").tag(config=True)
    aliases = {  # noqa: RUF012
        **Command.aliases,
        "output": "Share.output",
        "display-id": "Share.display_id",
        "expires": "Share.expires",
    }
    flags = {  # noqa: RUF012
        "read-only": ({"Share": {"read_only": True}}, "Look, and change nothing."),
        "image": ({"Share": {"image": True}}, "Print the address of the output's newest picture."),
    }

    def start(self) -> None:
        """Print it.

        Raises:
            UsageError: what is asked for contradicts itself, or the time is none.
            OutputNotFound: there is no such output.
            Failure: the hub is elsewhere and our token makes no links.
        """
        if self.output and self.display_id:
            raise UsageError("expected --output or --display-id, got both")
        if self.image and not (self.output or self.display_id):
            raise UsageError("--image needs --output or --display-id")
        asked: dict[str, Any] = {"scope": "viewer" if self.read_only else "pane", "seconds": self._seconds()}
        connection = started()
        made = self._make(connection, {**asked, **self._which(connection)})
        picture = made["picture"] and f"{made['url']}/{made['picture']}"
        if self.image:
            print(picture)
            return
        whole = made["output"] is None
        introduce(connection)
        print(link(connection._replace(url=made["url"]), project_of() if whole else None, token=made["token"]))
        print(f"ipyweb: {self._words(whole)}", file=sys.stderr)
        if picture:
            print(f"        as a picture, always the newest: {picture}", file=sys.stderr)

    def _seconds(self) -> float:
        try:
            found = seconds(self.expires)
        except ValueError as error:
            raise UsageError(f"--expires: {error}") from error
        if not 1 <= found <= LONGEST:
            raise UsageError(f"--expires: expected from 1s to {LONGEST // 86400}d, got {self.expires}")
        return found

    def _which(self, connection: Connection) -> dict[str, Any]:
        if self.output:
            return {"output": record_of(connection, check_id(self.output), project_of())["id"]}
        return {"display_id": self.display_id, "project": project_of()} if self.display_id else {}

    def _make(self, connection: Connection, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            made: dict[str, Any] = request(connection, "POST", "api/shares", asked).json()
        except OutputNotFound as error:
            which = f"with the display id {self.display_id!r} in {project_of()}" if self.display_id else self.output
            raise OutputNotFound(f"there is no output {which}", 404) from error
        except HubError as error:
            if error.status != 403:
                raise
            raise Failure("IPYWEB_HUB names a hub elsewhere; run `ipyweb share` on its machine") from error
        return made

    def _words(self, whole: bool) -> str:
        what = "everything that this hub has" if whole else "this output and nothing else"
        may = "sees" if self.read_only else "sees and changes"
        return f"whoever has the link {may} {what}, for {self.expires}; `ipyweb rotate` ends it sooner"
