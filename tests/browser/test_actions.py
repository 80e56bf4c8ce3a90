"""Every action: in the help, in the palette, from inside a frame; the focus comes back."""

import pytest
from playwright.sync_api import expect

from .conftest import Pane, Publish, html


@pytest.fixture
def shown(pane: Pane, publish: Publish) -> Pane:
    """A pane with three outputs, the newest shown, in a frame."""
    outputs = [publish({"text/plain": "one"}), publish({"text/plain": "two"}), publish(html("<p id=p>three</p>"))]
    return pane.ready(outputs[-1])


def test_the_palette_finds_an_action_by_a_part_of_its_name_and_does_it(shown: Pane) -> None:
    shown.press("Control+k")
    expect(shown.page.get_by_role("combobox")).to_be_focused()
    shown.page.keyboard.type("first out")
    shown.press("Enter")
    expect(shown.page.get_by_role("dialog")).to_have_count(0)
    shown.ready(1)


def test_the_palette_works_with_the_mouse(shown: Pane) -> None:
    shown.page.get_by_role("button", name="More").click()
    shown.page.get_by_role("menuitem", name="Do anything by its name").click()
    shown.page.get_by_role("option", name="Previous output").click()
    shown.ready(2)


def test_the_palette_opens_from_inside_a_frame_and_escape_goes_back(shown: Pane) -> None:
    shown.frame.locator("#p").click()
    shown.press("Control+k")
    dialog = shown.page.get_by_role("dialog", name="Palette")
    expect(dialog.get_by_role("combobox")).to_be_focused()
    shown.press("Escape")
    expect(dialog).to_have_count(0)
    shown.page.wait_for_function("() => document.hasFocus() && document.activeElement === document.body")
    shown.frame.wait_for_function("!document.hasFocus()")
    shown.press("k")
    shown.ready(2)


def test_the_help_lists_every_action(shown: Pane) -> None:
    shown.press("?")
    rows = shown.page.get_by_role("dialog").locator("dt")
    expect(rows.first).to_be_visible()
    assert rows.count() >= 25
    for text in ("Previous output", "Zoom in", "Hide or show the filmstrip", "Do anything by its name"):
        expect(rows.filter(has_text=text)).to_have_count(1)
    shown.press("?")
    expect(shown.page.get_by_role("dialog")).to_have_count(0)


def test_a_menu_is_worked_by_keys_alone(shown: Pane) -> None:
    shown.page.get_by_role("button", name="Zoom and size").focus()
    shown.press("Enter")
    expect(shown.page.get_by_role("menu")).to_be_visible()
    for _ in range(5):
        shown.press("ArrowDown")
    shown.press("Enter")
    expect(shown.page.get_by_role("menu")).to_have_count(0)
    expect(shown.page.get_by_role("button", name="Zoom and size")).to_be_focused()
    expect(shown.page.get_by_role("button", name="Zoom and size")).not_to_have_text("100 %")


@pytest.mark.parametrize("opens", ["Control+k", "?", "r", "e", "More"])
def test_the_key_right_after_escape_is_the_panes(shown: Pane, opens: str) -> None:
    if opens == "More":
        shown.page.get_by_role("button", name="More").click()
    else:
        shown.press(opens)
    shown.page.wait_for_function("() => document.activeElement.closest('dialog, [role=menu]')")
    shown.press("Escape")
    shown.press("/")
    search = shown.page.get_by_role("searchbox")
    expect(search).to_be_visible()
    shown.page.keyboard.type("two")
    expect(search).to_have_value("two")
    expect(search).to_be_focused()


def do(pane: Pane, words: str) -> None:
    """Do something by its name."""
    pane.press("Control+k")
    expect(pane.page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    pane.page.keyboard.type(words)
    pane.press("Enter")
    expect(pane.page.get_by_role("dialog")).to_have_count(0)


def test_the_palette_narrows_what_is_listed_and_widens_it_again(shown: Pane) -> None:
    listed = shown.page.get_by_test_id("filmstrip").get_by_role("option")
    do(shown, "only of this kind")
    expect(listed).to_have_count(1)
    expect(shown.page.get_by_label("Kind")).to_have_value("HTML")
    do(shown, "only of this kind")
    expect(listed).to_have_count(3)


def test_the_palette_speaks_of_everything_and_of_the_project(shown: Pane, publish: Publish) -> None:
    publish({"text/plain": "elsewhere"}, project="/elsewhere", session="other")
    listed = shown.page.get_by_test_id("filmstrip").get_by_role("option")
    expect(listed).to_have_count(3)
    for count in (4, 3):
        do(shown, "all projects")
        expect(listed).to_have_count(count)


def test_the_palette_goes_through_the_mime_types(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"text/html": "<p>rich</p>", "text/plain": "plain"}))
    stage = pane.page.locator("[data-testid=stage] article")
    for mime in ("text/plain", "text/html"):
        do(pane, "next mime")
        expect(stage).to_have_attribute("data-mime", mime)
        expect(stage).to_have_attribute("data-state", "ready")


def test_the_palette_takes_out_of_a_comparison(shown: Pane) -> None:
    for _ in range(2):
        shown.press("Shift+ArrowLeft")
    shown.press("v")
    expect(shown.page.get_by_test_id("tile")).to_have_count(3)
    do(shown, "take it out")
    expect(shown.page.get_by_test_id("tile")).to_have_count(2)
