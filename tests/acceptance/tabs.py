"""A headless Chromium with the pane in it, and all that the pane asked for and complained about."""

from collections.abc import Iterator
from contextlib import contextmanager
from shutil import which
from urllib.parse import quote, urlsplit

from playwright.sync_api import ConsoleMessage, Page, Route, sync_playwright

from ipyweb import connection

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Watched:
    """A tab with the pane, and all that it asked for and complained about.

    Attributes:
        page: Playwright's page.
        fetched: paths of what came from the hub.
        strangers: addresses elsewhere that something in the page wanted; they were refused.
        errors: console errors and uncaught exceptions since they were taken last.
    """

    def __init__(self, page: Page, hub: connection.Connection) -> None:
        self.page = page
        self.fetched: set[str] = set()
        self.strangers: list[str] = []
        self.errors: list[str] = []
        self._port = hub.port
        page.route("**/*", self._pass_or_refuse)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def take_errors(self) -> list[str]:
        taken, self.errors = self.errors, []
        return taken

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _pass_or_refuse(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        host = address.hostname or ""
        if address.scheme in ("blob", "data"):
            route.continue_()
        elif (host == "127.0.0.1" or host.endswith(".localhost")) and address.port == self._port:
            self.fetched.add(address.path)
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()


@contextmanager
def pane(hub: connection.Connection, timeout: int) -> Iterator[Watched]:
    """A headless Chromium with the pane in it, at the newest output's project.

    Args:
        hub: whose pane it is; it has an output already.
        timeout: milliseconds that something in the page may take.
    """
    path = next((found for found in map(which, CHROMIUM) if found), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        page.set_default_timeout(timeout)
        watched = Watched(page, hub)
        project = connection.request(hub, "GET", "api/outputs?limit=1").json()["outputs"][0]["project"]
        page.goto(f"{hub.url}/#token={hub.token_for('pane')}&project={quote(project, safe='')}")
        page.locator("[data-testid=stage] [data-state=ready]").wait_for()
        yield watched
        browser.close()
