"""Flicking, looking closely and comparing in the engines that Playwright does not drive here."""

from pathlib import Path

import pytest

from ipyweb import connection

from ..conftest import wait_until
from .conftest import Publish, Show, html, image
from .engines import ITEM, PICTURE, STAGE, STRIP, ZOOM, gone, listed, marked, opened, ready, there
from .firefox import FIREFOX
from .tab import Engine, Tab

TILES = "[...document.querySelectorAll('[data-testid=tile]')]"
THEME = "document.documentElement.dataset.theme"


def many(publish: Publish, count: int = 24) -> list[int]:
    return [publish({"text/plain": f"number {number}"}) for number in range(count)]


def pictures(tab: Tab, publish: Publish) -> list[int]:
    """Three of them, the newest shown."""
    ids = [publish({"image/png": image(colour, (400, 300))}) for colour in ("red", "blue", "red")]
    ready(tab, ids[-1])
    listed(tab, 3)
    return ids


def thumbnail(output: int) -> str:
    return f"{STRIP} [data-thumbnail='{output}']"


def as_wide(tab: Tab, width: float) -> None:
    tab.wait(f"Math.abs({PICTURE}?.getBoundingClientRect().width - {width}) < 1")


def drawn(tab: Tab, width: str) -> None:
    """Wait until a figure's own pixels are as many."""
    tab.wait(f"Math.abs({PICTURE}?.naturalWidth - {width}) <= 1")


def test_keys_go_to_the_ends_and_by_ten_and_no_further(tab: Tab, publish: Publish) -> None:
    outputs = many(publish)
    ready(tab, outputs[-1])
    for key, index in [("Home", 0), ("k", 0), ("PageDown", 10), ("End", -1), ("j", -1), ("PageUp", -11), ("n", -1)]:
        tab.press(key)
        ready(tab, outputs[index])


def test_a_key_that_is_held_keeps_up(tab: Tab, publish: Publish) -> None:
    outputs = many(publish)
    ready(tab, outputs[-1])
    tab.press(*["ArrowLeft"] * 23)
    ready(tab, outputs[0])


def wheel_to_the_start(tab: Tab, side: str) -> None:
    """Turn the wheel over the filmstrip until it is there; it may just be on its way to what was chosen last."""

    def turned() -> bool:
        tab.wheel(STRIP, -4000)
        return bool(tab.ask(f"document.querySelector('{STRIP}').scroll{side} === 0"))

    wait_until(turned, "the start of the filmstrip")


def test_the_mouse_goes_through_outputs_and_the_filmstrip(tab: Tab, publish: Publish) -> None:
    outputs = many(publish, 12)
    ready(tab, outputs[-1])
    tab.click("[aria-label='Previous output']")
    ready(tab, outputs[-2])
    tab.wheel(".position", -100)
    ready(tab, outputs[-3])
    wheel_to_the_start(tab, "Top")
    tab.click(thumbnail(outputs[0]))
    ready(tab, outputs[0])


@pytest.mark.parametrize("place", ["right", "bottom"])
def test_the_filmstrip_is_put_elsewhere_and_hidden(tab: Tab, publish: Publish, place: str) -> None:
    ready(tab, publish({"text/plain": "word"}))
    tab.click("[aria-label=More]")
    tab.click(ITEM, {"right": "Filmstrip on the right", "bottom": "Filmstrip at the bottom"}[place])
    there(tab, f"[data-strip={place}]")
    tab.press("h")
    gone(tab, STRIP)
    tab.click("[aria-label=Filmstrip]")
    there(tab, STRIP)


def test_a_narrow_pane_cuts_nothing_off_and_its_filmstrip_follows_the_wheel(
    engine: Engine, tab: Tab, publish: Publish
) -> None:
    outputs = many(publish, 12)
    ready(tab, outputs[-1])
    tab.resize(320, 640)
    tab.wait("innerWidth === 320" if engine is FIREFOX else "innerWidth < 500")  # WebKit's window has a least width
    tab.wait("document.documentElement.scrollWidth <= innerWidth")
    there(tab, "[aria-orientation=horizontal]")
    wheel_to_the_start(tab, "Left")
    tab.press("k")
    ready(tab, outputs[-2])


def test_the_menu_the_wheel_and_the_mouse_zoom_and_move(tab: Tab, publish: Publish) -> None:
    pictures(tab, publish)
    for size in (50, 150, 200):
        tab.click(ZOOM)
        tab.click(ITEM, f"{size} %")
        tab.reads(ZOOM, f"{size} %")
        as_wide(tab, 4 * size)
    tab.press("+", "+", "+")
    tab.reads(ZOOM, "400 %")
    tab.wheel(STAGE, -100)
    tab.wait(f"{PICTURE}.getBoundingClientRect().width > 1650")
    left = tab.ask(f"{PICTURE}.getBoundingClientRect().left")
    tab.drag(STAGE, 40, 0)
    tab.wait(f"Math.abs({PICTURE}.getBoundingClientRect().left - {left} - 40) < 1")
    tab.press("0")
    as_wide(tab, 400)


def test_themes_darken_the_pane_and_plots(tab: Tab, publish: Publish) -> None:
    pictures(tab, publish)
    filtered = f"getComputedStyle({PICTURE}).filter !== 'none'"
    tab.press("Shift+T")
    tab.wait(filtered)
    tab.click(ZOOM)
    tab.click(ITEM, "Plots in their own colours")
    tab.wait(f"!({filtered})")
    tab.click(ZOOM)
    tab.click(ITEM, "Plots darkened in the dark theme")
    for theme in ("light", "dark"):
        tab.press("t")
        tab.wait(f"{THEME} === '{theme}'")
    tab.wait(filtered)
    tab.click("[aria-label^=Theme]")


def test_f_shows_nothing_but_the_output(tab: Tab, publish: Publish) -> None:
    outputs = pictures(tab, publish)
    tab.press("f")
    tab.wait("document.fullscreenElement !== null")
    for selector in ("header", "footer", STRIP):
        gone(tab, selector)
    tab.press("k")
    ready(tab, outputs[-2])
    tab.press("f")
    tab.wait("document.fullscreenElement === null")
    there(tab, "header")


def test_a_figure_is_drawn_anew_for_its_zoom_and_as_made(
    hub: connection.Connection, tab: Tab, show: Show, tmp_path: Path
) -> None:
    output = show("f = Figure(figsize=(3, 2)); f.subplots().set_title('Tides')")
    opened(tab, hub, str(tmp_path))
    ready(tab, output)
    stage = f"document.querySelector('{STAGE}')"
    drawn(tab, f"Math.min({stage}.clientWidth - 32, 1.5 * ({stage}.clientHeight - 32))")
    tab.wait(f"{PICTURE}.alt.includes('Tides')")
    tab.press("+", "+", "+")
    tab.reads(ZOOM, "500 %")
    drawn(tab, "1500")
    tab.press("0", "1")
    drawn(tab, "300")


def test_marks_are_made_by_keys_and_clicks(tab: Tab, publish: Publish) -> None:
    outputs = pictures(tab, publish)
    tab.press("m")
    marked(tab, 1)
    tab.press("Shift+ArrowLeft")
    marked(tab, 2)
    tab.press("Escape")
    marked(tab, 0)
    tab.click(thumbnail(outputs[0]), held="Control")
    marked(tab, 1)
    tab.click(thumbnail(outputs[2]), held="Shift")
    marked(tab, 3)


def test_outputs_are_compared_side_by_side_with_linked_zoom_and_by_blinking(tab: Tab, publish: Publish) -> None:
    pictures(tab, publish)
    tab.press("v")
    tab.wait(f"{TILES}.filter((each) => each.dataset.state === 'ready').length === 2")
    tab.wait(f"new Set({TILES}.map((each) => each.getBoundingClientRect().left)).size === 2")
    tab.press("+")
    widths = f"{TILES}.map((each) => Math.round(each.querySelector('img').getBoundingClientRect().width))"
    tab.wait(f"(([one, other]) => one === 440 && one === other)({widths})")
    tab.click("[data-testid=compare] button", "Blink")
    for index in (0, 1, 0):
        tab.wait(f"{TILES}.map((each) => each.inert).indexOf(false) === {index}")
    tab.click("[aria-label='Close the comparison']")
    gone(tab, "[data-testid=compare]")


def test_the_gallery_shows_everything_and_opens_what_is_chosen(tab: Tab, publish: Publish) -> None:
    outputs = [*pictures(tab, publish), publish(html("<p>page</p>"))]
    ready(tab, outputs[-1])
    tab.press("g")
    tab.wait("document.activeElement.matches('[data-testid=gallery]')")
    tab.press("Home", "ArrowRight", "Enter")
    gone(tab, "[data-testid=gallery]")
    ready(tab, outputs[1])
    tab.click("[aria-label=More]")
    tab.click(ITEM, "Gallery of everything")
    card = f"[data-testid=gallery] [data-thumbnail='{outputs[2]}']"
    tab.click(card)
    there(tab, f"{card}[aria-selected=true]")
    tab.press("g")
    ready(tab, outputs[2])
