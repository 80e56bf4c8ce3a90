"""A process's comms on their way to the hub: one socket of their own, begun when the first widget is shown.

Nothing is numbered and nothing is kept for later: after a break the hub gets every comm anew, with its state as it is
by then. So widgets that nobody shows cost no more than a dictionary.
"""

import base64
import contextlib
import hashlib
import json
import logging
import mimetypes
import os
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..comms import LONG_TEXT, MAX_EARLY, Buffer, Comms, Joiner, Message, Outbox, frames, is_custom
from ..errors import FrameError, IpywebError
from ..forking import whole
from ..protocol import PROTOCOL, read_header
from . import present
from .companions import companions
from .pump import AtPrompt, Pump
from .session import Session, current, now

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

log = logging.getLogger("ipyweb")

RETRY = (0.1, 5.0)
"""Shortest and longest pause in seconds between attempts to reach the hub."""

PATIENCE = 0.3
"""Seconds that a pane waits until the user's thread has time to take the state of widgets anew."""

LOOK = 0.5
"""Seconds for which it is taken as known of what parts models are made."""

OWN_MODULES = frozenset({"@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/output"})
"""Front-end modules that the pane itself has."""


class Wire:
    """See the module's docstring.

    Attributes:
        pump: what panes say, on its way to the user's thread.
    """

    def __init__(self) -> None:
        self.pump = Pump(self._handle, self._idle)
        self._comms = Comms()
        self._texts: dict[str, bytes] = {}
        self._modules: dict[str, dict[str, Any]] = {}
        self._defined: dict[str, bytes] = {}
        self._assets: dict[str, dict[str, Any]] = {}
        self._outbox = Outbox()
        self._early: deque[Message] | None = deque(maxlen=MAX_EARLY)
        self._old: set[str] = set()
        self._lock = threading.RLock()
        self._connected = False
        self._session: Session | None = None
        self._prompt: AtPrompt | None = None
        self._reached, self._settled = threading.Event(), threading.Event()
        self._watched: list[str] = []
        self._seen: tuple[float, set[str]] = (0.0, set())

    def publish(self, header: dict[str, Any], buffers: Sequence[Buffer] = ()) -> None:
        """Pass on what a comm says. Returns at once.

        Args:
            header: ``type``, ``comm_id`` and ``data``, as in Jupyter messaging.
            buffers: raw parts; copied, since they may be altered at once.
        """
        try:
            texts = self._long_texts(header)
            said = json.dumps({**header["data"], "state": _without(header["data"].get("state"), texts)}, default=str)
            data = json.loads(said, parse_constant=lambda name: None)  # a copy that nobody alters any more
            names = {key: hashlib.sha256(text).hexdigest() for key, text in texts.items()}
            message = Message({**header, "data": data, "texts": names}, [bytes(each) for each in buffers])
            with self._lock:
                self._intern(dict(zip(names.values(), texts.values(), strict=True)))
                self._find_modules(header["comm_id"], data.get("state") or {}, said)
                self._comms.take(message)
                self._send(message)
                if message.header["type"] == "comm_msg":
                    self._note(message.header["comm_id"])
        except (FrameError, TypeError, ValueError, RecursionError) as error:
            log.warning("ipyweb: a widget's message was left out: %s", error)

    @staticmethod
    def _long_texts(header: dict[str, Any]) -> dict[str, bytes]:
        state = header["data"].get("state") if header["type"] == "comm_open" else None
        found = {key: value for key, value in (state or {}).items() if isinstance(value, str)}
        return {key: value.encode("utf-8", "replace") for key, value in found.items() if len(value) >= LONG_TEXT}

    def _intern(self, texts: dict[str, bytes]) -> None:
        for name, text in texts.items():
            if name not in self._texts:
                self._texts[name] = text
                self._send(Message({"type": "text", "sha256": name}, [text]))

    def _find_modules(self, comm: str, state: dict[str, Any], said: str) -> None:
        named = {str(state[key]) for key in ("_model_module", "_view_module") if state.get(key)} - OWN_MODULES
        for name in named:
            known = self._modules.get(name) or self._module(name)
            scripts = dict.fromkeys([*known["scripts"], *self._bring(companions.scripts(name, said))])
            self._tell_module({**known, "scripts": list(scripts)})
        for name in named or self._modules_of(comm):
            self._bring(companions.files(name, said))

    def _modules_of(self, comm: str) -> set[str]:
        state = self._comms.state(comm)
        return {str(state.get("_model_module"))} & self._modules.keys() if state is not None else set()

    def _module(self, name: str) -> dict[str, Any]:
        """A module, after those that it depends on."""
        source = self._defined.get(name) or _module(name)
        header = _described(name, source)
        if source is not None:
            self._intern({str(header["sha256"]): source})
        self._modules[name] = {}  # one that comes back to it need not look for it again
        for each in header["needs"]:
            if each not in self._modules:
                self._tell_module(self._module(each))
        return header

    def define(self, name: str, source: bytes) -> None:
        """Take a front-end module from what was shown; it takes the place of one of that name."""
        with self._lock:
            self._defined[name] = source
            if name in self._modules:
                self._tell_module(self._module(name))

    def _tell_module(self, header: dict[str, Any]) -> None:
        if self._modules.get(header["name"]) != header:
            self._modules[header["name"]] = header
            self._send(Message(header))

    def _bring(self, files: dict[str, bytes]) -> dict[str, bytes]:
        """Send files that were not sent yet, by their names."""
        for name, content in files.items():
            if name not in self._assets:
                sha256 = hashlib.sha256(content).hexdigest()
                self._assets[name] = header = {"type": "asset", "name": name, "sha256": sha256}
                self._intern({sha256: content})
                self._send(Message(header))
        return files

    def _note(self, comm: str) -> None:
        """Something was said to or by a widget; perhaps its state is now older than what it shows."""
        if comm not in self._old and present.is_kind(comm):
            if not self._old:
                self._send(Message({"type": "old"}))
            self._old.add(comm)

    def _refresh(self) -> None:
        """Take the state of those anew of which it is known to be old."""
        with self._lock:
            old, self._old = self._old, set()
            for comm in old:
                try:
                    self._take_anew(comm)
                except Exception as error:  # such as one that is changed meanwhile
                    log.debug("the present state of widget %s cannot be had: %s", comm, error)
            self._send(Message({"type": "fresh"}))

    def _take_anew(self, comm: str) -> None:
        found = present.state_of(comm)
        if found is None:
            return
        state, paths, buffers = found
        data = {"method": "update", "state": json.loads(json.dumps(state, default=str)), "buffer_paths": paths}
        said = Message({"type": "comm_state", "comm_id": comm, "data": data}, [bytes(each) for each in buffers])
        self._comms.take(said)
        self._send(said)

    def _refresh_soon(self) -> threading.Event:
        """On the user's thread if that has time, since the user's code changes widgets on it; else on another.

        Returns:
            What is set then.
        """
        first, done = threading.Lock(), threading.Event()

        def refresh() -> None:
            if first.acquire(blocking=False):
                self._refresh()
                done.set()

        self.pump.call_later(0, refresh)
        late = threading.Timer(PATIENCE, refresh)
        late.daemon = True
        late.start()
        return done

    def _send(self, message: Message) -> None:
        if self._connected:
            self._outbox.add(message)
        elif self._early is not None and is_custom(message) and not self._comms.is_drawn_by(message):
            self._early.append(message)

    # -- panes --------------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """A widget is shown: reach the hub, and listen at the prompt if there is one."""
        with self._lock:
            if self._session is not None:
                return
            self._session = session = current()
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None and session.kind == "ipython" else None
        if shell is not None:
            self._prompt = AtPrompt(shell, self.pump)
            if getattr(shell, "simple_prompt", False):
                session.say("ipyweb: widgets answer after each command, since a simple prompt has no event loop")
        threading.Thread(target=self._run, args=(session,), name="ipyweb-comms", daemon=True).start()

    def is_watched(self, comm: str) -> bool:
        """Whether somebody looks at a model in a pane, or at one that it is a part of."""
        now = time.monotonic()
        with self._lock:
            if now - self._seen[0] > LOOK:
                self._seen = now, {each for root in self._watched for each in self._comms.reachable(root)}
            return comm in self._seen[1]

    def leave_prompt(self) -> None:
        """Listen at the prompt no longer."""
        if self._prompt is not None:
            self._prompt.end()
            self._prompt = None

    def settle(self, timeout: float) -> None:
        """Wait until the hub has all that was said, if panes may show it.

        Args:
            timeout: seconds.
        """
        session = self._session
        if session is None or not session.client.flush(timeout) or not self._reached.wait(timeout):
            return
        self._settled.clear()
        self._refresh()
        with self._lock:
            self._send(Message({"type": "settle"}))
        self._settled.wait(timeout)

    def _handle(self, message: Message) -> None:
        """On the user's thread: do what a pane says."""
        from .comms import manager

        header = message.header
        comms = manager()
        said = _jupyter(message)
        with self._lock, contextlib.suppress(FrameError):
            self._comms.take(message)
        comm = comms.comms.get(header["comm_id"])
        if header["type"] == "comm_open":
            comms.comm_open(None, None, said)  # type: ignore[arg-type]
        elif comm is not None and header["type"] == "comm_close":
            comms.comm_close(None, None, said)  # type: ignore[arg-type]
        elif comm is not None:
            comm.handle_msg(said)
            with self._lock:
                self._note(header["comm_id"])

    def _idle(self, number: str) -> None:
        with self._lock:
            self._send(Message({"type": "status", "parent": number, "execution_state": "idle"}))

    # -- the socket ---------------------------------------------------------------------------------------------------

    def _run(self, session: Session) -> None:
        with whole:
            from websockets.exceptions import WebSocketException

            from ..websocket import open_websocket
        pause = RETRY[0]
        while not session.client.closed:
            if session.client.hub is not None:
                try:
                    with open_websocket(session.client.hub, "/ws/comms/session") as socket:
                        pause = RETRY[0]
                        self._converse(socket, session)
                except (WebSocketException, IpywebError, OSError, TimeoutError, EOFError) as error:
                    log.debug("the line of the comms broke: %s", error)
            time.sleep(pause)
            pause = min(2 * pause, RETRY[1])

    def _converse(self, socket: "ClientConnection", session: Session) -> None:
        for frame in frames(Message({**session.introduction(), "type": "hello", "protocol": PROTOCOL})):
            socket.send(frame)
        if read_header(socket.recv(timeout=10))["type"] != "welcome":
            raise FrameError("expected welcome")
        if self._old:
            self._refresh_soon().wait()
        sender = threading.Thread(target=self._send_all, args=(socket,), name="ipyweb-comms-out", daemon=True)
        with self._lock:
            self._outbox.clear()
            self._connected = True
            for message in (*self._everything(), *(self._early or ())):
                self._outbox.add(message)
            self._early = None
            self._reached.set()
        sender.start()
        try:
            joiner = Joiner()
            for frame in socket:
                said = joiner.take(frame)
                if said is not None:
                    self._take(said, session)
        finally:
            with self._lock:
                self._connected = False
            self._watch([])
            with self._outbox.changed:
                self._outbox.changed.notify_all()
            socket.close()
            sender.join()

    def _everything(self) -> Iterator[Message]:
        yield Message({"type": "reset"})
        if self._old:
            yield Message({"type": "old"})
        for name, text in self._texts.items():
            yield Message({"type": "text", "sha256": name}, [text])
        for header in (*self._assets.values(), *self._modules.values()):
            yield Message(header)
        yield from self._comms.opens()
        yield from self._comms.ended()

    def _take(self, message: Message, session: Session) -> None:
        match message.header["type"]:
            case "comm_open" | "comm_msg" | "comm_close":
                self.pump.put(message)
            case "settled":
                self._settled.set()
            case "refresh":
                self._refresh_soon()
            case "watched":
                self._watch(list(map(str, message.header["comms"])))
            case "notice":
                session.say(f"ipyweb: {message.header.get('message')}")
            case other:
                log.debug("the hub sent %r, which this session does not know", other)

    def _watch(self, comms: list[str]) -> None:
        with self._lock:
            self._watched, self._seen = comms, (0.0, set())

    def _send_all(self, socket: "ClientConnection") -> None:
        try:
            while self._connected:
                with self._outbox.changed:
                    self._outbox.changed.wait_for(lambda: len(self._outbox) or not self._connected)
                message = self._outbox.take()
                for frame in frames(message) if message is not None else ():
                    socket.send(frame)
        except FrameError as error:
            log.warning("ipyweb: a widget's message was left out: %s", error)
            socket.close()
        except Exception as error:
            log.debug("sending comms broke: %s", error)
            socket.close()


def _jupyter(message: Message) -> dict[str, Any]:
    """A message as those who are called know it from Jupyter."""
    header = message.header
    content = {name: header[name] for name in ("comm_id", "target_name", "data") if name in header}
    return {
        "header": {"msg_id": header.get("msg_id"), "msg_type": header["type"], "date": now()},
        "parent_header": {},
        "metadata": header.get("metadata") or {},
        "content": content,
        "buffers": [memoryview(each) for each in message.buffers],
    }


def _without(state: Any, texts: dict[str, bytes]) -> Any:
    return {key: value for key, value in state.items() if key not in texts} if isinstance(state, dict) else state


# -- the modules of the user's own packages ---------------------------------------------------------------------------


def _module(name: str) -> bytes | None:
    """The AMD module of a front end, as packages install it for classic notebooks.

    Source: "Distributing Jupyter Extensions as Python Packages" in the documentation of notebook 6, ``nbextensions``.
    """
    for directory in _jupyter_directories():
        for each in (name, name.rpartition("/")[2]):
            with contextlib.suppress(OSError):
                return _whole(directory / "nbextensions" / each)
    return None


_BESIDE = re.compile(rb'\b[A-Za-z_$][\w$]*\.p ?\+ ?"([\w-][\w.-]*\.(?:png|svg|gif|jpe?g|woff2?|ttf))"')
"""How a module that webpack has bundled names a file beside it."""


def _whole(folder: Path) -> bytes:
    """A module with the pictures and fonts beside it; in a frame there is no other way to them."""
    return _BESIDE.sub(lambda match: _beside(folder, match), (folder / "index.js").read_bytes())


def _beside(folder: Path, match: re.Match[bytes]) -> bytes:
    """A file beside a module as an address that holds it; as it was named, where there is none."""
    name = match[1].decode()
    with contextlib.suppress(OSError):
        content = base64.b64encode((folder / name).read_bytes()).decode()
        return f'"data:{mimetypes.guess_type(name)[0]};base64,{content}"'.encode()
    return match[0]


def _jupyter_directories() -> list[Path]:
    given = [Path(each) for each in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if each]
    shared = [Path(each) / "share" / "jupyter" for each in (sys.prefix, "/usr/local", "/usr")]
    return [*given, *shared, Path.home() / ".local" / "share" / "jupyter"]


_DEFINE = re.compile(rb"""\bdefine\(\s*(?:["'][^"']*["']\s*,\s*)?\[([^\]]*)\]""")
_OWN_NAMES = OWN_MODULES | {"require", "exports", "module"}


def _described(name: str, source: bytes | None) -> dict[str, Any]:
    about: dict[str, Any] = {"type": "module", "name": name, "scripts": [], "needs": []}
    if source is not None:
        defined = _DEFINE.search(source)
        needs = re.findall(r"""["']([^"']+)["']""", defined[1].decode()) if defined else []
        needs = [re.sub(r"^nbextensions/(.+)/index$", r"\1", each) for each in needs if each not in _OWN_NAMES]
        return {**about, "sha256": hashlib.sha256(source).hexdigest(), "needs": needs}
    reason = (
        f"the package of {name} has installed no nbextensions/{name}/index.js under {sys.prefix}/share/jupyter; "
        f"install it again: python -m pip install --force-reinstall {name.rpartition('/')[2]}"
    )
    return {**about, "sha256": None, "reason": reason}


_wire: Wire | None = None


def wire() -> Wire:
    """This process's wire, made when it is first asked for."""
    global _wire
    if _wire is None:
        _wire = Wire()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_forget)
    return _wire


def settle(timeout: float) -> None:
    """Let the hub have the last state of this process's widgets, if any are shown.

    Args:
        timeout: seconds.
    """
    if _wire is not None:
        _wire.settle(timeout)


def wait(timeout: float | None = None) -> bool:
    """Let widgets answer: what is done to them in panes reaches their callbacks in this thread, until Ctrl-C.

    Errors of callbacks are printed and do not end it.

    Args:
        timeout: seconds; for ever when left out.

    Returns:
        Whether the time was over, and not interrupted.
    """
    return wire().pump.wait(timeout)


def _forget() -> None:
    global _wire
    _wire = None
