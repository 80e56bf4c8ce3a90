"""What a pane is by a link that was given away."""

import base64
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from ipyweb import connection

from ..conftest import stop_hub, wait_until
from .conftest import PROJECT, OpenPane, Pane, Publish, Show, image, natural


@pytest.fixture
def start_hub(private_environment: None) -> Iterator[Callable[..., connection.Connection]]:
    """Start a hub in the foreground, with options of ``ipyweb serve``."""
    started: list[subprocess.Popen[bytes]] = []

    def start_hub(*options: str) -> connection.Connection:
        started.append(subprocess.Popen([sys.executable, "-m", "ipyweb", "serve", *options], stderr=subprocess.DEVNULL))
        found: connection.Connection = wait_until(connection.find, "the hub")
        return found

    yield start_hub
    stop_hub()
    for each in started:
        each.wait(180)


def share(hub: connection.Connection, **asked: Any) -> str:
    """A link's token."""
    body = {"seconds": 3600, "scope": "viewer", **asked}
    return str(connection.request(hub, "POST", "api/shares", body).json()["token"])


def test_a_read_only_pane_follows_zooms_and_offers_no_change(
    hub: connection.Connection, open_pane: OpenPane, publish: Publish, show: Show
) -> None:
    publish({"text/plain": "first"})
    pane = open_pane(f"token={share(hub)}&project={quote(PROJECT, safe='')}")
    expect(pane.page.get_by_test_id("looks")).to_have_text("Read-only")
    for name in ("Pin", "Remove"):
        expect(pane.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(pane.page.get_by_test_id("remove-thumbnail")).to_have_count(0)
    for key in ("Delete", "b", "r", "a", "u", "Alt+d"):
        pane.press(key)
    expect(pane.page.get_by_role("dialog")).to_have_count(0)
    pane.press("Control+k")
    palette = pane.page.get_by_role("dialog")
    expect(palette.get_by_text("Save as PNG, as seen")).to_be_visible()
    for words in ("Rename…", "Remove the output", "Network of this output…", "Trash and storage…"):
        expect(palette.get_by_text(words)).to_have_count(0)
    pane.press("Escape")
    number = show("f = Figure(); f.subplots().plot([1, 2])")
    pane.page.get_by_role("button", name="Everything").click()
    pane.ready(number)  # it followed the newest, of whatever project
    before = natural(pane.page)
    for _ in range(4):
        pane.press("+")
    pane.page.wait_for_function(
        "width => document.querySelector('[data-testid=stage] img').naturalWidth !== width", arg=before[0]
    )
    assert len(connection.request(hub, "GET", "api/outputs").json()["outputs"]) == 2


def test_a_pane_of_one_output_has_no_other_and_follows_its_display_id(
    hub: connection.Connection, open_pane: OpenPane, publish: Publish
) -> None:
    first = publish({"image/png": image("red")}, display_id="loss")
    publish({"text/plain": "hidden"})
    pane = open_pane(f"token={share(hub, display_id='loss', project=PROJECT)}").ready(first)
    expect(pane.page.locator("[data-thumbnail]")).to_have_count(1)
    expect(pane.page.get_by_role("button", name="Search")).to_have_count(0)
    assert pane.share((255, 0, 0)) > 0.1
    newest = publish({"image/png": image("blue")}, display_id="loss", session="again.py")
    pane.ready(newest)
    expect(pane.page.locator("[data-thumbnail]")).to_have_count(1)
    assert pane.share((0, 0, 255)) > 0.1
    pane.page.reload()
    pane.ready(newest)


def test_a_pane_says_that_its_link_has_ended(hub: connection.Connection, open_pane: OpenPane, publish: Publish) -> None:
    number = publish({"text/plain": "x"})
    until = time.time() + 8
    token = share(hub, output=number, seconds=8)
    pane = open_pane(f"token={token}").ready(number)
    ended = pane.page.get_by_test_id("no-token")
    expect(ended).to_contain_text("The link that opened it has expired", timeout=60_000)
    assert time.time() >= until
    expect(open_pane(f"token={token}").page.get_by_test_id("no-token")).to_contain_text("ipyweb share")


def test_pages_elsewhere_show_a_picture_by_its_address(
    hub: connection.Connection, context: BrowserContext, publish: Publish
) -> None:
    publish({"image/png": image("red", (320, 200))}, display_id="loss")
    body = {"seconds": 60, "display_id": "loss", "project": PROJECT}
    url = f"{hub.url}/{connection.request(hub, 'POST', 'api/shares', body).json()['picture']}"
    page = context.new_page()
    page.set_content(f'<img src="{url}">')
    page.wait_for_function("document.images[0].naturalWidth === 320")


def test_a_hub_with_a_certificate_of_its_own_shows_frames_and_images(
    start_hub: Callable[..., connection.Connection], chromium: Browser
) -> None:
    hub = start_hub("--certfile", "own")
    bundles = [{"text/html": "<p id=p>in a frame</p>"}, {"image/png": base64.b64encode(image("red")).decode()}]
    ids = [connection.request(hub, "POST", "api/outputs", {"data": data}).json()["id"] for data in bundles]
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": 1100, "height": 720})
    page = context.new_page()
    pane = Pane(page, hub.url).open(f"token={share(hub)}&o={ids[0]}").ready(ids[0])
    expect(page.frame_locator("[data-testid=stage] iframe").locator("#p")).to_have_text("in a frame")
    pane.go(ids[1])
    assert pane.share((255, 0, 0)) > 0.1
    assert pane.problems == []
    context.close()
