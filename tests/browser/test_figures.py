"""matplotlib figures fill the stage, are drawn anew for its size and the screen's resolution, and say what they are."""

from playwright.sync_api import Browser, BrowserContext, expect

from ipyweb import connection, keepers
from ipyweb.session.figures import environment

from ..conftest import wait_until
from .conftest import OpenPane, Pane, Show, natural, opened, stage, wait_for_width


def test_a_figure_of_default_size_fills_the_stage_and_follows_it(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    pane = opened(open_pane, hub, show("f = Figure(); f.subplots().plot([1, 3, 2])"))
    width, height = stage(pane.page)
    assert wait_for_width(pane.page, width - 32) == (width - 32, height - 32)
    expect(pane.page.get_by_test_id("drawn")).to_have_text("drawn anew")
    pane.page.set_viewport_size({"width": 800, "height": 700})
    width, height = stage(pane.page)
    assert wait_for_width(pane.page, width - 32) == (width - 32, height - 32)


def test_a_figure_of_its_own_size_keeps_its_proportion(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    pane = opened(open_pane, hub, show("f = Figure(figsize=(2, 4)); f.subplots().plot([1, 3, 2])"))
    _, height = stage(pane.page)
    found = wait_for_width(pane.page, (height - 32) // 2)
    assert abs(found[1] - 2 * found[0]) <= 2


def test_a_figure_is_sharp_on_a_screen_of_high_resolution(
    show: Show, chromium: Browser, hub: connection.Connection
) -> None:
    output = show("f = Figure(); f.subplots().plot([1, 3, 2])")
    context: BrowserContext = chromium.new_context(viewport={"width": 900, "height": 700}, device_scale_factor=2)
    page = context.new_page()
    Pane(page, hub.url).open(f"token={hub.token_for('pane')}&o={output}").ready(output)
    width, height = stage(page)
    assert wait_for_width(page, 2 * (width - 32)) == (2 * (width - 32), 2 * (height - 32))
    context.close()


def test_a_figure_says_in_words_what_it_shows(show: Show, open_pane: OpenPane, hub: connection.Connection) -> None:
    pane = opened(open_pane, hub, show("f = Figure(); f.subplots().set_title('Tides')"))
    assert "title: Tides" in (pane.page.locator("[data-testid=stage] img").get_attribute("alt") or "")


def test_a_figure_whose_environment_is_gone_is_shown_from_its_svg(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    output = show("f = Figure(); f.subplots().set_title('Tides')")
    record = keepers.read_record(environment())
    gone = ["/nonexistent/venv/bin/python", *record["command"][1:]]
    keepers.write_record(environment(), gone, record["environment"], record["settings"])
    pane = opened(open_pane, hub, output)
    expect(pane.page.get_by_test_id("drawn")).to_have_text("from its SVG, since its environment is gone")
    expect(pane.page.locator("[data-mime='image/svg+xml'][data-state=ready]")).to_have_count(1)
    for width, height in ((1100, 720), (700, 600)):
        pane.page.set_viewport_size({"width": width, "height": height})
        wide, high = stage(pane.page)
        fills = "([w, h]) => { const box = document.querySelector('svg').getBoundingClientRect();"
        pane.frame.wait_for_function(
            fills + " return box.width === w && box.height === h }", arg=[wide - 32, high - 32]
        )
    pane.page.locator("footer select").select_option("image/png")
    expect(pane.page.get_by_test_id("drawn")).to_have_text("as stored, since its environment is gone")
    assert natural(pane.page) == (640, 480)


WIDTHS = """() => {
  window.widths = [];
  const stage = document.querySelector("[data-testid=stage]");
  const note = () => {
    const width = stage.querySelector(".layer img")?.naturalWidth;
    if (width && window.widths.at(-1) !== width) window.widths.push(width);
  };
  new MutationObserver(note).observe(stage, { childList: true, subtree: true, attributes: true });
}"""


def test_the_next_figure_is_drawn_for_the_stage_from_the_start(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    pane = open_pane(f"token={hub.token_for('pane')}")
    pane.ready(show("f = Figure(); f.subplots().plot([1, 3, 2])"))
    width = stage(pane.page)[0] - 32
    wait_for_width(pane.page, width)
    pane.page.evaluate(WIDTHS)
    second = show("f = Figure(); f.subplots().plot([3, 1, 2])")
    pane.ready(second)
    wait_until(
        lambda: "image/png" in connection.request(hub, "GET", f"api/outputs/{second}").json()["data"], "the drawing"
    )
    pane.page.wait_for_timeout(300)
    assert pane.page.evaluate("window.widths") == [width]
    expect(pane.page.locator(f"[data-thumbnail='{second}'] img")).to_be_visible()
