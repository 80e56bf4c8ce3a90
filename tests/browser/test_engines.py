"""The pane's core in the engines that Playwright does not drive here, each where it is installed."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ipyweb import connection

from ..conftest import wait_until
from .conftest import Publish, html, image
from .engines import SVG, TOAST, VERSION, opened, ready
from .firefox import FIREFOX
from .tab import Engine, Tab
from .test_isolation import REQUESTS, SAY

BARS = "application/vnd.acme.bars+json"
OUTPUTS: list[dict[str, Any]] = [
    {"image/png": image()},
    html("<p id=p>hello</p><script>document.body.dataset.ran = 1</script>"),
    {"application/vnd.plotly.v1+json": {"data": [{"y": [1, 3, 2]}], "layout": {}}},
    {"application/vnd.vegalite.v6+json": {"mark": "point", "data": {"values": [{"a": 1}]}}},
    {"text/markdown": "# Notes"},
    {"text/latex": "$x^2$"},
    {"image/svg+xml": SVG},
    {"application/json": {"rate": 0.1}},
    {BARS: {}, f"application/vnd.ipyweb.renderer; type={BARS}": b"export const render = (el) => el.append('drawn')"},
    {"text/plain": "last"},
]


def test_every_kind_is_drawn_by_flicking_back_and_forth(tab: Tab, publish: Publish) -> None:
    outputs = [publish(data) for data in OUTPUTS]
    ready(tab, outputs[-1])
    for output in outputs[-2::-1]:
        tab.press("ArrowLeft")
        ready(tab, output)
    for output in outputs[1:]:
        tab.press("j")
        ready(tab, output)


def test_an_output_runs_in_a_frame_that_reaches_nothing(tab: Tab, publish: Publish) -> None:
    ready(tab, publish(OUTPUTS[1]))
    assert "1" in tab.ask_frames("document.body.dataset.ran")
    assert set(tab.ask_frames("origin")) == {"null"}


def test_frames_have_hosts_of_their_own_where_that_gives_them_processes(
    engine: Engine, tab: Tab, publish: Publish
) -> None:
    ready(tab, publish(OUTPUTS[1]))
    host = tab.ask("new URL(document.querySelector('[data-testid=stage] iframe').src).hostname")
    assert host.endswith(".localhost") == (engine is FIREFOX)


def test_an_output_reaches_no_hub(hub: connection.Connection, tab: Tab, publish: Publish) -> None:
    tab.expects_problems = True
    tries = ", ".join(f"new Promise(say => {{ const {SAY} try {{ {each} }} catch {{ no() }} }})" for each in REQUESTS)
    ready(tab, publish(html(f"<script>const HUB = '{hub.url}'; window.said = Promise.all([{tries}])</script>")))
    said = tab.ask_frames("window.said?.then(each => each.join())")
    assert set(filter(None, said)) == {",".join(["refused"] * len(REQUESTS))}


def test_an_output_does_not_take_itself_elsewhere(tab: Tab, publish: Publish) -> None:
    tab.expects_problems = True
    tab.ask("void addEventListener('securitypolicyviolation', ({blockedURI}) => window.refused = blockedURI)")
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        publish(html(f"<script>location = '{address}/?stolen'</script>"))
        tab.wait(f"window.refused?.startsWith('{address}')")
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


def test_a_new_version_takes_the_place_of_the_last(tab: Tab, publish: Publish) -> None:
    for colour in ("red", "lime"):
        ready(tab, publish({"image/png": image(colour)}, display_id="loss"))
    tab.reads(VERSION, "v2")
    tab.press("[")
    tab.reads(VERSION, "v1 of 2")


def test_the_slider_goes_through_the_versions(tab: Tab, publish: Publish) -> None:
    for colour in ("red", "lime", "blue"):
        ready(tab, publish({"image/png": image(colour)}, display_id="loss"))
    tab.reads(VERSION, "v3")
    tab.ask("document.querySelector('[aria-label=Version]').focus()")
    tab.press("ArrowLeft", "ArrowLeft")
    tab.reads(VERSION, "v1 of 3")
    tab.press("ArrowRight")
    tab.reads(VERSION, "v2 of 3")


def test_dialogs_search_and_undo_work_by_keys(tab: Tab, publish: Publish) -> None:
    outputs = [publish({"text/plain": word}, title=word) for word in ("apple", "pear", "plum")]
    ready(tab, outputs[-1])
    tab.press("?")
    tab.wait("document.querySelector('dialog[open] dt') !== null")
    tab.press("Escape")
    tab.wait("document.querySelector('dialog') === null")
    tab.press("/")
    tab.wait("document.activeElement.type === 'search'")
    tab.press(*"apple")
    ready(tab, outputs[0])
    tab.press("Escape")
    tab.wait("document.querySelector('search') === null")
    tab.press("x")
    tab.wait("document.querySelectorAll('[data-thumbnail]').length === 2")
    tab.press("u")
    tab.wait("document.querySelectorAll('[data-thumbnail]').length === 3")


def test_keys_zoom(tab: Tab, publish: Publish) -> None:
    ready(tab, publish({"image/png": image()}))
    for key, says in {"+": "110 %", "=": "125 %", "-": "110 %", "0": "100 %"}.items():
        tab.press(key)
        tab.reads("[aria-label^='Zoom and size']", says)


def test_the_palette_does_what_it_is_told(tab: Tab, publish: Publish) -> None:
    ready(tab, publish({"text/plain": "word"}))
    tab.press("Control+k")
    tab.wait("document.activeElement.closest('dialog')")
    tab.press(*"gallery", "Enter")
    tab.wait("document.querySelector('[data-testid=gallery]')")


def test_what_differs_between_two_pictures_is_drawn(tab: Tab, publish: Publish) -> None:
    for colour in ("red", "lime"):
        ready(tab, publish({"image/png": image(colour)}))
    tab.press("Shift+V")
    tab.reads("[data-testid=difference]", "100.0 % of the pixels differ")


def test_a_text_is_copied(tab: Tab, publish: Publish) -> None:
    ready(tab, publish({"text/plain": "copied words"}))
    tab.press("c")
    tab.reads(TOAST, "Copied the text")
    tab.press("/")
    tab.wait("document.activeElement.type === 'search'")
    tab.press("Control+v")
    tab.wait("document.activeElement.value === 'copied words'")


@pytest.mark.parametrize("kind", ["image/png", "image/svg+xml", "application/vnd.plotly.v1+json"])
def test_a_picture_is_copied_and_saved(tab: Tab, publish: Publish, kind: str) -> None:
    data = next(each for each in OUTPUTS if kind in each)
    ready(tab, publish(data, title=f"By {len(kind)}"))
    tab.press("c")
    tab.reads(TOAST, "Copied the picture")
    tab.press("p")
    assert tab.downloaded(f"By {len(kind)}.png").startswith(b"\x89PNG")


def test_with_the_keys_in_an_output_copying_takes_at_most_two(tab: Tab, publish: Publish) -> None:
    ready(tab, publish({"image/svg+xml": SVG}))
    tab.click("[data-testid=stage] iframe")
    tab.wait("document.activeElement.localName === 'iframe'")
    tab.press("c")
    tab.reads(TOAST, "opied")
    tab.press("c")
    tab.reads(TOAST, "Copied the picture")


def test_a_new_tab_takes_the_token_from_this_one(hub: connection.Connection, tab: Tab, publish: Publish) -> None:
    ready(tab, publish({"text/plain": "word"}))
    tab.press("o")
    wait_until(lambda: connection.request(hub, "GET", "api/state").json()["frontends"] == 2, "a second pane")


def test_what_changed_from_run_to_run_is_listed(hub: connection.Connection, tab: Tab, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("import ipyweb, sys\nipyweb.display(sys.argv, title='Arguments')")
    for argument in ("first", "second"):
        subprocess.run([sys.executable, script, argument], check=True, timeout=180, cwd=tmp_path)
    opened(tab, hub, str(tmp_path))
    ready(tab, 2)
    tab.press("Shift+R")
    tab.wait("document.querySelectorAll('[data-testid=run-row]').length === 2")
    tab.press("Enter")
    tab.reads("[data-testid=change]", "Arguments")
