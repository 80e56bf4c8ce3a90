"""The pane's address, and opening it, from the user's process."""

from .. import connection as hubs
from ..browser import introduce, link, open_pane
from .session import current, say


def url() -> str:
    """The pane's address with its token, showing this project. Starts a hub when there is none.

    Raises:
        HubUnreachable: none could be started.
    """
    hub = hubs.start()
    introduce(hub)
    return link(hub, current().project)


def open(output: int | None = None) -> None:  # noqa: A001 - the public name
    """Open the pane in a browser, or print its address where no browser can be opened.

    Args:
        output: the id of an output to show.

    Raises:
        HubUnreachable: no hub could be started.
    """
    outcome = open_pane(hubs.start(), project=current().project, output=output, asked=True)
    if outcome.notice:
        say(outcome.notice)
