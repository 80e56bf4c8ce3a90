"""axe-core finds nothing in any view, in both themes, inside the frames too."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import BrowserContext, Frame, Page, expect

from ipyweb import connection

from . import views
from .conftest import PROJECT, Pane, Publish, html, image
from .views import VIEWS

pytestmark = pytest.mark.whole_browser  # its engine alone cannot leave full screen

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 1100), ("dark", 1100), ("dark", 320))
"""Themes, and how wide the window is."""
OF_PAGES = ("landmark-one-main", "page-has-heading-one", "region")
SCRIPTS = {
    "Residuals": """
import sys
from matplotlib.figure import Figure
import ipyweb

f = Figure()
a = f.add_subplot(title="Residuals", xlabel="step")
a.plot([1, 3, float(sys.argv[1])], label="model")
a.legend()
ipyweb.display(f, title="Residuals")
""",
    "Training": """
import ipywidgets, ipyweb

rate = ipywidgets.IntSlider(value=3, min=1, max=8, description="Layers")
kind = ipywidgets.ToggleButtons(options=["adam", "sgd"], description="Optimizer")
done = ipywidgets.FloatProgress(value=0.5, max=1, description="Epoch")
rest = [ipywidgets.Checkbox(description="Momentum"), ipywidgets.Text(description="Name"), done]
box = ipywidgets.VBox([rate, kind, *rest, ipywidgets.Button(description="Train", button_style="primary")])
ipyweb.display(box, title="Training")
""",
}
TABLE = (
    "<table class=dataframe><thead><tr><th>day</th><th>price</th></tr></thead>"
    "<tbody><tr><th>1</th><td>2.5</td></tr></tbody></table>"
)
OUTPUTS: dict[str, dict[str, Any]] = {
    "Report": html("<h1>Report</h1><p>All is <a href='https://example.org'>well</a>.</p>"),
    "Prices": html(TABLE),
    "Settings": {"application/json": {"rate": 0.1, "layers": [1, 2, None], "name": "wide", "on": True}},
    "Log": {"text/plain": "\x1b[32mepoch 1\x1b[0m \x1b[31mloss 2.5\x1b[0m \x1b[33mslow\x1b[0m \x1b[2mdim\x1b[0m"},
    "Notes": {"text/markdown": "# Notes\n\nSome `code` and\n\n> a quotation\n\n```\nx = 1\n```"},
    "Formula": {"text/latex": "$x^2$"},
    "Map": html("<p>Map</p><img alt=tile src=https://tiles.example.org/1.png><img alt=b src=https://b.example.org/1>"),
    "Broken": {"application/javascript": "throw new Error('no')"},
    "Molecule": {"application/vnd.acme.molecule": b"H2O", "text/plain": "water"},
    "Drawing": {
        "image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'><path d='M0 0h9'/></svg>"
    },
}


@pytest.fixture
def outputs(publish: Publish) -> dict[str, int]:
    """Outputs of every kind, by their titles."""
    found = {title: publish(data, title=title) for title, data in OUTPUTS.items()}
    for colour in ("red", "lime"):
        found["Loss"] = publish({"image/png": image(colour)}, title="Loss", display_id="loss")
    found["Before"] = publish({"image/png": image("blue")}, title="Before")
    found["Photograph"] = publish({"image/png": image("teal"), "text/plain": "a picture"}, title="Photograph")
    return found


@pytest.fixture
def run_twice(tmp_path: Path, hub: connection.Connection) -> Callable[[str], int]:
    """Run a script twice whose figure changes; returns the id of what it has shown the second time."""

    def run_twice(code: str) -> int:
        script = tmp_path / "analysis.py"
        script.write_text(code)
        for last in ("2", "2.5"):
            subprocess.run([sys.executable, script, last], check=True, timeout=180, cwd=tmp_path)
        (record,) = connection.request(hub, "GET", "api/outputs?limit=1").json()["outputs"]
        return int(record["id"])

    return run_twice


@cache
def axe() -> str:
    """The checker's source."""
    return AXE.read_text()


def violations(where: Page | Frame) -> list[str]:
    """What axe-core finds wrong: the rule, the elements, and why.

    It is told two things about frames that it would know if it came from the page: what a page must have, a part of one
    need not; and the stage shines through.
    """
    rules = {rule: {"enabled": isinstance(where, Page)} for rule in OF_PAGES}
    if isinstance(where, Frame):
        where.evaluate("document.documentElement.style.background = 'var(--stage)'")
    where.evaluate(f"{axe()}; 0")
    options = {"resultTypes": ["violations"], "iframes": False, "rules": rules}
    found = where.evaluate("options => axe.run(document, options).then(({ violations }) => violations)", options)
    return [
        f"{each['id']}: {json.dumps(node['target'])} {node['html'][:160]} {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


def look(page: Page, theme: Literal["light", "dark"], width: int) -> None:
    """Wait until the pane and its frames have a theme, and the pane its width."""
    page.set_viewport_size({"width": width, "height": 720})
    page.emulate_media(color_scheme=theme)
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    frame = on_stage(page)
    if frame:
        frame.wait_for_function("theme => (document.documentElement.dataset.theme ?? theme) === theme", arg=theme)


def on_stage(page: Page) -> Frame | None:
    """The frame that is seen."""
    shown = page.locator("[data-testid=stage] .layer:not(.coming) > iframe")
    return shown.element_handle().content_frame() if shown.count() else None


def audit(page: Page) -> dict[str, list[str]]:
    """What is wrong with the page and the frame on its stage, by how it looks."""
    found: dict[str, list[str]] = {}
    for theme, width in LOOKS:
        look(page, theme, width)
        found[f"{theme} {width}"] = violations(page)
        frame = on_stage(page)
        found[f"{theme} {width}, frame"] = violations(frame) if frame else []
    return {where: problems for where, problems in found.items() if problems}


@pytest.mark.parametrize("title", dict.fromkeys(view.shows for view in VIEWS.values()), ids=str)
def test_nothing_is_wrong_with_the_views_of_an_output(
    hub: connection.Connection,
    context: BrowserContext,
    outputs: dict[str, int],
    run_twice: Callable[[str], int],
    title: str | None,
    subtests: pytest.Subtests,
) -> None:
    if title in SCRIPTS:
        outputs[title] = run_twice(SCRIPTS[title])
    for name in (name for name, view in VIEWS.items() if view.shows == title):
        page = context.new_page()
        with subtests.test(name):
            views.show(page, hub, PROJECT, outputs, name)
            assert audit(page) == {}
        page.close()


def test_a_frame_is_called_what_its_output_is(pane: Pane, publish: Publish) -> None:
    first, second = publish(html("<p>1</p>"), title="Prices"), publish(html("<p>2</p>"))
    frame = pane.page.locator("[data-testid=stage] .layer:not(.coming) > iframe")
    for output, name in ((second, f"Output {second}"), (first, "Prices"), (second, f"Output {second}")):
        pane.go(output)
        expect(frame).to_have_attribute("title", name)
    pane.press("r")
    pane.page.get_by_label("Name", exact=True).fill("Costs")
    pane.press("Enter")
    expect(frame).to_have_attribute("title", "Costs")


@pytest.mark.parametrize("title", ["Notes", "Formula", "Drawing"])
def test_nothing_is_wrong_with_what_a_frame_draws(pane: Pane, publish: Publish, title: str) -> None:
    pane.go(publish(OUTPUTS[title], title=title))
    assert audit(pane.page) == {}
