"""``ipyweb clear``."""

from typing import Any

from traitlets import Bool, Unicode

from ..connection import request
from ..project import project_of
from .app import Command, UsageError, started
from .text import seconds


class Clear(Command):
    """Move outputs to the trash."""

    name = "clear"
    usage = "[--older-than AGE] [--all] [--trash]"
    description = """
        Remove the outputs of this project. They lie in the trash for some days, within the bytes that the store may
        hold, and the pane can restore them; pinned outputs stay where they are. With --trash, what lies in the trash
        is deleted for good.
    """
    examples = """
        ipyweb clear
        ipyweb clear --older-than 30d --all
        ipyweb clear --trash
    """

    older_than = Unicode("", help="Only outputs older than this: 30d, 12h, 45m, 90s, 2w.").tag(
        config=True, metavar="AGE"
    )
    all = Bool(False, help="Those of every project.").tag(config=True)
    trash = Bool(False, help="Delete for good what lies in the trash.").tag(config=True)
    aliases = {**Command.aliases, "older-than": "Clear.older_than"}  # noqa: RUF012
    flags = {  # noqa: RUF012
        "all": ({"Clear": {"all": True}}, "Those of every project."),
        "trash": ({"Clear": {"trash": True}}, "Delete for good what lies in the trash."),
    }

    def start(self) -> None:
        """Remove them.

        Raises:
            UsageError: the age is none.
        """
        chosen: dict[str, Any] = {} if self.all else {"project": project_of()}
        if self.older_than:
            try:
                chosen["older_than"] = seconds(self.older_than)
            except ValueError as error:
                raise UsageError(f"--older-than: {error}") from error
        path, done = ("api/clear?purge=1", "purged") if self.trash else ("api/clear", "removed")
        cleared = request(started(), "POST", path, {**chosen, "removed": self.trash}, timeout=60.0).json()[done]
        print(f"{len(cleared)} output{'' if len(cleared) == 1 else 's'} {'deleted for good' if self.trash else done}")
