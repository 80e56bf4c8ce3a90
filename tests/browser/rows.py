"""Tables of what is done to a pane and what comes of it: each row has three plots, and a tab, of its own."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from playwright.sync_api import Locator, expect

from .conftest import NewPlots, Pane, Plots

TYPES = "navigator.clipboard.read().then(([item]) => [...item.types])"

Do = Callable[[Plots], object]


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        name: what is done, and how.
        do: does it.
        check: waits for what comes of it.
    """

    name: str
    do: Do
    check: Do


def play(rows: Iterable[Row], new_plots: NewPlots, subtests: pytest.Subtests) -> None:
    """Do what the rows say, each on its own."""
    for row in rows:
        with subtests.test(row.name), new_plots() as plots:
            row.do(plots)
            row.check(plots)


# -- what is done -----------------------------------------------------------------------------------------------------


def key(*chords: str) -> Do:
    """Press keys, one after the other."""
    return lambda plots: [plots.press(chord) for chord in chords]


def button(name: str) -> Do:
    return lambda plots: plots.page.get_by_role("button", name=name, exact=True).click()


def opener(plots: Pane, menu: str) -> Locator:
    return plots.page.get_by_role("button", name=re.compile(f"^{menu}"))


def item(menu: str, name: str) -> Do:
    """Choose an item of a menu, by the mouse."""

    def choose(plots: Plots) -> None:
        opener(plots, menu).click()
        plots.page.get_by_role("menuitem", name=re.compile(f"(^|✓ ?){re.escape(name)}")).first.click()

    return choose


def command(words: str) -> Do:
    """Do something by its words in the palette, by keys alone."""

    def choose(plots: Plots) -> None:
        plots.press("Control+k")
        expect(plots.page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
        plots.page.keyboard.type(words)
        expect(plots.page.get_by_role("option").first).to_be_visible()
        plots.press("Enter")

    return choose


def type_(text: str) -> Do:
    return lambda plots: plots.page.keyboard.type(text)


def tab_to(role: Literal["button", "checkbox", "combobox", "spinbutton"], name: str) -> Do:
    """Go on from element to element by the keyboard, to that one."""

    def go(plots: Plots) -> None:
        wanted = plots.page.get_by_role(role, name=name, exact=True).first
        expect(wanted).to_be_visible()
        for _ in range(60):
            plots.press("Tab")
            if wanted.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"no {name} on the way")

    return go


def click(selector: str, *held: Literal["ControlOrMeta", "Shift"]) -> Do:
    return lambda plots: plots.page.locator(selector).click(modifiers=held)


def on_thumbnail(number: int, chord: str) -> Do:
    def press(plots: Plots) -> None:
        plots.thumbnail(number).focus()
        plots.press(chord)

    return press


def cross(plots: Plots) -> None:
    """Remove the plot shown by the mouse over its thumbnail."""
    plots.thumbnail(2).hover()
    plots.thumbnail(2).get_by_test_id("remove-thumbnail").click()


def after(*all_of_them: Do) -> Do:
    return lambda plots: [do(plots) for do in all_of_them]


def downloading(do: Do) -> Do:
    def download(plots: Plots) -> None:
        with plots.page.expect_download() as download:
            do(plots)
        plots.download = download.value

    return download


def opening(do: Do) -> Do:
    def open_(plots: Plots) -> None:
        with plots.page.context.expect_page() as opened:
            do(plots)
        plots.opened = opened.value

    return open_


def asking(do: Do) -> Do:
    """Note what the browser would be asked to open."""

    def ask(plots: Plots) -> None:
        plots.page.evaluate("() => { window.open = (...asked) => void (window.asked = asked) }")
        do(plots)

    return ask


# -- what comes of it -------------------------------------------------------------------------------------------------


def shows(number: int) -> Do:
    return lambda plots: plots.ready(plots.ids[number - 1])


def left(count: int) -> Do:
    return lambda plots: expect(plots.page.locator("[data-thumbnail]")).to_have_count(count)


def magnified(words: str) -> Do:
    return lambda plots: expect(opener(plots, "Zoom and size")).to_have_text(re.compile(words))


def toast(words: str) -> Do:
    return lambda plots: expect(plots.page.get_by_test_id("toast")).to_have_text(words)


def copied(text: str) -> Do:
    """The clipboard has a text, once the toast has said so."""

    def check(plots: Plots) -> None:
        expect(plots.page.get_by_test_id("toast")).to_contain_text("Copied")
        assert plots.page.evaluate("navigator.clipboard.readText()") == text

    return check


def copied_picture(plots: Plots) -> None:
    expect(plots.page.get_by_test_id("toast")).to_have_text("Copied the picture")
    assert plots.page.evaluate(TYPES) == ["image/png"]


def saved(name: str, begins: bytes) -> Do:
    def check(plots: Plots) -> None:
        assert plots.download.suggested_filename == name
        assert Path(plots.download.path()).read_bytes().startswith(begins)

    return check


def tab_shows(number: int) -> Do:
    """The tab that was opened shows one of the plots."""

    def check(plots: Plots) -> None:
        shown = f"[data-testid=stage] [data-output-id='{plots.ids[number - 1]}'][data-state=ready]"
        expect(plots.opened.locator(shown)).to_have_count(1)

    return check


def asked(address: str) -> Do:
    """The browser was asked to open that in place."""
    return lambda plots: plots.page.wait_for_function("url => window.asked?.join() === `${url},_self`", arg=address)


def dialog(name: str) -> Do:
    return lambda plots: expect(plots.page.get_by_role("dialog", name=name)).to_be_visible()


def there(testid: str, count: int = 1) -> Do:
    return lambda plots: expect(plots.page.get_by_test_id(testid)).to_have_count(count)


def root(name: str, value: str) -> Do:
    return lambda plots: expect(plots.page.locator("html")).to_have_attribute(name, re.compile(value))


def chosen(menu: str, name: str) -> Do:
    def check(plots: Plots) -> None:
        opener(plots, menu).click()
        expect(plots.page.get_by_role("menuitem").filter(has_text=name).first).to_contain_text("✓")

    return check


def selected(name: str, value: str) -> Do:
    """A filter of the search has such a value."""
    return lambda plots: expect(plots.page.get_by_label(name, exact=True)).to_have_value(re.compile(value))


def placed(side: str) -> Do:
    """The filmstrip is on that side."""
    return lambda plots: expect(plots.page.locator(f"[data-strip={side}]")).to_have_count(1)


def tiles(count: int) -> Do:
    ready = "[data-testid=tile][data-state=ready]"
    return lambda plots: expect(plots.page.locator(ready)).to_have_count(count)


def compares(how: str) -> Do:
    """Two outputs are compared in that way."""

    def check(plots: Plots) -> None:
        mode = plots.page.get_by_role("group", name="How to compare").get_by_role("button", name=how)
        expect(mode).to_have_attribute("aria-pressed", "true")
        tiles(2)(plots)

    return check


def alone(plots: Plots) -> None:
    """Nothing but the output is shown."""
    for part in ("header", "footer", "[data-testid=filmstrip]"):
        expect(plots.page.locator(part)).to_have_count(0)
