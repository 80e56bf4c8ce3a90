"""``ipyweb url``."""

from ..browser import link
from ..project import project_of
from .app import Command, started


class Url(Command):
    """Print the link and nothing else."""

    name = "url"
    description = """
        Print the pane's link, and nothing else; a hub is started if there is none.

        The link carries a token: whoever has it can read and remove outputs. It shows this project first.
    """

    def start(self) -> None:
        """Print it."""
        print(link(started(), project_of()))
