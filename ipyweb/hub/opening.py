"""Opening the store, whatever state the disk is in: what cannot be used is set aside or gone round, with a notice.

Nothing that was stored is ever deleted here, and nothing here can make the hub fail again and again: the last resort
is always a store in memory.
"""

import logging
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import HubError
from . import disk, schema
from .database import Damaged, NewerSchema
from .identity import IDENTITY_FILE, Identity
from .retention import Limits
from .sqlite import SqliteStore
from .store import Store

if TYPE_CHECKING:
    from .shared import SharedStore

log = logging.getLogger("ipyweb.hub.store")
DATABASE = "outputs.sqlite"
MOST_RESETS = 3
MEMORY_BYTES = 512 * disk.MIB


class Opener:
    """Makes the store, and makes it anew when it turned out damaged.

    Args:
        directory: where it should lie; ``None`` for memory.
        limits: what to keep; ``max_bytes`` of 0 takes the default for the disk.
        notices: what is known before.
    """

    def __init__(self, directory: Path | None, limits: Limits, notices: tuple[str, ...] = ()) -> None:
        self._wanted = directory
        self._limits = limits
        self._notices = list(notices)
        self._resets = 0

    def __call__(self, damaged: Store | None) -> SqliteStore:
        """Open the store. `damaged` is the one that has to be replaced, closed already."""
        event, next_id = (damaged.event, damaged.next_id) if damaged is not None else (0, 1)
        directory = None if self._wanted is None else self._usable(self._wanted)
        if directory is not None and damaged is not None:
            self._set_aside(directory, "it turned out damaged")
        if directory is None or self._resets > MOST_RESETS:
            return self._in_memory(event, next_id)
        try:
            return self._on_disk(directory, event, next_id)
        except (sqlite3.Error, OSError) as error:
            self._note(f"The store in {directory} cannot be used ({error}): outputs are kept in memory only.")
            return self._in_memory(event, next_id)

    def _usable(self, wanted: Path) -> Path | None:
        """The directory itself, or one on this node's own disk."""
        network = disk.is_network(wanted)
        if network is None:
            return wanted
        local = disk.node_local(wanted)
        if local is None:
            self._note(
                f"{wanted} is on a network file system ({network}), and no private local directory could be made: "
                "outputs are kept in memory only. Set IPYWEB_DATA_DIR to a directory on a local disk."
            )
        else:
            self._note(f"{wanted} is on a network file system ({network}): outputs are stored in {local} on this node.")
        return local

    def _on_disk(self, directory: Path, event: int, next_id: int) -> SqliteStore:
        path = directory / DATABASE
        try:
            connection = schema.connect(path)
        except Damaged as error:
            event, next_id = _last_numbers(path, event, next_id)
            self._set_aside(directory, str(error))
            connection = schema.connect(path)
        except NewerSchema as error:
            return self._read_only(path, str(error), event, next_id)
        limits = self._limits._replace(max_bytes=self._limits.max_bytes or disk.default_max_bytes(directory))
        store = SqliteStore(connection, directory, limits, notices=self._notices, event=event, next_id=next_id)
        store.blobs.delete_strays()
        store.bury_lost()
        store.guard_disk()
        return store

    def _read_only(self, path: Path, reason: str, event: int, next_id: int) -> SqliteStore:
        notice = f"The store was written by a newer ipyweb ({reason}): it is read-only here. Upgrade to store outputs."
        self._note(notice)
        try:
            connection = schema.connect(path, read_only=True, check=False)
            return SqliteStore(
                connection,
                path.parent,
                self._limits,
                notices=self._notices,
                read_only=notice,
                event=event,
                next_id=next_id,
            )
        except sqlite3.Error:
            log.exception("the newer store cannot even be read")
            return self._in_memory(event, next_id)

    def _in_memory(self, event: int, next_id: int) -> SqliteStore:
        most = min(self._limits.max_bytes or MEMORY_BYTES, MEMORY_BYTES)
        limits = self._limits._replace(max_bytes=most)
        connection = schema.connect(None)
        store = SqliteStore(connection, None, limits, notices=self._notices, event=event, next_id=next_id)
        store.guard_disk()
        return store

    def _set_aside(self, directory: Path, reason: str) -> None:
        """Move everything that belongs to a damaged database into a directory of its own."""
        self._resets += 1
        aside = directory / f"damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{self._resets}"
        aside.mkdir(mode=0o700)
        for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "blobs"):
            if (directory / name).exists():
                os.rename(directory / name, aside / name)
        self._note(f"The database was damaged ({reason}). It was set aside as {aside}, and a fresh one begun.")

    def _note(self, notice: str) -> None:
        log.error("%s", notice)
        self._notices.append(notice)


class SharedOpener:
    """Makes the store in a PostgreSQL database.

    Args:
        address: of the database.
        identity: of this hub, which all hubs of the store share.
        limits: what to keep.
    """

    def __init__(self, address: str, identity: Identity, limits: Limits) -> None:
        self._address = address
        self._identity = identity
        self._limits = limits._replace(max_bytes=limits.max_bytes or disk.DEFAULT_BYTES)

    def __call__(self, damaged: Store | None) -> "SharedStore":
        """Open the store. Raises `HubError`; such a store is never taken for damaged."""
        try:
            import psycopg

            from .postgres import Connection
            from .shared import SharedStore
        except ImportError as error:
            wanted = "python -m pip install 'psycopg[binary]'"
            raise HubError(f"a store in PostgreSQL needs psycopg ({error}): {wanted}") from error
        try:
            store = SharedStore(Connection(self._address), self._limits)
        except NewerSchema as error:
            raise HubError(f"the store in {self._address} was written by a newer ipyweb ({error}): upgrade") from error
        except psycopg.Error as error:
            words = " ".join(str(error).split())
            raise HubError(f"the store in {self._address} cannot be opened: {words}") from error
        (outcome,) = store.run([lambda _: store.claim(self._identity.hub, self._identity.token)]).outcomes
        if not outcome.value:
            store.close()
            reason = outcome.error or (
                f"it belongs to hubs with another secret; copy {IDENTITY_FILE} from the data directory of one of them "
                "into this hub's own, with mode 0600"
            )
            raise HubError(f"the store in {self._address} cannot be used: {reason}") from outcome.error
        return store


def _last_numbers(path: Path, event: int, next_id: int) -> tuple[int, int]:
    """The counters of a damaged database, so far as they can be read: numbers should not be used twice."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            found = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        finally:
            connection.close()
        return max(event, int(found.get("event", 0))), max(next_id, int(found.get("next_id", 1)))
    except (sqlite3.Error, TypeError, ValueError):
        return event, next_id
