"""Processes that hold one figure each, forked from a template that has matplotlib loaded and warm.

``python -P -m ipyweb.figures.easel FD`` is the template: it imports matplotlib, draws one small figure so that fonts
are open, and then forks an *easel* whenever the keeper asks. An easel has one figure, as bytes and unpickled; each
drawing uses an unpickled copy up, and the next is made while nobody waits. So a figure whose loading or drawing raises,
hangs, crashes or eats memory harms no other, and a figure costs little memory beyond its own.

The first drawing of a fresh fork is slow, since it copies the pages of memory that it touches. So in quiet moments the
template has a *spare* easel rehearse, which then serves the next figure.

`Easels` and `Easel` are the keeper's side.
"""

import contextlib
import gc
import itertools
import json
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import KeeperUnavailable
from .channel import receive, send
from .snapshot import Buffer, Snapshot

PRELOADED = (
    "ipyweb.figures.recipe",
    "mpl_toolkits.mplot3d.axes3d",
    "matplotlib.backends.backend_svg",
    "matplotlib.dates",
    "ctypes",
    *(f"PIL.{name}ImagePlugin" for name in ("Bmp", "Gif", "Jpeg", "Ppm")),  # PIL wants them whatever it saves
)
"""What the template imports once it has answered, since every figure or many need it."""

SHARED = ("matplotlib", "mpl_toolkits", "pandas.plotting", "seaborn")
"""Packages that the template may import when a figure needed them, so that the next such figure loads at once."""

RESTED = 0.25
"""Seconds without a request after which the template has a spare rehearse."""

PAUSE = 0.05
"""Seconds of quiet after which an easel prepares for the next drawing."""

_PID = struct.Struct(">q")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "agg"}

_ROOM = 64 * 2**20
"""Bytes that a spare asks the kernel for before anybody waits; what a drawing leaves of them is given back."""

_ONE_HEAP = {name: str(2 * _ROOM) for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")}
"""Lets glibc keep that room, where it would return what is freed at once; other C libraries know nothing of it."""


class DrawingFailed(Exception):
    """A figure could not be loaded or drawn; the text says why.

    Attributes:
        traceback: that of the function which should have made it, if it was one that failed.
        died: whether the process died of it, or had to be ended.
    """

    def __init__(self, reason: str, traceback: str | None = None, died: bool = False) -> None:
        super().__init__(reason)
        self.traceback = traceback
        self.died = died


class Loaded(NamedTuple):
    """What came of loading a figure.

    Attributes:
        problems: one line for each warning.
        imported: the modules that were imported for it.
        made: of a call, snapshots of the figures that it made; the easel has the first one.
    """

    problems: list[str]
    imported: list[str]
    made: list[Snapshot]


class Easel:
    """One process with one figure, as the keeper sees it.

    Args:
        pid: of the process, which leads a process group.
        pipe: to it.
    """

    def __init__(self, pid: int, pipe: Connection) -> None:
        self.pid = pid
        self._pipe = pipe
        self._ended = False

    def load(self, snapshot: Snapshot, timeout: float) -> Loaded:
        """Unpickle the figure, or call the function that makes it.

        Args:
            timeout: seconds.

        Raises:
            DrawingFailed: it cannot be loaded.
        """
        answer, parts = self._ask({"op": "load"}, snapshot.parts(), timeout, "loaded")
        rest = iter(parts)
        made = [Snapshot.of_parts(list(itertools.islice(rest, count))) for count in answer["made"]]
        return Loaded(list(answer["problems"]), list(answer["imported"]), made)

    def draw(self, wanted: Mapping[str, Any], timeout: float) -> tuple[dict[str, Any], bytes]:
        """Draw a copy of the figure.

        Args:
            wanted: as `drawing.Spec` takes it; with ``describe``, what the figure says in words comes too.
            timeout: seconds.

        Raises:
            DrawingFailed: it cannot be drawn.
        """
        answer, parts = self._ask({"op": "draw", "wanted": dict(wanted)}, [], timeout, "drawn")
        return answer, bytes(parts[0])

    def reach(self, wanted: Mapping[str, Any]) -> Connection:
        """Let a pane reach into the figure from now on, over the pipe that is returned; see `reach`.

        Args:
            wanted: ``width`` and ``height`` in pixels, and ``dpi``.

        Raises:
            OSError: the process is gone.
        """
        send(self._pipe, {"op": "reach", "wanted": dict(wanted)})
        return self._pipe

    def _ask(
        self, header: dict[str, Any], parts: Any, timeout: float, what: str
    ) -> tuple[dict[str, Any], list[bytearray]]:
        try:
            send(self._pipe, header, parts)
            if not self._pipe.poll(timeout):
                self.end()
                raise DrawingFailed(f"it was not {what} within {timeout:g} s", died=True)
            answer, found = receive(self._pipe)
        except (OSError, EOFError, ValueError) as error:
            self.end()
            raise DrawingFailed("its process crashed, or needed too much memory", died=True) from error
        if "error" in answer:
            raise DrawingFailed(str(answer["error"]), answer.get("traceback"))
        return answer, found

    @property
    def alive(self) -> bool:
        return not self._ended

    def memory(self) -> int:
        """Bytes that are its own, not shared with the template."""
        try:
            text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        except OSError:
            return 40 * 2**20
        return 1024 * sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))

    def end(self) -> None:
        """End the process, and its drawing if there is one."""
        if self._ended:
            return
        self.kill()
        self._pipe.close()

    def kill(self) -> None:
        """End the process, and leave its pipe to whoever reads from it."""
        self._ended = True
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)


def resident(pid: int) -> int:
    """Bytes of memory that a process has, those shared with others too."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 40 * 2**20


class Easels:
    """Makes easels.

    Args:
        max_memory: bytes that one easel and its drawing may have.
        spares: whether one more is kept ready, which takes `_ROOM` and more.
    """

    def __init__(self, max_memory: int, spares: bool = True) -> None:
        self._max_memory = max_memory
        self._spares = spares
        self._lock = threading.Lock()
        self._shared: set[str] = set()
        self._template: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self.warm = threading.Event()

    def begin(self) -> None:
        """Start the template; it warms up by itself."""
        ours, theirs = socket.socketpair()
        environ = {**os.environ, **_ONE_THREAD, **_ONE_HEAP}
        numbers = theirs.fileno(), self._max_memory, int(self._spares)
        command = [sys.executable, "-P", "-m", __name__, *map(str, numbers)]
        with theirs:
            self._template = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], env=environ, stdin=subprocess.DEVNULL
            )
        self._control = ours

    def await_warm(self, timeout: float = 120.0) -> bool:
        """Wait until the template has matplotlib; false when it died over it."""
        with self._lock:
            return self._await_warm(timeout)

    def _await_warm(self, timeout: float) -> bool:
        if self.warm.is_set():
            return True
        assert self._control is not None
        self._control.settimeout(timeout)
        with contextlib.suppress(OSError):
            if self._control.recv(1) == b"w":
                self.warm.set()
        return self.warm.is_set()

    def new(self) -> Easel:
        """A fresh easel.

        Raises:
            KeeperUnavailable: none can be had.
        """
        with self._lock:
            for _ in range(2):
                with contextlib.suppress(OSError, EOFError):
                    return self._fork()
                self.end()
                self.begin()
        raise KeeperUnavailable("no process can be started to draw figures in; is matplotlib broken here?")

    def _fork(self) -> Easel:
        if self._control is None:
            self.begin()
        if not self._await_warm(120.0):
            raise EOFError
        assert self._control is not None
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b'{"op":"fork"}'], [theirs.fileno()])
        self._control.settimeout(30.0)
        answer = self._control.recv(_PID.size, socket.MSG_WAITALL)
        if len(answer) < _PID.size:
            ours.close()
            raise EOFError
        return Easel(_PID.unpack(answer)[0], Connection(ours.detach()))

    def share(self, modules: list[str]) -> None:
        """Let the template import what a figure needed, if it is of the kind that many need."""
        wanted = [name for name in modules if name.startswith(SHARED) and name not in self._shared]
        if not wanted:
            return
        self._shared.update(wanted)
        with self._lock, contextlib.suppress(OSError):
            if self._control is not None and self.warm.is_set():
                self._control.sendall(json.dumps({"op": "import", "modules": wanted[:200]}).encode())
                self._control.settimeout(30.0)
                self._control.recv(1)

    def memory(self) -> int:
        """Bytes of the template and its spare."""
        template = self._template
        return resident(template.pid) + (_ROOM if self._spares else 0) if template is not None else 0

    def end(self) -> None:
        """End the template. Easels live on until they are ended."""
        if self._control is not None:
            self._control.close()
        if self._template is not None:
            self._template.kill()
            self._template.wait()
        self._template = self._control = None
        self.warm.clear()


# -- the template -----------------------------------------------------------------------------------------------------


class Template:
    """The process that easels are forked from.

    Args:
        control: to the keeper.
        max_memory: bytes that one easel may have.
        spares: whether one more is kept ready.
    """

    def __init__(self, control: socket.socket, max_memory: int, spares: bool) -> None:
        self._control = control
        self._max_memory = max_memory
        self._spares = spares
        self._spare: tuple[int, socket.socket] | None = None
        self._rehearsal = b""
        self._has_preloaded = False

    def run(self) -> None:
        """Be the template until the keeper is gone."""
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # easels are reaped by the kernel
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._rehearsal = _warm_up()
        self._control.sendall(b"w")
        while True:
            self._control.settimeout(None if self._is_rested() else RESTED)
            try:
                data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 1)
            except TimeoutError:
                self._rest()
                continue
            if not data:
                return
            self._obey(json.loads(data), descriptors)

    def _obey(self, request: Mapping[str, Any], descriptors: list[int]) -> None:
        if request["op"] == "fork":
            pid = self._take_spare(descriptors[0]) or self._fork(lambda: descriptors[0])
            os.close(descriptors[0])
            self._control.sendall(_PID.pack(pid))
        else:
            self._end_spare()  # it has none of the modules
            _import(request["modules"])
            self._control.sendall(b"i")

    def _is_rested(self) -> bool:
        return self._has_preloaded and (self._spare is not None or not self._spares)

    def _rest(self) -> None:
        """Do what makes the next figure faster."""
        if not self._has_preloaded:
            self._has_preloaded = True
            _import(PRELOADED)
            return
        ours, theirs = socket.socketpair()
        with theirs:
            self._spare = self._fork(lambda: self._rehearse(theirs, ours)), ours

    def _fork(self, pipe: Callable[[], int]) -> int:
        """Fork an easel, which finds out for itself what its pipe is."""
        gc.freeze()  # a collection in the easel would touch, and so copy, all that is here
        pid = os.fork()
        if pid:
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)
            return pid
        try:
            self._control.close()
            os.setpgid(0, 0)
            _limit(self._max_memory)
            _be_easel(Connection(pipe()))
        except BaseException:
            os._exit(1)
        os._exit(0)

    def _rehearse(self, waiting: socket.socket, template: socket.socket) -> int:
        """In the spare: draw, then wait for the pipe to the keeper."""
        template.close()
        _draw_once(pickle.loads(self._rehearsal))
        bytearray(_ROOM)  # touched by clearing it, and left to the heap
        _, descriptors, _, _ = socket.recv_fds(waiting, 1, 1)
        waiting.close()
        return descriptors[0]

    def _take_spare(self, descriptor: int) -> int:
        """Give the spare a pipe; its pid, 0 if there is none that lives."""
        if self._spare is None:
            return 0
        (pid, waiting), self._spare = self._spare, None
        with waiting, contextlib.suppress(OSError):
            socket.send_fds(waiting, [b"p"], [descriptor])
            return pid
        return 0

    def _end_spare(self) -> None:
        if self._spare is not None:
            self._spare[1].close()
            self._spare = None


def _warm_up() -> bytes:
    """Import matplotlib, and draw what opens its fonts and fills its caches; returns the pickled figure."""
    from matplotlib.figure import Figure

    from . import describe

    figure = Figure()
    axes = figure.subplots()
    axes.plot([0.0, 1.0], [-1.5, 1.5], "o-", label="$x$")
    axes.scatter([0.2, 0.4], [0.1, 0.3], c=[1.0, 2.0])
    axes.imshow([[0.0, 1.0], [1.0, 0.0]], extent=(0.0, 0.1, 0.0, 0.1), aspect="auto")
    axes.set_title("Title 0123456789")
    axes.set_xlabel("label")
    axes.legend()
    data = pickle.dumps(figure)
    _draw_once(figure)
    describe.describe(figure)
    return data


def _draw_once(figure: Any) -> None:
    from .drawing import Spec, draw

    draw(figure, Spec(width=(640, "px"), height=(480, "px")), {})


def _give_back() -> None:
    """Return to the kernel what a drawing has left free."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def _import(modules: Any) -> None:
    from importlib import import_module

    for name in modules:
        with contextlib.suppress(Exception):
            import_module(name)


# -- an easel ---------------------------------------------------------------------------------------------------------


def _be_easel(pipe: Connection) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    figure = _Figure()
    while True:
        try:
            if not pipe.poll(PAUSE):
                figure.rest()
                _give_back()
            header, parts = receive(pipe)
        except (EOFError, OSError):
            return
        match header["op"]:
            case "load":
                send(pipe, *figure.load(Snapshot.of_parts(parts)))
            case "draw":
                send(pipe, *figure.draw(header["wanted"]))
            case "reach":
                _be_reached(pipe, figure, header["wanted"])
                return


def _be_reached(pipe: Connection, figure: "_Figure", wanted: dict[str, Any]) -> None:
    try:
        from .reach import serve

        serve(pipe, figure.prepare(), wanted)
    except (EOFError, OSError):
        return
    except BaseException as error:
        with contextlib.suppress(OSError):
            send(pipe, {"op": "failed", "error": _words(error)})


class _Figure:
    """The figure of this process: as bytes, and as an object that was not drawn yet."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._fresh: Any = None

    def load(self, snapshot: Snapshot) -> tuple[dict[str, Any], list[Buffer]]:
        before = {*sys.modules}
        from .recipe import FunctionFailed, is_call

        try:
            problems, made = self._call(snapshot) if is_call(snapshot) else self._load(snapshot)
        except FunctionFailed as error:
            text = str(error)
            return {"error": text.strip().rpartition("\n")[2], "traceback": text}, []
        except BaseException as error:
            return {"error": _words(error)}, []
        parts = [each.parts() for each in made]
        imported = [name for name in sys.modules if name not in before]
        answer = {"problems": problems, "imported": imported, "made": [len(each) for each in parts]}
        return answer, [part for each in parts for part in each]

    def _load(self, snapshot: Snapshot) -> tuple[list[str], list[Snapshot]]:
        from .snapshot import load

        self._fresh = load(snapshot, enter=True)
        self._snapshot = snapshot
        return self._fresh.problems, []

    def _call(self, snapshot: Snapshot) -> tuple[list[str], list[Snapshot]]:
        """Call the function, once: from now on there is only what it made."""
        from .recipe import called
        from .snapshot import take

        with called(snapshot, enter=True) as made:
            snapshots = [take(each) for each in made.figures]
        self._snapshot = snapshots[0]
        return made.problems, snapshots

    def prepare(self) -> Any:
        """Unpickle once more, since drawing alters a figure; best while nobody waits."""
        from .snapshot import load

        if self._fresh is None and self._snapshot is not None:
            self._fresh = load(self._snapshot)
        return self._fresh

    def rest(self) -> None:
        """Do what would make the next drawing wait."""
        from .drawing import make_ticks

        if (loaded := self.prepare()) is not None:
            make_ticks(loaded.figure, loaded.params)

    def draw(self, wanted: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        from . import describe
        from .drawing import Spec, draw

        try:
            loaded, self._fresh = self.prepare(), None
            if wanted.get("mime") == "text/csv":
                return {}, [describe.csv(loaded.figure).encode()]
            start = time.perf_counter()
            spec = Spec.of(wanted)._replace(light=bool(wanted.get("light")))
            data = draw(loaded.figure, spec, loaded.params)
            answer: dict[str, Any] = {"seconds": time.perf_counter() - start}
            if wanted.get("describe"):
                answer["description"] = describe.describe(loaded.figure)
            return answer, [data]
        except BaseException as error:
            return {"error": _words(error)}, []


def _limit(max_memory: int) -> None:
    """What eats memory goes first, and alone."""
    import resource

    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (max_memory, max_memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _words(error: BaseException) -> str:
    import traceback

    if isinstance(error, MemoryError):
        return "MemoryError: it needs more memory than a figure may have here"
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].name}, line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


if __name__ == "__main__":
    descriptor, memory, spares = map(int, sys.argv[1:])
    Template(socket.socket(fileno=descriptor), memory, bool(spares)).run()
