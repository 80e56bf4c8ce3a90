"""Taking away, trusting and making it one's own in the engines that Playwright does not drive here."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from ipyweb import connection

from ..conftest import stop_hub
from .conftest import PROJECT, Publish, Show, html, image
from .engines import ITEM, SVG, TOAST, NewTab, connected, done, gone, listed, marked, opened, ready, there
from .tab import Tab
from .test_taking import PAGES, green

DIALOG, NEWS, NETWORK = "dialog[open]", "[data-testid=news]", "[data-testid=network]"
FRAME = "[data-testid=stage] iframe"
FOCUSED = "document.activeElement.localName"
SETTINGS = """
c.Pane.keys = {'previous': ['z']}
c.Pane.theme = 'dark'
c.Pane.filmstrip = 'right'
c.Pane.stylesheet = 'user.css'
"""


@pytest.fixture
def own(hub: connection.Connection, new_tab: NewTab) -> Iterator[Tab]:
    """A tab with the pane as a config file has it."""
    directory = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    directory.mkdir()
    (directory / "user.css").write_text(":root[data-theme] { --desk: rgb(1, 2, 3) }")
    (directory / "ipyweb_config.py").write_text(SETTINGS)
    with new_tab() as made:
        opened(made, hub, PROJECT)
        yield made
        assert made.problems == []


def test_a_figure_is_exported_in_another_size(hub: connection.Connection, tab: Tab, show: Show, tmp_path: Path) -> None:
    output = show("f = Figure(figsize=(3, 2)); f.subplots().plot([1, 3, 2])")
    opened(tab, hub, str(tmp_path))
    ready(tab, output)
    tab.press("e")
    for field, value in {"2": "450", "3": "250"}.items():
        tab.fill(f"{DIALOG} .fields label:nth-of-type({field}) input", value)
    tab.wait("document.querySelector('[data-testid=preview]')?.naturalWidth === 450")
    tab.click(f"{DIALOG} button", "Save")
    assert Image.open(io.BytesIO(tab.downloaded("*.png"))).size == (450, 250)
    tab.fill(f"{DIALOG} .fields label:nth-of-type(1) select", "PDF")
    tab.click(f"{DIALOG} button", "Save")
    assert tab.downloaded("*.pdf").startswith(b"%PDF")


def test_several_become_a_report_or_a_notebook(tab: Tab, publish: Publish) -> None:
    publish({"image/png": image()}, source={"code": "secret_call()"})
    ready(tab, publish({"text/plain": "words"}))
    listed(tab, 2)
    tab.press("e")
    tab.click(f"{DIALOG} button", "Export")
    report = tab.downloaded("*.html")
    assert b"words" in report
    assert b"secret_call" not in report
    tab.press("Escape")
    gone(tab, DIALOG)
    tab.press("m")
    marked(tab, 1)
    tab.press("e")
    tab.fill(f"{DIALOG} .several label:nth-of-type(2) select", "Notebook")
    tab.click(f"{DIALOG} button", "Export")
    notebook = nbformat.reads(tab.downloaded("*.ipynb").decode(), as_version=4)
    nbformat.validate(notebook)
    assert [cell.outputs[0].data for cell in notebook.cells if cell.cell_type == "code"] == [{"text/plain": "words"}]


def test_a_picture_is_copied_as_text_and_saved_as_a_drawing(tab: Tab, publish: Publish) -> None:
    ready(tab, publish({"image/svg+xml": SVG}, title="Square"))
    tab.press("Shift+C")
    tab.reads(TOAST, "Copied as Markdown")
    tab.click("[aria-label='Take away']")
    tab.click(ITEM, "Copy as a data URI")
    tab.reads(TOAST, "Copied as a data URI")
    tab.press("/")
    tab.wait("document.activeElement.type === 'search'")
    tab.press("Control+v")
    tab.wait("document.activeElement.value.startsWith('data:image/')")
    tab.press("Escape")
    gone(tab, "[data-testid=search]")
    tab.press("s")
    assert b"<svg" in tab.downloaded("Square.svg")


@pytest.mark.parametrize("kind", ["html", "table", "javascript", "shadow", "canvas"])
def test_pages_are_saved_as_pictures(tab: Tab, publish: Publish, kind: str) -> None:
    ready(tab, publish(PAGES[kind], title="Page"))
    tab.press("p")
    assert green(tab.downloaded("Page.png")) > 0.1


def test_formulas_are_saved_as_pictures_or_it_is_said_why_not(tab: Tab, publish: Publish) -> None:
    ready(tab, publish(PAGES["latex"], title="Page"))
    tab.press("p")
    if "webkit" in type(tab).__module__:
        tab.reads(TOAST, "this browser draws nothing of it")
    else:
        assert green(tab.downloaded("Page.png")) > 0.1


def test_a_pane_resumes_when_the_hub_is_back(tab: Tab, publish: Publish) -> None:
    tab.expects_problems = True
    outputs = [publish({"text/plain": words}) for words in ("one", "two")]
    ready(tab, outputs[-1])
    stop_hub()
    tab.reads("[data-testid=status]", "Reconnecting…")
    tab.press("k")
    there(tab, f"[data-testid=stage] [data-output-id='{outputs[0]}']")
    tab.press("j")
    connection.start()
    connected(tab)
    ready(tab, publish({"text/plain": "three"}))
    listed(tab, 3)


def test_a_pane_that_is_opened_again_says_what_has_come_since(
    hub: connection.Connection, tab: Tab, publish: Publish
) -> None:
    ready(tab, publish({"text/plain": "one"}))
    tab.open("about:blank")
    first, last = [publish({"text/plain": words}) for words in ("two", "three")]
    opened(tab, hub, PROJECT)
    ready(tab, last)
    tab.wait(f"document.querySelector('{NEWS}')?.innerText.replace(/\\s/g, '') === '2new'")
    tab.press("Shift+N")
    ready(tab, first)
    gone(tab, NEWS)


def test_new_outputs_are_counted_while_an_older_one_is_looked_at(tab: Tab, publish: Publish) -> None:
    old, _ = [publish({"text/plain": words}) for words in ("one", "two")]
    listed(tab, 2)
    tab.press("Home")
    ready(tab, old)
    newest = publish({"text/plain": "three"})
    tab.click("[data-testid=unread]")
    ready(tab, newest)


def test_an_output_that_fails_says_why_and_shows_what_else_it_is(tab: Tab, publish: Publish) -> None:
    output = publish({"application/javascript": "throw new Error('no such column')", "text/plain": "words"})
    ready(tab, output, "error")
    tab.reads("[data-testid=stage] [role=alert]", "no such column")
    tab.click("[data-choose='text/plain']")
    ready(tab, output)


def test_the_network_is_allowed_to_one_output_and_taken_back(tab: Tab, publish: Publish) -> None:
    tab.expects_problems = True  # a refusal is one, and a name that nobody has too
    ready(tab, publish(html("<p>page</p><script src='https://cdn.example.invalid/open.js'></script>")))
    tab.reads("[data-testid=stage]", "no network in outputs: script from cdn.example.invalid")
    tab.reads(NETWORK, "no network")
    tab.click("[data-testid=ask-network]")
    tab.reads(f"{DIALOG} li", "cdn.example.invalid")
    tab.click(f"{DIALOG} button", "Allow it to this output")
    tab.reads(NETWORK, "cdn.example.invalid")
    there(tab, "[data-testid=thumbnail-network]")
    done(tab, "network of this output")
    tab.click(f"{DIALOG} button", "Take it back")
    tab.reads(NETWORK, "no network")
    gone(tab, "[data-testid=thumbnail-network]")


def test_keys_theme_filmstrip_and_style_sheet_are_the_users_own(own: Tab, publish: Publish) -> None:
    outputs = [publish({"text/plain": "one"}), publish(html("<p>two</p>"))]
    ready(own, outputs[1])
    there(own, "[data-theme=dark]")
    there(own, "[data-strip=right]")
    own.wait("getComputedStyle(document.querySelector('header')).backgroundColor === 'rgb(1, 2, 3)'")
    own.click(FRAME)
    own.wait(f"{FOCUSED} === 'iframe'")
    own.press("z")
    ready(own, outputs[0])
    own.press("t")
    there(own, "[data-theme=light]")


@pytest.fixture
def inside(tab: Tab, publish: Publish) -> Tab:
    """A tab with two outputs, of which the newer is shown in a frame and has been clicked."""
    publish({"text/plain": "one"})
    ready(tab, publish(html("<p>two</p>")))
    tab.click(FRAME)
    tab.wait(f"{FOCUSED} === 'iframe'")
    return tab


def test_keys_work_after_a_click_inside_a_frame(inside: Tab) -> None:
    inside.press("k")
    ready(inside, 1)


def test_escape_gives_the_keys_back_to_the_pane(inside: Tab) -> None:
    inside.press("Escape")
    inside.wait(f"{FOCUSED} === 'body'")
    inside.press("k")
    ready(inside, 1)


def test_help_comes_by_key_and_by_the_menu(inside: Tab) -> None:
    inside.press("?")
    inside.reads(DIALOG, "Newest output")
    inside.press("Escape")
    gone(inside, DIALOG)
    inside.click("[aria-label=More]")
    inside.click(ITEM, "All keys and actions")
    inside.reads(DIALOG, "Newest output")


def test_a_search_begun_inside_a_frame_gets_what_is_typed(inside: Tab) -> None:
    inside.press("/")
    inside.wait("document.activeElement.type === 'search'")
    inside.press(*"one")
    ready(inside, 1)
