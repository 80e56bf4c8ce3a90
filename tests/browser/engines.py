"""The engines that Playwright does not drive here, and what tests of the pane do in each of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote

import pytest

from ipyweb import connection

from .firefox import FIREFOX
from .tab import Engine, Tab
from .webkit import WEBKIT

NewTab = Callable[[], AbstractContextManager[Tab]]

ENGINES = {"firefox": FIREFOX, "webkit": WEBKIT}
TOAST, VERSION, ZOOM = "[data-testid=toast]", "[data-testid=versions] .version", "[aria-label^='Zoom and size']"
STAGE, STRIP = "[data-testid=stage]", "[data-testid=filmstrip]"
PICTURE = f"document.querySelector('{STAGE} .layer:not(.coming) > img')"
ITEM = "[role=menuitem] .says"
SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='300' height='200'><rect width='300' height='200'/></svg>"


def where_installed(name: str, engine: Engine) -> Any:
    """The engine as a parameter, skipped with how to get it where it is not there."""
    missing = pytest.mark.skipif(not engine.installed(), reason=f"needs {name}: apt-get install {engine.packages}")
    return pytest.param(engine, id=name, marks=missing)


def opened(tab: Tab, hub: connection.Connection, project: str) -> None:
    """Load the pane for a project, and wait until it is connected."""
    tab.open(f"{hub.url}/#token={hub.token_for('pane')}&project={quote(project, safe='')}")
    connected(tab)


def connected(tab: Tab) -> None:
    """Wait until the pane has its hub."""
    tab.wait("document.querySelector('[data-status=connected]') !== null")


def ready(tab: Tab, output: int, state: str = "ready") -> None:
    """Wait until an output's pixels are there, or why there are none."""
    tab.wait(
        f"document.querySelector('[data-testid=stage] [data-output-id=\"{output}\"]')?.dataset.state === '{state}'"
    )


def listed(tab: Tab, count: int) -> None:
    """Wait until so many outputs are in the filmstrip."""
    tab.wait(f"document.querySelectorAll('[data-testid=filmstrip] [data-thumbnail]').length === {count}")


def marked(tab: Tab, count: int) -> None:
    """Wait until so many outputs are marked."""
    tab.wait(f"document.querySelectorAll('[data-testid=mark]').length === {count}")


def done(tab: Tab, action: str) -> None:
    """Do something by its words in the palette."""
    tab.press("Control+k")
    tab.wait("document.activeElement.matches('[role=combobox]')")
    tab.press(*action, "Enter")


def there(tab: Tab, selector: str) -> None:
    """Wait for an element."""
    tab.wait(f"document.querySelector({selector!r}) !== null")


def gone(tab: Tab, selector: str) -> None:
    """Wait until there is no such element."""
    tab.wait(f"document.querySelector({selector!r}) === null")
