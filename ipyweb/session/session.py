"""This process's session: who it is, what it shows, and its one line to the hub."""

import atexit
import contextlib
import itertools
import logging
import os
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

from ..errors import IpywebError
from ..forking import watch_forks, whole
from ..project import own_title, project_of
from ..protocol import PROTOCOL
from ..settings import Settings, own_settings
from .backlog import Receipt
from .bundle import Limits, normalise, one_line
from .client import Client
from .companions import companions
from .provenance import Provenance
from .source import Source, find_source

if TYPE_CHECKING:
    from ..config import IPyWeb
    from ..connection import Connection
    from .figures import Handover

Kind = Literal["ipython", "script", "prompt"]
GIT_PATIENCE = 0.5
"""Seconds that the end of the process waits for git to tell whether there are changes."""

log = logging.getLogger("ipyweb")


class Shown(NamedTuple):
    """What was sent: its receipt, its display id, and its MIME types."""

    receipt: Receipt
    display_id: str
    mimetypes: list[str]


class Cell:
    """One execution: a cell in IPython, the whole run in a script.

    ``clear_output`` speaks of the outputs of one execution, and what is displayed after it takes their places, so that
    a loop that clears and draws makes versions of one output.
    """

    def __init__(self, number: int | None = None, code: str | None = None) -> None:
        self.number = number
        self.code = code
        self._shown: list[str] = []
        self._places: list[str] = []
        self._clear_next = False

    def place(self, given: str | None, new: str) -> tuple[str, bool, list[str]]:
        """Where the next display goes.

        Args:
            given: the display id that the user chose, if any.
            new: a display id for it, should neither that nor a cleared place be there.

        Returns:
            The display id to use, whether it takes the place of a cleared output, and the display ids to clear before.
        """
        cleared = self._clear() if self._clear_next else []
        reuse = given is None and bool(self._places)
        display_id = given or (self._places.pop(0) if reuse else new)
        self._shown.append(display_id)
        return display_id, reuse, [each for each in cleared if each != display_id]

    def clear(self, wait: bool) -> list[str]:
        """``clear_output(wait)``: the display ids to clear now."""
        self._clear_next = wait
        return [] if wait else self._clear()

    def _clear(self) -> list[str]:
        self._clear_next = False
        self._places = [*dict.fromkeys([*self._shown, *self._places])]
        self._shown = []
        return list(self._places)


class Session:
    """One Python process's life at the hub.

    Args:
        kind: ``ipython``, ``script``, or ``prompt`` for the plain interactive interpreter.
        config: its settings.

    Attributes:
        drawn: display ids of the outputs that `ipyweb.draw` made.
    """

    def __init__(self, kind: Kind, config: "Settings | IPyWeb") -> None:
        self.id = secrets.token_hex(16)
        self.config = config
        self.cell = Cell()
        self._link_shown = False
        self._key = secrets.token_hex(32)
        self._display_ids = itertools.count(1)
        self._record: dict[str, Any] = {
            "id": self.id,
            "project": project_of(),
            "title": own_title(),
            "name": os.environ.get("IPYWEB_SESSION") or None,
            "kind": kind,
            "host": os.uname().nodename if hasattr(os, "uname") else "",
            "pid": os.getpid(),
            "python": ".".join(map(str, sys.version_info[:3])),
            "argv": list(sys.argv),
            "cwd": _cwd(),
            "started": now(),
            "private": config.private or os.environ.get("IPYWEB_STORE") == "memory",
        }
        self.drawn: set[str] = set()
        self.say: Callable[[str], None] = say
        self._provenance = Provenance(str(self._record["project"]))
        self._provenance.git()  # so that git has told of changes before the first display, if that takes a while
        self._handover: Handover | None = None
        self.client = Client(self._hello, config.queue_bytes, lambda: bool(self._record["private"]), self._connected)

    def _connected(self, connection: "Connection") -> None:
        """On the client's thread: show the pane, or say where it is."""
        from ..browser import open_pane

        try:
            outcome = open_pane(connection, project=self.project, allowed=self.config.open_browser == "auto")
        except IpywebError as error:
            log.debug("the pane could not be opened: %s", error)
            return
        if outcome.notice and not self._link_shown:
            self._link_shown = True
            self.say(outcome.notice)

    @property
    def project(self) -> str:
        return str(self._record["project"])

    @property
    def kind(self) -> Kind:
        """What runs here."""
        kind: Kind = self._record["kind"]
        return kind

    @property
    def private(self) -> bool:
        """Whether nothing of this session goes to disk."""
        return bool(self._record["private"])

    @property
    def handover(self) -> "Handover":
        """What passes figures to the figure keeper, begun when it is first asked for."""
        if self._handover is None:
            from .figures import Handover

            with whole:
                self._handover = self._handover or Handover(self)
        return self._handover

    def settle_figures(self, timeout: float = 30.0) -> None:
        """Wait until every figure shown so far is in the keeper's hands, or drawn here."""
        if self._handover is not None:
            self._handover.flush(timeout)

    @property
    def limits(self) -> Limits:
        return Limits(self.config.max_repr_bytes, self.config.mimetypes, self.config.excluded_mimetypes)

    def rename(self, name: str) -> None:
        """Give the session a name of its own."""
        self._change(name=name)

    def make_private(self) -> None:
        """From now on nothing of this session goes to disk."""
        self._change(private=True)

    def _change(self, **fields: object) -> None:
        self._record.update(fields)
        self.client.submit({"type": "session", "time": now(), "content": fields}, {})

    def publish(
        self,
        data: object,
        metadata: object = None,
        *,
        display_id: str | None = None,
        update: bool = False,
        result: bool = False,
        title: str | None = None,
        problems: tuple[str, ...] | list[str] = (),
        figure: Mapping[str, Any] | None = None,
        source: Source | None = None,
        seconds: float | None = None,
    ) -> Shown:
        """Send one MIME bundle. Never raises for bad input.

        Args:
            data: values by MIME type, as libraries make them.
            metadata: as in Jupyter messaging.
            display_id: of the output; a new one is made when left out.
            update: whether this changes an output shown before.
            result: whether it is the value of a last expression.
            title: shown with the output.
            problems: one line for each repr that raised.
            figure: which figure this shows, whose drawings come later.
            source: where it was shown; the caller's place when left out.
            seconds: how long making it took.

        Returns:
            What was sent.
        """
        bundle = normalise(data, metadata, problems, self.limits)
        if not update:
            display_id, update, cleared = self.cell.place(display_id, self._new_display_id())
            self._clear(cleared)
        kind = "update_display_data" if update else "execute_result" if result else "display_data"
        content: dict[str, Any] = {
            "metadata": bundle.metadata,
            "transient": {"display_id": display_id},
            "title": title if title is None else one_line(title),
            "source": source or self.source(),
            "problems": bundle.problems,
        }
        if figure is not None:
            content["figure"] = dict(figure)
        if seconds is not None:
            content["seconds"] = round(seconds, 4)
        parts = {**bundle.parts, **companions.of(bundle.parts)}
        receipt = self.client.submit({"type": kind, "time": now(), "content": content}, parts)
        return Shown(receipt, str(display_id), list(bundle.parts))

    def source(self) -> Source:
        """Where in the user's code this is called."""
        found = find_source(self.cell.number, self.cell.code)
        found["git"], found["versions"] = self._provenance.git(), self._provenance.versions()
        return found

    def fill(self, figure: str, parts: Mapping[str, bytes], content: Mapping[str, Any]) -> None:
        """Send what was drawn of a figure that was shown before.

        Args:
            figure: its id.
            parts: bytes by MIME type.
            content: its ``description``, ``problems`` and so on.
        """
        header = {"type": "drawn", "time": now(), "figure": figure, "content": {**content, "data": {}}}
        self.client.submit(header, parts)

    def clear_output(self, wait: bool = False) -> None:
        """Take away what the running cell has shown, now or when it shows the next thing."""
        self._clear(self.cell.clear(wait))

    def _clear(self, display_ids: list[str]) -> None:
        if display_ids:
            header = {"type": "clear_output", "time": now(), "content": {"display_ids": display_ids}}
            self.client.submit(header, {})

    def _new_display_id(self) -> str:
        return f"{self.id[:8]}-{next(self._display_ids)}"

    def _hello(self) -> dict[str, Any]:
        self._record.setdefault("script", _script(self.kind))  # by now it is known what runs
        return {"type": "hello", "protocol": PROTOCOL, "key": self._key, "session": dict(self._record)}

    # -- the end

    def end(self) -> None:
        """Hand over what is left, within the time that the settings allow, and say what became of it."""
        if self.client.closed:
            return
        if self._handover is not None:
            self._handover.close(self.config.flush_timeout)
        if not len(self.client.backlog) and not self.client.connected:
            self.client.close(0)
            return
        git = self._provenance.settle(GIT_PATIENCE)
        self.client.submit({"type": "bye", "time": now(), "content": {"git": git}}, {})
        patience = threading.Timer(1.0, self._say_waiting)
        with contextlib.suppress(RuntimeError):  # no new threads in a late phase of the shutdown
            patience.daemon = True
            patience.start()
        try:
            self.client.close(self.config.flush_timeout)
        except KeyboardInterrupt:
            say("ipyweb: not waiting any longer")
        finally:
            patience.cancel()
        self._report()

    def _say_waiting(self) -> None:
        count, seconds = len(self.client.backlog), self.config.flush_timeout
        say(f"ipyweb: waiting up to {seconds:g} s for the hub to take {count} messages (Ctrl-C ends it)")

    def _report(self) -> None:
        """One line for a log reader or a coding agent, where stderr is no terminal."""
        from ..browser import is_terminal

        if os.environ.get("IPYWEB_REPORT") == "0" or is_terminal(sys.stderr):
            return
        if stored := list(self.client.backlog.outputs):
            shown = [str(each) for each in stored]
            ids = " ".join(shown if len(shown) <= 12 else [*shown[:5], "…", *shown[-5:]])
            noun = "output" if len(stored) == 1 else "outputs"
            say(f"ipyweb: {len(stored)} {noun} stored: {ids} · ipyweb get {stored[-1]}")
        if self.client.spooled:
            say("ipyweb: no hub took the outputs in time; the next hub takes them from the spool")


_current: Session | None = None


def current(kind: Kind | None = None, config: "Settings | IPyWeb | None" = None) -> Session:
    """This process's session, begun at the first call.

    Args:
        kind: what runs here, when the caller knows.
        config: its settings, when the caller has them.
    """
    global _current
    if _current is None:
        _watch_process()
    with whole:
        if _current is None:
            _current = Session(kind or _kind(), config or own_settings())
            if _current.kind != "ipython":  # whose user sees what is shown, and can take the extension out again
                _watch_os_exit()
        return _current


def begun() -> Session | None:
    """This process's session, if it has one."""
    return _current


_watched = _is_fork = False


def _watch_process() -> None:
    global _watched
    if not _watched:
        _watched = True
        atexit.register(_end)
        watch_forks(_forked)
    if "multiprocessing.util" in sys.modules:  # its children leave by os._exit, which runs no atexit
        from multiprocessing.util import Finalize

        Finalize(None, _end, exitpriority=10)


def _watch_os_exit() -> None:
    """Let ``os._exit``, which ends a process without a word, wait for what was shown."""
    original = os._exit
    if getattr(original, "__module__", "") == __name__:
        return

    def _exit(status: int) -> NoReturn:
        try:
            _end()
        finally:
            original(status)

    os._exit = _exit


def _end() -> None:
    if _current is not None:
        _current.end()


def _forked() -> None:
    """A forked child is a session of its own; the parent's line and its unsent messages stay the parent's."""
    global _current, _is_fork
    _is_fork = True
    if _current is not None:
        _current.client.abandon()
        _current = None


def _script(kind: Kind) -> str | None:
    """The script or notebook whose execution this process is; workers that it started are none."""
    processes = sys.modules.get("multiprocessing.process")
    if kind != "script" or _is_fork or (processes is not None and processes.parent_process() is not None):
        return None
    for name in (getattr(sys.modules.get("__main__"), "__file__", None), *sys.argv[:1]):
        if isinstance(name, str) and os.path.isfile(name):
            return os.path.abspath(name)
    return None


def _kind() -> Kind:
    return "prompt" if hasattr(sys, "ps1") or sys.flags.interactive else "script"


def now() -> str:
    """The time, ISO 8601 in UTC with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def say(line: str) -> None:
    """Print a line on stderr, if there is one."""
    with contextlib.suppress(Exception):  # stderr may be closed by now
        print(line, file=sys.stderr, flush=True)
