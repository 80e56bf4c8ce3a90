"""``ipyweb open``."""

import sys

from ..browser import open_pane
from ..project import project_of
from .app import Command, Failure, started
from .outputs import check_id, record_of


class Open(Command):
    """Open the browser, or tell how to."""

    name = "open"
    usage = "[ID|last]"
    arguments = (0, 1)
    description = """
        Show the pane in a browser, at one output if its id is given; a hub is started if there is none.

        Where no browser can be opened (over SSH, in CI, in a container), the link is printed instead.
    """
    examples = """
        ipyweb open
        ipyweb open 17
    """

    def start(self) -> None:
        """Open it.

        Raises:
            UsageError: there can be no such output.
            OutputNotFound: there is no such output.
            Failure: no browser opened, and there is no terminal to print the link on.
        """
        which = [check_id(word) for word in self.extra_args]
        connection = started()
        project, output = project_of(), None
        if which:
            record = record_of(connection, which[0], project)
            project, output = record["project"], record["id"]
        outcome = open_pane(connection, project=project, output=output, asked=True)
        if outcome.notice:
            print(outcome.notice, file=sys.stderr)
        elif not outcome.opened:
            raise Failure(f"not opened: {outcome.reason}; `ipyweb url` prints the link")
