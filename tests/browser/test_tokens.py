"""Where the pane's token comes from, and where it goes."""

from urllib.parse import quote

from playwright.sync_api import BrowserContext, expect

from ipyweb import connection

from .conftest import PROJECT, OpenPane, Pane, Publish


def test_the_token_is_wiped_from_the_address_and_survives_a_reload(
    hub: connection.Connection, pane: Pane, publish: Publish
) -> None:
    output = publish({"text/plain": "x"})
    pane.ready(output)
    assert hub.token_for("pane") not in pane.page.url
    pane.page.reload()
    pane.ready(output)


def test_the_token_is_in_no_request_but_to_the_api_and_the_socket(
    hub: connection.Connection, context: BrowserContext
) -> None:
    token = hub.token_for("pane")
    seen: list[tuple[str, bool]] = []
    page = context.new_page()
    page.on("request", lambda request: seen.append((request.url, token in str(request.headers))))
    page.goto(f"{hub.url}/#token={token}&project={quote(PROJECT, safe='')}")
    expect(page.get_by_test_id("status")).to_have_text("Connected")
    assert all(token not in url for url, _ in seen)
    assert {url for url, sent in seen if sent} <= {url for url, _ in seen if "/api/" in url}


def test_a_tab_without_a_token_says_what_to_do(open_pane: OpenPane) -> None:
    tab = open_pane("o=17")
    expect(tab.page.get_by_test_id("no-token")).to_contain_text("ipyweb open 17")


def test_a_tab_without_a_token_gets_it_from_an_open_pane(open_pane: OpenPane, pane: Pane, publish: Publish) -> None:
    output = publish({"text/plain": "x"})
    pane.ready(output)
    open_pane(f"o={output}").ready(output)


def test_a_wrong_token_is_never_sent(hub: connection.Connection, context: BrowserContext) -> None:
    sent: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: sent.append(request.url))
    page.goto(f"{hub.url}/#token={'0' * 64}")
    expect(page.get_by_test_id("no-token")).to_be_visible()
    assert not [url for url in sent if "/api/" in url or "/ws/" in url]


def test_a_single_use_code_opens_the_pane(hub: connection.Connection, open_pane: OpenPane) -> None:
    code = connection.request(hub, "POST", "api/codes", {}).json()["code"]
    expect(open_pane(f"code={code}").page.get_by_test_id("status")).to_have_text("Connected")


def test_an_open_pane_says_that_it_has_no_access_any_more(
    hub: connection.Connection, open_pane: OpenPane, publish: Publish
) -> None:
    output = publish({"text/plain": "x"})
    pane = open_pane().ready(output)
    pane.expect_problems()  # a spare frame may be on its way at an address that has ended
    connection.request(hub, "POST", "api/rotate", {})
    notice = pane.page.get_by_test_id("no-token")
    expect(notice).to_contain_text("This tab has no access any more")
    expect(notice).to_contain_text("ipyweb open")
    renewed = connection.find()
    assert renewed is not None
    token = renewed.token_for("pane")
    pane.open(f"token={token}&project={quote(PROJECT, safe='')}").ready(output)
