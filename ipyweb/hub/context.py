"""What every handler works with."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from traitlets.config import Config

from .auth import Codes, Keys
from .hub import TOKEN_ENDED, HubState
from .keepers import Keepers
from .settings import PaneSettings
from .static import Static
from .store import Store, timestamp
from .writer import StoreThread

if TYPE_CHECKING:
    from .polling import Line
    from .sockets import Socket

T = TypeVar("T")


@dataclass
class Context:
    """One hub, as its handlers see it.

    Attributes:
        keys: its secrets.
        state: what is live.
        thread: the store's thread.
        static: the built pane, in memory.
        url: its address on this machine.
        address: the one by which others reach it, if they do.
        proxy: the pane's address behind a proxy that the settings name; empty without one.
        certificate: by which it serves, in PEM; empty without TLS.
        port: the TCP port it listens on.
        allowed_hosts: further names it answers to.
        max_blob_bytes: largest single representation.
        started: when it started, ISO 8601.
        stop: called with whether another hub takes over.
        rotate: called with the hub's new root secret; see `renew`.
        store: only for its attributes that never change; everything else goes through `call`.
        sockets: all open WebSockets, and lines.
        lines: the lines of panes without WebSockets, by their names.
        codes: single-use codes.
        keepers: the figure keepers.
        settings: what the user set for the pane.
        last_request: when the last admitted request came, by the monotonic clock.
    """

    keys: Keys
    state: HubState
    thread: StoreThread
    static: Static
    port: int
    url: str
    address: str
    proxy: str
    certificate: str
    allowed_hosts: set[str]
    max_blob_bytes: int
    started: str
    stop: Callable[[bool], None]
    rotate: Callable[[str], None]
    store: Store
    sockets: set["Socket | Line"] = field(default_factory=set)
    lines: dict[str, "Line"] = field(default_factory=dict)
    codes: Codes = field(default_factory=Codes)
    keepers: Keepers = field(default_factory=Keepers)
    settings: PaneSettings = field(default_factory=lambda: PaneSettings(Config()))
    last_request: float = field(default_factory=time.monotonic)

    @property
    def uploads(self) -> Path | None:
        """Directory for uploads in progress; ``None`` keeps them in memory."""
        return self.store.directory / "blobs" / "incoming" if self.store.directory is not None else None

    def adopt(self, store: Store) -> None:
        """Go on with another store, after the old one was found damaged."""
        self.store = store
        self.state.take_new_store(store)

    def renew(self, keys: Keys) -> None:
        """Go on with new keys: from now on no token, code or address made by the old ones opens anything."""
        self.keys, self.codes = keys, Codes()
        self.state.renew(keys)
        for each in list(self.sockets):
            each.close_with(TOKEN_ENDED, "the hub has new tokens; `ipyweb open` opens the pane")

    def touch(self) -> None:
        """Note that the hub is in use."""
        self.last_request = time.monotonic()

    def identity(self) -> dict[str, str | int]:
        """Which hub this is, and where."""
        return {
            "hub": self.keys.hub,
            "pid": os.getpid(),
            "port": self.port,
            "url": self.url,
            "address": self.address,
            "started": self.started,
        }

    def now(self) -> str:
        """The time as it stands in records."""
        return timestamp(datetime.now(UTC))

    async def call(self, job: Callable[[Store], T]) -> T:
        """Run a job on the store."""
        return await self.thread.call(job)

    async def in_background(self, function: Callable[..., T], *values: object) -> T:
        """Run something that touches the disk, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(None, function, *values)
