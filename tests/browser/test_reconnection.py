"""The hub goes away and comes back, on its kept port and with its kept token."""

import os
import signal

import pytest
from playwright.sync_api import expect

from ipyweb import connection

from .conftest import Pane, Publish


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_pane_resumes_when_the_hub_is_back(
    hub: connection.Connection, pane: Pane, publish: Publish, sign: signal.Signals
) -> None:
    first, second = publish({"text/plain": "one"}), publish({"text/plain": "two"})
    pane.ready(second)
    status = pane.page.get_by_test_id("status")
    os.kill(hub.pid, sign)
    expect(status).to_have_text("Reconnecting…")
    pane.press("ArrowLeft")
    assert pane.shown == first
    pane.press("ArrowRight")
    again = connection.start()
    assert (again.url, again.token) == (hub.url, hub.token)
    expect(status).to_have_text("Hub restarted")
    third = publish({"text/plain": "three"})
    expect(status).to_have_text("Connected")
    pane.ready(third)
    expect(pane.page.get_by_test_id("filmstrip").get_by_role("option")).to_have_count(3)
    pane.problems = [problem for problem in pane.problems if "ERR_CONNECTION" not in problem]


def test_an_output_that_was_looked_at_while_the_hub_was_away_is_drawn_when_it_is_back(
    hub: connection.Connection, pane: Pane, publish: Publish
) -> None:
    first, *_, last = [publish({"application/json": {"number": number}}) for number in range(12)]
    pane.ready(last)
    os.kill(hub.pid, signal.SIGKILL)
    expect(pane.page.get_by_test_id("status")).to_have_text("Reconnecting…")
    pane.press("Home")
    stage = pane.page.locator(f"[data-testid=stage] [data-output-id='{first}']")
    expect(stage).to_have_attribute("data-state", "error")
    connection.start()
    pane.ready(first)
    pane.problems = [problem for problem in pane.problems if "ERR_CONNECTION" not in problem]
