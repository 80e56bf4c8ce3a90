"""The hub as a process: lock, identity, port, store, routes, and an orderly end."""

import asyncio
import contextlib
import hmac
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

from .. import __version__, proxies
from ..config import Hub
from ..connection import CONNECTION_FILE, START_LOCK, runtime_dir
from ..errors import ConnectionFileError, FrameError, HubError
from ..private import exclusive, private_directory, write_private
from ..protocol import MAX_FRAME, PROTOCOL, Message
from . import disk, logs, routes, spool, static
from . import identity as identities
from . import sockets as web_sockets
from .auth import Keys
from .base import MAX_JSON, Unknown
from .context import Context
from .door import Door
from .hub import GOING_AWAY, HubState
from .identity import Identity
from .opening import Opener, SharedOpener
from .process import harden, pid_started, preload
from .retention import Limits
from .settings import PaneSettings
from .store import Batch, Store, Unavailable, timestamp
from .tls import Tls
from .tls import load as load_certificate
from .tls import own as own_certificate
from .writer import StoreThread

log = logging.getLogger("ipyweb.hub")
LOCK_FILE = "hub.lock"
OWN = "own"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that mean all of this machine's, and one at which it reaches itself then."""

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


def rotate(config: Config | Hub) -> bool:
    """Renew the kept identity while no hub runs.

    Args:
        config: as for `run`.

    Returns:
        Whether that was done; otherwise a hub runs, or is about to.

    Raises:
        ConnectionFileError: a directory or the kept secret cannot be trusted.
        HubError: the hub shares its store, and the others would not learn the secret.
        OSError: a directory or the identity cannot be written.
    """
    settings = config if isinstance(config, Hub) else Hub(config=config)
    runtime = private_directory(runtime_dir().absolute())
    directory = private_directory(settings.directory)
    with exclusive(runtime / START_LOCK) as ours:  # or a session could start a hub with the old secret meanwhile
        if not ours:
            return False
        try:
            with FileLock(runtime / LOCK_FILE, mode=0o600, timeout=0), _locked(directory):
                identity = identities.load(directory)
                if identity.shared:
                    raise HubError("other hubs share the store of this one; start one of them, and rotate then")
                identities.save(directory, identity.renewed())
        except (Timeout, StoreInUse):
            return False
    return True


class StoreInUse(HubError):
    """Another hub has the store."""


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
        self._door = Door(runtime)
        self._notices: list[str] = []
        self._stopped = asyncio.Event()
        self._handover = False
        self._connection = b""

    async def run(self) -> None:
        """Start, serve, end."""
        writable = self._make_data_dir()
        with _locked(self._data_dir) if writable else contextlib.nullcontext():
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

    async def _serve(self, writable: bool) -> None:
        if self._settings.database and not writable:
            raise HubError(f"{self._notices[-1].partition(':')[0]}: a hub of a shared store keeps its identity there")
        tls = await asyncio.get_running_loop().run_in_executor(None, self._tls)
        identity = identities.load(self._data_dir) if writable else Identity.new()
        identity, sockets = self._bind(identity)
        identity = identity._replace(shared=bool(self._settings.database))
        if writable:
            identities.save(self._data_dir, identity)
        context = await self._assemble(identity, writable, tls)
        server, door = self._listen(context, sockets, tls)
        self._open_door(door)
        self._connection = self._describe(identity, context)
        write_private(self._runtime / CONNECTION_FILE, self._connection)
        await self._take_new_secret(context)
        self._catch_signals()
        preload()
        self._ready(json.loads(self._connection))
        log.info("hub %s %s at port %d, pid %d", identity.hub, __version__, identity.port, os.getpid())
        await self._until_stopped(context, door, writable)
        await self._end(context, server, door)

    # -- start --------------------------------------------------------------------------------------------------------

    def _tls(self) -> Tls | None:
        """How to serve others than this machine, if so; never without TLS."""
        settings = self._settings
        if settings.certfile not in ("", OWN):
            return load_certificate(Path(settings.certfile).expanduser(), _optional(settings.keyfile))
        if settings.certfile or settings.is_reached_by_others:
            return own_certificate(self._data_dir / "tls", [settings.ip, *settings.allowed_hosts])
        return None

    def _bind(self, identity: Identity) -> tuple[Identity, list[socket.socket]]:
        """Listen on the wanted port, the kept one, or another.

        Whoever took the kept port may have been told our secret by a pane that dialled it: so a new port means a new
        secret.
        """
        wanted = self._settings.port or identity.port
        if wanted:
            with contextlib.suppress(OSError):
                return identity._replace(port=wanted), _sockets(self._settings.ip, wanted)
            if self._settings.port:
                raise HubError(f"port {wanted} is taken; choose another with --Hub.port, or 0 for any")
            self._notices.append(f"Port {wanted} was taken by another program, so old links end: use `ipyweb open`.")
            if self._settings.database:  # other hubs have the same secret
                raise HubError(f"port {wanted} is taken; choose another with --Hub.port")
            identity = identity.renewed()
        for _ in range(50):
            port = identities.random_port()
            with contextlib.suppress(OSError):
                return identity._replace(port=port), _sockets(self._settings.ip, port)
        raise HubError("no free port was found between 20000 and 29999; choose one with --Hub.port")

    async def _assemble(self, identity: Identity, writable: bool, tls: Tls | None) -> Context:
        settings, durable = self._settings, writable and self._settings.store == "disk"
        limits = Limits(
            max_bytes=settings.max_bytes,
            max_age=settings.max_age,
            trash_days=settings.trash_days,
            max_versions=settings.max_versions,
        )
        keys = Keys(identity.token, identity.hub)
        proxy, found = proxies.filled(settings.proxy_url, identity.port), proxies.address(os.environ, identity.port)
        opener: Callable[[Store | None], Store]
        if settings.database:
            opener = SharedOpener(settings.database, identity, limits)
        else:
            opener = Opener(self._data_dir if durable else None, limits, tuple(self._notices))
        context: Context

        def take_batch(batch: Batch) -> None:
            context.state.take_batch(batch)
            context.keepers.forget(batch.left)

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
            url=_url(settings, identity.port, tls),
            address=_url(settings, identity.port, tls, abroad=True),
            proxy=proxy,
            certificate="" if tls is None else tls.certificate,
            allowed_hosts={*settings.allowed_hosts, *_own_names(settings.ip), *proxies.names(proxy, found)},
            max_blob_bytes=settings.max_blob_bytes,
            started=timestamp(datetime.now(UTC)),
            stop=self._stop,
            rotate=lambda token: self._rotate(context, identity._replace(token=token), writable),
            store=store,
            settings=PaneSettings(settings.config),
        )
        context.state.end_lost(await context.call(lambda store: store.disconnect_lost()))
        return context

    def _listen(self, context: Context, sockets: list[socket.socket], tls: Tls | None) -> tuple[HTTPServer, HTTPServer]:
        """The servers of the port, and of the Unix socket, which needs no TLS."""
        application = Application(
            routes.table(context),
            default_handler_class=Unknown,
            default_handler_args={"context": context},
            log_function=logs.log_request,
            # More than the sockets allow: what is read whole can be refused with a reason, which the reset that follows
            # unread bytes would destroy.
            websocket_max_message_size=2 * MAX_FRAME,
            websocket_ping_interval=web_sockets.PING_SECONDS,
            websocket_ping_timeout=web_sockets.PING_SECONDS,
        )
        server, door = (
            HTTPServer(
                application,
                ssl_options=options,
                xheaders=False,
                decompress_request=False,
                idle_connection_timeout=10,
                body_timeout=30,
                max_header_size=16 * 1024,
                max_body_size=MAX_JSON,
                max_buffer_size=2 * MAX_JSON,
                chunk_size=64 * 1024,
            )
            for options in (tls and tls.context, None)
        )
        server.add_sockets(sockets)
        return server, door

    def _open_door(self, door: HTTPServer) -> None:
        try:
            door.add_socket(self._door.open())
        except OSError as error:
            log.warning("there is no Unix socket besides the port: %s", error)

    def _describe(self, identity: Identity, context: Context) -> bytes:
        """The connection file."""
        fields = {
            **context.identity(),
            "socket": str(self._door.path or ""),
            "certificate": context.certificate,
            "proxy": context.proxy,
            "token": identity.token,
            "pid_started": pid_started(),
            "boot": _boot(),
            "host": socket.gethostname(),
            "uid": os.geteuid(),
            "version": __version__,
            "protocol": PROTOCOL,
            "data_dir": str(self._data_dir),
        }
        return json.dumps(fields).encode()

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, self._stop, False)

    def _rotate(self, context: Context, renewed: Identity, writable: bool) -> None:
        """Take a new root secret; port and id stay. First on disk, so that no later start brings the old one back."""
        connection = self._describe(renewed, context)
        if writable:
            identities.save(self._data_dir, renewed)
        try:
            self._connection = connection
            write_private(private_directory(self._runtime) / CONNECTION_FILE, connection)
        finally:
            context.renew(Keys(renewed.token, renewed.hub))
            log.info("the hub has new tokens")

    # -- life ---------------------------------------------------------------------------------------------------------

    def _stop(self, handover: bool) -> None:
        self._handover = handover
        self._stopped.set()

    async def _until_stopped(self, context: Context, door: HTTPServer, writable: bool) -> None:
        context.keepers.see_to_all(context.state)
        spooling = asyncio.ensure_future(self._take_spool_regularly(context)) if writable else None
        try:
            while not self._stopped.is_set():
                self._keep_connection_file(door)
                if context.store.shared:
                    await self._look_after_others(context)
                if self._is_idle(context):
                    log.info("nobody was here for %g s", self._settings.idle_timeout)
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), CHECK_SECONDS)
        finally:
            if spooling is not None:
                spooling.cancel()  # a file that is half taken in is taken in again; what was stored is not stored twice
                await asyncio.wait({spooling})

    async def _look_after_others(self, context: Context) -> None:
        """What other hubs say may not have come here, and what they leave behind is ours."""
        with contextlib.suppress(Unavailable):
            await self._take_new_secret(context)
            await context.call(lambda store: store.look())
            context.state.end_lost(await context.call(lambda store: store.disconnect_lost()))

    @staticmethod
    async def _take_new_secret(context: Context) -> None:
        """Take the root secret that another hub of the store has given to all."""
        secret = context.keys.tokens["admin"]
        newest = await context.call(lambda store: store.newest_secret(secret))
        if hmac.compare_digest(newest, secret):
            return
        try:
            context.rotate(newest)
        except (OSError, ConnectionFileError) as error:
            log.warning("the new tokens cannot be kept, but the next start finds them too: %s", error)
            context.renew(Keys(newest, context.keys.hub))

    def _is_idle(self, context: Context) -> bool:
        since = context.state.idle_since
        if not self._settings.idle_timeout or since is None or context.state.waiting:
            return False
        return time.monotonic() - max(since, context.last_request) > self._settings.idle_timeout

    def _keep_connection_file(self, door: HTTPServer) -> None:
        """Write the connection file, and make the socket, again when somebody cleaned them away."""
        path = self._runtime / CONNECTION_FILE
        if path.exists() and not self._door.is_gone:
            return
        try:
            private_directory(self._runtime)
            if self._door.is_gone:
                self._open_door(door)
                fields = {**json.loads(self._connection), "socket": str(self._door.path or "")}
                self._connection = json.dumps(fields).encode()
            write_private(path, self._connection)
            log.warning("the connection file or the socket was gone; they were made again")
        except Exception as error:
            log.warning("the connection file or the socket is gone and cannot be made: %s", error)

    async def _take_spool_regularly(self, context: Context) -> None:
        while True:
            await self._take_spool(context)
            await asyncio.sleep(SPOOL_SECONDS)

    async def _take_spool(self, context: Context) -> None:
        taken = False
        held: set[str] = set()  # what follows a file that is tried again would be taken for the end of its session
        for path in await context.in_background(spool.waiting, self._data_dir / "spool"):
            if spool.session_of(path) in held:
                continue
            try:
                if not await context.state.take_spool(_batches(context, path)):
                    return
                path.unlink(missing_ok=True)
                taken = True
                log.info("took in %s", path.name)
            except FrameError as error:
                spool.set_aside(path, error)
            except Exception:
                held.add(spool.session_of(path))
                log.exception("%s could not be taken in; it is tried again", path.name)
        if taken:
            context.keepers.see_to_all(context.state)

    # -- end ----------------------------------------------------------------------------------------------------------

    async def _end(self, context: Context, *servers: HTTPServer) -> None:
        for server in servers:
            server.stop()
        self._remove_connection_file()
        self._door.close()
        context.state.stop(handover=self._handover)
        await asyncio.sleep(0)
        for each in list(context.sockets):
            each.close_when_written(GOING_AWAY, "the hub stops" + ("; another takes over" if self._handover else ""))
        deadline = time.monotonic() + GOODBYE_SECONDS
        while context.sockets and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        await context.thread.close()
        for server in servers:
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


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """One hub per store, also when somebody cleaned the runtime directory away, or set another one.

    Raises:
        StoreInUse: there is one.
    """
    if disk.is_network(data_dir) is not None:  # locks cannot be trusted there, and no database lies there
        yield
        return
    try:
        with FileLock(data_dir / LOCK_FILE, mode=0o600, timeout=0):
            yield
    except Timeout as error:
        raise StoreInUse(f"another hub uses the store in {data_dir}; stop that one first") from error


def _url(settings: Hub, port: int, tls: Tls | None, *, abroad: bool = False) -> str:
    """The hub's address, as programs on this machine use it, or those of others."""
    ip = settings.ip
    if ip in EVERYWHERE:
        ip = socket.gethostname() if abroad else EVERYWHERE[ip]
    return f"{'http' if tls is None else 'https'}://{_netloc(ip, port)}"


def _own_names(ip: str) -> list[str]:
    """The Host headers, without port, of a hub that listens on an address; loopback's are always known."""
    if ip not in EVERYWHERE:
        return [] if ip in LOOPBACK else [_bracketed(ip)]
    names = [socket.gethostname(), socket.getfqdn()]
    with contextlib.suppress(OSError):
        names += [_bracketed(str(found[4][0])) for found in socket.getaddrinfo(names[0], None)]
    return names


def _optional(path: str) -> Path | None:
    return Path(path).expanduser() if path else None


def _sockets(host: str, port: int) -> list[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return bind_sockets(port, host, family, backlog=512)


def _netloc(host: str, port: int) -> str:
    return f"{_bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
