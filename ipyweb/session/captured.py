"""What an ``Output`` widget captures while it is entered: it goes into its own ``outputs``, as a notebook has them.

In Jupyter the front end does this, by the id of the request that an ``Output`` names when it is entered. Here that name
is only the sign that it is.
"""

import base64
import io
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .bundle import Bundle

MOST_TEXT = 2**20
"""Characters of one stream that are kept; of a longer one the end."""


class Captured:
    """One ``Output`` that is entered.

    Args:
        widget: it.
    """

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._clear_next = False
        self._put_back = _set_figures_aside()
        self._before = sys.stdout, sys.stderr
        self._streams = _Stream(self, "stdout"), _Stream(self, "stderr")
        sys.stdout, sys.stderr = self._streams

    def finish(self) -> None:
        """Take what is still to come of what was done inside."""
        self._put_back()

    def end(self) -> None:
        """Give the program its streams back."""
        if sys.stdout is self._streams[0]:
            sys.stdout = self._before[0]
        if sys.stderr is self._streams[1]:
            sys.stderr = self._before[1]

    def display(self, bundle: Bundle, display_id: str, update: bool, result: bool) -> None:
        """Take a MIME bundle."""
        data = {mime: _value(mime, part) for mime, part in bundle.parts.items()}
        output: dict[str, Any] = {"output_type": "display_data", "data": data, "metadata": bundle.metadata}
        output["transient"] = {"display_id": display_id}
        if result:
            output |= {"output_type": "execute_result", "execution_count": None}
        outputs = self._outputs()
        places = [n for n, each in enumerate(outputs) if _display_id(each) == display_id] if update else []
        for place in places:
            outputs[place] = output
        self._widget.outputs = tuple(outputs if places else [*outputs, output])

    def write(self, name: str, text: str) -> None:
        """Take what is printed."""
        outputs = self._outputs()
        if outputs and outputs[-1].get("output_type") == "stream" and outputs[-1].get("name") == name:
            text = (outputs.pop()["text"] + text)[-MOST_TEXT:]
        self._widget.outputs = (*outputs, {"output_type": "stream", "name": name, "text": text})

    def clear(self, wait: bool) -> None:
        """Take everything away, at once or when the next thing comes."""
        self._clear_next = wait
        if not wait:
            self._widget.outputs = ()

    def _outputs(self) -> list[dict[str, Any]]:
        if self._clear_next:
            self._clear_next = False
            return []
        return list(self._widget.outputs)


class _Stream(io.TextIOBase):
    """Takes the place of a stream of the program."""

    def __init__(self, captured: Captured, name: str) -> None:
        self._captured = captured
        self._name = name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text:
            self._captured.write(self._name, text)
        return len(text)


_entered: dict[str, Captured] = {}


def active() -> Captured | None:
    """The ``Output`` that was entered last, if one is."""
    return next(reversed(_entered.values()), None)


def follow(comm_id: str, state: Mapping[str, Any]) -> None:
    """See whether an ``Output`` is entered or left.

    Args:
        comm_id: of any widget.
        state: what it tells its front end.
    """
    if "msg_id" not in state:
        return
    if (left := _entered.get(comm_id)) is not None:
        try:
            left.finish()
        finally:
            del _entered[comm_id]
            left.end()
    widgets = getattr(sys.modules.get("ipywidgets.widgets.widget"), "_instances", {})
    if state["msg_id"] and comm_id in widgets:
        _entered[comm_id] = Captured(widgets[comm_id])


def _set_figures_aside() -> Callable[[], None]:
    if "matplotlib.pyplot" not in sys.modules:
        return lambda: None
    from .pyplot import set_aside

    return set_aside()


def _display_id(output: Mapping[str, Any]) -> object:
    return (output.get("transient") or {}).get("display_id")


def _value(mime: str, part: bytes) -> Any:
    """Data as a notebook has them: JSON as it is, text as a string, all else in base64."""
    if mime.endswith("json"):
        return json.loads(part)
    if mime.startswith("text/") or mime in ("image/svg+xml", "application/javascript"):
        return part.decode("utf-8", "replace")
    return base64.b64encode(part).decode()
