"""This process's session: who it is, what it shows, and its one line to the hub."""

import atexit
import contextlib
import itertools
import logging
import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

from ..errors import IpywebError
from ..forking import watch_forks, whole
from ..project import own_title, project_of
from ..protocol import PROTOCOL, WIDGET_VIEW
from ..settings import Settings, own_settings
from .backlog import Receipt
from .bundle import Bundle, Limits, normalise, one_line
from .captured import Captured, active
from .client import Client
from .companions import companions
from .place import Place, is_first, label, own_place
from .provenance import Provenance
from .source import Source, find_source

if TYPE_CHECKING:
    from ..config import IPyWeb
    from ..connection import Connection
    from .cluster import Task
    from .figures import Handover

Kind = Literal["ipython", "script", "prompt"]
GIT_PATIENCE = 0.5
"""Seconds that the end of the process waits for git to tell whether there are changes."""

LAST_WORDS = 1.0
"""Seconds that a hub has after Ctrl-C to take what is on the way."""

NO_LONGER = "ipyweb: not waiting any longer"

log = logging.getLogger("ipyweb")


class Shown(NamedTuple):
    """What was sent: its receipt, its display id, its MIME types, and which figure it shows, if a keeper has that."""

    receipt: Receipt
    display_id: str
    mimetypes: list[str]
    figure: str | None = None


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
        say: prints a line for the user.
        on_shown: called with what was sent, and whether it changes an output shown before.
        place: where this process stands among those launched with it.
        silence: why nothing is shown here, if so.
    """

    def __init__(self, kind: Kind, config: "Settings | IPyWeb") -> None:
        self.id = secrets.token_hex(16)
        self.config = config
        self.cell = Cell()
        self._link_shown = False
        self._key = secrets.token_hex(32)
        self._display_ids = itertools.count(1)
        self.place = told.place or own_place()
        self._record: dict[str, Any] = {
            "id": self.id,
            "project": told.project or project_of(),
            "title": own_title(label(self.place), told.argv),
            "name": _own_name(self.place),
            "kind": kind,
            "host": os.uname().nodename if hasattr(os, "uname") else "",
            "pid": os.getpid(),
            "python": ".".join(map(str, sys.version_info[:3])),
            "argv": list(sys.argv),
            "cwd": _cwd(),
            "started": now(),
            "private": told.private or config.private or os.environ.get("IPYWEB_STORE") == "memory",
            "place": self.place,
        }
        self.silence = _silence(self.place, config)
        self._silence_told = False
        self.drawn: set[str] = set()
        self.say: Callable[[str], None] = say
        self.on_shown: Callable[[Shown, bool], None] = lambda shown, update: None
        self._provenance = Provenance(str(self._record["project"]))
        self._provenance.git()  # so that git has told of changes before the first display, if that takes a while
        self._handover: Handover | None = None
        self.client = Client(self._hello, config.queue_bytes, lambda: bool(self._record["private"]), self._connected)

    def _connected(self, connection: "Connection") -> None:
        """On the client's thread: show the pane, or say where it is."""
        from ..browser import open_pane
        from ..connection import given

        if given() is not None:  # nobody sits at this machine
            return
        try:
            outcome = open_pane(connection, project=self.project, allowed=self.config.open_browser == "auto")
        except IpywebError as error:
            log.debug("the pane could not be opened: %s", error)
            return
        quiet = told.place is not None or not is_first(self.place)  # the program, or the first rank, says it
        if outcome.notice and not self._link_shown and not quiet:
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
        if self.silence is not None:
            return self.not_shown(display_id)
        bundle = normalise(data, metadata, problems, self.limits)
        if (captured := active()) is not None:
            return _captured(captured, bundle, display_id or self._new_display_id(), update, result)
        task = find_task()
        if task is not None:
            display_id = display_id and task.display_id(display_id)
        if not update:
            cell, new = (self.cell, self._new_display_id()) if task is None else (task.cell, task.new_display_id())
            display_id, update, cleared = cell.place(display_id, new)
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
        kept = _without_dead_views(bundle.parts)
        parts = {**kept, **companions.of(kept)}
        receipt = self.client.submit({"type": kind, "time": now(), "content": content}, parts)
        if WIDGET_VIEW in parts:
            _show_widgets()
        elif (defined := _DEFINES.match(kept.get("application/javascript", b""))) is not None:
            _define(defined["name"].decode(), kept["application/javascript"])
        shown = Shown(receipt, str(display_id), list(kept))
        self.on_shown(shown, update)
        return shown

    def source(self) -> Source:
        """Where in the user's code this is called."""
        found = find_source(self.cell.number, self.cell.code)
        found["git"], found["versions"] = self._provenance.git(), self._provenance.versions()
        if (task := find_task()) is not None:
            found["task"] = task.record
        return found

    def not_shown(self, display_id: str | None = None) -> Shown:
        """What is returned for something that this process does not show, and says so once."""
        if not self._silence_told:
            self._silence_told = True
            self.say(f"ipyweb: {self.silence}")
        receipt = Receipt()
        receipt.status, receipt.error = "failed", self.silence
        return Shown(receipt, display_id or self._new_display_id(), [])

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
        if (captured := active()) is not None:
            captured.clear(wait)
            return
        task = find_task()
        self._clear((self.cell if task is None else task.cell).clear(wait))

    def _clear(self, display_ids: list[str]) -> None:
        if display_ids:
            header = {"type": "clear_output", "time": now(), "content": {"display_ids": display_ids}}
            self.client.submit(header, {})

    def _new_display_id(self) -> str:
        return f"{self.id[:8]}-{next(self._display_ids)}"

    def _hello(self) -> dict[str, Any]:
        self._record.setdefault("script", _script(self.kind))  # by now it is known what runs
        return {"type": "hello", "protocol": PROTOCOL, "key": self._key, "session": dict(self._record)}

    def introduction(self) -> dict[str, Any]:
        """What proves on another socket that this session speaks."""
        return {"session": self.id, "key": self._key}

    # -- the end

    def end(self) -> None:
        """Hand over what is left, within the time that the settings allow, and say what became of it."""
        if self.client.closed:
            return
        timeout = self.config.flush_timeout
        try:
            self._finish(timeout)
        except KeyboardInterrupt:
            say(NO_LONGER)
            timeout = min(timeout, LAST_WORDS)
        except Exception:
            log.exception("ipyweb: something unexpected happened at the end of the session")
        if not len(self.client.backlog) and not self.client.connected:
            self.client.close(0)
            return
        self._say_bye(timeout)
        self._report()

    def _finish(self, timeout: float) -> None:
        """Wait for figures, widgets and git.

        Raises:
            KeyboardInterrupt: somebody waits no longer; nothing shown is lost.
        """
        if self._handover is not None:
            self._handover.close(timeout)
        if len(self.client.backlog) or self.client.connected:
            _settle_widgets(timeout)
            self._provenance.settle(GIT_PATIENCE)

    def _say_bye(self, timeout: float) -> None:
        self.client.submit({"type": "bye", "time": now(), "content": {"git": self._provenance.settle(0)}}, {})
        patience = threading.Timer(1.0, self._say_waiting)
        with contextlib.suppress(RuntimeError):  # no new threads in a late phase of the shutdown
            patience.daemon = True
            patience.start()
        try:
            self.client.close(timeout)
        except KeyboardInterrupt:
            say(NO_LONGER)
        finally:
            patience.cancel()

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


class Told(NamedTuple):
    """What a cluster tells this process about itself, which it cannot know.

    Attributes:
        place: which worker it is.
        project: of the program that it works for; `argv` is that of it.
        private: whether nothing of it goes to disk.
    """

    place: Place | None = None
    project: str | None = None
    argv: list[str] | None = None
    private: bool = False


told = Told()


def find_task() -> "Task | None":
    """The task of a cluster that this thread is at work on, if any."""
    return _find_task()


def _no_task() -> None:
    return None


_find_task: "Callable[[], Task | None]" = _no_task


def work_for(about: Told, task: "Callable[[], Task | None]") -> None:
    """From now on this process works for a cluster; its session, if it has none yet, is the worker's.

    Args:
        task: finds the task that the calling thread is at work on; it never raises.
    """
    global told, _find_task
    told, _find_task = about, task


def work_for_nobody() -> None:
    """Take back `work_for`."""
    work_for(Told(), _no_task)


def _silence(place: Place | None, config: "Settings | IPyWeb") -> str | None:
    """Why nothing is shown at this place, if so."""
    given = os.environ.get("IPYWEB_RANKS", "")
    if given not in ("", "all", "first"):
        log.warning("ipyweb: IPYWEB_RANKS is not used: expected all or first, got %r", given)
        given = ""
    if is_first(place) or (given or config.ranks) == "all":
        return None
    return f"{label(place)} shows nothing, since only rank 0 does; IPYWEB_RANKS=all lets all show"


def _without_dead_views(parts: dict[str, bytes]) -> dict[str, bytes]:
    """A bundle without the view of a widget that panes cannot reach, since a kernel has its comm."""
    module = sys.modules.get(f"{__package__}.comms")
    if WIDGET_VIEW not in parts or len(parts) == 1 or (module is not None and module.carried()):
        return parts
    return {mime: part for mime, part in parts.items() if mime != WIDGET_VIEW}


def _show_widgets() -> None:
    """Let panes reach the widgets of this process."""
    from .wire import wire

    wire().show()


_DEFINES = re.compile(rb"""(?:\s|//[^\n]*\n|require(?:js)?\.undef\([^)]*\);?)*define\(\s*["'](?P<name>[^"']+)["']""")
"""How a text begins that defines an AMD module, as notebooks have them in ``%%javascript``; see ``javascript.ts``."""


def _define(name: str, source: bytes) -> None:
    """Let widgets have a front-end module that a notebook brings."""
    from .wire import wire

    wire().define(name, source)


def _settle_widgets(timeout: float) -> None:
    """Let the hub have the last state of what panes show of them."""
    module = sys.modules.get(f"{__package__}.wire")
    if module is not None:
        module.settle(timeout)


def _captured(captured: Captured, bundle: Bundle, display_id: str, update: bool, result: bool) -> Shown:
    """Show something in the widget that captures what is shown."""
    captured.display(bundle, display_id, update, result)
    receipt = Receipt()
    receipt.status = "stored"
    return Shown(receipt, display_id, list(bundle.parts))


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
            if _current.place is not None and os.name == "posix":
                from .termination import watch

                watch(_end)
            if _current.kind != "ipython":  # whose user sees what is shown, and can take the extension out again
                _watch_os_exit()
        return _current


def end_session() -> None:
    """End this process's session as the end of the process would. What is displayed later begins another."""
    global _current
    if _current is not None:
        _current.end()
        _current = None


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
    """The script or notebook whose execution this process is; workers are none, and of ranks only the first."""
    place = told.place or own_place()
    if kind != "script" or _is_fork or not is_first(place) or (place is not None and "worker" in place):
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


def _own_name(place: Place | None) -> str | None:
    """The name that the environment gives; all ranks of a job have the same environment."""
    given = os.environ.get("IPYWEB_SESSION")
    return " · ".join(filter(None, (given, label(place)))) if given else None


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def say(line: str) -> None:
    """Print a line on stderr, if there is one."""
    with contextlib.suppress(Exception):  # stderr may be closed by now
        print(line, file=sys.stderr, flush=True)
