"""A page of headless Chromium for the benchmarks, and a mouse for it."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def page(**options: Any) -> Iterator[Any]:
    """A page of headless Chromium, with Playwright's options of a context."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield browser.new_page(viewport={"width": 1400, "height": 900}, **options)
        browser.close()


@contextmanager
def held(shown: Any, x: float, y: float) -> Iterator[None]:
    """While it is entered, the mouse's button is held at a place of the page."""
    shown.mouse.move(x, y)
    shown.mouse.down()
    yield
    shown.mouse.up()


def to_and_fro(shown: Any, x: float, y: float, seconds: float) -> float:
    """Move the mouse about a place, 60 times a second, with its button held.

    The moves go straight to the browser: Playwright's mouse asks each frame at each of them whether a drag and drop
    begins, and takes the processor from what is measured.

    Returns:
        The seconds that it took.
    """
    browser = shown.context.new_cdp_session(shown)
    start, number = time.perf_counter(), 0
    while (now := time.perf_counter() - start) < seconds:
        number += 1
        place = {"x": x + abs(number % 200 - 100), "y": y + number % 2}
        browser.send("Input.dispatchMouseEvent", {"type": "mouseMoved", "button": "left", "buttons": 1, **place})
        time.sleep(max(0.0, number / 60 - now))
    took = time.perf_counter() - start
    browser.detach()
    return took
