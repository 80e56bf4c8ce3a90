"""Behind nginx: a path prefix, TLS, another name, and connections that it cuts."""

import json

import pytest
from playwright.sync_api import expect

from ipyweb import connection
from ipyweb.browser import link
from ipyweb.connection import exchange

from ..browser.conftest import Publish, html, image
from .conftest import NAME, WEBSOCKETS, Nginx, Visit, connected


def test_the_pane_works_under_a_prefix_by_https(nginx: Nginx, visit: Visit, publish: Publish) -> None:
    first = publish({"image/png": image()})
    pane = connected(visit(nginx.url)).ready(first)
    assert pane.share((255, 0, 0)) > 0.05
    second = publish(html("<h1 style='background: rgb(0, 128, 0); height: 300px'>live</h1>"))
    pane.ready(second)
    assert pane.share((0, 128, 0)) > 0.05
    assert pane.page.url == f"{nginx.url}/"


def test_frames_are_on_the_proxys_own_host_and_know_nothing_of_it(nginx: Nginx, visit: Visit, publish: Publish) -> None:
    asks = "fetch('../../api/state').catch(error => report(String(error)));"
    reaches = "try { report(String(parent.document)) } catch (error) { report(error.name) }"
    report = "const report = text => document.body.append(text + ';');"
    output = publish(html(f"<script>{report}{asks}{reaches}report(origin)</script>"))
    pane = visit(nginx.url).ready(output)
    assert pane.frame.url.startswith(f"{nginx.url}/c/")
    pane.expect_problems()
    expect(pane.page.frame_locator("[data-testid=stage] iframe").locator("body")).to_contain_text(
        "SecurityError;null;TypeError: Failed to fetch;"
    )


def test_a_pane_comes_back_after_every_cut_and_misses_nothing(
    nginx: Nginx, hub: connection.Connection, visit: Visit, publish: Publish
) -> None:
    pane = connected(visit(nginx.url))
    nginx.stop()
    pane.expect_problems()
    expect(pane.page.get_by_test_id("status")).not_to_have_text("Connected")
    missed = [publish({"text/plain": f"output {number}"}) for number in range(3)]
    nginx.start(hub)
    connected(pane)
    pane.ready(missed[-1])
    for output in missed:
        pane.go(output)


def test_an_idle_timeout_shorter_than_our_pings_is_survived(
    front: Nginx, hub: connection.Connection, visit: Visit, publish: Publish
) -> None:
    front.start(hub, f"{WEBSOCKETS} proxy_read_timeout 1s;")
    pane = connected(visit(front.url))
    pane.expect_problems()
    breaks = "() => performance.getEntriesByType('resource').filter(({ name }) => name.includes('/hello')).length > 2"
    pane.page.wait_for_function(breaks)  # each new connection begins with a challenge
    pane.ready(publish({"image/png": image("blue")}))


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("{name}", "https://{name}", 200),
        ("{name}", "http://{name}", 200),
        ("{name}", "https://{name}.evil.example", 403),
        ("{name}", "https://evil.example", 403),
        ("{name}", "null", 403),
        ("evil.example", "https://evil.example", 403),
        (NAME, f"https://{NAME}", 403),
    ],
)
def test_only_the_name_that_the_settings_give_is_answered_to(
    front: Nginx, hub: connection.Connection, host: str, origin: str, status: int
) -> None:
    name = front.url.split("/")[2]
    forwarded = {"X-Forwarded-Host": name, "Forwarded": f"host={name}", "X-Forwarded-Proto": "https"}
    headers = {"Host": host.format(name=name), "Origin": origin.format(name=name), **forwarded}
    headers["X-Ipyweb-Token"] = hub.token_for("pane")
    assert exchange(hub.url, "GET", "api/state", headers=headers).status == status


def test_links_begin_with_the_proxys_address(front: Nginx, hub: connection.Connection) -> None:
    found = connection.find()
    assert found is not None
    assert link(found, output=3).startswith(f"{front.url}/#token=")
    shared = connection.request(hub, "POST", "api/shares", {"scope": "viewer", "seconds": 60})
    assert json.loads(shared.body)["url"] == front.url
