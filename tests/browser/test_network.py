"""The network of single outputs: closed, said so, opened by one click for one output, and taken back."""

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from .conftest import OpenPane, Pane, Publish, html

CDN = "https://cdn.example.org"
PAGE = f"<p id=p>closed</p><script src='{CDN}/open.js'></script>"
VEGA_LITE = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"url": f"{CDN}/tides.json"},
    "mark": "bar",
    "encoding": {"x": {"field": "day", "type": "ordinal"}, "y": {"field": "height", "type": "quantitative"}},
}
REPLIES = {
    "open.js": ("text/javascript", "document.getElementById('p').textContent = 'open'"),
    "tides.json": ("application/json", '[{"day": 1, "height": 3}, {"day": 2, "height": 5}]'),
    "more.js": ("text/javascript", "document.getElementById('p').textContent = 'more'"),
}


@pytest.fixture
def asked(context: BrowserContext) -> list[str]:
    """What came as far as the internet, which these tests stand in for."""
    requests: list[str] = []

    def answer(route: Route) -> None:
        requests.append(route.request.url)
        content_type, body = REPLIES[route.request.url.rpartition("/")[2]]
        headers = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(body=body, content_type=content_type, headers=headers)

    context.route("https://*.example.org/**", answer)
    return requests


@pytest.fixture
def closed(pane: Pane, publish: Publish, asked: list[str]) -> Pane:
    """A pane with two outputs that ask for the same script; the newer one is shown."""
    pane.expect_problems()  # a refusal is a console error
    publish(html(PAGE))
    pane.ready(publish(html(PAGE), title="Map"))
    return pane


def allow(pane: Pane) -> None:
    pane.page.get_by_test_id("ask-network").click()
    pane.page.get_by_role("dialog").get_by_role("button", name="Allow it to this output").click()
    expect(pane.page.get_by_test_id("network")).not_to_have_text("no network")
    expect(pane.page.locator("[data-testid=stage] [data-state=ready]")).to_have_count(1)


def says(pane: Pane, words: str) -> None:
    expect(pane.page.frame_locator("[data-testid=stage] iframe").locator("#p")).to_have_text(words)


def test_an_output_has_no_network_and_says_what_it_asked_for(closed: Pane, asked: list[str]) -> None:
    says(closed, "closed")
    expect(closed.page.get_by_test_id("stage")).to_contain_text("no network in outputs: script from cdn.example.org")
    expect(closed.page.get_by_test_id("network")).to_have_text("no network")
    assert asked == []


def test_one_click_in_a_dialog_opens_what_was_named_for_this_output_and_a_badge_says_so(
    closed: Pane, asked: list[str]
) -> None:
    closed.page.get_by_test_id("ask-network").click()
    dialog = closed.page.get_by_role("dialog", name="Network")
    expect(dialog.get_by_role("listitem")).to_have_text(["cdn.example.org"])
    assert asked == []
    dialog.get_by_role("button", name="Allow it to this output").click()
    says(closed, "open")
    expect(closed.page.get_by_test_id("network")).to_have_text("cdn.example.org")
    badge = closed.page.get_by_test_id("thumbnail-network")
    expect(badge).to_have_attribute("title", "It may reach cdn.example.org")
    expect(closed.page.locator("[data-thumbnail='2']").filter(has=badge)).to_have_count(1)
    assert asked == [f"{CDN}/open.js"]


def test_its_neighbour_stays_closed(closed: Pane, asked: list[str]) -> None:
    allow(closed)
    says(closed, "open")
    closed.press("k")
    closed.ready(1)
    says(closed, "closed")
    expect(closed.page.get_by_test_id("network")).to_have_text("no network")
    assert asked == [f"{CDN}/open.js"]


def test_a_new_output_of_the_same_session_is_closed_too(closed: Pane, publish: Publish, asked: list[str]) -> None:
    allow(closed)
    says(closed, "open")
    closed.ready(publish(html(PAGE)))
    says(closed, "closed")
    assert asked == [f"{CDN}/open.js"]


def test_it_is_taken_back(closed: Pane, asked: list[str]) -> None:
    allow(closed)
    says(closed, "open")
    closed.page.get_by_test_id("network").click()
    closed.page.get_by_role("button", name="Take it back").click()
    says(closed, "closed")
    expect(closed.page.get_by_test_id("network")).to_have_text("no network")
    expect(closed.page.get_by_test_id("thumbnail-network")).to_have_count(0)
    assert asked == [f"{CDN}/open.js"]


def test_a_reload_keeps_it_and_another_tab_knows_nothing_of_it(closed: Pane, open_pane: OpenPane) -> None:
    allow(closed)
    says(closed, "open")
    closed.page.reload()
    says(closed, "open")
    other = open_pane()
    other.expect_problems()
    other.ready(2)
    says(other, "closed")


def test_hosts_that_were_not_named_stay_closed_until_they_are_allowed_too(
    pane: Pane, publish: Publish, asked: list[str]
) -> None:
    pane.expect_problems()
    more = "document.head.append(Object.assign(document.createElement('script'), {src: 'https://more.example.org/more.js'}))"
    pane.ready(publish(html(f"{PAGE}<script>setTimeout(() => {{ {more} }})</script>")))
    pane.page.get_by_test_id("ask-network").click()
    dialog = pane.page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    pane.press("Escape")
    allow(pane)
    says(pane, "more")
    expect(pane.page.get_by_test_id("network")).to_have_text("2 hosts")
    assert len(asked) == 2


@pytest.mark.parametrize("host", ["https://localhost:8443", "https://127.0.0.1", "https://printer.local"])
def test_hosts_around_this_machine_cannot_be_allowed(pane: Pane, publish: Publish, host: str) -> None:
    pane.expect_problems()
    pane.ready(publish(html(f"<script src='{host}/x.js'></script>")))
    expect(pane.page.get_by_test_id("stage")).to_contain_text("no network in outputs")
    expect(pane.page.get_by_test_id("ask-network")).to_have_count(0)


def test_a_vega_chart_gets_its_data_once_it_is_allowed(pane: Pane, publish: Publish, asked: list[str]) -> None:
    pane.expect_problems()
    output = publish({"application/vnd.vegalite.v5+json": VEGA_LITE})
    pane.go(output)
    allow(pane)
    assert asked == [f"{CDN}/tides.json"]
    expect(pane.page.get_by_test_id("network")).to_have_text("cdn.example.org")
    expect(pane.page.get_by_test_id("ask-network")).to_have_count(0)


def test_the_palette_leads_there_and_says_when_nothing_was_asked_for(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<p id=p>quiet</p>")))
    pane.press("Control+k")
    expect(pane.page.get_by_role("combobox")).to_be_focused()
    pane.page.keyboard.type("network")
    pane.press("Enter")
    expect(pane.page.get_by_role("dialog", name="Network")).to_contain_text("has asked for none")


def test_it_is_allowed_and_taken_back_by_keys_alone(closed: Pane) -> None:
    for button, word in {"Allow it to this output": "open", "Take it back": "closed"}.items():
        closed.press("Control+k")
        expect(closed.page.get_by_role("combobox")).to_be_focused()
        closed.page.keyboard.type("network")
        closed.press("Enter")
        expect(closed.page.get_by_role("button", name=button)).to_be_focused()
        closed.press("Enter")
        says(closed, word)
