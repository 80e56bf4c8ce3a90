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


def test_what_is_no_drawing_is_not_saved_as_one_and_that_is_said(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"image/png": image()}))
    pane.press("s")
    expect(pane.page.get_by_test_id("toast")).to_contain_text("PNG cannot be taken as SVG")


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


def test_texts_are_copied_as_text_and_pages_say_that_they_are_no_picture(
    pane: Pane, context: BrowserContext, publish: Publish
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.ready(publish({"text/plain": "words"}))
    pane.press("c")
    expect(pane.page.get_by_test_id("toast")).to_have_text("Copied the text")
    assert pane.page.evaluate("navigator.clipboard.readText()") == "words"
    pane.ready(publish(html("<p>page</p>")))
    pane.press("c")
    expect(pane.page.get_by_test_id("toast")).to_contain_text("HTML cannot be taken as PNG")


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
