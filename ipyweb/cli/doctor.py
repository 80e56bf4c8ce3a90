"""``ipyweb doctor``."""

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from traitlets.config import Config

from .. import __version__
from ..browser import decide, look_around
from ..config import Hub
from ..connection import (
    UNIX_HOST,
    Connection,
    challenge,
    read_connection_file,
    remote,
    request,
)
from ..connection import connection_file as where_it_is
from ..errors import HubImpostor, HubUnreachable
from ..unix import dial
from .app import Command
from .text import size

NEEDED = 64 * 10**6
"""Bytes that ought to be free on the store's disk, however little is kept."""


class Sick(Exception):
    """What is wrong, and what to do."""

    def __init__(self, finding: str, remedy: str) -> None:
        super().__init__(f"{finding} · {remedy}")


class Unknown(Exception):
    """A check whose subject is not there; another line tells what is wrong."""


class Patient:
    """What the checks look at, found out step by step: each check leaves what later ones need."""

    def __init__(self, config: Config) -> None:
        self.hub_settings = Hub(config=config)
        self.claimed: Connection | None = None
        self.connection: Connection | None = None
        self.state: dict[str, Any] = {}

    @property
    def proved(self) -> Connection:
        """The hub, once it was challenged."""
        if self.connection is None:
            raise Unknown("no hub to ask")
        return self.connection


class Check(NamedTuple):
    """One line of the report."""

    name: str
    look: Callable[[Patient], str]


def connection_file(patient: Patient) -> str:
    """A hub says where it is, in a file that is ours alone."""
    path = where_it_is()
    patient.claimed = remote() or read_connection_file()
    if patient.claimed is None:
        raise Sick(f"{path}: no hub runs", "start one: `ipyweb open`")
    return f"{path}: {patient.claimed.url}" if patient.claimed.local else f"IPYWEB_HUB: {patient.claimed.url}"


def hub_answers(patient: Patient) -> str:
    """What listens there knows the hub's secret."""
    if patient.claimed is None:
        raise Unknown("no hub to ask")
    try:
        patient.connection = challenge(patient.claimed, timeout=3.0)
    except HubImpostor as error:
        raise Sick(str(error), f"remove {where_it_is()}; a new hub takes another port") from error
    except HubUnreachable as error:
        raise Sick(str(error), "start one: `ipyweb open`") from error
    return f"passed, by hub {patient.connection.hub[:8]}"


def hub_version(patient: Patient) -> str:
    """Hub and command are of one version."""
    version = patient.proved.version
    if version != __version__:
        raise Sick(f"{version}, and this is {__version__}", "replace it: `ipyweb stop && ipyweb open`")
    return version


def websocket(patient: Patient) -> str:
    """Panes can connect: nothing between swallows WebSockets."""
    import json

    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    hub = patient.proved
    address = hub.url.replace("http", "ws", 1) + "/ws/pane"
    protocols = [Subprotocol("ipyweb"), Subprotocol(f"ipyweb.token.{hub.token_for('pane')}")]
    try:
        through = dial(Path(hub.socket), None) if hub.socket else None
        with connect(
            f"ws://{UNIX_HOST}/ws/pane" if through else address,
            sock=through,
            ssl=hub.tls(),
            subprotocols=protocols,
            open_timeout=3.0,
            close_timeout=1.0,
            proxy=None,
        ) as socket:
            socket.send(json.dumps({"type": "subscribe", "since": 0}))
    except (OSError, WebSocketException) as error:
        raise Sick(f"{address}: {error}", "look for a proxy between, or stop and start the hub") from error
    return address


def store(patient: Patient) -> str:
    """The store keeps what it takes."""
    patient.state = request(patient.proved, "GET", "api/state").json()
    notices = patient.state.get("notices", [])
    if notices:
        raise Sick("; ".join(notices), "set IPYWEB_DATA_DIR to a directory on a local disk with room")
    kept = f"{patient.state['outputs']} outputs, {size(patient.state['bytes'])} of {size(patient.state['max_bytes'])}"
    return kept if patient.state.get("durable", True) else f"{kept}, in memory only, as configured"


def disk(patient: Patient) -> str:
    """The store's directory can be written, and has room."""
    directory = patient.hub_settings.directory
    existing = next(each for each in (directory, *directory.parents) if each.exists())
    probe = existing / f".ipyweb-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise Sick(f"{existing}: {error.strerror}", "make it writable, or set IPYWEB_DATA_DIR") from error
    free = shutil.disk_usage(existing).free
    if free < NEEDED:
        raise Sick(f"{directory}: {size(free)} free", "make room, or `ipyweb clear --older-than 30d --all`")
    return f"{directory}: {size(free)} free"


def browser(patient: Patient) -> str:
    """Whether a browser opens here, and why not."""
    decision = decide(look_around(), asked=True)
    if decision.reason.startswith("no browser found"):
        raise Sick(decision.reason, "set IPYWEB_BROWSER to a command, or to none")
    if not decision.command:
        return f"none opens: {decision.reason}; `ipyweb url` prints the link"
    return f"opens {Path(decision.command[0]).name}, by a private {decision.handover}"


CHECKS = (
    Check("connection file", connection_file),
    Check("challenge", hub_answers),
    Check("hub version", hub_version),
    Check("WebSocket", websocket),
    Check("store", store),
    Check("disk", disk),
    Check("browser rule", browser),
)


class Doctor(Command):
    """Check everything, one line each."""

    name = "doctor"
    description = """
        Check connection file, hub, WebSocket, store, disk and browser rule: one line each, with what to do where
        something is wrong. Nothing is started or changed. Exit status 1 if any check fails.
    """

    def start(self) -> None:
        """Print the report."""
        patient = Patient(self.config)
        results = [_examine(check, patient) for check in CHECKS]
        for check, (mark, words) in zip(CHECKS, results, strict=True):
            print(f"{mark:4}  {check.name:15}  {words}")
        self.exit_status = int(any(mark == "fail" for mark, _ in results))


def _examine(check: Check, patient: Patient) -> tuple[str, str]:
    try:
        return "ok", check.look(patient)
    except Unknown as error:
        return "skip", str(error)
    except Exception as error:  # a check that breaks is a finding
        return "fail", " ".join(str(error).split()) or type(error).__name__
