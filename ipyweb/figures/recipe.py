"""A function and its data instead of figures: whoever needs the figures calls the function.

A *call* is a snapshot like others, but what it holds is a `Recipe`, and its last buffer is the function, as bytes of
cloudpickle, which is the same for many calls and so crosses to the keeper once.
"""

import contextlib
import hashlib
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .owner import figure_of
from .snapshot import Snapshot, load, pack

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FunctionFailed(Exception):
    """A function made no figures; the text is its traceback."""


class Recipe:
    """Stands for the figures that a function makes of its arguments.

    Args:
        data: the arguments.
        name: the function's.
    """

    def __init__(self, data: Sequence[Any], name: str) -> None:
        self._data = data
        self._name = name

    def make(self, function: Callable[..., Any]) -> list["Figure"]:
        """The figures that the function returns or leaves in pyplot, which forgets them.

        Raises:
            FunctionFailed: it raised, or there are none.
        """
        before = _pyplot_figures()
        try:
            returned = list(_figures_of(function(*self._data)))
            made = [figure for number, figure in _pyplot_figures().items() if figure is not before.get(number)]
            figures = returned + [each for each in made if not any(each is other for other in returned)]
            if not figures:
                raise ValueError(f"expected {self._name} to return or make a figure, got none")
            return figures
        except (Exception, SystemExit) as error:
            lines = traceback.format_exception(error)
            raise FunctionFailed("".join([lines[0], *lines[2:]])) from error  # without the line above, which is ours
        finally:
            _forget_all_but(before)


class Called(NamedTuple):
    """What a call made, and the warnings that loading it gave."""

    figures: list["Figure"]
    problems: list[str]


def take_call(function: bytes, data: Sequence[Any], name: str) -> Snapshot:
    """A snapshot of a call.

    Args:
        function: as bytes of cloudpickle.
        data: its arguments.
        name: its name.

    Raises:
        NotPicklable: the arguments cannot be pickled.
    """
    packed = pack(Recipe(data, name), None)
    head = {**packed.head, "function": hashlib.sha256(function).hexdigest()}
    return packed._replace(head=head, buffers=[*packed.buffers, function])


def is_call(snapshot: Snapshot) -> bool:
    """Whether a snapshot is a call."""
    return "function" in snapshot.head


@contextlib.contextmanager
def called(snapshot: Snapshot, enter: bool = False) -> Iterator[Called]:
    """Make the figures of a call. While it is entered, the rcParams are those of the call.

    Args:
        enter: as for `snapshot.load`.

    Raises:
        FunctionFailed: the function raised, or made no figure.
        Exception: whatever unpickling raises.
    """
    import matplotlib

    loaded = load(snapshot, enter)
    recipe: Any = loaded.figure
    function: Callable[..., Any] = pickle.loads(snapshot.buffers[-1])
    rc: Any = matplotlib.rcParams
    with matplotlib.rc_context():
        for name, value in loaded.params.items():
            with contextlib.suppress(Exception):  # a parameter of another version
                rc[name] = value
        yield Called(recipe.make(function), loaded.problems)


def _figures_of(returned: Any) -> Iterator["Figure"]:
    if isinstance(returned, Mapping):
        returned = list(returned.values())
    if isinstance(returned, (list, tuple)):
        yield from dict.fromkeys(figure for each in returned for figure in _figures_of(each))
    elif (figure := figure_of(returned)) is not None:
        yield figure


def _pyplot_figures() -> dict[int, "Figure"]:
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    return {} if helpers is None else {number: each.canvas.figure for number, each in helpers.Gcf.figs.items()}


def _forget_all_but(before: Mapping[int, "Figure"]) -> None:
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    for number, figure in _pyplot_figures().items():
        if helpers is not None and figure is not before.get(number):
            del helpers.Gcf.figs[number]
