"""Looking closely: zoom by keys, wheel, menu and double click, moving, sizing, darkened plots, full screen."""

from typing import Any

import pytest
from playwright.sync_api import expect

from ipyweb import connection

from .conftest import OpenPane, Pane, Publish, Show, html, image, opened, stage, wait_for_width

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">'
    '<rect width="300" height="200" fill="green"/></svg>'
)
VEGA_LITE: dict[str, Any] = {
    "application/vnd.vegalite.v6+json": {
        "width": 500,
        "data": {"values": [{"a": each, "b": each % 7} for each in range(40)]},
        "mark": "line",
        "encoding": {
            "x": {"field": "a", "type": "quantitative"},
            "y": {"field": "b", "type": "quantitative"},
        },
    }
}
BARS: dict[str, Any] = {
    "application/vnd.vegalite.v6+json": {
        "data": {"values": [{"a": each, "b": len(each)} for each in ("one", "two", "three")]},
        "mark": "bar",
        "encoding": {"x": {"field": "a"}, "y": {"field": "b", "type": "quantitative"}},
    }
}
PLOTLY = {"application/vnd.plotly.v1+json": {"data": [{"y": [1, 3, 2]}], "layout": {}}}


def box(pane: Pane) -> dict[str, float]:
    found = pane.page.locator("[data-testid=stage] .layer > *").bounding_box()
    assert found is not None
    return {name: found[name] for name in ("x", "y", "width", "height")}


def wait_for_box_width(pane: Pane, width: float) -> None:
    pane.page.wait_for_function(
        "width => Math.abs(width -"
        " document.querySelector('[data-testid=stage] .layer > *').getBoundingClientRect().width) < 1",
        arg=width,
    )


@pytest.fixture
def picture(pane: Pane, publish: Publish) -> Pane:
    """A pane with a picture of 400 by 300."""
    return pane.ready(publish({"image/png": image(size=(400, 300))}))


def zoom_says(pane: Pane, text: str) -> None:
    expect(pane.page.get_by_role("button", name="Zoom and size")).to_have_text(text)


def size_of_ones_own(pane: Pane, width: int, height: int) -> None:
    pane.page.get_by_role("button", name="Zoom and size").click()
    pane.page.get_by_role("menuitem", name="Size of my own…").click()
    pane.page.get_by_label("Width").fill(str(width))
    pane.page.get_by_label("Height").fill(str(height))
    pane.press("Enter")


def wait_for_drawing(pane: Pane, width: float, height: float) -> None:
    """Wait until what is drawn in the frame has a size, and is in its middle as far as it has room there."""
    pane.frame.wait_for_function(
        """([width, height]) => {
            const box = document.querySelector("#output svg").getBoundingClientRect();
            const near = (a, b) => Math.abs(a - b) <= 2;
            const middle = (start, end, room) => end - start > room - 32 || near(start + end, room);
            return near(box.width, width) && near(box.height, height)
                && middle(box.left, box.right, innerWidth) && middle(box.top, box.bottom, innerHeight);
        }""",
        arg=[width, height],
    )


def test_keys_zoom_by_round_steps_and_back(picture: Pane) -> None:
    zoom_says(picture, "100 %")
    for key, says in [("+", "110 %"), ("=", "125 %"), ("+", "150 %"), ("-", "125 %"), ("0", "100 %"), ("-", "90 %")]:
        picture.press(key)
        zoom_says(picture, says)
    assert box(picture)["width"] == pytest.approx(360, abs=1)


def test_the_menu_zooms_to_a_size(picture: Pane) -> None:
    for size in (50, 75, 100, 150, 200):
        picture.page.get_by_role("button", name="Zoom and size").click()
        picture.page.get_by_role("menuitem", name=f"{size} %", exact=True).click()
        zoom_says(picture, f"{size} %")
        assert box(picture)["width"] == pytest.approx(4 * size, abs=1)


def test_the_wheel_keeps_what_is_under_the_pointer(picture: Pane) -> None:
    for _ in range(10):
        picture.press("+")
    picture.page.mouse.move(500, 300)
    before = box(picture)
    for _ in range(4):
        picture.page.mouse.wheel(0, -100)
    wider = "width => document.querySelector('[data-testid=stage] img').getBoundingClientRect().width > width"
    picture.page.wait_for_function(wider, arg=1.9 * before["width"])
    after = box(picture)
    for corner, length, point in (("x", "width", 500), ("y", "height", 300)):
        under = [(point - each[corner]) / each[length] for each in (before, after)]
        assert under[0] == pytest.approx(under[1], abs=0.002)


def test_a_picture_larger_than_the_stage_is_moved_by_dragging_but_not_lost(picture: Pane) -> None:
    for _ in range(9):
        picture.press("+")
    before = box(picture)
    picture.page.mouse.move(700, 400)
    picture.page.mouse.down()
    picture.page.mouse.move(640, 370, steps=3)
    assert box(picture)["x"] == pytest.approx(before["x"] - 60, abs=1)
    assert box(picture)["y"] == pytest.approx(before["y"] - 30, abs=1)
    picture.page.mouse.move(0, 0, steps=3)
    picture.page.mouse.up()
    after, (width, height) = box(picture), stage(picture.page)
    left, top = (picture.page.get_by_test_id("stage").bounding_box() or {})["x"], 44
    assert after["x"] + after["width"] >= left + width - 17
    assert after["y"] + after["height"] >= top + height - 17


def test_a_double_click_zooms_and_goes_back(picture: Pane) -> None:
    shown = picture.page.locator("[data-testid=stage] img")
    shown.dblclick()
    zoom_says(picture, "200 %")
    shown.dblclick()
    zoom_says(picture, "100 %")


def test_each_output_remembers_its_zoom(pane: Pane, publish: Publish) -> None:
    first, second = publish({"image/png": image("red")}), publish({"image/png": image("blue")})
    pane.ready(second)
    pane.press("+")
    pane.press("k")
    pane.ready(first)
    zoom_says(pane, "100 %")
    pane.press("j")
    pane.ready(second)
    zoom_says(pane, "110 %")


@pytest.mark.parametrize("bundle", [{"image/svg+xml": SVG}, PLOTLY], ids=["svg", "plotly"])
def test_drawings_in_frames_are_magnified_as_a_whole(pane: Pane, publish: Publish, bundle: dict[str, Any]) -> None:
    pane.ready(publish(bundle))
    width, _ = stage(pane.page)
    size = pane.frame.evaluate("[innerWidth, innerHeight]")
    pane.press("+")
    pane.press("+")
    wait_for_box_width(pane, 1.25 * width)
    assert pane.frame.evaluate("[innerWidth, innerHeight]") == size
    pane.press("0")
    wait_for_box_width(pane, width)


def test_texts_in_frames_get_larger_letters_and_flow_anew(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<p>" + "word " * 500)))
    width = pane.frame.evaluate("innerWidth")
    for _ in range(5):
        pane.press("+")
    pane.frame.wait_for_function("width => Math.abs(2 * innerWidth - width) <= 2", arg=width)
    wait_for_box_width(pane, stage(pane.page)[0])


def test_ctrl_and_the_wheel_zoom_inside_a_frame(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"image/svg+xml": SVG}))
    pane.page.locator("[data-testid=stage] iframe").hover()
    pane.page.keyboard.down("Control")
    pane.page.mouse.wheel(0, -50)
    pane.page.keyboard.up("Control")
    expect(pane.page.get_by_role("button", name="Zoom and size")).not_to_have_text("100 %")
    before = box(pane)
    pane.page.mouse.wheel(0, 60)
    pane.page.wait_for_function(
        "y => document.querySelector('[data-testid=stage] iframe').getBoundingClientRect().y < y", arg=before["y"]
    )


def test_plain_text_is_zoomed_too(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"text/plain": "word"}))
    pane.press("+")
    pane.page.wait_for_function("() => document.querySelector('[data-testid=stage] pre').style.zoom === '1.1'")


def test_a_figure_is_drawn_anew_for_its_zoom(show: Show, open_pane: OpenPane, hub: connection.Connection) -> None:
    pane = opened(open_pane, hub, show("f = Figure(); f.subplots().plot([1, 3, 2])"))
    width = stage(pane.page)[0] - 32
    wait_for_width(pane.page, width)
    zoom_says(pane, "100 %")
    for _ in range(3):
        pane.press("+")
    wait_for_width(pane.page, round(1.5 * width))


def test_a_figure_fills_is_as_made_or_has_the_users_size(
    show: Show,
    open_pane: OpenPane,
    hub: connection.Connection,
) -> None:
    pane = opened(open_pane, hub, show("f = Figure(figsize=(3, 2)); f.subplots().plot([1, 3, 2])"))
    pane.press("1")
    assert wait_for_width(pane.page, 300) == (300, 200)
    pane.press("1")
    wait_for_width(pane.page, min(stage(pane.page)[0] - 32, round((stage(pane.page)[1] - 32) * 1.5)))
    size_of_ones_own(pane, 500, 250)
    assert wait_for_width(pane.page, 500) == (500, 250)
    pane.page.reload()
    assert wait_for_width(pane.page, 500) == (500, 250)


@pytest.mark.parametrize(
    ("bundle", "made"),
    [
        (PLOTLY, (700, 450)),
        ({"application/vnd.plotly.v1+json": {"data": [], "layout": {"width": 420, "height": 260}}}, (420, 260)),
        ({"image/svg+xml": SVG}, (300, 200)),
        ({"image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 60"/>'}, (90, 60)),
    ],
    ids=["plotly", "plotly with a size", "svg", "svg without a size"],
)
def test_drawings_in_frames_fill_are_as_made_or_have_the_users_size(
    pane: Pane, publish: Publish, bundle: dict[str, Any], made: tuple[int, int]
) -> None:
    output = publish(bundle)
    pane.ready(output)
    before = pane.frame.evaluate(
        "(({ width, height }) => [width, height])(output.querySelector('svg').getBoundingClientRect())"
    )
    pane.press("1")
    wait_for_drawing(pane, *made)
    pane.press("1")
    wait_for_drawing(pane, *before)
    size_of_ones_own(pane, 500, 250)
    wait_for_drawing(pane, 500, 250)
    pane.page.reload()
    pane.ready(output)
    wait_for_drawing(pane, 500, 250)


def test_a_chart_has_the_users_size_where_its_data_do_not_say_it(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(VEGA_LITE))
    size_of_ones_own(pane, 620, 410)
    wait_for_drawing(pane, 620, 410)
    pane.ready(publish(BARS))
    chart = pane.frame.locator("svg.marks")
    expect(chart).to_have_js_property("clientHeight", 410)
    assert chart.evaluate("el => el.clientWidth") < 200


def test_a_chart_as_wide_as_its_container_has_the_stages_width_or_the_users(pane: Pane, publish: Publish) -> None:
    chart = {**VEGA_LITE["application/vnd.vegalite.v6+json"], "width": "container", "height": 200}
    pane.ready(publish({"application/vnd.vegalite.v6+json": chart}))
    wide = "() => Math.abs(document.querySelector('svg.marks').clientWidth - innerWidth + 32) <= 2"
    pane.frame.wait_for_function(wide)
    pane.page.set_viewport_size({"width": 700, "height": 640})
    pane.frame.wait_for_function(wide)
    size_of_ones_own(pane, 400, 300)
    wait_for_drawing(pane, 400, 300)


def test_a_drawing_larger_than_the_stage_is_moved_by_wheel_and_drag(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"image/svg+xml": SVG}))
    size_of_ones_own(pane, 3000, 2000)
    wait_for_drawing(pane, 3000, 2000)
    pane.page.locator("[data-testid=stage] iframe").hover()
    pane.page.mouse.wheel(0, 300)
    pane.frame.wait_for_function("() => scrollY === 300")
    pane.page.mouse.down()
    pane.page.mouse.move(500, 300)
    pane.page.mouse.move(400, 280, steps=4)
    pane.page.mouse.up()
    pane.frame.wait_for_function("() => scrollX >= 100")
    zoom_says(pane, "100 %")


def test_a_page_has_the_users_width_in_the_middle_of_the_stage(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<p>" + "word " * 500)))
    whole, _ = stage(pane.page)
    size_of_ones_own(pane, 400, 300)
    pane.frame.wait_for_function("() => innerWidth === 400")
    left = (pane.page.get_by_test_id("stage").bounding_box() or {})["x"]
    assert box(pane)["x"] == pytest.approx(left + (whole - 400) / 2, abs=1)
    size_of_ones_own(pane, 9000, 300)
    wait_for_box_width(pane, whole)


def test_a_wide_chart_is_as_narrow_as_the_pane_unless_it_is_to_be_as_made(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(VEGA_LITE))
    chart = pane.frame.locator("svg.marks")
    made = chart.evaluate("el => el.clientWidth")
    room = "() => document.documentElement.scrollWidth <= innerWidth"
    pane.page.set_viewport_size({"width": 320, "height": 640})
    pane.frame.wait_for_function(room)
    expect(chart).not_to_have_js_property("clientWidth", made)
    pane.press("1")
    expect(chart).to_have_js_property("clientWidth", made)
    pane.press("1")
    pane.frame.wait_for_function(room)
    pane.page.set_viewport_size({"width": 1280, "height": 800})
    expect(chart).to_have_js_property("clientWidth", made)


def test_a_chart_of_several_plots_is_scrolled(pane: Pane, publish: Publish) -> None:
    pane.page.set_viewport_size({"width": 320, "height": 640})
    plot = VEGA_LITE["application/vnd.vegalite.v6+json"]
    both = {name: value for name, value in plot.items() if name not in ("mark", "encoding", "width")}
    part = {name: plot[name] for name in ("mark", "encoding", "width")}
    pane.ready(publish({"application/vnd.vegalite.v6+json": {**both, "hconcat": [part, part]}}))
    pane.frame.evaluate("scrollTo(10_000, 0)")
    assert pane.frame.evaluate("document.querySelector('svg.marks').getBoundingClientRect().right <= innerWidth")


def test_letters_never_get_smaller_than_as_made(show: Show, open_pane: OpenPane, hub: connection.Connection) -> None:
    asked: list[str] = []
    pane = open_pane(f"token={hub.token_for('pane')}")
    pane.page.on("request", lambda request: asked.append(request.url))
    pane.ready(show("f = Figure(figsize=(20, 10)); f.subplots().plot([1, 3, 2])"))
    wait_for_width(pane.page, stage(pane.page)[0] - 32)
    assert [url for url in asked if "dpi=100" in url.split("&")[-1] or "dpi=100&" in url]


def test_plots_are_darkened_never_always_or_with_the_theme(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"image/png": image("white", size=(800, 600))}))
    assert pane.share((255, 255, 255)) > 0.5
    pane.press("Shift+T")
    assert pane.share((23, 23, 23)) > 0.5
    pane.press("Shift+T")
    assert pane.share((255, 255, 255)) > 0.5
    pane.press("t")
    pane.press("t")
    assert pane.share((23, 23, 23)) > 0.5
    pane.page.get_by_role("button", name="Zoom and size").click()
    pane.page.get_by_role("menuitem", name="Plots in their own colours").click()
    assert pane.share((255, 255, 255)) > 0.5


def test_photographs_are_not_darkened(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"image/jpeg": image("white", size=(800, 600), form="jpeg")}))
    pane.press("Shift+T")
    assert pane.share((255, 255, 255)) > 0.5


@pytest.mark.parametrize(
    ("data", "darkened"),
    [({"image/png": image()}, True), ({"image/svg+xml": SVG}, True), ({"image/jpeg": image(form="jpeg")}, False)],
    ids=["png", "svg", "jpeg"],
)
def test_the_filmstrip_is_darkened_as_the_stage_is(
    pane: Pane, publish: Publish, data: dict[str, Any], darkened: bool
) -> None:
    pane.ready(publish(data))
    picture = pane.page.get_by_test_id("filmstrip").locator("img")
    expect(picture).to_have_css("filter", "none")
    pane.press("Shift+T")
    expect(picture).to_have_css("filter", "invert(0.91) hue-rotate(180deg)" if darkened else "none")


def test_f_shows_the_output_and_nothing_else(pane: Pane, publish: Publish) -> None:
    first, second = publish({"image/png": image("red")}), publish({"image/png": image("blue")})
    pane.ready(second)
    pane.press("f")
    expect(pane.page.locator("header")).to_have_count(0)
    expect(pane.page.locator("footer")).to_have_count(0)
    expect(pane.page.get_by_test_id("filmstrip")).to_have_count(0)
    pane.page.wait_for_function("() => document.fullscreenElement !== null")
    pane.press("k")
    pane.ready(first)
    pane.press("f")
    expect(pane.page.locator("header")).to_have_count(1)
    pane.page.wait_for_function("() => document.fullscreenElement === null")


def test_full_screen_hides_what_the_hub_has_to_say_and_is_left_by_mouse(
    pane: Pane, publish: Publish, hub: connection.Connection
) -> None:
    pane.page.route("**/api/settings", lambda route: route.fulfill(json={**route.fetch().json(), "problems": ["no"]}))
    pane.page.reload()
    pane.ready(publish({"image/png": image("red")}))
    expect(pane.page.get_by_role("alert")).to_have_text("no")
    pane.page.mouse.move(200, 300)
    pane.page.evaluate("() => { document.documentElement.requestFullscreen = async () => { throw new Error('no') } }")
    pane.press("f")
    expect(pane.page.locator("header")).to_have_count(0)
    expect(pane.page.get_by_role("alert")).to_have_count(0)
    leave = pane.page.get_by_role("button", name="Leave full screen")
    expect(leave).to_have_css("opacity", "0")
    pane.page.mouse.move(200, 2)
    expect(leave).to_have_css("opacity", "1")
    leave.click()
    expect(pane.page.locator("header")).to_have_count(1)
    expect(pane.page.get_by_role("alert")).to_have_text("no")


def test_full_screen_hides_what_an_output_was_refused(pane: Pane, publish: Publish) -> None:
    pane.expect_problems()
    pane.ready(publish(html("<p>Map</p><img alt=tile src=https://tiles.example.org/1.png>")))
    notices = pane.page.get_by_test_id("notices")
    expect(notices).to_contain_text("no network in outputs")
    pane.press("f")
    expect(pane.page.locator("header")).to_have_count(0)
    expect(notices).to_have_count(0)
    pane.press("f")
    expect(notices).to_have_count(1)
