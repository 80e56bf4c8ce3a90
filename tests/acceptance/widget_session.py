"""Runs a notebook as ``ipyweb run`` does, and lets its widgets answer afterwards, until nobody asks any more.

    python widget_session.py NOTEBOOK PIPE

What is asked over the pipe is how ``compile`` takes it, ``eval`` or ``exec``, and Python: an expression, or statements.
It is run in the thread that the notebook ran in, sees the helpers below, and is answered with a pair: the value, and
the error in words.
"""

import datetime
import io
import sys
import wave
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import ipyweb
from ipyweb.session.notebook import run_notebook

ANSWERS_WITHIN = 0.02
"""Seconds in which the widgets answer before the pipe is asked again."""


def main(notebook: str, pipe: int) -> None:
    with Connection(pipe) as connection:
        status = run_notebook([notebook])
        ipyweb.flush(60)
        connection.send((status, ""))
        names = {**globals()}
        while True:
            ipyweb.wait(ANSWERS_WITHIN)
            while connection.poll():
                try:
                    mode, asked = connection.recv()
                except EOFError:
                    return
                connection.send(_answer(mode, asked, names))


def _answer(mode: str, asked: str, names: dict[str, Any]) -> tuple[Any, str]:
    try:
        return eval(compile(asked, "<asked>", mode), names), ""
    except Exception as error:
        return None, f"{asked}: {type(error).__name__}: {error}"


def models() -> dict[str, Any]:
    """All widgets of the session by their ids."""
    from ipywidgets.widgets.widget import _instances

    return {each.model_id: each for each in _instances.values()}


def mark() -> None:
    """Give each element of a widget's view that widget's id as a class, which then says that Python reaches it."""
    for model, each in models().items():
        if hasattr(each, "_dom_classes"):
            each.add_class(f"of-{model}")


def kinds() -> list[tuple[str, str, str, bool]]:
    """What there is: kind of a model, its id, id of the widget in whose view it shows, whether that can be touched."""
    referring = {model: set(_referred(each)) for model, each in models().items()}
    found = []
    for model, each in models().items():
        for owner in _owners(model, referring):
            touchable = not getattr(models()[owner], "disabled", False)
            found.append((_kind(each), model, owner, touchable))
    return found


def _kind(model: Any) -> str:
    return f"{model._model_name} {model._view_name}" if model._model_name == "DOMWidgetModel" else model._model_name


def _owners(model: str, referring: dict[str, set[str]], seen: frozenset[str] = frozenset()) -> set[str]:
    if hasattr(models()[model], "_dom_classes"):
        return {model}
    near = {each for each, others in referring.items() if model in others} or referring[model]
    return {owner for each in near - seen for owner in _owners(each, referring, seen | {model})}


def _referred(model: Any) -> Iterator[str]:
    for key in model.keys:
        yield from (each.model_id for each in _widgets_in(getattr(model, key)))


def _widgets_in(value: Any) -> Iterator[Any]:
    from ipywidgets import Widget

    if isinstance(value, Widget):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _widgets_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _widgets_in(each)


def shown_alone(model: str) -> int | None:
    """Show a widget in an output of its own; returns the output's id."""
    output = ipyweb.display(models()[model])
    output.wait(60)
    return output.id


def picture(width: int, height: int) -> bytes:
    """A PNG of that size."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(stream, "png")
    return stream.getvalue()


def size(data: bytes) -> list[int]:
    """Width and height of a picture."""
    from PIL import Image

    return list(Image.open(io.BytesIO(data)).size)


def sound(seconds: float) -> bytes:
    """A WAV of that length."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(b"\x80" * int(8000 * seconds))
    return stream.getvalue()


def day(*numbers: int) -> datetime.date:
    return datetime.date(*numbers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
