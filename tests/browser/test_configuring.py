"""What the user's config file says: keys, theme, where the filmstrip is, a style sheet, the editor."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import OpenPane, Publish, html

Configure = Callable[[str], None]


@pytest.fixture
def configure(private_environment: None) -> Configure:
    """Write ipyweb's config file."""
    directory = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    directory.mkdir(exist_ok=True)

    def configure(text: str) -> None:
        (directory / "user.css").write_text(":root[data-theme] { --desk: rgb(1, 2, 3) }")
        (directory / "ipyweb_config.py").write_text(text)

    return configure


def test_keys_are_the_users_own_in_frames_and_help_too(
    configure: Configure, open_pane: OpenPane, publish: Publish
) -> None:
    configure("c.Pane.keys = {'previous': ['l', 'Ctrl+L']}")
    outputs = [publish({"text/plain": "one"}), publish({"text/plain": "two"}), publish(html("<p id=p>three</p>"))]
    pane = open_pane().ready(outputs[2])
    pane.page.wait_for_load_state("networkidle")
    pane.press("k")
    pane.press("l")
    pane.ready(outputs[1])
    pane.press("j")
    pane.ready(outputs[2])
    pane.press("?")
    row = pane.page.get_by_role("dialog").locator("dt", has_text="Previous output")
    expect(row.locator("+ dd kbd")).to_have_text(["L", "Ctrl L"])


def test_theme_and_filmstrip_are_suggested_and_the_style_sheet_applies(
    configure: Configure, open_pane: OpenPane, publish: Publish
) -> None:
    configure("c.Pane.theme = 'dark'\nc.Pane.filmstrip = 'right'\nc.Pane.stylesheet = 'user.css'")
    output = publish({"text/plain": "one"})
    pane = open_pane().ready(output)
    expect(pane.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(pane.page.locator("[data-strip=right]")).to_have_count(1)
    expect(pane.page.locator("header")).to_have_css("background-color", "rgb(1, 2, 3)")
    pane.press("t")
    expect(pane.page.locator("html")).to_have_attribute("data-theme", "light")
    pane.page.reload()
    pane.ready(output)
    expect(pane.page.locator("html")).to_have_attribute("data-theme", "light")


def test_what_is_wrong_in_the_file_is_said(configure: Configure, open_pane: OpenPane, publish: Publish) -> None:
    configure("c.Pane.keys = {'fly': ['z']}")
    pane = open_pane().ready(publish({"text/plain": "one"}))
    expect(pane.page.get_by_role("alert")).to_contain_text("there is nothing called fly to do")


def test_the_editor_is_the_users_own(configure: Configure, open_pane: OpenPane, publish: Publish) -> None:
    configure("c.Pane.editor = 'idea://open?file={file}&line={line}'")
    pane = open_pane().ready(publish({"text/plain": "x"}, source={"file": "/home/ada/a.py", "line": 3}))
    pane.page.wait_for_load_state("networkidle")
    pane.page.evaluate("() => { window.open = (...asked) => void (window.asked = asked) }")
    pane.page.get_by_role("button", name="Take away").click()
    pane.page.get_by_role("menuitem", name="Open its file in the editor").click()
    assert pane.page.evaluate("window.asked") == ["idea://open?file=/home/ada/a.py&line=3", "_self"]
