"""``ipyweb disable``."""

from traitlets import Unicode

from . import profile
from .app import Command


class Disable(Command):
    """Take the extension out of a profile."""

    name = "disable"
    description = "Take out again what `ipyweb enable` added; the config file becomes exactly what it was before."
    profile = Unicode("default", help="The IPython profile.").tag(config=True, metavar="NAME")
    aliases = {**Command.aliases, "profile": "Disable.profile"}  # noqa: RUF012

    def start(self) -> None:
        """Remove the block."""
        path = profile.config_file(self.profile)
        print(f"disabled in {path}" if profile.disable(path) else f"not enabled in {path}")
