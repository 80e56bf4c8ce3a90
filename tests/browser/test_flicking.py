"""Going through outputs quickly: keys held down, the wheel, the filmstrip's places, what is fetched ahead."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import OpenPane, Pane, Publish, html, image
from .test_taking import PAGES

WATCH = """() => {
    window.seen = [];
    window.blanks = 0;
    const stage = document.querySelector("[data-testid=stage]");
    const look = () => {
        const src = stage.querySelector(".layer:not(.coming) img")?.src;
        if (src && window.seen.at(-1) !== src) window.seen.push(src);
        if (!stage.querySelector(".layer:not(.coming) :is(img, pre)")) window.blanks++;
        window.watching = requestAnimationFrame(look);
    };
    look();
}"""


@pytest.fixture
def many(publish: Publish) -> list[int]:
    """Thirty pictures, each of a colour of its own."""
    return [publish({"image/png": image(f"hsl({12 * number}, 80%, 50%)")}) for number in range(30)]


def test_a_key_held_down_shows_outputs_without_a_blank_between(pane: Pane, many: list[int]) -> None:
    pane.ready(many[-1])
    pane.page.evaluate(WATCH)
    for _ in range(29):
        pane.page.keyboard.down("ArrowLeft")
        pane.page.wait_for_timeout(33)  # as keyboards repeat
    pane.page.keyboard.up("ArrowLeft")
    pane.ready(many[0])
    assert pane.page.evaluate("window.blanks") == 0
    assert len(pane.page.evaluate("window.seen")) >= 20


def test_each_output_is_shown_when_keys_are_pressed_one_by_one(pane: Pane, many: list[int]) -> None:
    pane.ready(many[-1])
    pane.page.evaluate(WATCH)
    for output in reversed(many[:-1]):
        pane.press("k")
        pane.ready(output)
    assert len(pane.page.evaluate("window.seen")) == 30
    assert pane.page.evaluate("window.blanks") == 0


def test_the_ends_are_ends(pane: Pane, many: list[int]) -> None:
    pane.ready(many[-1])
    pane.press("ArrowRight")
    pane.press("ArrowRight")
    pane.press("ArrowLeft")
    pane.ready(many[-2])
    pane.press("Home")
    pane.press("ArrowLeft")
    pane.ready(many[0])


def test_ten_at_a_time(pane: Pane, many: list[int]) -> None:
    pane.ready(many[-1])
    pane.press("PageUp")
    pane.ready(many[-11])
    pane.press("PageUp")
    pane.press("PageDown")
    pane.ready(many[-11])


def test_neighbours_are_fetched_ahead(pane: Pane, many: list[int]) -> None:
    requests: list[str] = []
    pane.go(many[10])
    pane.page.wait_for_load_state("networkidle")
    pane.page.on("request", lambda request: requests.append(request.url))
    pane.press("ArrowRight")
    pane.ready(many[11])
    shown = pane.page.locator("[data-testid=stage] img").get_attribute("src") or "nothing"
    assert not [url for url in requests if url.endswith(shown)]


@pytest.mark.parametrize("place", ["left", "right", "bottom"])
def test_the_filmstrip_can_be_anywhere(pane: Pane, many: list[int], place: str) -> None:
    pane.ready(many[-1])
    pane.page.evaluate(f"localStorage.setItem('ipyweb.filmstrip', '{place}')")
    pane.page.reload()
    pane.ready(many[-1])
    strip = pane.page.get_by_test_id("filmstrip").bounding_box()
    stage = pane.page.get_by_test_id("stage").bounding_box()
    assert strip is not None
    assert stage is not None
    found = {
        strip["x"] + strip["width"] <= stage["x"]: "left",
        strip["x"] >= stage["x"] + stage["width"]: "right",
        strip["y"] >= stage["y"] + stage["height"]: "bottom",
    }
    assert found[True] == place
    pane.press("h")
    expect(pane.page.get_by_test_id("filmstrip")).to_have_count(0)
    pane.press("h")
    expect(pane.page.locator(f"[data-strip='{place}']")).to_have_count(1)


def test_the_wheel_moves_a_filmstrip_that_lies(pane: Pane, many: list[int]) -> None:
    pane.page.set_viewport_size({"width": 320, "height": 640})
    pane.ready(many[-1])
    strip = pane.page.get_by_test_id("filmstrip")
    strip.hover()
    before = strip.evaluate("strip => strip.scrollLeft")
    pane.page.mouse.wheel(0, -600)
    pane.page.wait_for_function(
        "(x) => document.querySelector('[data-testid=filmstrip]').scrollLeft < x - 500", arg=before
    )
    assert pane.shown == many[-1]


def test_the_wheel_over_the_position_goes_through_outputs(pane: Pane, many: list[int]) -> None:
    pane.ready(many[-1])
    pane.page.locator(".position").hover()
    pane.page.mouse.wheel(0, -100)
    pane.ready(many[-2])


def test_a_frame_cannot_press_keys_without_the_focus(pane: Pane, publish: Publish) -> None:
    first = publish({"text/plain": "first"})
    hostile = publish(
        html("<script>setTimeout(() => dispatchEvent(new KeyboardEvent('keydown', {key: 'k'})), 50)</script>")
    )
    pane.ready(hostile)
    pane.frame.evaluate("dispatchEvent(new KeyboardEvent('keydown', {key: 'k'}))")
    pane.page.wait_for_timeout(100)
    assert pane.shown == hostile
    pane.press("k")
    pane.ready(first)


def test_escape_takes_the_focus_back_from_a_frame(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<input id=i>")))
    pane.frame.locator("#i").click()
    assert pane.page.evaluate("document.activeElement.tagName") == "IFRAME"
    pane.press("Escape")
    pane.page.wait_for_function("() => document.activeElement === document.body")
    pane.press("?")
    expect(pane.page.get_by_role("dialog")).to_be_visible()


def test_drawings_that_nobody_looked_at_have_pictures_too(open_pane: OpenPane, publish: Publish) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="30" height="20"/></svg>'
    plot = {"application/vnd.plotly.v1+json": {"data": [{"y": [1, 3, 2]}], "layout": {}}}
    drawings = [publish({"image/svg+xml": svg}), publish(plot), publish(plot)]
    pane = open_pane().ready(publish({"text/plain": "last"}))
    for output in drawings:
        shown = pane.page.locator(f"[data-thumbnail='{output}'] img")
        expect(shown).to_have_attribute("src", re.compile("^blob:"))
    assert pane.page.locator(".parking iframe").count() <= 5  # two spare ones, two drawn ahead, one for all the others


LOOK = """async image => {
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight), context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let green = 0;
    for (let at = 0; at < data.length; at += 4) green += data[at] < 60 && data[at + 1] > 90 && data[at + 2] < 60;
    return [green / (data.length / 4), canvas.width, canvas.height];
}"""
"""The share of an image's pixels that are green, and its size."""


def thumbnail(pane: Pane, output: int) -> tuple[float, int, int]:
    """What the picture of an output in the filmstrip looks like, once it is there: how green it is, and its size."""
    shown = pane.page.locator(f"[data-thumbnail='{output}'] img")
    expect(shown).to_have_attribute("src", re.compile("^blob:"))
    green, width, height = shown.evaluate(LOOK)
    return green, width, height


def test_every_kind_has_a_picture_of_what_it_is_though_nobody_looked(open_pane: OpenPane, publish: Publish) -> None:
    outputs = [publish(bundle) for bundle in PAGES.values()]
    pane = open_pane().ready(publish({"text/plain": "last"}))
    pane.page.set_viewport_size({"width": 1100, "height": 132 * (len(outputs) + 2)})
    for output in outputs:
        green, width, height = thumbnail(pane, output)
        assert green > 0.1
        assert max(width, height) <= 360
    assert pane.page.locator(".parking iframe").count() <= 5


def test_the_picture_follows_what_the_stage_shows(pane: Pane, publish: Publish) -> None:
    output = publish(html("<p style='height: 50px'>page</p>"), display_id="page")
    pane.ready(output)
    assert thumbnail(pane, output)[0] == 0
    publish(html("<p style='height: 50px; background: green'>page</p>"), display_id="page")
    shown = pane.page.locator(f"[data-thumbnail='{output}'] img")
    pane.page.wait_for_function(f"async image => (await ({LOOK})(image))[0] > 0.1", arg=shown.element_handle())


def test_a_long_page_has_its_beginning_for_a_picture(pane: Pane, publish: Publish) -> None:
    output = publish(html("<div style='background: green; width: 40px; height: 5000px'>begin</div>"))
    pane.ready(output)
    green, width, height = thumbnail(pane, output)
    assert height <= 1.3 * width + 1
    assert green > 0.2


def test_texts_have_their_beginning_for_a_picture_and_pages_until_they_have_one(pane: Pane, publish: Publish) -> None:
    text = publish({"text/plain": "a\nb"})
    nested = publish(html("<style>p {}</style><p>A <b>page</b></p><iframe srcdoc='inner'></iframe>"))
    pane.ready(nested)
    expect(pane.page.locator(f"[data-thumbnail='{text}'] pre")).to_have_text("a\nb")
    expect(pane.page.locator(f"[data-thumbnail='{nested}'] pre")).to_have_text("A page")
