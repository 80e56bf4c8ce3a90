"""Taking away what is shown: copying it, saving it as PNG and as SVG, as it is seen."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import BrowserContext, expect

from ipyweb import connection

from .conftest import OpenPane, Pane, Publish, Show, html, image, opened, stage, wait_for_width
from .test_kinds import PLOTLY, SVG, VEGA_LITE

KINDS: dict[str, dict[str, Any]] = {
    "png": {"image/png": image("green", (300, 200))},
    "jpeg": {"image/jpeg": image("green", (300, 200), "jpeg")},
    "svg": {"image/svg+xml": SVG},
    "plotly": {"application/vnd.plotly.v1+json": PLOTLY},
    "vega": {"application/vnd.vegalite.v5+json": VEGA_LITE},
}
READ = """async () => {
    const [item] = await navigator.clipboard.read();
    const type = item.types[0], bytes = new Uint8Array(await (await item.getType(type)).arrayBuffer());
    return [type, btoa(Array.from(bytes, each => String.fromCharCode(each)).join(""))];
}"""


def saved(pane: Pane, key: str) -> tuple[str, bytes]:
    with pane.page.expect_download() as download:
        pane.press(key)
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def green(picture: bytes) -> float:
    """The share of the pixels that are of about the green of the drawings."""
    red, bright, blue = Image.open(io.BytesIO(picture)).convert("RGB").split()
    masks = [red.point(lambda v: 255 * (v < 40)), bright.point(lambda v: 255 * (100 < v < 160))]
    both = ImageChops.multiply(*masks)
    return ImageChops.multiply(both, blue.point(lambda v: 255 * (v < 40))).histogram()[255] / (red.width * red.height)


@pytest.mark.parametrize("kind", list(KINDS))
def test_p_saves_a_png_of_what_is_seen(pane: Pane, publish: Publish, kind: str) -> None:
    pane.ready(publish(KINDS[kind], title="The plot"))
    name, content = saved(pane, "p")
    assert name == "The plot.png"
    assert green(content) > 0.1


@pytest.mark.parametrize("kind", ["svg", "plotly", "vega"])
def test_s_saves_an_svg_of_what_is_seen(pane: Pane, publish: Publish, kind: str) -> None:
    pane.ready(publish(KINDS[kind], title="The plot"))
    name, content = saved(pane, "s")
    assert name == "The plot.svg"
    assert b"<svg" in content


@pytest.mark.parametrize("kind", ["svg", "plotly", "vega"])
def test_both_are_saved_when_asked_for_at_once(pane: Pane, publish: Publish, kind: str) -> None:
    pane.ready(publish(KINDS[kind], title="The plot"))
    named = [lambda each, form=form: each.suggested_filename == f"The plot.{form}" for form in ("png", "svg")]
    with pane.page.expect_download(named[0]) as png, pane.page.expect_download(named[1]) as svg:
        pane.press("p")
        pane.press("s")
    assert green(Path(png.value.path()).read_bytes()) > 0.1
    assert b"<svg" in Path(svg.value.path()).read_bytes()


def test_pixels_are_not_saved_as_a_drawing_and_that_is_said(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"image/png": image()}))
    pane.press("s")
    expect(pane.page.get_by_test_id("toast")).to_contain_text("PNG cannot be taken as SVG")


PAGES: dict[str, dict[str, Any]] = {
    "html": html("<style>p { background: green; color: white } p::before { content: 'A ' }</style><p>page</p>"),
    "table": html("<table class=dataframe><tr><th>a<td style='background: green'>1</table>"),
    "markdown": {"text/markdown": "| a |\n|---|\n| $x^2$ |\n\n<p style='background: green'>green</p>"},
    "latex": {"text/latex": r"$\colorbox{green}{\rule{5em}{2em}} = x^2$"},
    "javascript": {"application/javascript": "element.innerHTML = '<p style=\"background: green\">drawn</p>'"},
    "shadow": html(
        "<p id=host></p><script>host.attachShadow({mode: 'open'}).innerHTML ="
        " '<style>b { display: block; background: green }</style><b>deep</b>'</script>"
    ),
    "canvas": html(
        "<canvas id=c width=90 height=60></canvas><script>{const on = c.getContext('2d');"
        " on.fillStyle = 'green'; on.fillRect(0, 0, 90, 60)}</script>"
    ),
}
"""What makes no pictures itself, each with a good part of it green."""


@pytest.mark.parametrize("kind", list(PAGES))
def test_pages_are_pictures_too(pane: Pane, context: BrowserContext, publish: Publish, kind: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.ready(publish(PAGES[kind], title="The page"))
    name, content = saved(pane, "p")
    assert name == "The page.png"
    assert green(content) > 0.1
    name, drawing = saved(pane, "s")
    assert name == "The page.svg"
    assert b"<foreignObject" in drawing
    pane.press("c")
    expect(pane.page.get_by_test_id("toast")).to_have_text("Copied the picture")
    mime, content = pane.page.evaluate(READ)
    assert mime == "image/png"
    assert green(base64.b64decode(content)) > 0.1


def test_the_picture_of_a_page_has_all_of_it_and_no_empty_space_around(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<div style='width: 100px; height: 3000px; background: green'></div>")))
    _, content = saved(pane, "p")
    assert Image.open(io.BytesIO(content)).size == (124, 3024)
    assert green(content) > 0.75


def test_a_page_without_an_end_is_cut_off_and_that_is_said(pane: Pane, publish: Publish) -> None:
    rows = "<tr style='height: 100px; background: green'><td>row" * 200
    pane.ready(publish(html(f"<table>{rows}</table>")))
    _, content = saved(pane, "p")
    assert 7950 < Image.open(io.BytesIO(content)).height <= 8000
    assert green(content) > 0.5
    expect(pane.page.get_by_test_id("notices")).to_contain_text("the picture ends after 8000 pixels")


def test_a_picture_of_a_page_is_as_sharp_as_it_is_seen(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<div style='width: 100px; height: 50px; background: green'></div>")))
    for _ in range(5):
        pane.press("+")
    expect(pane.page.get_by_role("button", name="Zoom and size")).to_contain_text("200")
    _, content = saved(pane, "p")
    assert Image.open(io.BytesIO(content)).size == (248, 148)


def test_a_picture_of_a_form_shows_what_was_entered(pane: Pane, publish: Publish) -> None:
    tick = "<input type=checkbox style='accent-color: green; width: 60px; height: 60px'>"
    pane.ready(publish(html(f"{tick}<select><option>one<option>two</select><textarea></textarea>")))
    assert green(saved(pane, "p")[1]) == 0
    pane.frame.locator("input").check()
    pane.frame.locator("select").select_option("two")
    pane.frame.locator("textarea").fill("some words")
    pane.press("Escape")
    pane.page.wait_for_function("() => document.activeElement === document.body")
    assert green(saved(pane, "p")[1]) > 0.1
    drawing = saved(pane, "s")[1].decode()
    assert "some words</textarea>" in drawing
    assert 'selected="">two' in drawing or 'selected="" ' in drawing


def test_a_page_in_a_page_cannot_be_taken_and_that_is_said(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<iframe srcdoc='<p>inner</p>'></iframe>")))
    pane.press("p")
    expect(pane.page.get_by_test_id("toast")).to_contain_text("it holds a page of its own, which nobody may read")


def test_a_page_is_taken_in_the_colours_that_it_is_seen_in(pane: Pane, publish: Publish) -> None:
    pane.page.emulate_media(color_scheme="dark")
    pane.ready(publish({"application/json": {"a": 1}}))
    _, content = saved(pane, "p")
    assert Image.open(io.BytesIO(content)).convert("RGB").getpixel((0, 0)) == (0x17, 0x18, 0x1B)


def test_a_figure_is_saved_as_large_as_it_is_seen(show: Show, open_pane: OpenPane, hub: connection.Connection) -> None:
    pane = opened(open_pane, hub, show("f = Figure(); f.subplots().plot([1, 3, 2])"))
    width, height = stage(pane.page)
    wait_for_width(pane.page, width - 32)
    _, content = saved(pane, "p")
    assert Image.open(io.BytesIO(content)).size == (width - 32, height - 32)
    _, content = saved(pane, "s")
    assert b"<svg" in content


@pytest.mark.parametrize("kind", list(KINDS))
def test_c_copies_a_picture(pane: Pane, context: BrowserContext, publish: Publish, kind: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.ready(publish(KINDS[kind]))
    pane.press("c")
    expect(pane.page.get_by_test_id("toast")).to_have_text("Copied the picture")
    mime, content = pane.page.evaluate(READ)
    assert mime == "image/png"
    assert green(base64.b64decode(content)) > 0.1


def test_c_copies_from_inside_a_frame_too(pane: Pane, context: BrowserContext, publish: Publish) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.ready(publish(KINDS["svg"]))
    pane.frame.locator("rect").click()
    pane.press("c")
    expect(pane.page.get_by_test_id("toast")).to_have_text("Copied the picture")


def test_texts_are_copied_as_text(pane: Pane, context: BrowserContext, publish: Publish) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.ready(publish({"text/plain": "words"}))
    pane.press("c")
    expect(pane.page.get_by_test_id("toast")).to_have_text("Copied the text")
    assert pane.page.evaluate("navigator.clipboard.readText()") == "words"


def test_the_menu_saves_what_is_stored(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<p>page</p>"), title="Page"))
    pane.page.get_by_role("button", name="Take away").click()
    with pane.page.expect_download() as download:
        pane.page.get_by_role("menuitem", name="Save what is stored").click()
    assert download.value.suggested_filename == "Page.html"


def copied(pane: Pane, what: str) -> str:
    """The text in the clipboard, once the toast has said that it is there."""
    expect(pane.page.get_by_test_id("toast")).to_have_text(f"Copied as {what}")
    return str(pane.page.evaluate("navigator.clipboard.readText()"))


def take(pane: Pane, item: str) -> None:
    pane.page.get_by_role("button", name="Take away").click()
    pane.page.get_by_role("menuitem", name=item, exact=True).click()


@pytest.mark.parametrize("kind", ["png", "plotly", "vega"])
def test_a_picture_is_copied_as_markdown_html_and_data_uri(
    pane: Pane, context: BrowserContext, publish: Publish, kind: str
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.ready(publish(KINDS[kind], title="The plot"))
    pane.press("Shift+c")
    markdown = copied(pane, "Markdown")
    assert markdown.startswith("![The plot](data:image/png;base64,")
    take(pane, "Copy as a data URI")
    address = copied(pane, "a data URI")
    assert green(base64.b64decode(address.removeprefix("data:image/png;base64,"))) > 0.1
    take(pane, "Copy as HTML")
    assert copied(pane, "HTML").startswith('<img src="data:image/png;base64,')


def test_html_is_copied_so_that_it_can_be_pasted_as_what_it_shows(
    pane: Pane, context: BrowserContext, publish: Publish
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.ready(publish(html("<table><tr><td>1</td></tr></table>")))
    take(pane, "Copy as HTML")
    assert copied(pane, "HTML") == "<table><tr><td>1</td></tr></table>"
    types = pane.page.evaluate("navigator.clipboard.read().then(([item]) => [...item.types])")
    assert set(types) == {"text/plain", "text/html"}


def test_a_text_is_copied_as_markdown_between_fences_from_the_palette(
    pane: Pane, context: BrowserContext, publish: Publish
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.ready(publish({"text/plain": "a b"}))
    pane.press("Control+k")
    expect(pane.page.get_by_role("combobox")).to_be_focused()
    pane.page.keyboard.type("copy markdown")
    pane.press("Enter")
    assert copied(pane, "Markdown") == "```\na b\n```"


def test_the_export_dialog_copies_too_and_says_so_above_itself(
    show: Show, open_pane: OpenPane, context: BrowserContext, hub: connection.Connection
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane = opened(open_pane, hub, show("f = Figure(figsize=(3, 2)); f.subplots().plot([1, 3, 2])"))
    pane.press("e")
    dialog = pane.page.get_by_role("dialog", name="Export")
    dialog.get_by_label("Width").fill("450")
    dialog.get_by_role("button", name="Data URI").click()
    address = copied(pane, "a data URI")
    picture = Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,"))))
    assert picture.size == (450, 200)
    assert dialog.is_visible()
    assert pane.page.get_by_test_id("toast").evaluate("toast => toast.matches(':popover-open')")
