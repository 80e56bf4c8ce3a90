"""The pane's core in Firefox, where it is installed (`apt-get install firefox-esr`)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from ipyweb import connection

from . import firefox
from .conftest import PROJECT, Publish, html, image
from .firefox import Tab

BARS = "application/vnd.acme.bars+json"
OUTPUTS: list[dict[str, Any]] = [
    {"image/png": image()},
    html("<p id=p>hello</p><script>document.body.dataset.ran = 1</script>"),
    {"application/vnd.plotly.v1+json": {"data": [{"y": [1, 3, 2]}], "layout": {}}},
    {"application/vnd.vegalite.v6+json": {"mark": "point", "data": {"values": [{"a": 1}]}}},
    {"text/markdown": "# Notes"},
    {"text/latex": "$x^2$"},
    {"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>"},
    {"application/json": {"rate": 0.1}},
    {BARS: {}, f"application/vnd.ipyweb.renderer; type={BARS}": b"export const render = (el) => el.append('drawn')"},
    {"text/plain": "last"},
]


@pytest.fixture
def tab(hub: connection.Connection) -> Iterator[Tab]:
    """A tab of Firefox with the pane, connected; nothing may go wrong in it."""
    with firefox.tab() as made:
        made.open(f"{hub.url}/#token={hub.token_for('pane')}&project={quote(PROJECT, safe='')}")
        made.wait("document.querySelector('[data-status=connected]') !== null")
        yield made
        assert made.problems == []


def ready(tab: Tab, output: int) -> None:
    tab.wait(f"document.querySelector('[data-testid=stage] [data-output-id=\"{output}\"]')?.dataset.state === 'ready'")


def test_every_kind_is_drawn_by_flicking_back_and_forth(tab: Tab, publish: Publish) -> None:
    outputs = [publish(data) for data in OUTPUTS]
    ready(tab, outputs[-1])
    for output in outputs[-2::-1]:
        tab.press("ArrowLeft")
        ready(tab, output)
    for output in outputs[1:]:
        tab.press("j")
        ready(tab, output)


def test_an_output_runs_in_a_frame_that_reaches_nothing(tab: Tab, publish: Publish) -> None:
    ready(tab, publish(OUTPUTS[1]))
    assert "1" in tab.ask_frame("document.body.dataset.ran")
    assert set(tab.ask_frame("origin")) == {"null"}


def test_a_new_version_takes_the_place_of_the_last(tab: Tab, publish: Publish) -> None:
    for colour in ("red", "lime"):
        ready(tab, publish({"image/png": image(colour)}, display_id="loss"))
    tab.wait("document.querySelector('[data-testid=versions] .version').innerText === 'v2'")
    tab.press("[")
    tab.wait("document.querySelector('[data-testid=versions] .version').innerText.startsWith('v1')")


def test_dialogs_search_and_undo_work_by_keys(tab: Tab, publish: Publish) -> None:
    outputs = [publish({"text/plain": word}, title=word) for word in ("apple", "pear", "plum")]
    ready(tab, outputs[-1])
    tab.press("?")
    tab.wait("document.querySelector('dialog[open] dt') !== null")
    tab.press("Escape", "/")
    tab.wait("document.activeElement.type === 'search'")
    tab.press(*"apple")
    ready(tab, outputs[0])
    tab.press("Escape")
    tab.wait("document.querySelector('search') === null")
    tab.press("x")
    tab.wait("document.querySelectorAll('[data-thumbnail]').length === 2")
    tab.press("u")
    tab.wait("document.querySelectorAll('[data-thumbnail]').length === 3")
