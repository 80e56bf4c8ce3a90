"""`functions`: functions with parameters become forms with their plot beside them, each in a card."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from .display import display, ready

T = TypeVar("T")
PREFIX = "plot_"
"""How the names of the functions begin that a module or an object is looked through for."""

_STARTS: dict[Any, Any] = {bool: False, int: 0, float: 0.0, str: ""}
"""By type, what a parameter begins with that has no default."""


def functions(target: T) -> T:
    """Show functions as cards: a form for the parameters, the plot, and how often it is drawn anew.

    ::

        ipyweb.functions(my_module)  # all its plot_* functions


        @ipyweb.functions
        def spectrum(window: Literal["hann", "flat"] = "hann", size: int = 512): ...

    The controls are those of ``ipywidgets.interactive``, made of each parameter's default or type. What a function
    prints, shows and raises is in its card.

    Args:
        target: a function, or a module or an object whose functions or methods named ``plot_*`` are meant.

    Returns:
        The target, so that this is a decorator too.

    Raises:
        ValueError: there is no such function, or a parameter has neither a default nor a type that a control fits.
        ModuleNotFoundError: ipywidgets is not installed.
    """
    from ipywidgets import VBox

    found: list[Callable[..., Any]] = [target] if inspect.isroutine(target) else list(_plots(target))
    if not found:
        raise ValueError(f"expected a function, or something with functions named {PREFIX}*, got {target!r:.80}")
    starts = [dict(_parameters(each)) for each in found]
    ready()  # forms call their functions as soon as they are made
    cards = [_card(each, start) for each, start in zip(found, starts, strict=True)]
    display(VBox(cards), title=_title(target))
    return target


def _plots(owner: Any) -> Iterator[Callable[..., Any]]:
    for name, value in inspect.getmembers(owner, callable):
        if name.startswith(PREFIX):
            yield value


def _title(target: Any) -> str:
    return str(getattr(target, "__name__", type(target).__name__)).rpartition(".")[2]


def _card(function: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    """The widget of one function."""
    from ipywidgets import HTML, BoundedFloatText, HBox, Layout, VBox, interactive

    form = interactive(function, {"auto_display": True}, **parameters)
    every = BoundedFloatText(0, min=0, max=86_400, step=1, description="Every (s)", layout=Layout(width="180px"))
    Refresh(form.update, every)
    controls = VBox([*form.kwargs_widgets, every])
    words = (inspect.getdoc(function) or "").partition("\n")[0]
    title = HTML(f"<b>{_escaped(_title(function).removeprefix(PREFIX))}</b> {_escaped(words)}")
    return VBox(
        [title, HBox([controls, form.out])], layout=Layout(border="1px solid #8884", padding="8px", margin="4px")
    )


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


def _parameters(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """What `interactive` cannot know from a default: choices, and a beginning for parameters that have a type only."""
    hints = get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name)
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if get_origin(hint) is Literal:
            yield name, _choice(list(get_args(hint)), parameter.default)
        elif parameter.default is parameter.empty and hint in _STARTS:
            yield name, _STARTS[hint]
        elif parameter.default is parameter.empty:
            raise ValueError(
                f"expected a default or a type of {name} of {_title(function)}: bool, int, float, str, Literal"
            )


def _choice(options: list[Any], default: Any) -> Any:
    from ipywidgets import Dropdown

    return Dropdown(options=options, value=default if default in options else options[0])


class Refresh:
    """Calls a function again and again, on the user's thread, as often as a control says.

    Args:
        call: the function.
        every: the control; 0 seconds is never.
    """

    def __init__(self, call: Callable[[], Any], every: Any) -> None:
        self._call = call
        self._every = every
        self._number = 0
        every.observe(lambda change: self._begin_anew(), "value")

    def _begin_anew(self) -> None:
        self._number += 1
        self._later(self._number)

    def _later(self, number: int) -> None:
        from .wire import wire

        if self._every.value > 0:
            wire().pump.call_later(float(self._every.value), lambda: self._again(number))

    def _again(self, number: int) -> None:
        if number != self._number:  # it was set anew meanwhile
            return
        try:
            self._call()
        finally:
            self._later(number)
