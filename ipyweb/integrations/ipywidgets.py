"""ipywidgets: widgets are shown alive, with a still picture of them for where nothing is alive any more."""

import base64
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from ..protocol import WIDGET_VIEW
from . import chain, replace

_WIDGET = "ipywidgets.widgets.widget.Widget"
_NOTICE = "This is a picture of the widget; it does not answer."


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Give widgets a still picture of themselves, and let panes make some."""
    import ipywidgets
    from ipywidgets.widgets import interaction

    ipywidgets.register_comm_target()

    bundles = shell.display_formatter.mimebundle_formatter
    bundles.for_type(_WIDGET, _bundle)

    def undo() -> None:
        bundles.pop(_WIDGET, None)

    return chain(
        undo,
        replace(interaction, "show_inline_matplotlib_plots", _show_plots(interaction.show_inline_matplotlib_plots)),
    )


def _show_plots(otherwise: Callable[[], None]) -> Callable[[], None]:
    """What ``interactive`` calls after each run, where figures of ours are to be shown in its ``Output``."""

    def show_plots() -> None:
        from ..session import captured, pyplot

        if captured.active() is not None:
            pyplot.show_captured()
        otherwise()

    return show_plots


def _bundle(widget: Any, include: object = None, exclude: object = None) -> dict[str, Any]:
    made = widget._repr_mimebundle_() or {}
    data = made[0] if isinstance(made, tuple) else made
    if set(data) > {"text/plain", WIDGET_VIEW}:  # such as a picture, in which a matplotlib canvas comes
        return dict(data)
    return {**data, "text/html": f"{_html(widget)}<p><small>{_NOTICE}</small></p>"}


def _html(widget: Any) -> str:
    draw = _DRAWN.get(str(widget._model_name), _any)
    return draw(widget)


def _any(widget: Any) -> str:
    if not hasattr(widget, "value"):
        return f'<pre style="white-space: pre-wrap">{escape(repr(widget))}</pre>'
    return _labelled(widget, f"<code>{escape(str(widget.value))}</code>")


def _labelled(widget: Any, control: str) -> str:
    return f"<p><label>{escape(str(getattr(widget, 'description', '') or ''))} {control}</label></p>"


def _raw(widget: Any) -> str:
    return f"<div>{widget.value}</div>"


def _range(widget: Any) -> str:
    control = f'<input type="range" disabled min="{widget.min}" max="{widget.max}" value="{widget.value}">'
    return _labelled(widget, f"{control} {escape(str(widget.value))}")


def _progress(widget: Any) -> str:
    return _labelled(
        widget, f'<progress max="{widget.max - widget.min}" value="{widget.value - widget.min}"></progress>'
    )


def _button(widget: Any) -> str:
    return f"<p><button disabled>{escape(widget.description)}</button></p>"


def _checkbox(widget: Any) -> str:
    return _labelled(widget, f'<input type="checkbox" disabled{" checked" if widget.value else ""}>')


def _select(widget: Any) -> str:
    chosen = list(widget.index) if isinstance(widget.index, Iterable) else [widget.index]
    options = (
        f"<option{' selected' if n in chosen else ''}>{escape(str(label))}</option>"
        for n, label in enumerate(widget._options_labels)
    )
    return _labelled(widget, f"<select disabled{' multiple' if len(chosen) > 1 else ''}>{''.join(options)}</select>")


def _picture(widget: Any) -> str:
    return f'<img src="data:image/{widget.format};base64,{base64.b64encode(widget.value).decode()}">'


def _column(widget: Any) -> str:
    return f'<div style="display: flex; flex-direction: column">{"".join(map(_html, widget.children))}</div>'


def _row(widget: Any) -> str:
    return f'<div style="display: flex; gap: 8px; align-items: center">{"".join(map(_html, widget.children))}</div>'


def _tabs(widget: Any) -> str:
    parts = zip(widget.titles, widget.children, strict=False)
    return "".join(f"<fieldset><legend>{escape(title)}</legend>{_html(child)}</fieldset>" for title, child in parts)


def _output(widget: Any) -> str:
    texts = (each.get("text") or each.get("data", {}).get("text/plain", "") for each in widget.outputs)
    return f"<pre>{escape(''.join(texts))}</pre>"


_DRAWN: dict[str, Callable[[Any], str]] = {
    "HTMLModel": _raw,
    "HTMLMathModel": _raw,
    "LabelModel": _any,
    "IntSliderModel": _range,
    "FloatSliderModel": _range,
    "IntProgressModel": _progress,
    "FloatProgressModel": _progress,
    "ButtonModel": _button,
    "CheckboxModel": _checkbox,
    "DropdownModel": _select,
    "SelectModel": _select,
    "SelectMultipleModel": _select,
    "RadioButtonsModel": _select,
    "ToggleButtonsModel": _select,
    "ImageModel": _picture,
    "BoxModel": _column,
    "VBoxModel": _column,
    "GridBoxModel": _column,
    "HBoxModel": _row,
    "TabModel": _tabs,
    "AccordionModel": _tabs,
    "StackModel": _tabs,
    "OutputModel": _output,
}
"""How a widget looks, by the name of its model in the browser."""
