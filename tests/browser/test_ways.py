"""Both ways to do things, by the keyboard and by the mouse, where the tests of a subject go only one of them.

The first table is in the order of the issue that asks for the pane: flicking, looking closely, comparing, finding,
taking away, tidying, knowing where an output comes from.
"""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from ipyweb import connection

from .conftest import NewPlots, OpenPane, Pane, Plots, Publish, Show, image, opened, wait_for_width
from .rows import (
    Row,
    after,
    alone,
    button,
    chosen,
    click,
    command,
    compares,
    copied,
    cross,
    dialog,
    downloading,
    item,
    key,
    left,
    magnified,
    placed,
    play,
    root,
    saved,
    selected,
    shows,
    tab_to,
    there,
    tiles,
    toast,
    type_,
)

ZOOM, TAKE, MORE = "Zoom and size", "Take away", "More"


def ends(plots: Plots) -> None:
    """At the ends, the buttons go no further."""
    for chord, name, number in (("Home", "Previous output", 1), ("End", "Next output", 3)):
        plots.press(chord)
        plots.ready(plots.ids[number - 1])
        expect(plots.page.get_by_role("button", name=name)).to_be_disabled()


def named(plots: Plots) -> None:
    expect(plots.page.locator("footer strong")).to_have_text("Final")
    expect(plots.page.locator("footer")).to_contain_text("for chapter 3")


def name_by_mouse(plots: Plots) -> None:
    button("Details")(plots)
    button("Name and note…")(plots)
    for label, text in (("Name", "Final"), ("Note", "for chapter 3")):
        plots.page.get_by_label(label, exact=True).click(click_count=3)
        plots.page.keyboard.type(text)
    button("Keep")(plots)


def pinned(plots: Plots) -> None:
    expect(plots.page.get_by_role("button", name="Pin", exact=True)).to_have_attribute("aria-pressed", "true")


def raw(plots: Plots) -> None:
    expect(plots.page.get_by_test_id("details").locator("details[open] pre")).to_contain_text("<svg")


def open_raw_by_keys(plots: Plots) -> None:
    summary = plots.page.get_by_test_id("details").locator("summary").first
    plots.press("i")
    expect(summary).to_be_visible()
    for _ in range(60):
        plots.press("Tab")
        if summary.evaluate("element => element === document.activeElement"):
            return plots.press("Enter")
    raise AssertionError("no data on the way")


def both_zoomed(plots: Plots) -> None:
    for part in ("img", "iframe"):
        inner = plots.page.locator(f"[data-testid=tile] .layer:not(.coming) > {part}")
        expect(inner).to_have_attribute("style", re.compile(r"width: 400px|scale\(1\.25\)"))


def gone(plots: Plots) -> None:
    expect(plots.page.get_by_role("dialog")).to_contain_text("The trash is empty.")


first, second, third = (f"[data-testid=filmstrip] [role=option]:nth-child({n})" for n in (1, 2, 3))
two_marked = after(click(first, "ControlOrMeta"), click(third, "ControlOrMeta"), there("mark", 2))
removed = after(key("x"), left(2), command("trash"), there("storage"))

ROWS = [
    Row("the ends, mouse", ends, shows(3)),
    Row("filmstrip on the right, menu", item(MORE, "Filmstrip on the right"), placed("right")),
    Row("filmstrip on the right, keys", command("filmstrip right"), placed("right")),
    Row("filmstrip at the bottom, menu", item(MORE, "Filmstrip at the bottom"), placed("bottom")),
    Row("filmstrip at the bottom, keys", command("filmstrip bottom"), placed("bottom")),
    Row("zoom to 150 %, keys", command("150"), magnified("^150 ")),
    Row("as made, menu", item(ZOOM, "As made"), chosen(ZOOM, "As made")),
    Row("as made, keys", key("1"), chosen(ZOOM, "As made")),
    Row(
        "a size of one's own, keys",
        after(command("size of my own"), dialog("Size"), type_("150"), key("Tab"), type_("120"), key("Enter")),
        chosen(ZOOM, "Size of my own"),
    ),
    Row("plots darkened, keys", key("Shift+t"), root("class", "darkens")),
    Row("plots darkened, menu", item(ZOOM, "Plots darkened"), root("class", "darkens")),
    Row("theme, button", after(*[click("[aria-label^=Theme]")] * 2), root("data-theme", "dark")),
    Row("full screen, menu of everything", item(MORE, "Full screen"), alone),
    Row("full screen, menu of looking", item(ZOOM, "Full screen"), alone),
    Row("marking all up to it, mouse", after(click(first, "Shift")), there("mark", 2)),
    Row("side by side, menu", item(MORE, "Compare the marked"), compares("Side by side")),
    Row(
        "side by side, button beside the position",
        after(two_marked, click("[data-testid=marked]")),
        compares("Side by side"),
    ),
    Row("blinking, keys", command("blinking"), compares("Blink")),
    Row("blinking, menu", item(MORE, "Compare by blinking"), compares("Blink")),
    Row("difference, menu", item(MORE, "Compare by what differs"), compares("Difference")),
    Row("difference, button", after(key("v"), tiles(2), button("Difference")), compares("Difference")),
    Row("end of a comparison, mouse", after(key("v"), tiles(2), button("Close the comparison")), there("compare", 0)),
    Row("linked zoom, keys", after(key("v"), tiles(2), key("+", "+")), both_zoomed),
    Row("gallery, menu", item(MORE, "Gallery of everything"), there("gallery")),
    Row("only this session, keys", command("this session"), selected("Session", ".+")),
    Row("only the last day, keys", command("24"), selected("Date", "1")),
    Row("only pinned, keys", after(key("b"), pinned, command("only pinned")), left(1)),
    Row("end of the search, keys of the palette", after(key("/"), type_("one"), left(1), command("end")), left(3)),
    Row("name and note, mouse", name_by_mouse, named),
    Row("pin, mouse", button("Pin"), pinned),
    Row("code, keys", command("copy the code"), copied("plot(losses)")),
    Row("path, keys", command("copy path"), copied("/home/ada/waves/train.py:42")),
    Row("data URI, keys", command("data uri"), toast("Copied as a data URI")),
    Row("HTML, keys", command("copy html"), toast("Copied as HTML")),
    Row("what is stored, keys", downloading(command("save stored")), saved("Two.svg", b"<svg")),
    Row(
        "report of several, keys",
        downloading(after(key("e"), tab_to("button", "Export"), key("Enter"))),
        lambda plots: re.fullmatch(r".+\.html", plots.download.suggested_filename) or pytest.fail("no report"),
    ),
    Row("removal and undo, mouse", after(cross, left(2), button("Undo")), left(3)),
    Row("removal and undo, keys of the palette", after(command("remove output"), left(2), command("bring")), left(3)),
    Row("clearing a session, keys", command("all session"), left(0)),
    Row("clearing a session, mouse", after(item(MORE, "Remove all of this session"), left(0), button("Undo")), left(3)),
    Row("clearing a project, mouse", after(item(MORE, "Remove all that is listed"), left(0), button("Undo")), left(3)),
    Row("trash, menu", after(key("x"), left(2), item(MORE, "Trash and storage"), button("Restore")), left(3)),
    Row("trash, keys", after(removed, tab_to("button", "Restore"), key("Enter")), left(3)),
    Row("deletion for good, keys", after(removed, tab_to("button", "Delete for good"), key("Enter")), gone),
    Row("details, button", button("Details"), there("details")),
    Row("raw data, keys", open_raw_by_keys, raw),
]


def test_what_is_done_in_one_way_is_done_in_the_other(new_plots: NewPlots, subtests: pytest.Subtests) -> None:
    play(ROWS, new_plots, subtests)


# -- what needs other outputs than three plots ------------------------------------------------------------------------

REAL = """
import altair, pandas, plotly.express
import matplotlib.pyplot as plt
from IPython.display import HTML, Markdown
from matplotlib.animation import FuncAnimation

import ipyweb

prices = pandas.DataFrame({"day": [1, 2, 3], "price": [2.5, 3.5, 3.0]})
figure, axes = plt.subplots(figsize=(2, 1.5))
(line,) = axes.plot(prices["price"])
ipyweb.display(figure, title="matplotlib")
ipyweb.display(plotly.express.line(prices, x="day", y="price"), title="Plotly")
ipyweb.display(altair.Chart(prices).mark_line().encode(x="day", y="price"), title="Altair")
ipyweb.display(HTML("<h1>Report</h1><p>All is well.</p>"), title="HTML")
ipyweb.display(prices, title="table")
ipyweb.display(Markdown("# Notes\\n\\nSome *words*."), title="Markdown")
ipyweb.display(FuncAnimation(figure, lambda step: line.set_ydata([step, 1, 2]), frames=3), title="video")
"""


@pytest.fixture
def real(tmp_path: Path, open_pane: OpenPane, hub: connection.Connection) -> Pane:
    """A pane with what the libraries themselves make, the last shown."""
    script = tmp_path / "analysis.py"
    script.write_text(REAL)
    subprocess.run([sys.executable, script], check=True, timeout=300, cwd=tmp_path)
    return open_pane(f"token={hub.token_for('pane')}&project={quote(str(tmp_path), safe='')}").ready(7)


def test_real_outputs_are_gone_through_and_zoomed_by_keys_and_by_mouse(real: Pane) -> None:
    page, size = real.page, real.page.get_by_role("button", name="Zoom and size")
    for output in range(6, 0, -1):
        real.press("ArrowLeft")
        real.ready(output)
        before = size.inner_text()
        real.press("+")
        expect(size).not_to_have_text(before)
        real.press("0")
        expect(size).to_have_text(before)
    for output in range(2, 8):
        page.get_by_role("button", name="Next output").click()
        real.ready(output)
        before = size.inner_text()
        page.get_by_role("button", name="Zoom in").click()
        expect(size).not_to_have_text(before)
    for output in range(1, 8):
        page.locator(f"[data-thumbnail='{output}']").click()
        real.ready(output)
    real.press("g")
    titles = ["matplotlib", "Plotly", "Altair", "HTML", "table", "Markdown", "video"]
    expect(page.get_by_test_id("gallery").locator("[role=option] .name")).to_have_text(titles)


@pytest.fixture
def picture(pane: Pane, publish: Publish) -> Pane:
    """A pane with a picture of 400 by 300."""
    return pane.ready(publish({"image/png": image(size=(400, 300))}))


def test_pinches_zoom_on_a_touchpad_and_on_a_screen(picture: Pane) -> None:
    page, size = picture.page, picture.page.get_by_role("button", name="Zoom and size")
    page.get_by_test_id("stage").hover()
    page.keyboard.down("Control")  # as browsers say that two fingers move on a touchpad
    page.mouse.wheel(0, -20)
    page.keyboard.up("Control")
    expect(size).to_have_text("122 %")
    picture.press("0")
    expect(size).to_have_text("100 %")
    screen = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 50), ("touchMove", 75), ("touchMove", 100), ("touchEnd", None)):
        fingers = [] if apart is None else [{"x": 600 + side * apart, "y": 350, "id": side} for side in (-1, 1)]
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    expect(size).to_have_text("200 %")


def test_the_wheel_goes_through_a_filmstrip_that_stands(pane: Pane, publish: Publish) -> None:
    outputs = [publish({"text/plain": str(number)}) for number in range(20)]
    pane.ready(outputs[-1])
    strip = pane.page.get_by_test_id("filmstrip")
    strip.hover()
    pane.page.mouse.wheel(0, -10_000)
    pane.page.wait_for_function("strip => strip.scrollTop === 0", arg=strip.element_handle())
    assert pane.shown == outputs[-1]
    pane.page.locator(f"[data-thumbnail='{outputs[0]}']").click()
    pane.ready(outputs[0])


def test_a_figure_is_drawn_anew_for_a_zoom_by_the_wheel_and_exported_by_keys_alone(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    pane = opened(open_pane, hub, show("f = Figure(figsize=(3, 2)); f.subplots().plot([1, 3, 2])"))
    figure = Plots(pane.page, pane.url, [pane.shown])
    figure.press("1")
    wait_for_width(figure.page, 300)
    figure.page.get_by_test_id("stage").hover()
    figure.page.mouse.wheel(0, -385)
    wait_for_width(figure.page, 600)
    keys = [key("e"), tab_to("combobox", "Format"), type_("s"), tab_to("spinbutton", "Width"), type_("450")]
    downloading(after(*keys, key("Enter")))(figure)
    content = Path(figure.download.path()).read_text()
    assert 'width="324pt"' in content
    after(tab_to("checkbox", "Transparent background"), key("Space"))(figure)
    expect(figure.page.get_by_label("Transparent background")).to_be_checked()
    figure.press("Escape")
    expect(figure.page.get_by_role("dialog")).to_have_count(0)
