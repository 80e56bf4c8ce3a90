"""The figure keeper: ``python -P -m ipyweb.figures.keeper ENVIRONMENT``, one process per user and Python environment.

It listens for sessions before anything heavy is imported, keeps their snapshots on its shelf, lets each be loaded in an
easel of its own (see there), says so to the session, draws it, and hands the drawing to the hub. Later it draws on the
hub's request in any size and format. It goes when it was idle for long, and comes again on demand.

It draws nothing and unpickles nothing itself.
"""

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import IpywebError, KeeperUnavailable
from ..keepers import channel_dir, read_record, shelf_dir
from . import channel
from .copies import Copies, Copy
from .easel import DrawingFailed, Easel, Easels, resident
from .lanes import IDLE, NOW, SOON, Lanes, Ticket
from .line import HubLine
from .recipe import is_call
from .shelf import PRUNE_SECONDS, Shelf
from .snapshot import Buffer, Snapshot

LOCK = "keeper.lock"
LOG = "keeper.log"
MIB = 2**20
MAX_MEMORY = 512 * MIB
SPARES_FROM = 256 * MIB
"""Bound from which on some of the memory is spent on being ready for the next figure."""

IN_MEMORY = 64 * MIB
"""Bytes of snapshots that wait in memory for their turn; more wait on the shelf."""

_CGROUPS = {"": (".", "memory.max"), "memory": ("memory", "memory.limit_in_bytes")}
"""Where version 2 of control groups, which has no list of controllers, and version 1 say how much memory there is."""

TICK = 1.0
SVG_SECONDS, SVG_BYTES = 5.0, 4 * MIB
"""A figure that takes longer to draw gets no SVG in idle time; one that is larger is not kept."""

EARLY_SECONDS = 3.0
"""A pane may ask for a figure before its session has handed it over; this long the request waits."""

log = logging.getLogger("ipyweb.keeper")


@dataclass
class Kept:
    """A figure that the keeper has at hand.

    Attributes:
        snapshot: while it is in memory; otherwise it is on the shelf.
        private: whether it must not be written to disk.
        session: of which session it is, empty when that is not known any more.
        easel: the process that has it loaded, if any.
        problems: what loading it warned of.
        seconds: how long its first drawing took.
        memory: bytes that its easel took when it was last at rest.
        used: when it was last drawn, by the monotonic clock.
        busy: whether its easel is at work.
        drawn: whether its session has drawn it itself.
        staged: whether a pane has got it as it looks now.
        told: what its first drawing tells the hub besides, where that could not be known when it was shown.
        others: further figures of the same call, until they are shown.
        settled: set once it is on the shelf, or known not to be put there.
    """

    id: str
    snapshot: Snapshot | None = None
    private: bool = False
    session: str = ""
    easel: Easel | None = None
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    memory: int = 0
    used: float = 0.0
    busy: bool = False
    drawn: bool = False
    staged: bool = False
    told: dict[str, Any] = field(default_factory=dict)
    others: list[Snapshot] = field(default_factory=list)
    settled: threading.Event = field(default_factory=threading.Event)


LULL = 0.08
"""Seconds for which the processor is left to a pane that has got a drawing, until it is seen."""


class Ahead(NamedTuple):
    """A drawing that was made before anybody asked for it."""

    figure: str
    wanted: dict[str, Any]
    answer: dict[str, Any]
    data: bytes


class Keeper:
    """See the module's docstring.

    Args:
        environment: its environment id.
        settings: ``memory`` in bytes, ``idle`` and ``timeout`` in seconds, ``max_bytes`` and ``max_age`` (days) of the
            shelf; what is missing has a default.
    """

    def __init__(self, environment: str, settings: dict[str, Any]) -> None:
        self._bound = int(settings.get("memory") or memory_bound())
        self._idle = float(settings.get("idle") or 600.0)
        self._timeout = float(settings.get("timeout") or 60.0)
        self._shelf = Shelf(
            environment, int(settings.get("max_bytes") or 2**30), float(settings.get("max_age") or 30.0)
        )
        self._door = channel.Door(environment)
        self._socket = channel_dir(environment) / channel.SOCKET
        self._easels = Easels(max(2 * self._bound, MAX_MEMORY), spares=self._bound >= SPARES_FROM)
        self._lanes = Lanes(max(1, min(2, os.cpu_count() or 1)))
        self._environment = environment
        self._line = HubLine(
            environment, self._render, self._cancel, self._drop, self._resume, self._reach, self._leave
        )
        self._copies = Copies(self._soon, self._load_copy, self._keep_view, self._line.say)
        self._lock, self._telling = threading.Lock(), threading.Lock()
        self._figures: dict[str, Kept] = {}
        self._newest: dict[tuple[str, str], str] = {}
        self._requests: dict[int, Ticket] = {}
        self._early: dict[str, list[tuple[float, int, dict[str, Any]]]] = {}
        self._stage: dict[str, Any] | None = None
        self._ahead: Ahead | None = None
        self._peers: set[Connection] = set()
        self._last_use = time.monotonic()
        self._over = threading.Event()

    def run(self) -> None:
        """Serve until idle or told to stop."""
        threading.Thread(target=self._admit_for_ever, name="door", daemon=True).start()
        self._easels.begin()
        self._line.begin()
        threading.Thread(target=self._announce, name="warm", daemon=True).start()
        pruned = -PRUNE_SECONDS
        while not self._over.wait(TICK):
            self._lanes.tick()
            self._copies.tick()
            self._queue_late()
            if time.monotonic() - pruned > PRUNE_SECONDS:
                self._shelf.prune()
                pruned = time.monotonic()
            if self._is_idle() or not self._socket.exists():
                break
        self._end()

    def _is_idle(self) -> bool:
        if self._peers or self._lanes.busy or self._line.waiting or self._copies:
            self._last_use = time.monotonic()
        return time.monotonic() - self._last_use > self._idle

    def _end(self) -> None:
        self._door.close()
        self._lanes.end()
        self._copies.end()
        for kept in list(self._figures.values()):
            if kept.easel is not None:
                kept.easel.end()
        self._easels.end()

    # -- sessions -----------------------------------------------------------------------------------------------------

    def _admit_for_ever(self) -> None:
        while not self._over.is_set():
            try:
                peer = self._door.accept()
            except OSError as error:
                if self._over.is_set() or not self._socket.exists():
                    return
                log.warning("a session could not be let in: %s", error)
                time.sleep(0.1)
                continue
            threading.Thread(target=self._serve, args=(peer,), name="session", daemon=True).start()

    def _announce(self) -> None:
        """Tell the sessions that waiting is worthwhile."""
        if self._easels.await_warm():
            for peer in list(self._peers):
                self._tell(peer, {"type": "warm"})

    def _serve(self, peer: Connection) -> None:
        if not self._door.admit(peer):
            return
        self._peers.add(peer)
        try:
            self._greet(peer)
            repeated = channel.Repeated()
            while True:
                header, parts = channel.receive(peer)
                self._take(peer, header, repeated.restore(header["repeated"], parts) if "repeated" in header else parts)
        except (EOFError, OSError):
            pass
        except (ValueError, KeyError, TypeError) as error:
            log.warning("a session said something that makes no sense: %s", error)
        finally:
            self._peers.discard(peer)
            self._last_use = time.monotonic()
            peer.close()

    def _take(self, peer: Connection, header: dict[str, Any], parts: Sequence[Buffer]) -> None:
        match header["type"]:
            case "put":
                self._put(peer, header, Snapshot.of_parts(parts) if parts else None)
            case "drawn":
                for figure in header["ids"]:
                    if (kept := self._figures.get(str(figure))) is not None:
                        kept.drawn = True
            case "left":
                self._take_back([str(figure) for figure in header["ids"]])
            case "animation":
                drawn = {"text/html": bytes(parts[0])} if parts else {}
                self._line.deliver(str(header["id"]), drawn, {"problems": header["problems"]}, str(header["session"]))
                self._tell(peer, {"type": "taken"})
            case "stop":
                self._over.set()

    def _take_back(self, figures: list[str]) -> None:
        """Draw what a session was about to draw itself, and has put on the shelf instead."""
        for figure in figures:
            if (kept := self._figures.get(figure)) is not None:
                kept.drawn = False
        self._resume([(figure, False) for figure in figures])

    def _greet(self, peer: Connection) -> None:
        """Say whether waiting is worthwhile; before `_announce` says that it is now."""
        with self._telling:
            self._send(peer, {"type": "warm" if self._easels.warm.is_set() else "cold"})

    def _tell(self, peer: Connection, header: dict[str, Any]) -> None:
        with self._telling:
            self._send(peer, header)

    @staticmethod
    def _send(peer: Connection, header: dict[str, Any]) -> None:
        with contextlib.suppress(OSError, ValueError):  # one that is gone needs to hear nothing; it may have said much
            channel.send(peer, header)

    def _put(self, peer: Connection, header: dict[str, Any], snapshot: Snapshot | None) -> None:
        figure, session = str(header["id"]), str(header.get("session", ""))
        kept = Kept(figure, snapshot, bool(header.get("private")), session)
        place = (session, str(header.get("display_id")))
        self._add(kept, place)
        if snapshot is None or is_call(snapshot):  # what the call makes takes the call's place on the shelf
            self._keep(peer, kept)
        self._lanes.submit(figure, SOON, lambda: self._begin(peer, kept, place))
        with self._lock:
            early = self._early.pop(figure, [])
        for _, number, wanted in early:
            self._queue(figure, number, wanted)
        if not kept.settled.is_set():
            self._keep(peer, kept)

    def _keep(self, peer: Connection, kept: Kept) -> None:
        try:
            if not self._shelve(kept):
                return
        finally:
            kept.settled.set()
        self._tell(peer, {"type": "kept", "id": kept.id})
        with self._lock:
            waiting = sum(each.snapshot.bytes for each in self._figures.values() if each.snapshot and not each.private)
        if waiting > IN_MEMORY:
            kept.snapshot = None

    def _add(self, kept: Kept, place: tuple[str, str]) -> None:
        with self._lock:
            self._figures[kept.id] = kept
            self._newest[place] = kept.id

    def _shelve(self, kept: Kept) -> bool:
        """Put a figure's snapshot on the shelf; whether it was."""
        if kept.snapshot is None or kept.private:
            return False
        try:
            self._shelf.put(kept.snapshot)
        except OSError as error:
            log.warning("a figure could not be put on the shelf: %s", error)
            return False
        return True

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def _begin(self, peer: Connection, kept: Kept, place: tuple[str, str]) -> None:
        """Load a new figure, tell its session, draw it, and hand the drawing over."""
        if kept.drawn or self._newest.get(place) != kept.id:
            kept.settled.wait()
        if (kept.drawn or self._newest.get(place) != kept.id) and kept.id in self._shelf:
            self._tell(peer, {"type": "loaded", "id": kept.id})  # a newer one came; this one is drawn on demand
            self._forget(kept)
            return
        try:
            self._loaded(kept)
        except (DrawingFailed, IpywebError) as error:
            if not self._is_final(error):
                self._tell(peer, {"type": "failed", "id": kept.id, "error": str(error)})
            else:
                self._tell(peer, {"type": "loaded", "id": kept.id})
                self._deliver_failure(kept, error)
            self._forget(kept)
            return
        kept.settled.wait()
        self._adopt(peer, kept, place)
        self._tell(peer, {"type": "loaded", "id": kept.id})
        staged = self._draw_ahead(kept)
        self._lanes.submit(kept.id, SOON, lambda: self._first_drawing(kept), LULL if staged else 0.0)
        if not staged:
            self._weigh(kept)

    @staticmethod
    def _is_final(error: Exception) -> bool:
        """Whether the session should not try what failed here: it would fail or die of it too."""
        return isinstance(error, DrawingFailed) and (error.traceback is not None or error.died)

    def _adopt(self, peer: Connection, first: Kept, place: tuple[str, str]) -> None:
        """Show the further figures that a call made."""
        others, first.others = first.others, []
        adopted = [Kept(each.id, each, first.private, first.session) for each in others]
        for number, kept in enumerate(adopted, 2):
            self._add(kept, (place[0], f"{place[1]}-{number}"))
            self._shelve(kept)
            self._lanes.submit(kept.id, SOON, lambda kept=kept: self._first_drawing(kept))  # type: ignore[misc]
        if adopted:
            self._tell(
                peer, {"type": "made", "id": first.id, "figures": [{"id": each.id, **each.shape} for each in others]}
            )

    def _draw_ahead(self, kept: Kept) -> bool:
        """Draw what the pane that looks on is about to ask for, before it does: its stage is filled at once."""
        wanted, snapshot = self._stage, kept.snapshot
        if wanted is None or kept.staged or snapshot is None or not snapshot.head["default_size"]:
            return False
        if self._ahead is not None:  # nobody asked for the one before
            self._stage = self._ahead = None
            return False
        with contextlib.suppress(DrawingFailed, IpywebError):  # the first drawing says what is wrong
            self._ahead = Ahead(kept.id, wanted, *self._draw(kept, wanted))
        return self._ahead is not None

    def _first_drawing(self, kept: Kept) -> None:
        try:
            answer, png = self._draw(kept, {"mime": "image/png", "describe": True})
        except (DrawingFailed, IpywebError) as error:
            self._deliver_failure(kept, error)
            self._weigh(kept)
            return
        kept.seconds = float(answer["seconds"])
        description = str(answer["description"])
        parts = {"image/png": png, "text/plain": description.encode()}
        content = {
            "description": description,
            "seconds": kept.seconds,
            "problems": list(kept.problems),
            **kept.told,
        }
        self._deliver(kept, parts, content)
        self._weigh(kept)
        if kept.seconds <= SVG_SECONDS:
            self._lanes.submit(kept.id, IDLE, lambda: self._svg(kept))
        if not kept.private and kept.id in self._shelf:
            kept.snapshot = None

    def _deliver_failure(self, kept: Kept, error: Exception) -> None:
        notice = f"This figure could not be drawn: {error}"
        text = getattr(error, "traceback", None) or notice
        self._deliver(kept, {"text/plain": str(text).encode()}, {"problems": [notice], "failed": True})

    def _svg(self, kept: Kept) -> None:
        """For the day when this environment is gone."""
        with contextlib.suppress(DrawingFailed, IpywebError):
            _, svg = self._draw(kept, {"mime": "image/svg+xml", "light": True})
            if len(svg) <= SVG_BYTES:
                self._deliver(kept, {"image/svg+xml": svg}, {})
        self._weigh(kept)

    def _deliver(self, kept: Kept, parts: dict[str, bytes], content: dict[str, Any]) -> None:
        self._line.deliver(kept.id, parts, content, kept.session)

    def _render(self, number: int, wanted: dict[str, Any]) -> None:
        """The hub asks for a drawing."""
        self._last_use = time.monotonic()
        figure = str(wanted.pop("figure"))
        if fills_stage(wanted):
            self._stage = wanted
        with self._lock:
            if figure not in self._figures and figure not in self._shelf:
                self._early.setdefault(figure, []).append((time.monotonic() + EARLY_SECONDS, number, wanted))
                return
        self._queue(figure, number, wanted)

    def _queue(self, figure: str, number: int, wanted: dict[str, Any]) -> None:
        self._requests[number] = self._lanes.submit(figure, NOW, lambda: self._answer(number, figure, wanted))

    def _queue_late(self) -> None:
        """Let requests fail whose figures do not come."""
        with self._lock:
            late = [each for each, waiting in self._early.items() if waiting[0][0] < time.monotonic()]
            requests = [(figure, *request[1:]) for figure in late for request in self._early.pop(figure)]
        for figure, number, wanted in requests:
            self._queue(figure, number, wanted)

    def _resume(self, figures: list[tuple[str, bool]]) -> None:
        """Draw what an earlier keeper took from sessions and could not draw any more."""
        for figure, connected in figures:
            with self._lock:
                if figure in self._figures:
                    continue
                kept = self._figures[figure] = Kept(figure)
            if figure in self._shelf:
                self._lanes.submit(figure, SOON, lambda kept=kept: self._first_drawing(kept))  # type: ignore[misc]
                continue
            self._forget(kept)
            if not connected:
                self._deliver_failure(kept, KeeperUnavailable("its session ended before it was in safe hands"))

    def _drop(self, figures: list[str]) -> None:
        """No output shows these any more, so nobody is to have them."""
        for figure in figures:
            self._shelf.drop(figure)
            with self._lock:
                kept = self._figures.pop(figure, None)
                self._newest = {place: each for place, each in self._newest.items() if each != figure}
            if self._ahead is not None and self._ahead.figure == figure:
                self._ahead = None
            if kept is not None and (easel := kept.easel) is not None:
                easel.end()

    def _cancel(self, number: int) -> None:
        ticket = self._requests.pop(number, None)
        if ticket is not None:
            self._lanes.cancel(ticket)

    def _answer(self, number: int, figure: str, wanted: dict[str, Any]) -> None:
        self._requests.pop(number, None)
        with self._lock:
            kept = self._figures.setdefault(figure, Kept(figure))
        ahead, self._ahead = self._ahead, None
        try:
            kept.staged |= wanted == self._stage
            if ahead is not None and (ahead.figure, ahead.wanted) == (kept.id, wanted):
                answer, data = ahead.answer, ahead.data
            else:
                answer, data = self._draw(kept, wanted)
        except (DrawingFailed, IpywebError) as error:
            self._line.refuse(number, str(error))
            self._forget(kept, only_without_easel=True)
        else:
            self._line.answer(
                number, data, {"seconds": answer.get("seconds"), "description": answer.get("description")}
            )
            self._lanes.submit(kept.id, NOW, lambda: self._weigh(kept), LULL)  # before what is asked after it: memory

    # -- copies that panes reach into ---------------------------------------------------------------------------------

    def _reach(self, header: Mapping[str, Any]) -> None:
        self._last_use = time.monotonic()
        self._copies.hear(header)

    def _leave(self) -> None:
        """The hub is gone."""
        self._copies.end()

    def _soon(self, figure: str, job: Callable[[], None]) -> None:
        self._lanes.submit(figure, NOW, job)

    def _load_copy(self, figure: str) -> Easel:
        """An easel with a figure, for one pane alone."""
        kept = self._figures.get(figure) or Kept(figure)
        snapshot = kept.snapshot or self._shelf.get(figure)
        if is_call(snapshot):  # what it makes is the figure
            with self._lock:
                kept = self._figures.setdefault(figure, kept)
            self._loaded(kept)
            snapshot = kept.snapshot or self._shelf.get(figure)
        easel = self._easels.new()
        try:
            easel.load(snapshot, self._timeout)
        except DrawingFailed:
            easel.end()
            raise
        return easel

    def _keep_view(self, copy: Copy, snapshot: Snapshot) -> dict[str, Any]:
        """Keep a copy as it stands as a figure of its own, and draw it; how a message names it."""
        kept = Kept(snapshot.id, snapshot, copy.private, copy.session)
        self._add(kept, (copy.session, snapshot.id))
        self._shelve(kept)
        kept.settled.set()
        self._lanes.submit(kept.id, SOON, lambda: self._first_drawing(kept))
        return {"id": kept.id, "keeper": self._environment, **snapshot.shape}

    # -- easels -------------------------------------------------------------------------------------------------------

    def _draw(self, kept: Kept, wanted: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        kept.busy = True
        try:
            easel = self._loaded(kept)
            return easel.draw(wanted, self._timeout)
        finally:
            kept.busy, kept.used, self._last_use = False, time.monotonic(), time.monotonic()
            if kept.easel is not None and not kept.easel.alive:
                kept.easel = None

    def _loaded(self, kept: Kept) -> Easel:
        """The figure's easel, made now if it has none."""
        if kept.easel is not None and kept.easel.alive:
            return kept.easel
        snapshot = kept.snapshot or self._shelf.get(kept.id)
        easel = self._easels.new()
        try:
            loaded = easel.load(snapshot, self._timeout)
        except DrawingFailed:
            easel.end()
            raise
        kept.easel, kept.problems, kept.used = easel, tuple(loaded.problems), time.monotonic()
        if loaded.made:  # from now on it is the figure, not the call
            first, *kept.others = loaded.made
            kept.snapshot, kept.told = first._replace(id=kept.id), first.shape
            self._shelve(kept)
        self._easels.share(loaded.imported)
        return easel

    def _weigh(self, kept: Kept) -> None:
        """Look how much memory a figure takes, and end the easels not used for longest until the rest fits.

        Looking and ending take the kernel some milliseconds, so they come after whoever waits for the drawing has it.
        """
        if (easel := kept.easel) is not None:
            kept.memory = easel.memory()
            self._remember(kept, easel)
        with self._lock:
            held = sorted((each for each in self._figures.values() if each.easel), key=lambda each: -each.used)
        taken = resident(os.getpid()) + self._easels.memory() + self._copies.memory()
        for each in held:
            taken += each.memory
            if taken > self._bound and not each.busy and (easel := each.easel) is not None:
                each.easel = None
                easel.end()
                self._forget(each)

    def _remember(self, kept: Kept, easel: Easel) -> None:
        """Know a figure again that was forgotten while more was to be drawn of it; its easel counts too."""
        with self._lock:
            known = self._figures.setdefault(kept.id, kept)
        if known is not kept:
            kept.easel = None
            easel.end()

    def _forget(self, kept: Kept, only_without_easel: bool = False) -> None:
        """Forget a figure that is on the shelf; a private one is remembered as long as there is room for it."""
        with self._lock:
            if only_without_easel and kept.easel is not None:
                return
            if not kept.private and self._figures.get(kept.id) is kept:
                del self._figures[kept.id]
                self._newest = {place: each for place, each in self._newest.items() if each != kept.id}


def fills_stage(wanted: Mapping[str, Any]) -> bool:
    """Whether this is the drawing that a pane asks for to fill its stage, and will ask for of the next figure too."""
    return wanted["mime"] == "image/png" and wanted.keys() - {"dpi", "margins"} == {"mime", "width", "height"}


def memory_bound(root: Path = Path("/")) -> int:
    """Bytes for all figures in memory: 512 MiB, or a tenth of what this control group may have.

    Args:
        root: of the file system. https://man7.org/linux/man-pages/man7/cgroups.7.html says what lies where.
    """
    limits = [MAX_MEMORY]
    for file in _limit_files(root):
        with contextlib.suppress(OSError, ValueError):  # "max" is no number
            limits.append(int(file.read_text()) // 10)
    return max(64 * MIB, min(limits))


def _limit_files(root: Path) -> list[Path]:
    """Where it may stand how much memory this control group may have."""
    try:
        groups = [line.split(":", 2) for line in (root / "proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return []
    found = []
    for _, controllers, own in groups:
        for mount, name in (_CGROUPS[each] for each in controllers.split(",") if each in _CGROUPS):
            mounted = root / "sys/fs/cgroup" / mount
            found += [mounted / own.lstrip("/") / name, mounted / name]
    return found


def main(environment: str) -> None:
    """Be the keeper of an environment, unless there is one; say ``listening`` on stdout either way, once that is true.

    Whoever started us reads that line; the keeper itself goes on as a child of init.
    """
    os.umask(0o077)
    try:
        settings = read_record(environment)["settings"]
        descriptor = _lock(channel_dir(environment) / LOCK)
        if descriptor is None:
            print("listening", flush=True)
            return
        keeper = Keeper(environment, settings)
    except (IpywebError, OSError) as error:
        print(" ".join(str(error).split()), flush=True)
        sys.exit(1)
    if os.fork():
        print("listening", flush=True)
        os._exit(0)
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_RDWR)
        for each in (1, 2):
            os.dup2(null, each)
    _be_humble()
    _begin_log(environment)
    keeper.run()
    os._exit(0)  # lanes may wait for easels


def _lock(path: Path) -> int | None:
    """Hold the keeper's lock for as long as this process lives; ``None`` when another keeper does."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + 2.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if (path.parent / channel.SOCKET).exists() or time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(0.01)  # it is about to listen, or to go
        else:
            return descriptor


def _be_humble() -> None:
    with contextlib.suppress(OSError):
        os.nice(10)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800")


def _begin_log(environment: str) -> None:
    from logging.handlers import RotatingFileHandler

    with contextlib.suppress(OSError, KeeperUnavailable):
        handler = RotatingFileHandler(shelf_dir(environment) / LOG, maxBytes=256 * 1024, backupCount=1)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        log.setLevel("INFO")


if __name__ == "__main__":
    main(sys.argv[1])
