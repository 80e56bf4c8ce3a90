"""The export dialog: a figure in another size and format with a preview, and several outputs in one file."""

import io
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from playwright.sync_api import expect

from ipyweb import connection

from .conftest import OpenPane, Pane, Publish, Show, html, image, opened


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
