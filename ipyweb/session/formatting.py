"""Object → MIME data, by IPython's own formatters, but quiet and frugal.

The steps and their order are those of ``IPython.core.formatters.DisplayFormatter.format``. What differs: a repr that
raises costs one line, the types that a terminal leaves out are made as well, and one raster image is enough.
"""

from collections.abc import Callable, Collection
from time import perf_counter
from types import TracebackType
from typing import Any, NamedTuple

from IPython.core.formatters import BaseFormatter, DisplayFormatter
from IPython.utils.dir2 import get_real_method

from .bundle import one_line

ONE_OF = {"image/jpeg": "image/png"}
"""A type that is not made when the other is there: a PIL image would be encoded twice."""


class Formatted(NamedTuple):
    """What the formatters made of an object.

    Attributes:
        data: values by MIME type; empty when the object displayed itself.
        metadata: by MIME type.
        problems: one line for each repr that raised.
        terminal: the MIME types that IPython would have made for its terminal by itself.
        seconds: how long making them took.
    """

    data: dict[str, Any]
    metadata: dict[str, Any]
    problems: list[str]
    terminal: frozenset[str] = frozenset()
    seconds: float | None = None


class Made(dict[str, Any]):
    """Data by MIME type as IPython would have made it for its terminal, and behind it what the pane gets.

    Whoever asks the shell's formatter, finds what is there without us. It is true when there is anything for the pane,
    be it only the news that all reprs raised.

    Attributes:
        pane: data by MIME type, all of it.
        problems: one line for each repr that raised.
        seconds: how long making them took.
        silent: whether it is not for the pane.
        figure: the matplotlib figure that this stands for, which is shown from a snapshot.
    """

    def __init__(self, made: Formatted, silent: bool, figure: object = None) -> None:
        super().__init__({mime: value for mime, value in made.data.items() if mime in made.terminal})
        self.pane = made.data
        self.problems = made.problems
        self.seconds = made.seconds
        self.silent = silent
        self.figure = figure

    @classmethod
    def of_figure(cls, figure: object) -> "Made":
        """What stands for a matplotlib figure, whose drawing is not made here."""
        return cls(Formatted({"text/plain": repr(figure)}, {}, [], frozenset({"text/plain"})), False, figure)

    def __bool__(self) -> bool:
        return bool(self.pane or self.problems)


def pane_data(data: Any) -> Any:
    """What the pane gets of data by MIME type, which somebody else may have made."""
    return data.pane if isinstance(data, Made) else data


class Failures:
    """Calls reprs, and notes those that raise.

    Args:
        loud: called with type, value and traceback for the reprs that a terminal shows the traceback of.
    """

    def __init__(self, loud: Callable[[Any], object] | None) -> None:
        self.lines: list[str] = []
        self._loud = loud

    def call(self, what: str, function: Callable[..., Any], *args: Any, terminal: bool = False, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except NotImplementedError:  # a repr's way to say "not this one"
            return None
        except Exception as error:
            self.lines.append(f"{what}: {type(error).__name__}: {one_line(error)}")
            if terminal and self._loud is not None:
                self._loud((type(error), error, _beyond_this_module(error.__traceback__)))
            return None


def format_object(
    formatter: DisplayFormatter | None,
    obj: object,
    include: Collection[str] | None = None,
    exclude: Collection[str] | None = None,
    loud: Callable[[Any], object] | None = None,
) -> Formatted:
    """Make all representations of `obj`.

    Args:
        formatter: whose registered printers are asked.
        include: MIME types to make; all when empty.
        exclude: MIME types not to make.
        loud: shows a traceback, for what the terminal itself would have shown one of.
    """
    assert formatter is not None  # a shell has none only while it is being made
    begun = perf_counter()
    failures = Failures(loud)
    if failures.call("_ipython_display_", _unwrapped(formatter.ipython_display_formatter), obj, terminal=True):
        return Formatted({}, {}, failures.lines)
    made = failures.call(
        "_repr_mimebundle_",
        _unwrapped(formatter.mimebundle_formatter),
        obj,
        include=include,
        exclude=exclude,
        terminal=True,
    )
    data, metadata = _pair(made, failures.lines)

    def wanted(mime: str) -> bool:
        return (not include or mime in include) and not (exclude and mime in exclude)

    terminal = set(data)
    data = {mime: value for mime, value in pane_data(data).items() if wanted(mime)}
    for mime, each in formatter.formatters.items():
        registered = _is_registered(each, obj)
        if not wanted(mime) or ((mime in data or ONE_OF.get(mime) in data) and not registered):
            continue
        value = failures.call(mime, _representation, each, obj, terminal=each.enabled)
        if isinstance(value, tuple) and len(value) == 2:
            value, metadata[mime] = value
        if value is not None:
            data[mime] = value
            terminal |= {mime} if each.enabled else set()
    return Formatted(data, metadata, failures.lines, frozenset(terminal), perf_counter() - begun)


def _beyond_this_module(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback without our frames at its head; IPython's traceback leaves out IPython's."""
    while traceback is not None and traceback.tb_frame.f_globals is globals():
        traceback = traceback.tb_next
    return traceback


def _unwrapped(formatter: Any) -> Callable[..., Any]:
    """A formatter's call without IPython's `catch_format_error`, which prints the traceback."""
    call = type(formatter).__call__
    call = getattr(call, "__wrapped__", call)
    return lambda *args, **kwargs: call(formatter, *args, **kwargs)


def _representation(formatter: BaseFormatter, obj: object) -> Any:
    if formatter.enabled:
        return _unwrapped(formatter)(obj)
    try:
        printer = formatter.lookup(obj)
    except KeyError:
        method = get_real_method(obj, formatter.print_method)
        return None if method is None else method()
    return printer(obj)


def _is_registered(formatter: BaseFormatter, obj: object) -> bool:
    try:
        formatter.lookup(obj)
    except KeyError:
        return False
    return True


def _pair(made: object, problems: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    data, metadata = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if data is not None and not isinstance(data, dict):
        problems.append(f"_repr_mimebundle_: expected a dict, got {type(data).__name__}")
        data = None
    return data or {}, dict(metadata) if isinstance(metadata, dict) else {}
