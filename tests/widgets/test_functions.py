"""`ipyweb.functions`: cards with a form and what the function shows."""

from collections.abc import Callable
from typing import Any

import pytest

from ipyweb import connection
from ipyweb.session.functions import functions

from .conftest import Pane, Start, line

LAB = """
from typing import Literal
import ipyweb; ipyweb.install()
import matplotlib.pyplot as plt
class Lab:
    calls = 0
    def plot_line(self, slope: float = 1.0, label="x"):
        "A line. And more."
        plt.figure(figsize=(1, 1)); plt.plot([0, slope])
        print("slope", slope)
    def plot_kind(self, kind: Literal["sin", "cos"] = "cos", on: bool = True):
        Lab.calls += 1
        print(kind, Lab.calls, flush=True)
        if kind == "sin":
            raise ValueError("no such kind")
    def other(self): ...
ipyweb.functions(Lab())
ipyweb.wait()
"""


def said(pane: Pane) -> list[Any]:
    """What the cards' outputs hold."""
    outputs = [pane.value(each, "outputs") or [] for each in pane.models("OutputModel")]
    return [[each.get("text") or sorted(each["data"]) for each in output] for output in outputs]


def test_functions_become_cards_with_forms(start: Start, follow: Callable[..., Pane]) -> None:
    start(LAB)
    pane = follow()
    pane.until(lambda: ["slope 1.0\n", ["image/png", "text/plain"]] in said(pane))
    pane.until(lambda: ["cos 1\n"] in said(pane))
    kinds = ["FloatSliderModel", "DropdownModel", "CheckboxModel", "TextModel"]
    pane.until(lambda: [len(pane.models(each)) for each in kinds] == [1, 1, 1, 1])
    titles = ["<b>kind</b> ", "<b>line</b> A line. And more."]
    pane.until(lambda: [pane.value(each, "value") for each in pane.models("HTMLModel")] == titles)


def test_an_error_stays_in_its_card_and_refreshing_goes_on(start: Start, follow: Callable[..., Pane]) -> None:
    start(LAB)
    pane = follow()
    kind = pane.model("DropdownModel")
    pane.until_handled(pane.update(kind, index=0))
    pane.until(lambda: any("ValueError: no such kind" in str(each) for each in said(pane)))
    pane.until_handled(pane.update(kind, index=1))
    every = pane.models("BoundedFloatTextModel")
    for each in every:
        pane.until_handled(pane.update(each, value=0.05))
    pane.until(lambda: ["cos 6\n"] in said(pane))


def test_it_decorates_one_function(start: Start, hub: connection.Connection) -> None:
    script = start("import ipyweb\n@ipyweb.functions\ndef wave(n: int = 3): ...\nprint(wave.__name__, flush=True)")
    assert line(script) == "wave"
    assert script.wait(60) == 0


@pytest.mark.parametrize("target", [object(), type("Odd", (), {"plot_it": staticmethod(lambda x: None)})])
def test_what_cannot_become_a_form_is_refused(target: object) -> None:
    with pytest.raises(ValueError, match="expected a"):
        functions(target)
