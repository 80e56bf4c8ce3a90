"""``ipyweb enable``."""

from traitlets import Unicode

from . import profile
from .app import Command


class Enable(Command):
    """Put the extension into a profile."""

    name = "enable"
    description = """
        Load ipyweb in every IPython from now on: adds a marked block to the config file of an IPython profile.
    """
    profile = Unicode("default", help="The IPython profile.").tag(config=True, metavar="NAME")
    aliases = {**Command.aliases, "profile": "Enable.profile"}  # noqa: RUF012

    def start(self) -> None:
        """Add the block."""
        path = profile.config_file(self.profile)
        print(f"enabled in {path}" if profile.enable(path) else f"already enabled in {path}")
