"""What the user set for the pane, from ipyweb's config file, read again whenever that was written."""

import logging
from pathlib import Path
from typing import Any

from traitlets import TraitError
from traitlets.config import Config

from ..config import Pane, load_config
from ..settings import config_file

log = logging.getLogger("ipyweb.hub")
MOST_STYLE = 256 * 1024
"""Bytes of a user's style sheet."""


class PaneSettings:
    """The pane's settings as they are now.

    Args:
        given: what the hub was started with, the config file of then included.
    """

    def __init__(self, given: Config) -> None:
        self._given = given
        self._stamp = _stamp()
        self._config = given
        self._problems: list[str] = []

    def read(self) -> dict[str, Any]:
        """The settings, for ``/api/settings``. What is wrong in the file is among ``problems``; then defaults hold."""
        stamp = _stamp()
        if stamp != self._stamp:
            self._stamp, self._problems = stamp, []
            self._load()
        problems = list(self._problems)
        try:
            pane = Pane(config=self._config)
        except TraitError as error:
            problems.append(f"{config_file()}: {error}")
            pane = Pane()
        return {
            "keys": {name: [keys] if isinstance(keys, str) else list(keys) for name, keys in pane.keys.items()},
            "theme": pane.theme,
            "filter": pane.filter,
            "filmstrip": pane.filmstrip,
            "editor": pane.editor,
            "stylesheet": _style(pane.stylesheet, problems),
            "problems": problems,
        }

    def _load(self) -> None:
        self._config = Config(self._given)
        try:
            self._config.merge(load_config())
        except Exception as error:  # the file is a program, and may raise anything
            self._problems = [f"{config_file()} cannot be loaded: {type(error).__name__}: {error}"]
            log.warning("%s", self._problems[0])


def _stamp() -> tuple[int, int] | None:
    try:
        status = config_file().stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _style(name: str, problems: list[str]) -> str | None:
    """The text of the style sheet; a relative path begins at the config file."""
    if not name:
        return None
    path = config_file().parent / Path(name).expanduser()
    try:
        with path.open("rb") as file:
            content = file.read(MOST_STYLE + 1)
    except (OSError, ValueError) as error:
        problems.append(f"Pane.stylesheet: {path} cannot be read: {error}")
        return None
    if len(content) > MOST_STYLE:
        problems.append(f"Pane.stylesheet: expected at most {MOST_STYLE} bytes, {path} has more")
        return None
    return content.decode("utf-8", "replace")
