"""The views of the pane, and how one gets to each: for what looks at all of them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote

from playwright.sync_api import Page, expect

from ipyweb import connection

NOTHING = "/home/ada/nothing"
"""A project without outputs."""


def _empty(page: Page) -> None:
    expect(page.get_by_test_id("empty")).to_be_visible()


def _no_token(page: Page) -> None:
    expect(page.get_by_test_id("no-token")).to_be_visible()


def _as_it_is(page: Page) -> None:
    """The output is all there is to see."""


def _press(*keys: str, appears: str) -> Callable[[Page], None]:
    def press(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator(appears).first).to_be_visible()

    return press


def _search(page: Page) -> None:
    _press("/", appears="search input")(page)
    expect(page.locator("search input")).to_be_focused()
    page.keyboard.type("re")
    expect(page.locator("search [role=status]")).to_contain_text("found")


def _menu(page: Page) -> None:
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("menuitem").first).to_be_visible()


def _zoom(page: Page) -> None:
    page.get_by_role("button", name="Zoom and size").click()
    expect(page.get_by_role("menuitem").first).to_be_visible()


def _compare(page: Page) -> None:
    page.keyboard.press("v")
    expect(page.locator("[data-testid=tile][data-state=ready]")).to_have_count(2)


def _blink(page: Page) -> None:
    _compare(page)
    page.get_by_role("button", name="Blink").click()
    expect(page.locator("[data-testid=tile][inert]")).to_have_count(1)


def _difference(page: Page) -> None:
    page.keyboard.press("Shift+V")
    expect(page.get_by_test_id("difference")).to_contain_text("differ")


def _size(page: Page) -> None:
    _zoom(page)
    page.get_by_role("menuitem", name="Size of my own").click()
    expect(page.get_by_role("dialog", name="Size")).to_be_visible()


def _network(page: Page) -> None:
    page.get_by_test_id("ask-network").click()
    expect(page.get_by_role("dialog", name="Network").get_by_role("listitem").first).to_be_visible()


def _link(page: Page) -> None:
    page.frame_locator("[data-testid=stage] .layer:not(.coming) > iframe").get_by_role("link").first.click()
    expect(page.get_by_test_id("link")).to_be_visible()


def _shared(page: Page) -> None:
    expect(page.get_by_test_id("looks")).to_be_visible()


def _remove(page: Page) -> None:
    page.keyboard.press("x")
    expect(page.get_by_test_id("toast")).to_contain_text("Removed")
    page.keyboard.press("u")
    expect(page.get_by_test_id("toast")).to_have_count(0)
    page.keyboard.press("b")
    expect(page.get_by_test_id("toast")).to_contain_text("Pinned")


def _trash(page: Page) -> None:
    page.keyboard.press("x")
    expect(page.get_by_test_id("toast")).to_contain_text("Removed")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("trash")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Restore", exact=True).first).to_be_visible()
    expect(page.get_by_role("meter")).to_be_visible()


def _export(page: Page) -> None:
    page.keyboard.press("e")
    expect(page.get_by_role("dialog", name="Export")).to_be_visible()
    if page.get_by_text("This figure").count():
        expect(page.get_by_test_id("preview")).to_be_visible()


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("co")
    expect(page.get_by_role("dialog").get_by_role("option").first).to_be_visible()


def _version(page: Page) -> None:
    page.get_by_role("button", name="Version before").click()
    expect(page.get_by_title("To the newest version")).to_be_visible()


class View(NamedTuple):
    """One view.

    Attributes:
        shows: title of the output that is shown; nothing means that there is none.
        then: what brings the view about once the output is there.
    """

    shows: str | None
    then: Callable[[Page], None] = _as_it_is


VIEWS = {
    "empty": View(None, _empty),
    "no-token": View(None, _no_token),
    "figure": View("Residuals"),
    "image": View("Photograph"),
    "frame": View("Report"),
    "table": View("Prices"),
    "json": View("Settings"),
    "text": View("Log"),
    "widget": View("Training"),
    "notices": View("Map"),
    "error": View("Broken"),
    "unknown": View("Molecule"),
    "search": View("Residuals", _search),
    "gallery": View("Residuals", _press("g", appears="[data-testid=gallery] [role=option]")),
    "compare": View("Photograph", _compare),
    "blink": View("Photograph", _blink),
    "difference": View("Photograph", _difference),
    "runs": View("Residuals", _press("Shift+R", appears="[data-testid=run-row]")),
    "changes": View("Residuals", _press("w", appears="[data-testid=change]")),
    "details": View("Residuals", _press("i", appears="[data-testid=details] dl")),
    "export": View("Residuals", _export),
    "help": View("Report", _press("?", appears="dialog dt")),
    "palette": View("Prices", _palette),
    "menu": View("Report", _menu),
    "zoom": View("Photograph", _zoom),
    "size": View("Photograph", _size),
    "network": View("Map", _network),
    "link": View("Report", _link),
    "shared": View("Prices", _shared),
    "rename": View("Prices", _press("r", appears="dialog input")),
    "toast": View("Photograph", _remove),
    "trash": View("Log", _trash),
    "versions": View("Loss", _version),
    "full-screen": View("Residuals", _press("f", appears=".pane[data-strip=hidden]")),
}
"""Every view, by its name."""


def show(page: Page, hub: connection.Connection, project: str, outputs: Mapping[str, int], name: str) -> None:
    """Open the pane in one of its views.

    Args:
        page: a tab that has nothing of the pane's yet.
        hub: where the outputs are.
        project: whose outputs they are.
        outputs: their ids by their titles, of which each view wants one.
        name: which view.
    """
    view = VIEWS[name]
    fragment = {"token": hub.token_for("pane"), "project": project if view.shows else NOTHING}
    if view.shows:
        fragment["o"] = str(outputs[view.shows])
    if name == "no-token":
        fragment = {"o": "17"}
    if name == "shared":
        asked = {"seconds": 3600, "scope": "viewer"}
        fragment["token"] = connection.request(hub, "POST", "api/shares", asked).json()["token"]
    page.goto(f"{hub.url}/#" + "&".join(f"{key}={quote(value, safe='')}" for key, value in fragment.items()))
    if view.shows:
        shown = page.locator(f"[data-testid=stage] [data-output-id='{outputs[view.shows]}']")
        expect(shown).to_have_attribute("data-state", "error" if name == "error" else "ready")
    view.then(page)
