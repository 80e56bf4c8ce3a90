"""Where an output comes from: the drawer, its data as they are, its file, its own tab."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from .conftest import Pane, Publish, image

SOURCE = {
    "file": "/home/ada/waves/train.py",
    "line": 42,
    "code": "plot(losses)",
    "argv": ["train.py", "--epochs", "3"],
    "cwd": "/home/ada/waves",
}


@pytest.fixture
def detailed(pane: Pane, publish: Publish) -> Pane:
    """A pane with the details of an output."""
    publish({"text/plain": "another"}, title="Another")
    pane.ready(publish({"image/png": image(), "text/plain": "<Plot>"}, source=SOURCE, title="Losses"))
    pane.press("i")
    expect(pane.page.get_by_test_id("details")).to_be_visible()
    return pane


def test_the_drawer_says_where_an_output_comes_from(detailed: Pane) -> None:
    drawer = detailed.page.get_by_test_id("details")
    for text in ("Losses", "plot(losses)", "/home/ada/waves/train.py:42", "image/png", "text/plain"):
        expect(drawer).to_contain_text(text)


def test_it_follows_the_stage_and_goes(detailed: Pane) -> None:
    drawer = detailed.page.get_by_test_id("details")
    detailed.press("k")
    expect(drawer.get_by_role("heading", level=2)).to_have_text("Another")
    detailed.press("Escape")
    expect(drawer).to_have_count(0)
    detailed.page.get_by_role("button", name="Details").click()
    expect(drawer).to_be_visible()
    drawer.get_by_role("button", name="Close the details").click()
    expect(drawer).to_have_count(0)


@pytest.mark.parametrize("width", [320, 800])
def test_in_a_narrow_pane_it_lies_on_the_output_instead_of_squeezing_it(detailed: Pane, width: int) -> None:
    drawer, stage = (detailed.page.get_by_test_id(name) for name in ("details", "stage"))
    detailed.page.set_viewport_size({"width": width, "height": 640})
    around, beside = drawer.bounding_box(), stage.bounding_box()
    assert around is not None
    assert beside is not None
    assert around["x"] + around["width"] == width == beside["x"] + beside["width"]
    expect(detailed.page.get_by_role("button", name="Zoom and size")).to_be_visible()


def test_data_are_read_as_they_are(detailed: Pane) -> None:
    drawer = detailed.page.get_by_test_id("details")
    drawer.get_by_text("text/plain").click()
    expect(drawer.locator("details[open] pre")).to_have_text("<Plot>")
    with detailed.page.expect_download() as download:
        drawer.locator("details[open]").get_by_role("button", name="Save it").click()
    assert download.value.suggested_filename == "Losses.txt"


def test_code_and_path_are_copied(detailed: Pane, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    drawer = detailed.page.get_by_test_id("details")
    drawer.get_by_role("button", name="Copy the code").click()
    expect(detailed.page.get_by_test_id("toast")).to_have_text("Copied the code")
    assert detailed.page.evaluate("navigator.clipboard.readText()") == "plot(losses)"
    drawer.get_by_role("button", name="Copy the path").click()
    expect(detailed.page.get_by_test_id("toast")).to_have_text("Copied the path")
    assert detailed.page.evaluate("navigator.clipboard.readText()") == "/home/ada/waves/train.py:42"


def test_the_file_is_opened_in_the_editor_at_its_line(detailed: Pane) -> None:
    detailed.page.evaluate("() => { window.open = (...asked) => void (window.asked = asked) }")
    detailed.page.get_by_test_id("details").get_by_role("button", name="Open in the editor").click()
    assert detailed.page.evaluate("window.asked") == ["vscode://file/home/ada/waves/train.py:42", "_self"]


def test_an_output_opens_in_a_tab_of_its_own(detailed: Pane, context: BrowserContext) -> None:
    shown = detailed.shown
    detailed.press("k")
    with context.expect_page() as opened:
        detailed.press("o")
    expect(opened.value.locator(f"[data-output-id='{shown - 1}'][data-state=ready]")).to_have_count(1)
    expect(opened.value).to_have_url(re.compile(rf"#o={shown - 1}$"))
    detailed.ready(shown - 1)


@pytest.mark.parametrize("width", [320, 900])
def test_it_fits_any_width(detailed: Pane, width: int) -> None:
    detailed.page.set_viewport_size({"width": width, "height": 560})
    detailed.fits(width)
    box = detailed.page.get_by_test_id("details").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
