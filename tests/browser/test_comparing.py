"""Several outputs at once: marking, side by side, blinking, what differs, and the gallery."""

import re

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from ipyweb import connection

from .conftest import OpenPane, Pane, Publish, Show, html, image, opened

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def four(pane: Pane, publish: Publish) -> list[int]:
    """Four outputs, the newest shown."""
    ids = [publish({"image/png": image(colour, (400, 300))}) for colour in ("red", "blue", "red")]
    ids.append(publish(html("<p>page</p>")))
    pane.ready(ids[-1])
    return ids


def tiles(pane: Pane, *outputs: int) -> Locator:
    found = pane.page.get_by_test_id("tile")
    expect(found).to_have_count(len(outputs))
    for output in outputs:
        expect(pane.page.locator(f"[data-testid=tile][data-output-id='{output}'][data-state=ready]")).to_have_count(1)
    return found


def marks(pane: Pane, count: int) -> None:
    expect(pane.page.get_by_test_id("mark")).to_have_count(count)


def thumbnail(pane: Pane, output: int) -> Locator:
    return pane.page.get_by_test_id("filmstrip").locator(f"[data-thumbnail='{output}']")


def test_marks_are_made_by_keys(pane: Pane, four: list[int]) -> None:
    pane.press("m")
    marks(pane, 1)
    pane.press("m")
    marks(pane, 0)
    pane.press("Shift+ArrowLeft")
    pane.press("Shift+ArrowUp")
    marks(pane, 3)
    pane.press("Escape")
    marks(pane, 0)


def test_marks_are_made_by_clicks_as_lists_do_it(pane: Pane, four: list[int]) -> None:
    thumbnail(pane, four[0]).click(modifiers=["ControlOrMeta"])
    thumbnail(pane, four[2]).click(modifiers=["ControlOrMeta"])
    marks(pane, 2)
    assert pane.shown == four[3]
    thumbnail(pane, four[2]).click(modifiers=["ControlOrMeta"])
    thumbnail(pane, four[1]).click(modifiers=["Shift"])
    marks(pane, 4)


def test_the_marked_are_shown_side_by_side(pane: Pane, four: list[int]) -> None:
    for output in (four[0], four[1], four[3]):
        thumbnail(pane, output).click(modifiers=["ControlOrMeta"])
    pane.press("v")
    found = tiles(pane, four[0], four[1], four[3])
    boxes = [each.bounding_box() for each in found.all()]
    assert len({(box["x"], box["y"]) for box in boxes if box}) == 3
    expect(found.nth(2).frame_locator("iframe").locator("p")).to_have_text("page")
    pane.press("Escape")
    expect(pane.page.get_by_test_id("compare")).to_have_count(0)
    pane.ready(four[3])


def test_without_marks_an_output_is_compared_with_the_one_before(pane: Pane, four: list[int]) -> None:
    pane.go(four[1])
    pane.press("v")
    tiles(pane, four[0], four[1])


def test_zoom_and_movement_are_linked(pane: Pane, four: list[int]) -> None:
    pane.go(four[1])
    pane.press("v")
    found = tiles(pane, four[0], four[1])
    found.first.locator("img").hover()
    for _ in range(6):
        pane.page.mouse.wheel(0, -200)
    pane.page.mouse.down()
    pane.page.mouse.move(350, 300, steps=3)
    pane.page.mouse.up()
    same = """() => {
        const boxes = [...document.querySelectorAll('[data-testid=tile]')].map(tile => {
            const [outer, inner] = [tile, tile.querySelector('img')].map(each => each.getBoundingClientRect());
            return [inner.x - outer.x, inner.y - outer.y, inner.width].map(Math.round);
        });
        return boxes[0][2] > 800 && boxes[0].every((each, i) => Math.abs(each - boxes[1][i]) <= 1);
    }"""
    pane.page.wait_for_function(same)


def test_sliders_are_linked_by_step(pane: Pane, publish: Publish) -> None:
    for name, steps in (("short", 3), ("long", 5)):
        for number in range(steps):
            last = publish(html(f"<p id=p>{name} {number + 1}</p>"), display_id=name)
    pane.ready(last)
    pane.press("v")
    pane.page.get_by_role("button", name="More").click()
    pane.page.get_by_role("menuitem", name="Do anything by its name").click()
    pane.page.get_by_role("option", name="All outputs in the same step").click()
    expect(pane.page.get_by_role("dialog")).to_have_count(0)
    short, long = tiles(pane, last - 1, last).all()

    def steps(one: str, other: str) -> None:
        for tile, says in ((short, one), (long, other)):
            expect(tile.frame_locator(".layer:not(.coming) > iframe").locator("#p")).to_have_text(says)

    steps("short 3", "long 5")
    long.get_by_label("Version", exact=True).fill("1")
    steps("short 2", "long 2")
    short.get_by_label("Version", exact=True).fill("2")
    steps("short 3", "long 3")
    short.get_by_label("Version before").click()
    steps("short 2", "long 2")
    long.get_by_label("Version", exact=True).fill("4")
    steps("short 3", "long 5")


def test_blinking_shows_one_after_the_other_in_the_same_place(pane: Pane, four: list[int]) -> None:
    pane.go(four[1])
    pane.press("v")
    tiles(pane, four[0], four[1])
    pane.page.get_by_role("button", name="Blink").click()
    for colour in ("0", "1", "0"):
        pane.page.wait_for_function(
            "seen => document.querySelectorAll('[data-testid=tile]')[seen].inert === false", arg=int(colour)
        )
        assert pane.page.locator("[data-testid=tile]:not([inert])").count() == 1


def test_the_difference_is_drawn_and_told(pane: Pane, four: list[int]) -> None:
    pane.go(four[1])
    pane.press("Shift+V")
    says = pane.page.get_by_test_id("difference")
    expect(says).to_have_text("100.0 % of the pixels differ")
    pane.press("Escape")
    thumbnail(pane, four[0]).click(modifiers=["ControlOrMeta"])
    thumbnail(pane, four[2]).click(modifiers=["ControlOrMeta"])
    pane.press("Shift+V")
    expect(says).to_have_text("No pixel differs")


def test_figures_are_drawn_for_their_tiles_and_compared(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    first = show("f = Figure(); f.subplots().plot([1, 3, 2])")
    second = show("f = Figure(); f.subplots().plot([1, 3, 2.5])")
    pane = opened(open_pane, hub, second)
    expect(pane.page.get_by_role("option")).to_have_count(2)
    pane.press("v")
    found = tiles(pane, first, second)
    drawn = """tile => tile.querySelector("img").naturalWidth === tile.querySelector(".layers").clientWidth - 32"""
    for tile in found.all():
        pane.page.wait_for_function(drawn, arg=tile.element_handle())
    pane.press("Shift+V")
    expect(pane.page.get_by_test_id("difference")).to_contain_text("of the pixels differ")


def test_an_output_can_be_taken_out_of_the_comparison(pane: Pane, four: list[int]) -> None:
    for output in four[:3]:
        thumbnail(pane, output).click(modifiers=["ControlOrMeta"])
    pane.press("v")
    tiles(pane, *four[:3]).first.get_by_role("button", name="Take out").click()
    tiles(pane, *four[1:3]).first.get_by_role("button", name="Take out").click()
    expect(pane.page.get_by_test_id("compare")).to_have_count(0)


def width(tile: Locator) -> float:
    return float(tile.locator("img").evaluate("image => image.getBoundingClientRect().width"))


def test_the_last_can_be_taken_out_and_keys_speak_of_the_others(pane: Pane, four: list[int]) -> None:
    for output in four[:3]:
        thumbnail(pane, output).click(modifiers=["ControlOrMeta"])
    pane.press("v")
    tiles(pane, *four[:3]).last.get_by_role("button", name="Take out").click()
    found = tiles(pane, *four[:2])
    before = width(found.first)
    pane.press("+")
    handle = found.first.locator("img").element_handle()
    pane.page.wait_for_function(
        "([image, width]) => image.getBoundingClientRect().width > width * 1.05", arg=[handle, before]
    )


def saved(pane: Pane, key: str) -> tuple[str, tuple[int, ...]]:
    """The name of the file that a key saves, and the colour in its middle."""
    with pane.page.expect_download() as download:
        pane.press(key)
    picture = Image.open(download.value.path()).convert("RGB")
    return download.value.suggested_filename, picture.getpixel((picture.width // 2, picture.height // 2))


def test_what_is_pointed_at_is_what_is_taken_away(pane: Pane, publish: Publish) -> None:
    for name in ("red", "blue", "green"):
        last = publish({"image/png": image(name, (400, 300))}, title=name)
    pane.ready(last)
    pane.press("Home")
    pane.ready(last - 2)
    for output in (last - 2, last - 1):
        thumbnail(pane, output).click(modifiers=["ControlOrMeta"])
    pane.press("v")
    red, blue = tiles(pane, last - 2, last - 1).all()
    assert saved(pane, "p") == ("red.png", RED)
    blue.hover()
    expect(blue).to_have_class(re.compile("meant"))
    assert saved(pane, "p") == ("blue.png", BLUE)
    red.get_by_role("button", name="Take out").focus()
    assert saved(pane, "p") == ("red.png", RED)


def test_the_difference_is_taken_away_as_it_is_seen(pane: Pane, four: list[int]) -> None:
    pane.go(four[1])
    pane.press("Shift+V")
    expect(pane.page.get_by_test_id("difference")).to_have_text("100.0 % of the pixels differ")
    name, colour = saved(pane, "p")
    assert name == f"Difference of output {four[0]} and output {four[1]}.png"
    assert colour not in (RED, BLUE)
    pane.press("s")
    expect(pane.page.get_by_test_id("toast")).to_contain_text("cannot be taken as SVG")


def test_the_marked_are_removed_together(pane: Pane, four: list[int]) -> None:
    thumbnail(pane, four[0]).click(modifiers=["ControlOrMeta"])
    thumbnail(pane, four[1]).click(modifiers=["ControlOrMeta"])
    pane.press("Delete")
    expect(pane.page.get_by_test_id("toast")).to_contain_text("Removed 2 outputs")
    expect(pane.page.get_by_test_id("filmstrip").get_by_role("option")).to_have_count(2)
    pane.press("u")
    expect(pane.page.get_by_test_id("filmstrip").get_by_role("option")).to_have_count(4)


def test_the_gallery_shows_everything_and_opens_one(pane: Pane, four: list[int]) -> None:
    pane.press("g")
    gallery = pane.page.get_by_test_id("gallery")
    expect(gallery.get_by_role("option")).to_have_count(4)
    expect(gallery).to_be_focused()
    pane.press("Home")
    pane.press("ArrowRight")
    expect(gallery.get_by_role("option", selected=True)).to_have_attribute("data-thumbnail", str(four[1]))
    pane.press("Enter")
    expect(gallery).to_have_count(0)
    pane.ready(four[1])
    pane.press("g")
    gallery.locator(f"[data-thumbnail='{four[2]}']").dblclick()
    expect(gallery).to_have_count(0)
    pane.ready(four[2])


def test_the_gallery_of_many_draws_only_what_is_in_view(pane: Pane, publish: Publish) -> None:
    outputs = [publish({"text/plain": str(number)}) for number in range(120)]
    pane.ready(outputs[-1])
    pane.press("g")
    options = pane.page.get_by_test_id("gallery").get_by_role("option")
    expect(options.last).to_have_attribute("data-thumbnail", str(outputs[-1]))
    assert options.count() < 80
    pane.press("Home")
    expect(pane.page.get_by_test_id("gallery").locator(f"[data-thumbnail='{outputs[0]}']")).to_be_in_viewport()
    pane.press("ArrowDown")
    columns = 5
    expect(pane.page.get_by_role("option", selected=True)).to_have_attribute("data-thumbnail", str(outputs[columns]))
