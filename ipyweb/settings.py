"""What the process that displays goes by where nobody chose otherwise.

`config.IPyWeb` makes traits of it. A script without a config file needs none, and so never loads traitlets.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import IPyWeb

MIB = 2**20
"""Bytes."""


class Settings:
    """The defaults of the traits of `config.IPyWeb`, which say what each is for."""

    open_browser: str = "auto"
    text_results: bool = False
    max_repr_bytes: int = 32 * MIB
    queue_bytes: int = 256 * MIB
    mimetypes: tuple[str, ...] = ()
    excluded_mimetypes: tuple[str, ...] = ()
    integrations: bool = True
    figure_keeper: bool = True
    keeper_command: tuple[str, ...] = ()
    keeper_environment: dict[str, str] = {}  # noqa: RUF012 - nobody writes to it
    keeper_memory: int = 0
    keeper_idle: float = 600.0
    figure_timeout: float = 60.0
    figure_bytes: int = 1024 * MIB
    figure_days: float = 30.0
    private: bool = False
    ranks: str = "all"
    flush_timeout: float = 5.0


def config_file() -> Path:
    """ipyweb's own config file; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path("ipyweb", appauthor=False) / "ipyweb_config.py"


def own_settings() -> "Settings | IPyWeb":
    """The settings of a process without IPython."""
    if f"{__package__}.config" not in sys.modules and not config_file().is_file():
        return Settings()
    from .config import own_config

    return own_config()
