"""A figure as bytes, with what else its drawing depends on; and back.

A snapshot is taken in the user's thread and costs about what pickling costs: it never draws and never alters the
figure. It is a pickle, or a cloudpickle where the figure refers to ``__main__`` or to what only that can carry. Large
arrays go beside the pickle (PEP 574), so that they are copied once.

What a pickle leaves out goes along: the rcParams that differ from matplotlib's defaults (they count again when a figure
is drawn), the fonts added at run time, ``sys.path`` and the working directory (for modules that lie beside the script).

Only `load` unpickles. It runs in the keeper, which takes bytes from nobody but its own user, and in the user's process.
"""

import contextlib
import gc
import io
import json
import os
import pickle
import secrets
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import NotPicklable
from ..forking import in_each_fork
from .reducing import OUT_OF_BAND, PROTOCOL, reducers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DEFAULT_COLORMAP = "image.cmap"
_COLORMAP = "ipyweb.colormap"
"""Beside rcParams: the default colormap itself, where it is none of matplotlib's own."""

_RECTANGLE_STEPS = "ipyweb.rectangle_steps"
"""Beside rcParams: into how many pieces each side of a rectangle is cut where it may be bent, in polar axes. All
rectangles share one path that no pickle holds, and ``Axes.bar`` changes it."""

NOT_DRAWN = frozenset(
    {
        "animation.convert_args",
        "animation.ffmpeg_path",
        "backend",
        "backend_fallback",
        "figure.hooks",
        "figure.max_open_warning",
        "interactive",
        "savefig.bbox",
        "savefig.directory",
        "savefig.dpi",
        "savefig.format",
        "toolbar",
    }
)
"""rcParams that say nothing about a drawing of ours, or would change the size that was asked for."""

Buffer = bytes | bytearray | memoryview


class Snapshot(NamedTuple):
    """A figure at one moment.

    Attributes:
        id: 32 hexadecimal digits, never used twice.
        head: what is known without unpickling: ``size`` in inches, ``dpi``, ``default_size`` (whether it is
            matplotlib's default), ``sys_path``, ``cwd``, ``fonts`` (files added at run time), ``cloud``, and of a call
            (see `recipe`) ``function``, the SHA-256 of the last buffer.
        pickle: the pickle of the figure and its rcParams.
        buffers: the arrays beside it.
    """

    id: str
    head: Mapping[str, Any]
    pickle: bytes
    buffers: Sequence[Buffer]

    @property
    def bytes(self) -> int:
        """How much memory it takes, about."""
        return len(self.pickle) + sum(map(len, self.buffers)) + 1024

    @property
    def pixels(self) -> list[int]:
        """Width and height in pixels at its own size and dpi."""
        return [round(inches * self.head["dpi"]) for inches in self.head["size"]]

    @property
    def shape(self) -> dict[str, Any]:
        """Its size, as a message says it."""
        return {"size": self.pixels, **{name: self.head[name] for name in ("dpi", "default_size")}}

    def parts(self) -> list[Buffer]:
        """As bytes: the head as JSON, the pickle, the buffers."""
        return [json.dumps({**self.head, "id": self.id}).encode(), self.pickle, *self.buffers]

    @classmethod
    def of_parts(cls, parts: Sequence[Buffer]) -> "Snapshot":
        """Put together what `parts` took apart.

        Raises:
            ValueError: these are no parts of a snapshot.
        """
        if len(parts) < 2:
            raise ValueError(f"expected a head and a pickle, got {len(parts)} parts")
        head = json.loads(bytes(parts[0]))
        return cls(str(head.pop("id")), head, bytes(parts[1]), list(parts[2:]))


# -- taking -----------------------------------------------------------------------------------------------------------


def take(figure: "Figure") -> Snapshot:
    """A snapshot of `figure`, which stays as it is.

    Raises:
        NotPicklable: it holds something that cannot be pickled, such as an open file or a lock, or functions of the
            user's own take part in drawing it.
    """
    if _draws_itself(figure):
        raise NotPicklable("its own draw_event handlers take part in drawing it")
    size = [float(each) for each in figure.get_size_inches()]
    return pack(figure, type(figure), size, float(getattr(figure, "_original_dpi", figure.dpi)))


def _draws_itself(figure: "Figure") -> bool:
    """Whether others than matplotlib listen to its drawing; they go with no pickle."""
    listeners = getattr(getattr(figure, "_canvas_callbacks", None), "callbacks", {}).get("draw_event", {})
    functions = [listener() for listener in list(listeners.values())]
    modules = [str(getattr(each, "__module__", "")) for each in functions if each is not None]
    return not all(each.startswith("matplotlib.") for each in modules)


def pack(what: object, figure_type: type | None, size: list[float] | None = None, dpi: float = 100.0) -> Snapshot:
    """A snapshot of something that `load` gives back.

    Args:
        what: a figure, or what makes one.
        figure_type: the class of the figure in it, if there is one.
        size: in inches; matplotlib's default when left out.
        dpi: pixels per inch.

    Raises:
        NotPicklable: it holds something that cannot be pickled.
    """
    cloud, data, buffers = _pickled((what, _changed_params()), figure_type)
    default_size = _default_size()
    head = {
        "size": size or default_size,
        "dpi": dpi,
        "default_size": size is None or size == default_size,
        "sys_path": [each for each in sys.path if isinstance(each, str)],
        "cwd": _cwd(),
        "fonts": _added_fonts(),
        "cloud": cloud,
    }
    return Snapshot(secrets.token_hex(16), head, data, buffers)


def _pickled(what: object, figure_type: type | None) -> tuple[bool, bytes, list[Buffer]]:
    try:
        data, buffers = _dump(pickle.Pickler, figure_type, what)
        if b"__main__" not in data:
            return False, data, buffers
    except Exception:  # anything at all, from any object that the figure refers to
        data = b""
    try:
        from cloudpickle import CloudPickler

        return True, *_dump(CloudPickler, figure_type, what)
    except Exception as error:
        raise NotPicklable(f"{type(error).__name__}: {error}") from error


def _dump(kind: Any, figure_type: type | None, what: object) -> tuple[bytes, list[Buffer]]:
    stream = io.BytesIO()
    buffers: list[Buffer] = []

    def beside(buffer: pickle.PickleBuffer) -> bool:
        """Take a copy, since the user goes on with the array; true means that it stays in the pickle."""
        with buffer.raw() as raw:
            if raw.nbytes <= OUT_OF_BAND:
                return True
            buffers.append(bytes(raw))
        return False

    pickler = kind(stream, protocol=PROTOCOL, buffer_callback=beside)
    pickler.dispatch_table = reducers(kind, figure_type)  # no ChainMap: it is asked for every object
    with _without_collection():
        pickler.dump(what)
    return stream.getvalue(), buffers


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Let no garbage be collected meanwhile: pickling makes none, but so many objects that all would be looked at."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _changed_params() -> dict[str, Any]:
    """The rcParams that differ from matplotlib's defaults, without asking for the backend, which would choose one."""
    import matplotlib

    default: Any = matplotlib.rcParamsDefault
    get = dict.get
    changed: dict[str, Any] = {}
    for name, value in dict.items(matplotlib.rcParams):
        known = get(default, name)
        if value is not known and name not in NOT_DRAWN and _differ(value, known):
            changed[name] = value
    builtin = getattr(matplotlib.colormaps, "_builtin_cmaps", ())
    if _DEFAULT_COLORMAP in changed and changed[_DEFAULT_COLORMAP] not in builtin:
        changed[_COLORMAP] = matplotlib.colormaps.get(changed[_DEFAULT_COLORMAP])
    if (steps := _rectangle_steps()) > 1:
        changed[_RECTANGLE_STEPS] = steps
    return changed


def _rectangle_steps() -> int:
    from matplotlib.path import Path

    return int(getattr(Path.unit_rectangle(), "_interpolation_steps", 1))


def _bend_rectangles(params: dict[str, Any]) -> None:
    """Cut the sides of rectangles as finely as the script did."""
    steps = params.pop(_RECTANGLE_STEPS, 1)
    if steps > _rectangle_steps():
        from matplotlib.path import Path

        rectangle: Any = Path.unit_rectangle()
        rectangle._interpolation_steps = steps


def _register_colormap(params: dict[str, Any]) -> None:
    """Make the default colormap known, where the script itself had registered it."""
    colormap = params.pop(_COLORMAP, None)
    if colormap is None:
        return
    import matplotlib

    if params[_DEFAULT_COLORMAP] not in matplotlib.colormaps:
        matplotlib.colormaps.register(colormap, name=params[_DEFAULT_COLORMAP])


def _differ(a: object, b: object) -> bool:
    try:
        return bool(a != b)
    except Exception:  # cycles of arrays cannot be compared
        return True


def _default_size() -> list[float]:
    import matplotlib

    return [float(each) for each in matplotlib.rcParamsDefault["figure.figsize"]]


_fonts: tuple[int, int, list[str]] = (0, 0, [])


def _added_fonts() -> list[str]:
    """Files of fonts that lie in no directory where every process of this user finds them."""
    global _fonts
    module = sys.modules.get("matplotlib.font_manager")
    if module is None:
        return []
    manager = module.fontManager
    if _fonts[:2] != (id(manager), len(manager.ttflist)):
        known = tuple(os.path.join(str(each), "") for each in _font_directories(module))
        names = dict.fromkeys(os.path.abspath(entry.fname) for entry in manager.ttflist)
        _fonts = (id(manager), len(manager.ttflist), [name for name in names if not name.startswith(known)])
    return list(_fonts[2])


def _font_directories(module: Any) -> list[str]:
    import matplotlib

    lists = ("X11FontDirectories", "OSXFontDirectories", "MSUserFontDirectories")
    return [matplotlib.get_data_path(), *(each for name in lists for each in getattr(module, name, ()))]


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


# -- loading ----------------------------------------------------------------------------------------------------------


class Loaded(NamedTuple):
    """What `load` gives back: the figure, the rcParams to draw it with, and the warnings that loading gave."""

    figure: "Figure"
    params: dict[str, Any]
    problems: list[str]


_unpickling = threading.Lock()
in_each_fork(lambda: _unpickling._at_fork_reinit())  # type: ignore[attr-defined]


def load(snapshot: Snapshot, enter: bool = False) -> Loaded:
    """The figure again, as an object of its own that pyplot does not know.

    Args:
        enter: whether this process takes over the snapshot's working directory and ``sys.path``; only for a process
            that serves this one figure.

    Raises:
        Exception: whatever unpickling raises.
    """
    if enter:
        _enter(snapshot.head)
    with _unpickling, warnings.catch_warnings(record=True) as said:  # the list of filters is the whole process's
        warnings.simplefilter("always")
        with _finding(snapshot.head):
            figure, params = pickle.loads(snapshot.pickle, buffers=[_writable(each) for each in snapshot.buffers])
            _register_colormap(params)
            _bend_rectangles(params)
    return Loaded(figure, params, [f"loading the figure: {each.category.__name__}: {each.message}" for each in said])


def _writable(buffer: Buffer) -> Buffer | bytearray:
    """numpy makes arrays over read-only bytes read-only, which some artists do not survive."""
    return bytearray(buffer)


def _enter(head: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.chdir(head["cwd"])
    sys.path[:] = [*head["sys_path"], *(each for each in sys.path if each not in head["sys_path"])]
    add_fonts(head["fonts"])


@contextlib.contextmanager
def _finding(head: Mapping[str, Any]) -> Iterator[None]:
    """While it is entered, modules are also found where the snapshot's process found them."""
    missing = [each for each in head["sys_path"] if each not in sys.path]
    sys.path.extend(missing)
    try:
        yield
    finally:
        for each in missing:
            with contextlib.suppress(ValueError):
                sys.path.remove(each)


def add_fonts(files: Sequence[str]) -> None:
    """Make fonts known to matplotlib, those that are there and not yet known."""
    if not files:
        return
    from matplotlib.font_manager import fontManager

    known = {os.path.abspath(entry.fname) for entry in fontManager.ttflist}
    for name in files:
        if name not in known:
            with contextlib.suppress(Exception):  # the file went away, or is no font
                fontManager.addfont(name)


def is_figure(obj: object) -> bool:
    """Whether an object is a matplotlib figure, without importing matplotlib to know."""
    module = sys.modules.get("matplotlib.figure")
    kind: Callable[..., Any] | None = getattr(module, "Figure", None)
    return isinstance(kind, type) and isinstance(obj, kind)
