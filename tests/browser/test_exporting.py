"""The export dialog: a figure in another size and format with a preview, and several outputs in one file."""

import io
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from PIL import Image
from playwright.sync_api import expect

from ipyweb import connection

from .conftest import OpenPane, Pane, Publish, Show, html, image, opened
from .test_kinds import PLOTLY, SVG, VEGA_LITE
from .test_taking import PAGES, green


def saved(pane: Pane, button: str) -> tuple[str, bytes]:
    with pane.page.expect_download() as download:
        pane.page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


@pytest.fixture
def exporting(show: Show, open_pane: OpenPane, hub: connection.Connection) -> Pane:
    """A pane in which the export dialog is open for a figure of 300 by 200 pixels."""
    pane = opened(open_pane, hub, show("f = Figure(figsize=(3, 2)); f.subplots().plot([1, 3, 2])"))
    pane.press("e")
    return pane


def test_a_figure_is_exported_in_another_size_and_format(exporting: Pane) -> None:
    dialog = exporting.page.get_by_role("dialog")
    expect(dialog.get_by_label("Width")).to_have_value("300")
    dialog.get_by_label("Width").fill("450")
    dialog.get_by_label("Height").fill("250")
    preview = "() => document.querySelector('[data-testid=preview]')?.naturalWidth === 450"
    exporting.page.wait_for_function(preview)
    _, content = saved(exporting, "Save")
    assert Image.open(io.BytesIO(content)).size == (450, 250)
    dialog.get_by_label("Unit").select_option("inches")
    expect(dialog.get_by_label("Width")).to_have_value("4.5")
    dialog.get_by_label("Format").select_option("PDF")
    name, content = saved(exporting, "Save")
    assert name.endswith(".pdf")
    assert content.startswith(b"%PDF")


def test_what_is_listed_becomes_a_report_without_code_unless_ticked(pane: Pane, publish: Publish) -> None:
    publish({"image/png": image()}, source={"code": "secret_call()"})
    pane.ready(publish(html("<p>page</p>")))
    pane.press("e")
    name, content = saved(pane, "Export")
    assert name.endswith(".html")
    assert b"secret_call" not in content
    pane.page.get_by_role("dialog").get_by_label("Code").check()
    assert b"secret_call" in saved(pane, "Export")[1]


def test_the_marked_become_a_notebook(pane: Pane, publish: Publish) -> None:
    chart = {"mark": "point", "data": {"values": []}}
    first = publish({"application/vnd.vegalite.v6+json": chart, "text/plain": "one"})
    pane.ready(publish({"text/plain": "two"}))
    pane.page.locator(f"[data-thumbnail='{first}']").click(modifiers=["ControlOrMeta"])
    pane.press("e")
    dialog = pane.page.get_by_role("dialog")
    expect(dialog.get_by_label("Which")).to_have_value("marked")
    dialog.locator("form.several select").nth(1).select_option("Notebook")
    name, content = saved(pane, "Export")
    assert name.endswith(".ipynb")
    notebook = nbformat.reads(content.decode(), as_version=4)
    nbformat.validate(notebook)
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cell.outputs[0].data == {"application/vnd.vegalite.v6+json": chart, "text/plain": "one"}


def test_a_figure_is_saved_without_its_background_as_the_preview_shows_it(exporting: Pane) -> None:
    dialog = exporting.page.get_by_role("dialog")
    corner = """() => {
        const image = document.querySelector('[data-testid=preview]');
        if (!image?.complete || !image.naturalWidth) return null;
        const context = new OffscreenCanvas(1, 1).getContext('2d');
        context.drawImage(image, 0, 0);
        return context.getImageData(0, 0, 1, 1).data[3];
    }"""
    exporting.page.wait_for_function(f"() => ({corner})() === 255")
    dialog.get_by_label("Transparent background").check()
    exporting.page.wait_for_function(f"() => ({corner})() === 0")
    _, content = saved(exporting, "Save")
    opacity = Image.open(io.BytesIO(content)).convert("RGBA").getchannel("A").tobytes()
    assert (min(opacity), max(opacity)) == (0, 255)


DRAWN: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "plotly": ({"application/vnd.plotly.v1+json": {**PLOTLY, "layout": {"width": 300, "height": 200}}}, (450, 250)),
    "vega": ({"application/vnd.vegalite.v5+json": VEGA_LITE}, (450, 250)),
    "svg": ({"image/svg+xml": SVG}, (450, 300)),
    "png": ({"image/png": image("green", (300, 200))}, (450, 300)),
}
"""Drawings, and the pixels that they come to when a width of 450, and a height of 250 where that is free, is chosen."""


def start(pane: Pane) -> tuple[int, int]:
    """The width and height that the dialog starts from."""
    dialog = pane.page.get_by_role("dialog")
    expect(dialog.get_by_label("Width")).not_to_have_value("0")
    return round(float(dialog.get_by_label("Width").input_value())), round(
        float(dialog.get_by_label("Height").input_value())
    )


def choose(pane: Pane, **fields: str) -> None:
    """Fill in fields of the dialog, by their labels."""
    for label, value in fields.items():
        pane.page.get_by_role("dialog").get_by_label(label.replace("_", " ")).fill(value)


def previewed(pane: Pane, width: int) -> None:
    """Wait for the preview of a picture that is so many pixels wide."""
    found = "width => document.querySelector('[data-testid=preview]')?.naturalWidth === width"
    pane.page.wait_for_function(found, arg=width)


@pytest.mark.parametrize("kind", list(DRAWN))
def test_drawings_are_exported_in_another_size(pane: Pane, publish: Publish, kind: str) -> None:
    bundle, size = DRAWN[kind]
    pane.ready(publish(bundle, title="Drawing"))
    pane.press("e")
    made = start(pane)
    if kind != "vega":  # as made there means without its axes
        assert made == (300, 200)
    choose(pane, Width="450")
    if size[1] == 250:
        choose(pane, Height="250")
    previewed(pane, 450)
    name, content = saved(pane, "Save")
    assert name == "Drawing.png"
    picture = Image.open(io.BytesIO(content))
    assert picture.size == size
    assert [round(each) for each in picture.info["dpi"]] == [96, 96]
    assert green(content) > 0.1
    pane.page.get_by_role("dialog").get_by_label("Format").select_option("JPEG")
    name, content = saved(pane, "Save")
    assert name == "Drawing.jpg"
    assert Image.open(io.BytesIO(content)).format == "JPEG"


@pytest.mark.parametrize("kind", list(PAGES))
def test_pages_are_exported_from_the_size_that_they_are_seen_in(pane: Pane, publish: Publish, kind: str) -> None:
    pane.ready(publish(PAGES[kind], title="Page"))
    pane.press("e")
    width, height = start(pane)
    previewed(pane, width)
    _, content = saved(pane, "Save")
    assert Image.open(io.BytesIO(content)).size == (width, height)
    assert green(content) > 0.1
    choose(pane, Width=str(width + 100))
    previewed(pane, width + 100)
    _, content = saved(pane, "Save")
    assert Image.open(io.BytesIO(content)).width == width + 100
    pane.page.get_by_role("dialog").get_by_label("Format").select_option("SVG")
    name, content = saved(pane, "Save")
    assert name == "Page.svg"
    assert b"<foreignObject" in content


def test_a_page_is_laid_out_anew_in_the_width_that_is_chosen(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<p style='background: green'>" + "many words " * 60)))
    pane.press("e")
    _, height = start(pane)
    choose(pane, Width="300")
    previewed(pane, 300)
    _, content = saved(pane, "Save")
    picture = Image.open(io.BytesIO(content))
    assert picture.width == 300
    assert picture.height > 2 * height
    assert pane.frame.evaluate("document.documentElement.style.width") == ""


def test_more_dots_in_an_inch_make_a_picture_sharper_and_no_other(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(PAGES["table"]))
    pane.press("e")
    width, height = start(pane)
    pane.page.get_by_role("dialog").get_by_label("Unit").select_option("inches")
    choose(pane, Dots_per_inch="192")
    previewed(pane, 2 * width)
    _, content = saved(pane, "Save")
    picture = Image.open(io.BytesIO(content))
    assert picture.width == 2 * width
    assert abs(picture.height - 2 * height) <= 1


@pytest.mark.parametrize(
    "bundle", [DRAWN["plotly"][0], DRAWN["vega"][0], PAGES["latex"]], ids=["plotly", "vega", "latex"]
)
def test_everything_is_exported_without_its_background(pane: Pane, publish: Publish, bundle: dict[str, Any]) -> None:
    pane.ready(publish(bundle))
    pane.press("e")
    start(pane)
    assert Image.open(io.BytesIO(saved(pane, "Save")[1])).convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
    pane.page.get_by_role("dialog").get_by_label("Transparent background").check()
    content = saved(pane, "Save")[1]
    assert Image.open(io.BytesIO(content)).convert("RGBA").getpixel((0, 0))[3] == 0
    assert green(content) > 0.02


def test_a_chart_is_on_the_stage_as_it_was_after_it_was_exported(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(DRAWN["vega"][0]))
    size = "[document.querySelector('.marks').clientWidth, document.querySelector('.marks').clientHeight]"
    before = pane.frame.evaluate(size)
    pane.press("e")
    start(pane)
    choose(pane, Width="900", Height="500")
    previewed(pane, 900)
    pane.press("Escape")
    expect(pane.page.get_by_role("dialog")).to_have_count(0)
    assert pane.frame.evaluate(size) == before


def test_what_has_no_picture_is_copied_only(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"text/plain": "words"}))
    pane.press("e")
    dialog = pane.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=re.compile("Copy this output"))).to_be_visible()
    expect(dialog.get_by_label("Width")).to_have_count(0)
