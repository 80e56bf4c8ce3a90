"""Each action of httpgd's client and of Positron's Plots pane, done here by their keys and by the mouse.

Where their keys clash with each other's or with what the pane means by them, the pane's own list decides: the arrow
keys up and down go as in Positron, and `h` hides the filmstrip as in httpgd.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Download, Locator, expect

from ipyweb import connection

from .conftest import Pane, Publish
from .test_kinds import SVG

Do = Callable[[Pane], object]
Check = Callable[[Pane], object]

SOURCE = {"file": "/home/ada/waves/train.py", "line": 42, "code": "plot(losses)"}


@pytest.fixture
def plots(pane: Pane, publish: Publish, context: BrowserContext, hub: connection.Connection) -> Pane:
    """A pane with three plots, the second shown."""
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub.url)
    for title in ("One", "Two", "Three"):
        publish({"image/svg+xml": SVG}, title=title, source=SOURCE)
    pane.go(2)
    return pane


# -- what is done -----------------------------------------------------------------------------------------------------


def key(chord: str) -> Do:
    return lambda pane: pane.press(chord)


def button(name: str) -> Do:
    return lambda pane: pane.page.get_by_role("button", name=name, exact=True).click()


def opener(pane: Pane, menu: str) -> Locator:
    return pane.page.get_by_role("button", name=re.compile(f"^{menu}"))


def item(menu: str, name: str) -> Do:
    def choose(pane: Pane) -> None:
        opener(pane, menu).click()
        pane.page.get_by_role("menuitem", name=re.compile(f"(^|✓ ?){re.escape(name)}")).first.click()

    return choose


def command(words: str) -> Do:
    def choose(pane: Pane) -> None:
        pane.press("Control+k")
        expect(pane.page.get_by_role("combobox")).to_be_focused()
        pane.page.keyboard.type(words)
        expect(pane.page.get_by_role("option").first).to_be_visible()
        pane.press("Enter")

    return choose


def thumbnail(pane: Pane, output: int) -> Locator:
    return pane.page.get_by_test_id("filmstrip").locator(f"[data-thumbnail='{output}']")


def on_thumbnail(chord: str) -> Do:
    def press(pane: Pane) -> None:
        thumbnail(pane, 3).focus()
        pane.press(chord)

    return press


def cross(pane: Pane) -> None:
    thumbnail(pane, 2).hover()
    thumbnail(pane, 2).get_by_test_id("remove-thumbnail").click()


def after(first: Do, then: Do) -> Do:
    def both(pane: Pane) -> None:
        first(pane)
        then(pane)

    return both


# -- what comes of it -------------------------------------------------------------------------------------------------


def shows(output: int) -> Check:
    return lambda pane: pane.ready(output)


def left(count: int) -> Check:
    return lambda pane: expect(pane.page.locator("[data-thumbnail]")).to_have_count(count)


def magnified(words: str) -> Check:
    return lambda pane: expect(pane.page.get_by_role("button", name="Zoom and size")).to_have_text(re.compile(words))


def toast(words: str) -> Check:
    return lambda pane: expect(pane.page.get_by_test_id("toast")).to_have_text(words)


def dialog(name: str) -> Check:
    return lambda pane: expect(pane.page.get_by_role("dialog", name=name)).to_be_visible()


def strip(count: int) -> Check:
    return lambda pane: expect(pane.page.get_by_test_id("filmstrip")).to_have_count(count)


def root(name: str, value: str) -> Check:
    return lambda pane: expect(pane.page.locator("html")).to_have_attribute(name, re.compile(value))


def chosen(menu: str, name: str) -> Check:
    def check(pane: Pane) -> None:
        opener(pane, menu).click()
        expect(pane.page.get_by_role("menuitem").filter(has_text=name).first).to_contain_text("✓")

    return check


ZOOM, TAKE, MORE = "Zoom and size", "Take away", "More"
HTTPGD: list[tuple[str, Do, Check]] = [
    ("previous plot, ←", key("ArrowLeft"), shows(1)),
    ("previous plot, button", button("Previous output"), shows(1)),
    ("next plot, →", key("ArrowRight"), shows(3)),
    ("next plot, button", button("Next output"), shows(3)),
    ("newest plot, N", key("n"), shows(3)),
    ("newest plot, click on the position", lambda pane: pane.page.locator(".position").click(), shows(3)),
    ("zoom in, +", key("+"), magnified("^1[1-9]")),
    ("zoom in, =", key("="), magnified("^1[1-9]")),
    ("zoom in, button", button("Zoom in"), magnified("^1[1-9]")),
    ("zoom out, -", key("-"), magnified("^[5-9]. ")),
    ("zoom out, button", button("Zoom out"), magnified("^[5-9]. ")),
    ("zoom reset, 0", after(key("+"), key("0")), magnified("^100")),
    ("zoom reset, menu", after(key("+"), item(ZOOM, "Zoom back")), magnified("^100")),
    ("delete the shown plot, D", key("d"), left(2)),
    ("delete the shown plot, Delete", key("Delete"), left(2)),
    ("delete the shown plot, button", button("Remove"), left(2)),
    ("clear all, Alt+D", key("Alt+d"), left(0)),
    ("clear all, menu", item(MORE, "Remove all that is listed"), left(0)),
    ("copy PNG, C", key("c"), toast("Copied the picture")),
    ("copy PNG, menu", item(TAKE, "Copy the picture"), toast("Copied the picture")),
    ("export dialog, E", key("e"), dialog("Export")),
    ("export dialog, menu", item(MORE, "Export in another size"), dialog("Export")),
    ("toggle the history sidebar, H", key("h"), strip(0)),
    ("toggle the history sidebar, button", button("Filmstrip"), strip(0)),
    ("light or dark, T", after(key("t"), key("t")), root("data-theme", "dark")),
    ("light or dark, menu", item(MORE, "Light, dark, as the system"), root("data-theme", "light")),
    ("shortcuts, ?", key("?"), dialog("Keys and actions")),
    ("shortcuts, menu", item(MORE, "All keys and actions"), dialog("Keys and actions")),
    ("a thumbnail, Enter", on_thumbnail("Enter"), shows(3)),
    ("a thumbnail, Space", on_thumbnail(" "), shows(3)),
    ("a thumbnail, click", lambda pane: thumbnail(pane, 1).click(), shows(1)),
    ("a thumbnail, ✕ under the pointer", cross, left(2)),
]
POSITRON: list[tuple[str, Do, Check]] = [
    ("previous, ←", on_thumbnail("ArrowLeft"), shows(1)),
    ("previous, ↑", key("ArrowUp"), shows(1)),
    ("previous, k", key("k"), shows(1)),
    ("next, ↓", key("ArrowDown"), shows(3)),
    ("next, j", key("j"), shows(3)),
    ("next, l", key("l"), shows(3)),
    ("remove, Backspace", key("Backspace"), left(2)),
    ("remove, x", key("x"), left(2)),
    ("copy plot, palette", command("copy picture"), toast("Copied the picture")),
    ("next plot, palette", command("next output"), shows(3)),
    ("previous plot, palette", command("previous output"), shows(1)),
    ("clear plots, palette", command("remove all listed"), left(0)),
    (
        "plots gallery, palette",
        command("gallery"),
        lambda pane: expect(pane.page.get_by_test_id("gallery")).to_be_visible(),
    ),
    ("zoom, fit", item(ZOOM, "Fill the stage"), chosen(ZOOM, "Fill the stage")),
    ("zoom, 50 %", item(ZOOM, "50 %"), magnified("^50 ")),
    ("zoom, 75 %", item(ZOOM, "75 %"), magnified("^75 ")),
    ("zoom, 100 %", after(key("+"), item(ZOOM, "100 %")), magnified("^100 ")),
    ("zoom, 200 %", item(ZOOM, "200 %"), magnified("^200 ")),
    ("sizing policy, intrinsic", item(ZOOM, "As made"), chosen(ZOOM, "As made")),
    ("sizing policy, custom", item(ZOOM, "Size of my own"), dialog("Size")),
    ("copy code", item(TAKE, "Copy the code"), toast("Copied the code")),
    ("reveal code", key("i"), lambda pane: expect(pane.page.get_by_test_id("details")).to_contain_text("plot(losses)")),
    ("dark filter, dark", item(ZOOM, "Plots darkened"), root("class", "darkens")),
    ("dark filter, none", item(ZOOM, "Plots in their own colours"), chosen(ZOOM, "Plots in their own colours")),
    (
        "dark filter, follow the theme",
        item(ZOOM, "Plots darkened in the dark theme"),
        chosen(ZOOM, "in the dark theme"),
    ),
    ("history policy, never", item(MORE, "Hide or show the filmstrip"), strip(0)),
]


def named(row: tuple[str, Do, Check]) -> str:
    return row[0]


@pytest.mark.parametrize("row", HTTPGD, ids=named)
def test_what_httpgd_does_is_done_here(plots: Pane, row: tuple[str, Do, Check]) -> None:
    _, do, check = row
    do(plots)
    check(plots)


@pytest.mark.parametrize("row", POSITRON, ids=named)
def test_what_positron_does_is_done_here(plots: Pane, row: tuple[str, Do, Check]) -> None:
    _, do, check = row
    do(plots)
    check(plots)


@pytest.mark.parametrize(
    ("do", "extension"),
    [
        (key("s"), "svg"),
        (item(TAKE, "Save as SVG"), "svg"),
        (key("p"), "png"),
        (item(TAKE, "Save as PNG"), "png"),
        (command("save png"), "png"),
    ],
)
def test_plots_are_downloaded_as_both_do_it(plots: Pane, do: Do, extension: str) -> None:
    with plots.page.expect_download() as download:
        do(plots)
    saved: Download = download.value
    assert saved.suggested_filename == f"Two.{extension}"


@pytest.mark.parametrize("do", [key("o"), item(TAKE, "Open in a tab of its own")])
def test_a_plot_is_opened_in_a_window_of_its_own_as_positron_does_it(plots: Pane, do: Do) -> None:
    with plots.page.context.expect_page() as opened:
        do(plots)
    shown = opened.value.locator("[data-testid=stage] [data-output-id='2'][data-state=ready]")
    expect(shown).to_have_count(1)
