"""The pane before the first output: three ways to send one, each to be copied."""

import pytest
from playwright.sync_api import BrowserContext, expect

from ipyweb import connection

from .conftest import OpenPane, Pane, Publish

WAYS = {
    "the line for IPython": "%load_ext ipyweb",
    "the lines for a script": "import ipyweb\nipyweb.display(fig)",
    "the command": "ipyweb run script.py",
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_send_the_first_output_is_copied_by_its_button(
    pane: Pane, context: BrowserContext, hub: connection.Connection, way: str
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub.url)
    pane.page.get_by_role("button", name=f"Copy {way}").click()
    expect(pane.page.get_by_test_id("toast")).to_have_text(f"Copied {way}")
    assert pane.page.evaluate("navigator.clipboard.readText()") == WAYS[way]


def test_the_ways_are_reached_by_the_keyboard(pane: Pane, context: BrowserContext, hub: connection.Connection) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub.url)
    pane.page.get_by_role("button", name="Copy the line for IPython").focus()
    pane.press("Tab")
    expect(pane.page.get_by_role("button", name="Copy the lines for a script")).to_be_focused()
    pane.press("Enter")
    expect(pane.page.get_by_test_id("toast")).to_have_text("Copied the lines for a script")


def test_the_first_output_takes_the_place_of_the_ways(pane: Pane, publish: Publish) -> None:
    expect(pane.page.get_by_test_id("empty")).to_be_visible()
    pane.ready(publish({"text/plain": "first"}))
    expect(pane.page.get_by_test_id("empty")).to_have_count(0)


def test_the_ways_fit_the_narrowest_pane(context: BrowserContext, open_pane: OpenPane) -> None:
    pane = open_pane()
    pane.page.set_viewport_size({"width": 320, "height": 480})
    expect(pane.page.get_by_role("button", name="Copy the command")).to_be_in_viewport()
    fits = "empty => empty.scrollWidth <= empty.clientWidth"
    pane.page.wait_for_function(fits, arg=pane.page.get_by_test_id("empty").element_handle())
