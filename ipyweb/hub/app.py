"""The hub as a process: lock, identity, port, store, routes, and an orderly end."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from traitlets.config import Config

from .. import __version__
from ..config import Hub
from ..connection import CONNECTION_FILE, runtime_dir
from ..errors import FrameError, HubError
from ..private import private_directory, write_private
from ..protocol import MAX_FRAME, PROTOCOL, Message
from . import disk, logs, routes, spool, static
from . import identity as identities
from .auth import Keys
from .base import MAX_JSON, Unknown
from .context import Context
from .hub import GOING_AWAY, HubState
from .identity import Identity
from .opening import Opener
from .process import harden, pid_started, preload
from .retention import Limits
from .settings import PaneSettings
from .store import Batch, Store, timestamp
from .writer import StoreThread

log = logging.getLogger("ipyweb.hub")
LOCK_FILE = "hub.lock"
SPOOL_SECONDS = 10.0
CHECK_SECONDS = 2.0
GOODBYE_SECONDS = 0.5
Ready = Callable[[dict[str, Any]], None]


def run(config: Config | Hub, ready: Ready) -> None:
    """Be the hub, until told to stop.

    Args:
        config: settings, as `Hub` or as what `Hub` is made from.
        ready: called once the hub answers, with what the connection file says.

    Raises:
        HubError: another hub runs already, or no port can be had.
        ConnectionFileError: the runtime directory or a kept secret cannot be trusted.
        OSError: the runtime directory cannot be made.
    """
    settings = config if isinstance(config, Hub) else Hub(config=config)
    harden()
    runtime = private_directory(runtime_dir().absolute())
    lock = FileLock(runtime / LOCK_FILE, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise HubError(f"a hub runs already, see {runtime / CONNECTION_FILE}; `ipyweb stop` ends it") from error
    try:
        asyncio.run(Process(settings, runtime, ready).run())
    finally:
        lock.release()


class Process:
    """One life of a hub.

    Args:
        settings: see `config.Hub`.
        runtime: the private directory of the connection file.
        ready: see `run`.
    """

    def __init__(self, settings: Hub, runtime: Path, ready: Ready) -> None:
        self._settings = settings
        self._runtime = runtime
        self._ready = ready
        self._data_dir = settings.directory
        self._notices: list[str] = []
        self._stopped = asyncio.Event()
        self._handover = False
        self._connection = b""

    async def run(self) -> None:
        """Start, serve, end."""
        writable = self._make_data_dir()
        with self._locked_data_dir() if writable else contextlib.nullcontext():
            handler = logs.begin(self._data_dir / logs.LOG_FILE if writable else None, self._settings.log_level)
            try:
                await self._serve(writable)
            finally:
                logs.end(handler)

    def _make_data_dir(self) -> bool:
        """Whether the data directory can be written."""
        try:
            private_directory(self._data_dir)
            probe = self._data_dir / f".probe-{os.getpid()}"
            write_private(probe, b"")
            probe.unlink()
        except OSError as error:
            reason = f"{self._data_dir} cannot be written ({error.strerror})"
            self._notices.append(f"{reason}: outputs are kept in memory only.")
            return False
        return True

    @contextlib.contextmanager
    def _locked_data_dir(self) -> Iterator[None]:
        """One hub per store, also when somebody cleaned the runtime directory away, or set another one."""
        if disk.is_network(self._data_dir) is not None:  # locks cannot be trusted there, and no database lies there
            yield
            return
        try:
            with FileLock(self._data_dir / LOCK_FILE, mode=0o600, timeout=0):
                yield
        except Timeout as error:
            raise HubError(f"another hub uses the store in {self._data_dir}; stop that one first") from error

    async def _serve(self, writable: bool) -> None:
        identity = identities.load(self._data_dir) if writable else Identity.new()
        identity, sockets = self._bind(identity)
        if writable:
            identities.save(self._data_dir, identity)
        context = await self._assemble(identity, durable=writable and self._settings.store == "disk")
        server = self._listen(context, sockets)
        self._write_connection_file(identity, context)
        self._catch_signals()
        preload()
        self._ready(json.loads(self._connection))
        log.info("hub %s %s at port %d, pid %d", identity.hub, __version__, identity.port, os.getpid())
        await self._until_stopped(context, writable)
        await self._end(context, server)

    # -- start --------------------------------------------------------------------------------------------------------

    def _bind(self, identity: Identity) -> tuple[Identity, list[socket.socket]]:
        """Listen on the wanted port, the kept one, or another.

        Whoever took the kept port may have been told our secret by a pane that dialled it: so a new port means a new
        secret.
        """
        wanted = self._settings.port or identity.port
        if wanted:
            with contextlib.suppress(OSError):
                return identity._replace(port=wanted), _sockets(self._settings.host, wanted)
            if self._settings.port:
                raise HubError(f"port {wanted} is taken; choose another with --Hub.port, or 0 for any")
            self._notices.append(f"Port {wanted} was taken by another program, so old links end: use `ipyweb open`.")
            identity = identity.renewed()
        for _ in range(50):
            port = identities.random_port()
            with contextlib.suppress(OSError):
                return identity._replace(port=port), _sockets(self._settings.host, port)
        raise HubError("no free port was found between 20000 and 29999; choose one with --Hub.port")

    async def _assemble(self, identity: Identity, *, durable: bool) -> Context:
        settings = self._settings
        limits = Limits(
            max_bytes=settings.max_bytes,
            max_age=settings.max_age,
            trash_days=settings.trash_days,
            max_versions=settings.max_versions,
        )
        keys = Keys(identity.token, identity.hub)
        opener = Opener(self._data_dir if durable else None, limits, tuple(self._notices))
        context: Context

        def take_batch(batch: Batch) -> None:
            context.state.take_batch(batch)

        def take_new_store(store: Store) -> None:
            context.adopt(store)

        thread = StoreThread(opener, take_batch, take_new_store)
        store = await thread.start()
        context = Context(
            keys=keys,
            state=HubState(thread, keys, store.event, store.notices),
            thread=thread,
            static=static.load(),
            port=identity.port,
            url=f"http://{_netloc(settings.host, identity.port)}",
            allowed_hosts=frozenset(settings.allowed_hosts),
            max_blob_bytes=settings.max_blob_bytes,
            started=timestamp(datetime.now(UTC)),
            stop=self._stop,
            store=store,
            settings=PaneSettings(settings.config),
        )
        for session in await context.call(lambda store: store.disconnect_all()):
            context.state.end_later(session)
        return context

    def _listen(self, context: Context, sockets: list[socket.socket]) -> HTTPServer:
        application = Application(
            routes.table(context),
            default_handler_class=Unknown,
            default_handler_args={"context": context},
            log_function=logs.log_request,
            # More than the sockets allow: what is read whole can be refused with a reason, which the reset that follows
            # unread bytes would destroy.
            websocket_max_message_size=2 * MAX_FRAME,
            websocket_ping_interval=20,
            websocket_ping_timeout=20,
        )
        server = HTTPServer(
            application,
            xheaders=False,
            decompress_request=False,
            idle_connection_timeout=10,
            body_timeout=30,
            max_header_size=16 * 1024,
            max_body_size=MAX_JSON,
            max_buffer_size=2 * MAX_JSON,
            chunk_size=64 * 1024,
        )
        server.add_sockets(sockets)
        return server

    def _write_connection_file(self, identity: Identity, context: Context) -> None:
        fields = {
            **context.identity(),
            "token": identity.token,
            "pid_started": pid_started(),
            "boot": _boot(),
            "host": socket.gethostname(),
            "uid": os.geteuid(),
            "version": __version__,
            "protocol": PROTOCOL,
            "data_dir": str(self._data_dir),
        }
        self._connection = json.dumps(fields).encode()
        write_private(self._runtime / CONNECTION_FILE, self._connection)

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, self._stop, False)

    # -- life ---------------------------------------------------------------------------------------------------------

    def _stop(self, handover: bool) -> None:
        self._handover = handover
        self._stopped.set()

    async def _until_stopped(self, context: Context, writable: bool) -> None:
        spooling = asyncio.ensure_future(self._take_spool_regularly(context)) if writable else None
        try:
            while not self._stopped.is_set():
                self._keep_connection_file()
                if self._is_idle(context):
                    log.info("nobody was here for %g s", self._settings.idle_timeout)
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), CHECK_SECONDS)
        finally:
            if spooling is not None:
                spooling.cancel()  # a file that is half taken in is taken in again; what was stored is not stored twice
                await asyncio.wait({spooling})

    def _is_idle(self, context: Context) -> bool:
        since = context.state.idle_since
        if not self._settings.idle_timeout or since is None:
            return False
        return time.monotonic() - max(since, context.last_request) > self._settings.idle_timeout

    def _keep_connection_file(self) -> None:
        """Write the connection file again when somebody cleaned it away."""
        path = self._runtime / CONNECTION_FILE
        if path.exists():
            return
        try:
            private_directory(self._runtime)
            write_private(path, self._connection)
            log.warning("the connection file was gone; it was written again")
        except Exception as error:
            log.warning("the connection file is gone and cannot be written: %s", error)

    async def _take_spool_regularly(self, context: Context) -> None:
        while True:
            await self._take_spool(context)
            await asyncio.sleep(SPOOL_SECONDS)

    async def _take_spool(self, context: Context) -> None:
        held: set[str] = set()  # what follows a file that is tried again would be taken for the end of its session
        for path in await context.in_background(spool.waiting, self._data_dir / "spool"):
            if spool.session_of(path) in held:
                continue
            try:
                if not await context.state.take_spool(_batches(context, path)):
                    return
                path.unlink(missing_ok=True)
                log.info("took in %s", path.name)
            except FrameError as error:
                spool.set_aside(path, error)
            except Exception:
                held.add(spool.session_of(path))
                log.exception("%s could not be taken in; it is tried again", path.name)

    # -- end ----------------------------------------------------------------------------------------------------------

    async def _end(self, context: Context, server: HTTPServer) -> None:
        server.stop()
        self._remove_connection_file()
        context.state.stop(handover=self._handover)
        await asyncio.sleep(0)
        for each in list(context.sockets):
            each.close_when_written(GOING_AWAY, "the hub stops" + ("; another takes over" if self._handover else ""))
        deadline = time.monotonic() + GOODBYE_SECONDS
        while context.sockets and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        await context.thread.close()
        await server.close_all_connections()
        log.info("hub stopped")

    def _remove_connection_file(self) -> None:
        """Remove it if it is still ours."""
        path = self._runtime / CONNECTION_FILE
        with contextlib.suppress(OSError):
            if path.read_bytes() == self._connection:
                path.unlink()


async def _batches(context: Context, path: Path) -> AsyncIterator[list[Message]]:
    """The messages of a spool file, read off the event loop."""
    reader = spool.read(path)
    while (batch := await context.in_background(next, reader, None)) is not None:
        yield batch


def _sockets(host: str, port: int) -> list[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return bind_sockets(port, host, family, backlog=512)


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
