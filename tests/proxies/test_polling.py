"""Behind an nginx that lets no WebSocket pass, and cuts what waits for long: the pane asks over HTTP instead."""

import pytest
from playwright.sync_api import expect

from ipyweb import connection

from ..browser.conftest import PROJECT, Pane, Publish, Show, html, image, show, waiting
from ..browser.test_reach import LINE, Reaching
from ..browser.test_widgets import COUNTER, the_widget
from ..conftest import wait_until
from ..widgets.conftest import Start, line, start
from .conftest import Nginx, Visit, connected

__all__ = ["show", "start", "waiting"]

REQUESTS = "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
WAYS = {
    "it says nothing of upgrades": "",
    "it refuses them": "if ($http_upgrade) { return 403; }",
    "it cuts what waits": "proxy_read_timeout 2s;",
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def forbidding(request: pytest.FixtureRequest, front: Nginx, hub: connection.Connection) -> Nginx:
    """An nginx that lets no WebSocket pass, in one way or another."""
    front.start(hub, request.param)
    return front


@pytest.fixture
def strict(front: Nginx, hub: connection.Connection) -> Nginx:
    """The same in one way only."""
    front.start(hub, "")
    return front


def without_websockets(visit: Visit, nginx: Nginx, fragment: str | None = None) -> Pane:
    """A pane whose browser complains of the WebSocket, and of nothing else that matters."""
    pane = visit(nginx.url, fragment)
    pane.expect_problems()
    return connected(pane)


def asked(pane: Pane) -> list[str]:
    """The paths of all requests for a line."""
    paths: list[str] = pane.page.evaluate(REQUESTS)
    return [path for path in paths if path.startswith("/plots/poll")]


def test_outputs_come_while_one_looks(forbidding: Nginx, visit: Visit, publish: Publish) -> None:
    pane = without_websockets(visit, forbidding)
    for colour, rgb in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        pane.ready(publish({"image/png": image(colour)}))
        assert pane.share(rgb) > 0.05
    pane.ready(publish(html("<p>third</p>")))
    assert asked(pane)


def test_a_pane_that_was_cut_off_goes_on_where_it_was(
    strict: Nginx, hub: connection.Connection, visit: Visit, publish: Publish
) -> None:
    pane = without_websockets(visit, strict)
    strict.stop()
    missed = [publish({"text/plain": f"output {number}"}) for number in range(3)]
    strict.start(hub, "")
    pane.ready(missed[-1])
    connected(pane)
    for output in missed:
        pane.go(output)


def test_a_widget_is_alive(strict: Nginx, hub: connection.Connection, visit: Visit, waiting: Start) -> None:
    script = waiting(COUNTER)
    output = the_widget(hub)["id"]
    pane = without_websockets(visit, strict, f"token={hub.token_for('pane')}&o={output}").ready(output)
    button = pane.page.frame_locator("[data-testid=stage] iframe").get_by_role("button")
    for count in (8, 9):
        button.click()
        assert line(script) == str(count)
        expect(button).to_have_text(f"count {count}")
    assert len(set(asked(pane))) == 2  # one line for all sockets


def test_a_figure_can_be_reached_into(strict: Nginx, hub: connection.Connection, visit: Visit, show: Show) -> None:
    output = show(LINE)
    pane = without_websockets(visit, strict, f"token={hub.token_for('pane')}&o={output}").ready(output)
    reaching = Reaching(pane)
    before = reaching.under()
    reaching.page.mouse.wheel(0, -400)
    wait_until(lambda: reaching.under(0.7, 0.7) != before, "another view")


def test_the_hub_knows_at_once_that_a_tab_was_closed(strict: Nginx, hub: connection.Connection, visit: Visit) -> None:
    pane = without_websockets(visit, strict)
    state = lambda: connection.request(hub, "GET", "api/state").json()  # noqa: E731
    assert state()["frontends"] == 1
    pane.page.goto("about:blank")
    wait_until(lambda: state()["frontends"] == 0, "the end of the pane")


def test_websockets_are_preferred_where_they_pass(nginx: Nginx, visit: Visit, publish: Publish) -> None:
    pane = connected(visit(nginx.url))
    pane.ready(publish({"image/png": image()}))
    assert asked(pane) == []


def test_the_project_is_still_the_own(strict: Nginx, visit: Visit, publish: Publish) -> None:
    publish({"text/plain": "elsewhere"}, project="/elsewhere")
    pane = without_websockets(visit, strict)
    own = publish({"text/plain": "own"}, project=PROJECT)
    assert pane.ready(own).shown == own
