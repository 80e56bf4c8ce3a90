"""ipywidgets: until widgets work both ways, they are shown as they stand, and say that they do not answer."""

import base64
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from . import chain, replace

_WIDGET = "ipywidgets.widgets.widget.Widget"
_VIEW = "application/vnd.jupyter.widget-view+json"
_NOTICE = "Widgets are shown as they stood; they do not answer here."


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Give widgets a still picture of themselves."""
    from ipywidgets.widgets import interaction, widget_output

    bundles = shell.display_formatter.mimebundle_formatter
    bundles.for_type(_WIDGET, _bundle)

    def undo() -> None:
        bundles.pop(_WIDGET, None)

    return chain(
        undo,
        replace(interaction, "clear_output", _clear_nothing),
        replace(widget_output, "clear_output", _clear_nothing),
    )


def _clear_nothing(wait: bool = False) -> None:
    """What an ``Output`` captures is not in it but beside it; the other outputs are not its own to clear."""


def _bundle(widget: Any, include: object = None, exclude: object = None) -> dict[str, Any]:
    made = widget._repr_mimebundle_() or {}
    data = made[0] if isinstance(made, tuple) else made
    own = {mime: value for mime, value in data.items() if mime != _VIEW}
    if set(own) > {"text/plain"}:  # such as a picture, in which a matplotlib canvas comes
        return own
    return {"text/html": f"{_html(widget)}<p><small>{_NOTICE}</small></p>", "text/plain": repr(widget)}


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
