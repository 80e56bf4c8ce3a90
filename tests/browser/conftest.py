"""A real hub, a real Chromium, and a pane that fails its test on any console error or refused script."""

import base64
import contextlib
import io
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import matplotlib  # noqa: F401 - names the environment
import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Download,
    Frame,
    Locator,
    Page,
    expect,
    sync_playwright,
)

import ipyweb
from ipyweb import connection, keepers
from ipyweb.errors import KeeperUnavailable
from ipyweb.figures import channel
from ipyweb.session.figures import environment

from ..widgets.conftest import Start, start
from . import engines
from .tab import Engine, Tab

__all__ = ["start"]

PROJECT = "/home/ada/waves"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # pages of their own beside each tab's address, which take more of a processor than the tab; of two such switches
    # Chromium takes the last, so that this one names what of Playwright's matters here
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxFullPopup,WebUIOmniboxAimPopup,"
    "HttpsUpgrades,MediaRouter,OptimizationHints,PaintHolding,RenderDocument,Translate",
]

expect.set_options(timeout=60_000)  # two cores, and a cold Chromium

ROOT = str(Path(__file__).parents[2])

Publish = Callable[..., int]
Show = Callable[[str], int]
OpenPane = Callable[..., "Pane"]


class Pane:
    """One tab with the pane, and what a test asks it.

    Attributes:
        page: Playwright's page.
        problems: console errors and uncaught exceptions so far; the test fails at its end when there are any.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self._problems_expected = False
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def expect_problems(self) -> None:
        """From here on a console error is what the test wants."""
        self._problems_expected = True
        self.problems.clear()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not self._problems_expected:
            self.problems.append(message.text)

    def open(self, fragment: str) -> "Pane":
        """Load the pane with a fragment of its address."""
        self.page.goto(f"{self.url}/#{fragment}")
        return self

    def ready(self, output: int, state: str = "ready") -> "Pane":
        """Wait until an output's pixels are there."""
        expect(self.page.locator(f"[data-testid=stage] [data-output-id='{output}'][data-state={state}]")).to_have_count(
            1
        )
        return self

    def go(self, output: int, state: str = "ready") -> "Pane":
        """Show an output and wait for its pixels.

        A pane that has not heard of newer outputs yet takes this one for the newest, and goes on to them; so it is
        told again until it stays.
        """
        shown = self.page.locator(f"[data-testid=stage] [data-output-id='{output}']")
        for _ in range(5):
            self.page.evaluate(f"location.hash = ''; location.hash = '#o={output}'")
            with contextlib.suppress(AssertionError):
                expect(shown).to_have_attribute("data-state", state, timeout=3_000)
                break
        return self.ready(output, state)

    def press(self, key: str) -> None:
        """Press a key wherever the focus is."""
        self.page.keyboard.press(key)

    def fits(self, width: int) -> None:
        """Wait until nothing is wider than this; a new width moves the filmstrip only in the next frame."""
        self.page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)

    @property
    def frame(self) -> Frame:
        """The sandboxed frame of the output shown."""
        element = self.page.locator("[data-testid=stage] iframe").element_handle()
        frame = element.content_frame()
        assert frame is not None
        return frame

    @property
    def shown(self) -> int:
        """Id of the output shown."""
        return int(self.page.locator("[data-testid=stage] [data-output-id]").get_attribute("data-output-id") or 0)

    def picture(self) -> Image.Image:
        """The stage's pixels."""
        return Image.open(io.BytesIO(self.page.locator("[data-testid=stage]").screenshot())).convert("RGB")

    def share(self, colour: tuple[int, int, int], tolerance: int = 12) -> float:
        """The share of the stage's pixels that are of about one colour."""
        picture = self.picture()
        counts = picture.getcolors(picture.width * picture.height) or []
        near = sum(n for n, pixel in counts if all(abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True)))
        return near / (picture.width * picture.height)


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="300" height="200"/></svg>'
SOURCE = {"file": "/home/ada/waves/train.py", "line": 42, "code": "plot(losses)"}


class Plots(Pane):
    """A pane with three plots, the second shown.

    Attributes:
        ids: theirs.
        download: what was saved last.
        opened: the tab that was opened last.
    """

    download: Download
    opened: Page

    def __init__(self, page: Page, url: str, ids: list[int]) -> None:
        super().__init__(page, url)
        self.ids = ids

    def thumbnail(self, number: int) -> Locator:
        """The thumbnail of one of the plots, which count from 1."""
        return self.page.get_by_test_id("filmstrip").locator(f"[data-thumbnail='{self.ids[number - 1]}']")


NewPlots = Callable[[], contextlib.AbstractContextManager[Plots]]

SHELL = "chromium-headless-shell"
"""Chromium's engine without its windows, which take a second of a processor for each tab of a test."""


def executable(*, whole: bool = True) -> str | None:
    """Path of the installed Chromium; ``None`` means Playwright's own.

    Args:
        whole: whether it must have windows.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names if whole else (SHELL, *names)) if path), None)


@pytest.fixture(scope="module")
def chromium(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """One browser for the tests of a file; the whole of it where the file says so."""
    static = Path(ipyweb.__file__).with_name("static")
    assert (static / "index.html").is_file(), "the pane is not built: run `npm ci && npm run build` in js/"
    path = executable(whole=request.node.get_closest_marker("whole_browser") is not None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser profile of this test's own."""
    made = chromium.new_context(viewport={"width": 1100, "height": 720}, color_scheme="light")
    yield made
    made.close()


@pytest.fixture
def publish(hub: connection.Connection) -> Publish:
    """Publish a MIME bundle over HTTP; returns the output's id. Bytes are sent as base64."""

    def publish(data: dict[str, Any], **fields: Any) -> int:
        encoded = {
            mime: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for mime, value in data.items()
        }
        body = {"data": encoded, "project": PROJECT, "session": "train.py", **fields}
        return int(connection.request(hub, "POST", "api/outputs", body).json()["id"])

    return publish


@pytest.fixture
def open_pane(hub: connection.Connection, context: BrowserContext) -> Iterator[OpenPane]:
    """Open a tab with the pane; by default with a token and for the tests' project."""
    panes: list[Pane] = []

    def open_pane(fragment: str | None = None) -> Pane:
        page = context.new_page()
        page.set_default_timeout(60_000)
        panes.append(Pane(page, hub.url))
        own = f"token={hub.token_for('pane')}&project={quote(PROJECT, safe='')}"
        return panes[-1].open(own if fragment is None else fragment)

    yield open_pane
    problems = [problem for pane in panes for problem in pane.problems]
    assert problems == []


@pytest.fixture
def pane(open_pane: OpenPane) -> Pane:
    """A tab with the pane, connected."""
    opened = open_pane()
    expect(opened.page.get_by_test_id("status")).to_have_text("Connected")
    return opened


@pytest.fixture(scope="module", params=[engines.where_installed(*each) for each in engines.ENGINES.items()])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine that Playwright does not drive here, in turn."""
    found: Engine = request.param
    return found


@pytest.fixture(scope="module")
def new_tab(engine: Engine) -> Iterator[engines.NewTab]:
    """One browser for the tests of a file in an engine."""
    with engine.browser() as opens:
        yield opens


@pytest.fixture
def tab(hub: connection.Connection, new_tab: engines.NewTab) -> Iterator[Tab]:
    """A tab with the pane, connected; nothing may go wrong in it."""
    with new_tab() as made:
        engines.opened(made, hub, PROJECT)
        yield made
        assert made.expects_problems or made.problems == []


@pytest.fixture
def new_plots(hub: connection.Connection, context: BrowserContext, publish: Publish) -> NewPlots:
    """Open a tab with three plots of a project of their own, the second shown; nothing may go wrong in it."""
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub.url)
    projects = (f"/home/ada/plots{number}" for number in itertools.count(1))

    @contextlib.contextmanager
    def new_plots() -> Iterator[Plots]:
        project = next(projects)
        common: dict[str, Any] = {"project": project, "session": f"{project}/train.py", "source": SOURCE}
        pictures = {"One": {"image/png": image()}, "Two": {"image/svg+xml": SVG}, "Three": {"image/png": image()}}
        ids = [publish(data, title=title, **common) for title, data in pictures.items()]
        page = context.new_page()
        page.set_default_timeout(60_000)
        plots = Plots(page, hub.url, ids)
        plots.open(f"token={hub.token_for('pane')}&project={quote(project, safe='')}&o={ids[1]}")
        try:
            expect(plots.ready(ids[1]).page.locator("[data-thumbnail]")).to_have_count(3)
            yield plots
            page.evaluate("localStorage.clear()")
            assert plots.problems == []
        finally:
            for each in context.pages:
                each.close()

    return new_plots


def image(colour: str = "red", size: tuple[int, int] = (320, 200), form: str = "png") -> bytes:
    """A picture of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, form)
    return stream.getvalue()


def html(body: str) -> dict[str, str]:
    """A bundle with one HTML fragment."""
    return {"text/html": body}


@pytest.fixture
def show(hub: connection.Connection, tmp_path: Path) -> Iterator[Show]:
    """Run a script that shows the figure `f`; returns the output's id once its picture is stored."""

    def show(code: str) -> int:
        path = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH", "")]))
        script = f"from matplotlib.figure import Figure\n{code}\nimport ipyweb; ipyweb.display(f)"
        environ = {**os.environ, "PYTHONPATH": path}
        subprocess.run([sys.executable, "-c", script], check=True, timeout=180, env=environ, cwd=tmp_path)
        (record,) = connection.request(hub, "GET", "api/outputs?limit=1").json()["outputs"]
        return int(record["id"])

    yield show
    try:
        channel.send(channel.dial(environment()), {"type": "stop"})
    except KeeperUnavailable:
        return
    socket, deadline = keepers.channel_dir(environment()) / channel.SOCKET, time.monotonic() + 180
    while socket.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def natural(page: Page) -> tuple[int, int]:
    """The pixels of the image on the stage."""
    size = page.locator("[data-testid=stage] img").evaluate("image => [image.naturalWidth, image.naturalHeight]")
    return int(size[0]), int(size[1])


def wait_for_width(page: Page, width: int) -> tuple[int, int]:
    """Wait until the image on the stage is that wide; its pixels."""
    page.wait_for_function(
        "width => { const image = document.querySelector('[data-testid=stage] img');"
        " return image && Math.abs(image.naturalWidth - width) <= 1 }",
        arg=width,
    )
    return natural(page)


def stage(page: Page) -> tuple[int, int]:
    """The stage's size in CSS pixels."""
    size = page.get_by_test_id("stage").evaluate("stage => [stage.clientWidth, stage.clientHeight]")
    return int(size[0]), int(size[1])


def opened(open_pane: OpenPane, hub: connection.Connection, output: int) -> Pane:
    """A pane that shows an output, whatever its project."""
    return open_pane(f"token={hub.token_for('pane')}&project={quote(PROJECT, safe='')}&o={output}").ready(output)


@pytest.fixture
def waiting(start: Start, hub: connection.Connection) -> Start:
    """Start a script whose widgets answer until it is interrupted."""
    return lambda code: start(f"{code}\nipyweb.wait()")
