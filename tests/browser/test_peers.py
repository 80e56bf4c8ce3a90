"""Each action of httpgd's client and of Positron's Plots pane, done here by their keys and by the mouse.

Where their keys clash with each other's or with what the pane means by them, the pane's own list decides: the arrow
keys up and down go as in Positron, `h` hides the filmstrip as in httpgd, and nothing goes round at the ends. What is
one of their settings is a choice here. httpgd's Reconnect has nothing to do: a pane comes back by itself
(`test_reconnection.py`).
"""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from ipyweb import connection

from .conftest import NewPlots, OpenPane, Plots, opened
from .rows import (
    Row,
    after,
    asked,
    asking,
    button,
    chosen,
    command,
    copied,
    copied_picture,
    cross,
    dialog,
    downloading,
    item,
    key,
    left,
    magnified,
    on_thumbnail,
    opening,
    play,
    root,
    saved,
    shows,
    tab_shows,
    there,
)

PNG, DRAWING = b"\x89PNG", b"<svg"
ZOOM, TAKE, MORE = "Zoom and size", "Take away", "More"
EDITOR = "vscode://file/home/ada/waves/train.py:42"
SCRIPT = """
from matplotlib.figure import Figure
import ipyweb

f = Figure(figsize=(3, 2))
f.subplots().plot([1, 3, 2])
ipyweb.display(f)
"""


DARKENED = root("class", "darkens")
darken, hide = after(key("Shift+t"), DARKENED), after(key("h"), there("filmstrip", 0))
as_made = after(key("1"), chosen(ZOOM, "As made"), key("Escape"))


def narrow(plots: Plots) -> None:
    plots.page.set_viewport_size({"width": 400, "height": 640})


def lies(plots: Plots) -> None:
    expect(plots.page.get_by_test_id("filmstrip")).to_have_attribute("aria-orientation", "horizontal")


def of_my_own(plots: Plots) -> None:
    item(ZOOM, "Size of my own")(plots)
    plots.page.get_by_label("Width").fill("150")
    plots.page.get_by_label("Height").fill("150")
    plots.press("Enter")


def gallery_of_tab(plots: Plots) -> None:
    tab_shows(2)(plots)
    plots.opened.keyboard.press("g")
    expect(plots.opened.get_by_test_id("gallery").get_by_role("option")).to_have_count(3)


def has_code(plots: Plots) -> None:
    expect(plots.page.get_by_test_id("details")).to_contain_text("plot(losses)")


HTTPGD = [
    Row("previous plot, ←", key("ArrowLeft"), shows(1)),
    Row("previous plot, button", button("Previous output"), shows(1)),
    Row("next plot, →", key("ArrowRight"), shows(3)),
    Row("next plot, button", button("Next output"), shows(3)),
    Row("newest plot, N", after(key("Home"), shows(1), key("n")), shows(3)),
    Row("newest plot, click on the position", lambda plots: plots.page.locator(".position").click(), shows(3)),
    Row("zoom in, +", key("+"), magnified("^1[1-9]")),
    Row("zoom in, =", key("="), magnified("^1[1-9]")),
    Row("zoom in, button", button("Zoom in"), magnified("^1[1-9]")),
    Row("zoom out, -", key("-"), magnified("^[5-9]. ")),
    Row("zoom out, button", button("Zoom out"), magnified("^[5-9]. ")),
    Row("zoom reset, 0", after(key("+"), magnified("^1[1-9]"), key("0")), magnified("^100")),
    Row("zoom reset, menu", after(key("+"), magnified("^1[1-9]"), item(ZOOM, "Zoom back")), magnified("^100")),
    Row("delete the shown plot, D", key("d"), after(left(2), shows(3))),
    Row("delete the shown plot, Delete", key("Delete"), after(left(2), shows(3))),
    Row("delete the shown plot, button", button("Remove"), after(left(2), shows(3))),
    Row("clear all, Alt+D", key("Alt+d"), left(0)),
    Row("clear all, menu", item(MORE, "Remove all that is listed"), left(0)),
    Row("download SVG, S", downloading(key("s")), saved("Two.svg", DRAWING)),
    Row("download SVG, menu", downloading(item(TAKE, "Save as SVG")), saved("Two.svg", DRAWING)),
    Row("download PNG, P", downloading(key("p")), saved("Two.png", PNG)),
    Row("download PNG, menu", downloading(item(TAKE, "Save as PNG")), saved("Two.png", PNG)),
    Row("copy PNG, C", key("c"), copied_picture),
    Row("copy PNG, menu", item(TAKE, "Copy the picture"), copied_picture),
    Row("export dialog, E", key("e"), dialog("Export")),
    Row("export dialog, menu", item(MORE, "Export in another size"), dialog("Export")),
    Row("toggle the history sidebar, H", key("h"), there("filmstrip", 0)),
    Row("toggle the history sidebar, button", button("Filmstrip"), there("filmstrip", 0)),
    Row("toggle the history sidebar, menu", item(MORE, "Hide or show the filmstrip"), there("filmstrip", 0)),
    Row("light or dark, T", key("t", "t"), root("data-theme", "dark")),
    Row("light or dark, menu", after(*[item(MORE, "Light, dark, as the system")] * 2), root("data-theme", "dark")),
    Row("shortcuts, ?", key("?"), dialog("Keys and actions")),
    Row("shortcuts, menu", item(MORE, "All keys and actions"), dialog("Keys and actions")),
    Row("a thumbnail, Enter", on_thumbnail(3, "Enter"), shows(3)),
    Row("a thumbnail, Space", on_thumbnail(3, " "), shows(3)),
    Row("a thumbnail, click", lambda plots: plots.thumbnail(1).click(), shows(1)),
    Row("a thumbnail, ✕ under the pointer", cross, after(left(2), shows(3))),
]
POSITRON = [
    Row("previous, ←", on_thumbnail(2, "ArrowLeft"), shows(1)),
    Row("previous, ↑", on_thumbnail(2, "ArrowUp"), shows(1)),
    Row("previous, k", on_thumbnail(2, "k"), shows(1)),
    Row("next, →", on_thumbnail(2, "ArrowRight"), shows(3)),
    Row("next, ↓", on_thumbnail(2, "ArrowDown"), shows(3)),
    Row("next, j", on_thumbnail(2, "j"), shows(3)),
    Row("next, l", on_thumbnail(2, "l"), shows(3)),
    Row("remove, Delete", on_thumbnail(2, "Delete"), after(left(2), shows(3))),
    Row("remove, Backspace", on_thumbnail(2, "Backspace"), after(left(2), shows(3))),
    Row("remove, x", on_thumbnail(2, "x"), after(left(2), shows(3))),
    Row("select next plot, palette", command("next output"), shows(3)),
    Row("select previous plot, palette", command("previous output"), shows(1)),
    Row("copy plot, palette", command("copy picture"), copied_picture),
    Row("save plot, palette", downloading(command("save png")), saved("Two.png", PNG)),
    Row("clear plots, palette", command("remove all listed"), left(0)),
    Row("open plot in a new window, O", opening(key("o")), tab_shows(2)),
    Row("open plot in a new window, menu", opening(item(TAKE, "Open in a tab of its own")), tab_shows(2)),
    Row("open plot in an editor tab, palette", opening(command("tab own")), tab_shows(2)),
    Row("plots gallery, palette", command("gallery"), there("gallery")),
    Row("plots gallery in a new window", opening(key("o")), gallery_of_tab),
    Row("zoom, fit", after(as_made, item(ZOOM, "Fill the stage")), chosen(ZOOM, "Fill the stage")),
    Row("zoom, 50 %", item(ZOOM, "50 %"), magnified("^50 ")),
    Row("zoom, 75 %", item(ZOOM, "75 %"), magnified("^75 ")),
    Row("zoom, 100 %", after(key("+"), magnified("^1[1-9]"), item(ZOOM, "100 %")), magnified("^100 ")),
    Row("zoom, 200 %", item(ZOOM, "200 %"), magnified("^200 ")),
    Row("change plot sizing policy, intrinsic", item(ZOOM, "As made"), chosen(ZOOM, "As made")),
    Row("change plot sizing policy, custom", of_my_own, chosen(ZOOM, "Size of my own")),
    Row("copy code", item(TAKE, "Copy the code"), copied("plot(losses)")),
    Row("reveal code", key("i"), has_code),
    Row("open source file, menu", asking(item(TAKE, "Open its file in the editor")), asked(EDITOR)),
    Row("open source file, palette", asking(command("open file editor")), asked(EDITOR)),
    Row("dark filter, dark", item(ZOOM, "Plots darkened"), DARKENED),
    Row("dark filter, none", after(darken, item(ZOOM, "Plots in their own colours")), root("class", "^$")),
    Row("dark filter, follow theme", after(item(ZOOM, "Plots darkened in the dark theme"), key("t", "t")), DARKENED),
    Row("history policy, never", key("h"), there("filmstrip", 0)),
    Row("history policy, always", after(hide, item(MORE, "Filmstrip on the left")), there("filmstrip")),
    Row("history policy, auto", narrow, lies),
]  # fmt: skip


def test_what_httpgd_does_is_done_here(new_plots: NewPlots, subtests: pytest.Subtests) -> None:
    play(HTTPGD, new_plots, subtests)


def test_what_positron_does_is_done_here(new_plots: NewPlots, subtests: pytest.Subtests) -> None:
    play(POSITRON, new_plots, subtests)


def drawn(page: Page, width: int, height: int) -> None:
    """Wait until the export dialog's preview has a size."""
    size = "([w, h]) => { const image = document.querySelector('[data-testid=preview]');"
    size += " return image?.naturalWidth === w && image.naturalHeight === h }"
    page.wait_for_function(size, arg=[width, height])


@pytest.fixture
def figure(tmp_path: Path, open_pane: OpenPane, context: BrowserContext, hub: connection.Connection) -> Plots:
    """A pane with a figure that a script has shown."""
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub.url)
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, script, "--epochs=3"], check=True, timeout=180, cwd=tmp_path)
    pane = opened(open_pane, hub, 1)
    return Plots(pane.page, pane.url, [1])


def test_what_both_do_with_figures_of_scripts_is_done_here(
    figure: Plots, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """Positron's Run Code Again; httpgd's export dialog, and Positron's for saving."""
    with subtests.test("run code again: the command, for a terminal"):
        item(TAKE, "Copy the command that runs it again")(figure)
        copied(f"cd {tmp_path} && ipyweb run {tmp_path}/train.py --epochs=3")(figure)
    page = figure.page
    figure.press("e")
    export = page.get_by_role("dialog", name="Export")
    with subtests.test("preview, of the size as made"):
        drawn(page, 300, 200)
    with subtests.test("width and height, preview follows"):
        export.get_by_label("Width").fill("450")
        export.get_by_label("Height").fill("250")
        drawn(page, 450, 250)
    with subtests.test("dots per inch"):
        export.get_by_label("Dots per inch").fill("50")
        drawn(page, 450, 250)
    for name, begins in {"PNG": PNG, "SVG": b"<?xml", "PDF": b"%PDF"}.items():
        with subtests.test(f"format and save, {name}"):
            export.get_by_label("Format").select_option(name)
            with page.expect_download() as download:
                export.get_by_role("button", name="Save", exact=True).click()
            content = Path(download.value.path()).read_bytes()
            assert content.startswith(begins)
            assert name != "PNG" or Image.open(io.BytesIO(content)).size == (450, 250)
        if name != "PDF":
            with subtests.test(f"open, {name}"), page.context.expect_page() as tab:
                export.get_by_role("button", name="Open", exact=True).click()
            picture = tab.value.get_by_role("img", name="Output 1")
            expect(picture).to_have_js_property("naturalWidth", 450 if name == "PNG" else 864)
            tab.value.close()
    with subtests.test("copy"):
        export.get_by_role("button", name="Data URI").click()
        expect(page.get_by_test_id("toast")).to_have_text("Copied as a data URI")
        assert str(page.evaluate("navigator.clipboard.readText()")).startswith("data:image/")
    with subtests.test("close"):
        export.get_by_role("button", name="Close").click()
        expect(export).to_have_count(0)
