"""Settings, as traitlets: ``c.IPyWeb.…`` for the process that displays, ``c.Hub.…`` for the hub, ``c.Pane.…``.

``IPyWeb`` is read from IPython's and ipyweb's config files, the command line, and ``%config IPyWeb``. ``Hub`` is read
from ipyweb's config file and the command line when the hub starts.
"""

import logging
import os
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from traitlets import Bool, CaselessStrEnum, Dict, Enum, Float, Int, List, TraitError, Unicode, observe, validate
from traitlets.config import Config, SingletonConfigurable
from traitlets.config.configurable import Configurable

from . import proxies
from .settings import MIB, Settings, config_file

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


class IPyWeb(SingletonConfigurable):
    """What this process sends to the pane, and when it opens a browser."""

    open_browser = Enum(
        ("auto", "never"),
        Settings.open_browser,
        help="'auto' opens the pane at the first output, where that makes sense (never over SSH, in a container, "
        "a batch job, CI, or without a terminal); 'never' only prints the link. Default: 'auto'.",
    ).tag(config=True)
    text_results = Bool(
        Settings.text_results,
        help="Whether a last expression that has only text goes to the pane too. Default: False.",
    ).tag(config=True)
    max_repr_bytes = Int(
        Settings.max_repr_bytes,
        help="Size in bytes above which one representation of an object is cut off with a visible notice. "
        "Default: 33554432 (32 MiB).",
    ).tag(config=True)
    queue_bytes = Int(
        Settings.queue_bytes,
        help="Bytes of outputs kept in memory while no hub takes them; what is more goes to a private spool file. "
        "Default: 268435456 (256 MiB).",
    ).tag(config=True)
    mimetypes = List(
        Unicode(),
        list(Settings.mimetypes),
        help="MIME types that are sent, with * as a wildcard (such as 'image/*'); empty sends all. Default: [].",
    ).tag(config=True)
    excluded_mimetypes = List(
        Unicode(),
        list(Settings.excluded_mimetypes),
        help="MIME types that are never sent, with * as a wildcard. Default: [].",
    ).tag(config=True)
    integrations = Bool(
        Settings.integrations,
        help="Whether plotting libraries are switched to their Jupyter representations. Default: True.",
    ).tag(config=True)
    figure_keeper = Bool(
        Settings.figure_keeper,
        help="Whether matplotlib figures are kept in a process of their own, which draws them, at first and later "
        "at any size; otherwise they are drawn in this process, once. Default: True.",
    ).tag(config=True)
    keeper_command = List(
        Unicode(),
        list(Settings.keeper_command),
        help="Command that starts the figure keeper; empty means this Python. Default: [].",
    ).tag(config=True)
    keeper_environment = Dict(
        default_value=Settings.keeper_environment,
        help="Environment variables that the figure keeper gets besides the usual ones. Default: {}.",
    ).tag(config=True)
    keeper_memory = Int(
        Settings.keeper_memory,
        help="Bytes of memory that the figure keeper uses; figures that were not drawn for longest go first. 0 means "
        "512 MiB, or a tenth of what the control group may have. Default: 0.",
    ).tag(config=True)
    keeper_idle = Float(
        Settings.keeper_idle,
        help="Seconds without work after which the figure keeper ends; it comes back on demand. Default: 600.",
    ).tag(config=True)
    figure_timeout = Float(
        Settings.figure_timeout,
        help="Seconds that drawing one figure may take in the figure keeper. Default: 60.",
    ).tag(config=True)
    figure_bytes = Int(
        Settings.figure_bytes,
        help="Bytes of figures kept on disk to be drawn anew; the oldest go first. Default: 1 GiB.",
    ).tag(config=True)
    figure_days = Float(
        Settings.figure_days,
        help="Days for which a figure that nobody asks for is kept on disk to be drawn anew. Default: 30.",
    ).tag(config=True)
    private = Bool(
        Settings.private,
        help="Whether this process's outputs stay in the hub's memory, never on disk. Default: False.",
    ).tag(config=True)
    ranks = Enum(
        ("all", "first"),
        Settings.ranks,
        help="Which ranks of a job (Slurm, MPI, torchrun) show what they display: 'all', or only the 'first'. "
        "$IPYWEB_RANKS goes before it. Default: 'all'.",
    ).tag(config=True)
    flush_timeout = Float(
        Settings.flush_timeout,
        help="Seconds that the end of the process waits for the hub's acknowledgement. Default: 5.",
    ).tag(config=True)
    log_level = CaselessStrEnum(
        LOG_LEVELS, "warning", help="Least level of the `ipyweb` logger's messages. Default: 'warning'."
    ).tag(config=True)

    @observe("log_level")
    def _set_log_level(self, change: dict[str, Any]) -> None:
        logger = logging.getLogger("ipyweb")
        logger.setLevel(change["new"].upper())
        if not logger.hasHandlers():  # without any, Python prints warnings and nothing below
            logger.addHandler(logging.StreamHandler())

    @validate("max_repr_bytes", "queue_bytes", "flush_timeout")
    def _not_negative(self, proposal: dict[str, Any]) -> Any:
        return _at_least(proposal, 0)


class Pane(Configurable):
    """How the pane looks and which keys it takes; read again whenever the config file was written."""

    keys = Dict(
        help="Keys by the name of what they do, which the pane's help lists, such as {'next': ['l', 'ArrowRight']}; "
        "those not named stay as they are. Default: {}."
    ).tag(config=True)
    theme = Enum(
        ("auto", "light", "dark"), "auto", help="Theme where none was chosen in the browser. Default: 'auto'."
    ).tag(config=True)
    filter = Enum(
        ("off", "on", "follow"),
        "off",
        help="Whether plots are darkened where nothing was chosen in the browser: never, always, or in the dark theme. "
        "Default: 'off'.",
    ).tag(config=True)
    filmstrip = Enum(
        ("left", "right", "bottom", "hidden"),
        "left",
        help="Where the filmstrip is, where nothing was chosen in the browser. Default: 'left'.",
    ).tag(config=True)
    stylesheet = Unicode(
        "", help="Path of a CSS file for the pane, from the config file's directory. Default: ''."
    ).tag(config=True)
    editor = Unicode(
        "vscode://file/{file}:{line}",
        help="Address that opens a file in an editor, with {file} and {line}. Default: 'vscode://file/{file}:{line}'.",
    ).tag(config=True)

    @validate("keys")
    def _keys(self, proposal: dict[str, Any]) -> Any:
        for name, keys in proposal["value"].items():
            chords = [keys] if isinstance(keys, str) else keys
            if not isinstance(name, str) or not isinstance(chords, (list, tuple)):
                raise TraitError(f"Pane.keys: expected a list of keys for {name!r}, got {keys!r}")
            if not all(isinstance(chord, str) and chord for chord in chords):
                raise TraitError(f"Pane.keys: expected keys such as 'Shift+t' for {name!r}, got {keys!r}")
        return proposal["value"]


class Hub(Configurable):
    """Where the hub listens, and what it keeps."""

    ip = Unicode(
        "127.0.0.1",
        help="Address to listen on; 0.0.0.0 is all of this machine's. One that others reach is served by TLS only. "
        "Default: '127.0.0.1'.",
    ).tag(config=True)
    port = Int(
        0, help="TCP port. 0 takes the one kept from last time, at first a random one of 20000-29999. Default: 0."
    ).tag(config=True)
    certfile = Unicode(
        "",
        help="Certificate in PEM, by which the hub is served; 'own' is one that the hub makes for itself and keeps, as "
        "it does for others than this machine where none is given. Default: ''.",
    ).tag(config=True)
    keyfile = Unicode("", help="Its key, unless that is in the same file. Default: ''.").tag(config=True)
    data_dir = Unicode(
        "", help="Directory of the store; empty means $IPYWEB_DATA_DIR, else the platform's user data. Default: ''."
    ).tag(config=True)
    store = Unicode(
        "disk",
        help="'memory' writes no output to disk; an address such as 'postgresql://user@host/database', without a "
        "password, means a store that several hubs share. Default: $IPYWEB_STORE, else 'disk'.",
    ).tag(config=True)
    max_bytes = Int(
        0,
        help="Bytes of outputs kept; the oldest go first, pinned ones stay. 0 means 1 GiB, or 5 % of the disk or quota "
        "if that is less. Default: 0.",
    ).tag(config=True)
    max_age = Float(90.0, help="Days that an output is kept, unless pinned. Default: 90.").tag(config=True)
    max_versions = Int(100, help="Number of versions kept of an output that is updated. Default: 100.").tag(config=True)
    trash_days = Float(7.0, help="Days that a removed output can be restored. Default: 7.").tag(config=True)
    max_blob_bytes = Int(
        512 * MIB, help="Largest single representation in bytes that the hub takes. Default: 536870912 (512 MiB)."
    ).tag(config=True)
    idle_timeout = Float(
        12 * 3600.0,
        help="Seconds without any pane or session after which the hub stops; nothing is lost. 0 never. Default: 43200.",
    ).tag(config=True)
    allowed_hosts = List(
        Unicode(), help="Further host names under which panes may reach the hub, exact. Default: []."
    ).tag(config=True)
    proxy_url = Unicode(
        "",
        help="The pane's address behind a proxy, such as 'https://lab.example.org/plots/', with {port} where the hub's "
        "port is in it. Its host name is allowed, and links begin with it. Default: ''.",
    ).tag(config=True)
    log_level = CaselessStrEnum(
        LOG_LEVELS, "info", help="Least level of the messages in hub.log. Default: 'info'."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if "store" not in self.config.get("Hub", {}) and "store" not in kwargs:
            self.store = "memory" if os.environ.get("IPYWEB_STORE") == "memory" else "disk"

    @property
    def directory(self) -> Path:
        """The store's directory, absolute."""
        from .connection import data_dir

        return Path(self.data_dir).expanduser().absolute() if self.data_dir else data_dir().absolute()

    @property
    def database(self) -> str:
        """The address of a store that several hubs share; empty for one of this hub's own."""
        return self.store if _is_database(self.store) else ""

    @property
    def is_reached_by_others(self) -> bool:
        """Whether it listens on more than this machine's own addresses."""
        return self.ip != "localhost" and not ip_address(self.ip).is_loopback

    @validate("store")
    def _place(self, proposal: dict[str, Any]) -> str:
        store = str(proposal["value"])
        if store not in ("disk", "memory") and not _is_database(store):
            raise TraitError(f"Hub.store: expected 'disk', 'memory' or 'postgresql://…', got {store[:80]!r}")
        if _is_database(store) and _has_password(store):
            raise TraitError(
                "Hub.store: expected an address without a password, which everybody could see; "
                "libpq takes it from ~/.pgpass, or from the file that PGPASSFILE names"
            )
        return store

    @validate("ip")
    def _address(self, proposal: dict[str, Any]) -> str:
        try:
            return "localhost" if proposal["value"] == "localhost" else str(ip_address(proposal["value"]))
        except ValueError:
            raise TraitError(
                f"Hub.ip: expected an address such as 127.0.0.1 or 0.0.0.0, or localhost, got {proposal['value']!r}"
            ) from None

    @validate("proxy_url")
    def _proxied(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] and not proxies.filled(proposal["value"], 0):
            raise TraitError(
                "Hub.proxy_url: expected an address such as https://lab.example.org/plots/, without query and "
                f"fragment, got {proposal['value']!r}"
            )
        return str(proposal["value"])

    @validate("port")
    def _port(self, proposal: dict[str, Any]) -> int:
        if not 0 <= proposal["value"] <= 65535:
            raise TraitError(f"Hub.port: expected 0 to 65535, got {proposal['value']}")
        return int(proposal["value"])

    @validate("max_bytes", "max_age", "trash_days", "idle_timeout", "max_blob_bytes")
    def _not_negative(self, proposal: dict[str, Any]) -> Any:
        return _at_least(proposal, 0)

    @validate("max_versions")
    def _positive(self, proposal: dict[str, Any]) -> Any:
        return _at_least(proposal, 1)


def _is_database(store: str) -> bool:
    return store.startswith(("postgresql://", "postgres://"))


def _has_password(address: str) -> bool:
    from urllib.parse import parse_qs, urlsplit

    parts = urlsplit(address)
    return parts.password is not None or bool({"password", "sslpassword"} & parse_qs(parts.query).keys())


def _at_least(proposal: dict[str, Any], least: int) -> Any:
    if proposal["value"] < least:
        owner, name = type(proposal["owner"]).__name__, proposal["trait"].name
        raise TraitError(f"{owner}.{name}: expected at least {least}, got {proposal['value']!r}")
    return proposal["value"]


def load_config() -> Config:
    """What ipyweb's config file says; empty when there is none.

    Raises:
        Exception: whatever the file raises.
    """
    from traitlets.config.loader import PyFileConfigLoader

    path = config_file()
    if not path.is_file():
        return Config()
    config: Config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    return config


def own_config() -> IPyWeb:
    """The settings of a process without IPython: ipyweb's config file, or the defaults when that is broken."""
    return IPyWeb.instance(config=_forgiving_config())


def merged_config(base: Config) -> Config:
    """IPython's configuration with ipyweb's own file below it."""
    merged = _forgiving_config()
    merged.merge(base)
    return merged


def _forgiving_config() -> Config:
    try:
        return load_config()
    except Exception as error:
        logging.getLogger("ipyweb").warning("ipyweb: %s is not used: %s", config_file(), error)
        return Config()
