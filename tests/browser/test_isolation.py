"""Hostile outputs: what they try, and that nothing comes of it."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Response, expect

from ipyweb import connection

from .conftest import ARGUMENTS, OpenPane, Pane, Publish, executable, html, image

pytestmark = pytest.mark.whole_browser

RESULT = "<p id=result>waiting</p><script>const say = words => { result.textContent = words }</script>"

Attack = Callable[..., str]


@pytest.fixture
def attack(pane: Pane, publish: Publish) -> Attack:
    """Show an HTML output that runs a script and reports with `say(words)`; returns its words."""

    def attack(script: str) -> str:
        pane.ready(publish(html(f"{RESULT}<script>{script}</script>")))
        result = pane.frame.locator("#result")
        expect(result).not_to_have_text("waiting")
        pane.expect_problems()  # a refusal is a console error
        return result.inner_text()

    return attack


SAY = "yes = () => say('reached'), no = () => say('refused');"
REQUESTS = [
    "fetch(HUB + '/api/state').then(yes, no)",
    "fetch(HUB + '/api/outputs', {method: 'POST', mode: 'no-cors', body: '{}'}).then(yes, no)",
    "const x = new XMLHttpRequest(); x.onload = yes; x.onerror = no; x.open('GET', HUB + '/api/state'); x.send()",
    "const i = new Image(); i.onload = yes; i.onerror = no; i.src = HUB + '/assets/favicon.svg'",
    "const w = new WebSocket(HUB.replace('http', 'ws') + '/ws/pane'); w.onopen = yes; w.onerror = no",
    "const e = new EventSource(HUB + '/api/state'); e.onopen = yes; e.onerror = no",
    "import(HUB + '/assets/x.js').then(yes, no)",
    "try { new Worker(HUB + '/w.js').onerror = no } catch { no() }",
]


@pytest.mark.parametrize("script", REQUESTS)
def test_an_output_reaches_no_hub(hub: connection.Connection, pane: Pane, attack: Attack, script: str) -> None:
    requested: list[str] = []

    def note(response: Response) -> None:
        if response.frame != pane.page.main_frame:
            requested.append(response.url)

    pane.page.on("response", note)
    constants = f"const HUB = {json.dumps(hub.url)}, {SAY}"
    assert attack(constants + script) == "refused"
    assert all(url.endswith("/frame.html") or url.startswith("blob:") for url in requested)


@pytest.mark.parametrize(
    "expression",
    [
        "parent.document.title",
        "top.location.href",
        "SIBLING.document",
        "frameElement.id",
        "document.cookie",
        "indexedDB.open('x')",
        "navigator.serviceWorker.register('x.js')",
    ],
)
def test_an_output_reads_nothing_of_the_pane_or_the_browser(
    pane: Pane, publish: Publish, attack: Attack, expression: str
) -> None:
    pane.ready(publish(html("a sibling")))
    expression = expression.replace(
        "SIBLING", "Array.from({length: parent.length}, (_, i) => parent[i]).find(each => each !== self)"
    )
    words = attack(f"Promise.resolve().then(() => {expression}).then(v => say('got ' + v), e => say(e.name))")
    assert words in {"SecurityError", "TypeError"}


def test_the_origin_of_an_output_is_opaque_even_in_a_tab_of_its_own(
    hub: connection.Connection, open_pane: OpenPane, pane: Pane
) -> None:
    path = connection.request(hub, "GET", "api/state").json()["frame"]
    pane.page.goto(f"{hub.url}/{path}")
    assert pane.page.evaluate("self.origin") == "null"


MAKE = "const make = (tag, fields) => document.body.appendChild(Object.assign(document.createElement(tag), fields));"
NAVIGATIONS = [
    "top.location = 'about:blank'",
    "parent.location.href = 'https://example.org/'",
    "make('a', {href: 'https://example.org/', target: '_top'}).click()",
    "make('form', {action: 'https://example.org/', target: '_top'}).submit()",
    "window.open('https://example.org/')",
]


@pytest.mark.parametrize("script", NAVIGATIONS)
def test_an_output_does_not_navigate_the_pane(pane: Pane, attack: Attack, script: str) -> None:
    before = pane.page.url
    attack(f"setTimeout(() => say('tried'), 300); {MAKE} try {{ {script} }} catch (e) {{}}")
    assert pane.page.url == before
    assert len(pane.page.context.pages) == 1


def test_an_output_that_navigates_itself_away_reaches_nobody(pane: Pane, publish: Publish) -> None:
    requested: list[str] = []
    pane.page.on("requestfinished", lambda request: requested.append(request.url))
    second = publish(html("<script>location = 'http://example.org/?stolen'</script>"))
    expect(pane.page.locator(f"[data-output-id='{second}']")).to_have_count(1)
    last = publish({"text/plain": "after"})
    pane.ready(last)
    assert not [url for url in requested if "example.org" in url]
    pane.expect_problems()


def test_forged_messages_change_nothing(pane: Pane, publish: Publish) -> None:
    first = publish({"text/plain": "keep me"})
    forged = """<p id=p>x</p><script>
        const messages = [
            {type: 'key', key: 'Delete', shift: false}, {type: 'ipyweb:frame', nonce: 'x'}, {type: 'ready', turn: 1},
            {type: 'link', href: 'https://example.org/'}, null, 1,
            JSON.parse('{"__proto__": {"polluted": 1}, "type": "constructor"}'),
        ];
        parent.postMessage('x'.repeat(1e6), '*');
        for (let i = 0; i < 500; i++) for (const each of messages) parent.postMessage(each, '*');
    </script>"""
    second = publish(html(forged))
    pane.ready(second)
    third = publish({"text/plain": "after"})
    pane.ready(third)
    expect(pane.page.get_by_test_id("filmstrip").get_by_role("option")).to_have_count(3)
    assert pane.page.evaluate("({}).polluted") is None
    expect(pane.page.get_by_role("dialog")).to_have_count(0)
    pane.go(first)


def test_only_widgets_get_a_line_to_their_session(pane: Pane, publish: Publish) -> None:
    asking = """<p id=p>nothing</p><script>
        const post = MessagePort.prototype.postMessage;
        MessagePort.prototype.postMessage = function (...args) {
            MessagePort.prototype.postMessage = post;
            this.addEventListener("message", ({data}) => { if (data.type === "comms") p.textContent = "a line" });
            post.call(this, {type: "comms"});
            return post.apply(this, args);
        };
    </script>"""
    pane.ready(publish(html(asking)))
    pane.page.wait_for_timeout(500)
    assert pane.frame.locator("#p").inner_text() == "nothing"


def test_an_output_that_floods_its_port_is_cut_off(pane: Pane, publish: Publish) -> None:
    flood = """<p>x</p><script>
        const flood = () => { for (let i = 0; i < 2000; i++) dispatchEvent(new KeyboardEvent('keydown', {key: 'h'})) };
        setTimeout(flood, 500);
    </script>"""
    pane.ready(publish(html(flood)), "error")
    expect(pane.page.get_by_role("alert")).to_contain_text("more messages")
    pane.ready(publish({"text/plain": "after"}))


def test_an_output_that_spins_can_be_stopped_and_the_pane_goes_on(pane: Pane, publish: Publish) -> None:
    first = publish({"image/png": image("red")})
    spinning = publish(html("<p>spinning</p><script>setTimeout(() => { for (;;); }, 300)</script>"))
    pane.ready(spinning)
    expect(pane.page.get_by_role("alert")).to_contain_text("does not answer")
    neighbour = publish(html("<p id=n>fine</p>"))
    pane.go(first)
    pane.go(neighbour)
    assert pane.frame.locator("#n").inner_text() == "fine"
    pane.go(spinning)
    pane.page.get_by_role("button", name="Stop it").click()
    pane.ready(spinning, "error")
    spinning = publish(html("<p>again</p><script>setTimeout(() => { for (;;); }, 300)</script>"))
    pane.go(spinning)
    expect(pane.page.get_by_role("alert")).to_contain_text("does not answer")
    pane.press("Control+k")
    expect(pane.page.get_by_role("combobox")).to_be_focused()
    pane.page.keyboard.type("stop")
    pane.press("Enter")
    pane.ready(spinning, "error")


def test_an_output_that_never_draws_does_not_hold_up_the_next(pane: Pane, publish: Publish) -> None:
    spinning = publish(html("<script>for (;;);</script>"))
    expect(pane.page.locator(f"[data-output-id='{spinning}']")).to_have_count(1)
    pane.ready(publish(html("<p>next</p>")))


XMLNS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
SVGS = [
    "<svg XMLNS><script>window.hacked = 1</script></svg>",
    '<svg XMLNS onload="window.hacked = 1"><rect width="9" height="9"/></svg>',
    '<svg XMLNS><foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" '
    'srcdoc="&lt;script&gt;parent.hacked = 1&lt;/script&gt;"/></foreignObject></svg>',
    '<svg XMLNS><a xlink:href="javascript:window.hacked = 1"><rect width="900" height="900"/></a></svg>',
]


@pytest.mark.parametrize("svg", SVGS)
def test_an_svg_runs_no_script(pane: Pane, publish: Publish, svg: str) -> None:
    pane.ready(publish({"image/svg+xml": svg.replace("XMLNS", XMLNS)}))
    pane.frame.locator("svg").click(force=True)
    assert pane.frame.evaluate("window.hacked") is None
    assert pane.page.evaluate("window.hacked") is None
    pane.expect_problems()


def test_titles_and_names_are_text(pane: Pane, publish: Publish) -> None:
    evil = "<img src=x onerror='window.hacked = 1'>"
    output = publish(
        {"text/plain": evil, "text/html": "x"}, title=evil, session=evil, source={"file": evil, "line": 1, "code": evil}
    )
    pane.ready(output)
    expect(pane.page.locator("footer strong")).to_have_text(evil)
    assert pane.page.evaluate("window.hacked") is None


def test_a_link_in_an_output_opens_only_after_a_click_on_its_address(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<a id=a href='https://example.org/path?x=1'>click</a>")))
    pane.frame.locator("#a").click()
    expect(pane.page.get_by_test_id("link")).to_have_text("https://example.org/path?x=1")
    assert len(pane.page.context.pages) == 1
    open_ = pane.page.get_by_role("button", name="Open", exact=True)
    with pane.page.context.expect_page() as opened:
        open_.click()
    assert re.match("https://example.org/|chrome-error:|about:blank", opened.value.url)
    opened.value.close()
    pane.frame.locator("#a").press("Enter")
    expect(pane.page.get_by_role("button", name="Cancel")).to_be_focused()
    pane.press("Tab")
    expect(open_).to_be_focused()
    with pane.page.context.expect_page():
        pane.press("Enter")


def test_a_javascript_link_is_never_offered(pane: Pane, publish: Publish) -> None:
    evil = "<svg width=50 height=50><a href=' javascript:parent.hacked=1'><rect width=50 height=50 /></a></svg>"
    pane.ready(publish(html(evil + "<a id=f href='/etc/passwd'>file</a>")))
    pane.frame.locator("rect").click()
    pane.frame.locator("#f").click()
    dialog = pane.page.get_by_role("dialog")
    expect(dialog).to_contain_text("/etc/passwd")
    expect(dialog.get_by_role("button", name="Open", exact=True)).to_have_count(0)
    assert pane.page.evaluate("window.hacked") is None


def test_plotly_text_with_markup_runs_nothing_in_the_pane(pane: Pane, publish: Publish) -> None:
    evil = "<img src=x onerror='parent.hacked=1'><a href='javascript:window.hacked=1'>x</a>"
    figure = {"data": [{"y": [1], "text": evil, "mode": "text"}], "layout": {"title": {"text": evil}}}
    pane.ready(publish({"application/vnd.plotly.v1+json": figure}))
    assert pane.page.evaluate("window.hacked") is None
    assert pane.frame.evaluate("window.hacked") is None


def test_a_blocked_resource_is_said(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<script src='https://cdn.example.org/lib.js'></script>x")))
    expect(pane.page.get_by_test_id("stage")).to_contain_text("cdn.example.org")
    pane.expect_problems()


def test_frames_share_the_hub_s_host_where_names_under_localhost_do_not_resolve(
    hub: connection.Connection, chromium: Browser, publish: Publish
) -> None:
    output = publish(html("<p id=p>drawn</p>"))
    unresolved = "--host-resolver-rules=MAP *.localhost ^NOTFOUND"
    browser = chromium.browser_type.launch(executable_path=executable(), args=[*ARGUMENTS, unresolved])
    pane = Pane(browser.new_page(), hub.url).open(f"token={hub.token_for('pane')}").ready(output)
    assert pane.frame.url.startswith(f"{hub.url}/c/")
    assert pane.frame.evaluate("self.origin") == "null"
    assert pane.frame.locator("#p").inner_text() == "drawn"
    browser.close()
