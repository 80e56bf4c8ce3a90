"""Reaching into figures in the pane: by mouse, wheel and keys, each pane on its own copy, and a view that is kept."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect

from ipyweb import connection
from ipyweb.session.figures import environment

from ..conftest import stop_keeper, wait_until
from .conftest import OpenPane, Pane, Show, opened

LINE = "f = Figure(); f.subplots().plot([0, 1, 2, 3], [0, 1, 0, 1])"
SPATIAL = "f = Figure(); f.add_subplot(projection='3d').plot([0, 1], [0, 1], [0, 1])"


class Reaching:
    """A pane whose figure is reached into."""

    def __init__(self, pane: Pane, key: str | None = "z") -> None:
        self.pane, self.page = pane, pane.page
        self._turn = 0
        if key is not None:
            pane.press(key)
        self.ready()

    def ready(self) -> None:
        """Wait until the first picture is painted."""
        expect(self.page.locator("[data-testid=reach][data-state=ready]")).to_have_count(1)

    def box(self) -> tuple[float, float, float, float]:
        """Where the figure is, in CSS pixels: left, top, width, height."""
        found = self.page.locator("[data-testid=reach] canvas").bounding_box()
        assert found is not None
        return found["x"], found["y"], found["width"], found["height"]

    def at(self, across: float, along: float) -> tuple[float, float]:
        """A place in the figure, by parts of its width and height."""
        left, top, width, height = self.box()
        return left + across * width, top + along * height

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=8)
        self.page.mouse.up()

    def under(self, across: float = 0.5, along: float = 0.5) -> tuple[float, float]:
        """The coordinates under a place, as the pane tells them."""
        x, y = self.at(across, along)
        self._turn += 1
        self._told_at(x - 20 - self._turn, y)  # nobody was there yet, so that something else is told
        told = self._told_at(x, y)
        numbers = re.findall(r"-?[0-9.]+(?:e[-+]?[0-9]+)?", told.replace("\N{MINUS SIGN}", "-"))
        return float(numbers[0]), float(numbers[1])

    def _told_at(self, x: float, y: float) -> str:
        """What is told once the mouse is at a place: something new, and then nothing else."""
        told = [self._told()]
        self.page.mouse.move(x, y)
        wait_until(lambda: self._told() != told[0], "what is told of a place")
        while len(told) < 4 or len(set(told[-3:])) > 1:
            self.page.wait_for_timeout(100)
            told.append(self._told())
        return told[-1]

    def _told(self) -> str:
        return self.page.locator("[data-testid=reach] output").inner_text()

    def button(self, name: str) -> Any:
        return self.page.get_by_role("toolbar", name="Reach in").get_by_role("button", name=name, exact=True)

    def pixels(self) -> str:
        """The canvas as it is."""
        return str(self.page.locator("[data-testid=reach] canvas").evaluate("canvas => canvas.toDataURL()"))


def test_dragging_pans_and_home_shows_the_whole_again(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    reaching = Reaching(opened(open_pane, hub, show(LINE)))
    before = reaching.under()
    expect(reaching.button("Drag to pan")).to_have_attribute("aria-pressed", "true")
    expect(reaching.button("Home")).to_be_disabled()
    reaching.drag((0.5, 0.5), (0.3, 0.5))
    after = reaching.under()
    assert after[0] == pytest.approx(before[0] + 0.2 / 0.775 * 3.3, abs=0.05)
    reaching.button("View before").click()
    assert reaching.under() == before
    reaching.button("View after").click()
    assert reaching.under() == after
    reaching.button("Home").click()
    assert reaching.under() == before


def test_it_is_drawn_where_the_figure_is_and_as_sharp(
    show: Show, chromium: Browser, hub: connection.Connection
) -> None:
    output = show(LINE)
    for ratio in (1, 2):
        context = chromium.new_context(viewport={"width": 900, "height": 700}, device_scale_factor=ratio)
        page = context.new_page()
        pane = Pane(page, hub.url).open(f"token={hub.token_for('pane')}&o={output}").ready(output)
        expect(page.get_by_test_id("drawn")).to_have_text("drawn anew")
        picture = page.locator("[data-testid=stage] img").bounding_box()
        assert picture is not None
        reaching = Reaching(pane)
        left, top, width, height = reaching.box()
        bar = page.get_by_role("toolbar", name="Reach in").bounding_box()
        assert bar is not None
        assert (left, width) == (picture["x"], picture["width"])
        assert top > bar["y"] + bar["height"]
        assert top + height == picture["y"] + picture["height"]
        size = f"width={width * ratio:g}&height={height * ratio:g}&dpi={100 * ratio}&margins=1"
        drawn = connection.request(hub, "GET", f"api/outputs/{output}/data?mime=image/png&{size}").body
        data = base64.b64decode(reaching.pixels().partition(",")[2])
        assert pixels(data) == pixels(drawn)
        context.close()


def pixels(png: bytes) -> Any:
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return image.size, image.tobytes()


def test_a_rectangle_is_zoomed_to(show: Show, open_pane: OpenPane, hub: connection.Connection) -> None:
    reaching = Reaching(opened(open_pane, hub, show(LINE)))
    reaching.page.keyboard.press("o")
    expect(reaching.button("Drag to zoom to a rectangle")).to_have_attribute("aria-pressed", "true")
    low, high = reaching.under(0.4, 0.6), reaching.under(0.6, 0.4)
    reaching.page.mouse.move(*reaching.at(0.4, 0.6))
    reaching.page.mouse.down()
    reaching.page.mouse.move(*reaching.at(0.6, 0.4), steps=5)
    band = reaching.page.locator("[data-testid=reach] .band")
    _, _, width, height = reaching.box()
    spans = """([band, width, height]) => {
        const box = band.getBoundingClientRect();
        return Math.abs(box.width - width) < 3 && Math.abs(box.height - height) < 3;
    }"""
    reaching.page.wait_for_function(spans, arg=[band.element_handle(), 0.2 * width, 0.2 * height])
    reaching.page.mouse.up()
    expect(band).to_have_count(0)
    middle = reaching.under(0.5125, 0.505)
    assert low[0] < middle[0] < high[0]
    left, right = reaching.under(0.2), reaching.under(0.8)
    assert right[0] - left[0] < 1.2 * (high[0] - low[0])


def test_the_wheel_zooms_around_the_cursor_and_the_pane_behind_stays(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    reaching = Reaching(opened(open_pane, hub, show(LINE)))
    fixed, other = reaching.under(0.3, 0.5), reaching.under(0.6, 0.5)
    reaching.page.mouse.move(*reaching.at(0.3, 0.5))
    reaching.page.mouse.wheel(0, -300)
    reaching.page.wait_for_timeout(300)
    assert reaching.under(0.3, 0.5) == (pytest.approx(fixed[0], abs=0.02), pytest.approx(fixed[1], abs=0.02))
    assert reaching.under(0.6, 0.5)[0] < other[0] - 0.1
    expect(reaching.page.get_by_role("button", name="Zoom and size")).to_contain_text("100")


def test_keys_pan_zoom_and_walk_through_views_and_escape_leaves(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    pane = opened(open_pane, hub, show(LINE))
    reaching = Reaching(pane)
    before = reaching.under()
    pane.press("ArrowRight")
    right = reaching.under()
    assert right[0] > before[0]
    pane.press("+")
    assert reaching.under(0.8)[0] < before[0] + 3
    pane.press("h")
    assert reaching.under() == before
    expect(pane.page.get_by_test_id("filmstrip")).to_have_count(1)
    pane.press("Escape")
    expect(pane.page.get_by_test_id("reach")).to_have_count(0)
    pane.press("z")
    reaching.ready()
    pane.press("z")
    expect(pane.page.get_by_test_id("reach")).to_have_count(0)


def test_a_key_that_would_remove_the_output_means_something_else_to_the_figure(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    output = show(LINE)
    reaching = Reaching(opened(open_pane, hub, output))
    reaching.page.keyboard.press("x")
    assert connection.request(hub, "GET", f"api/outputs/{output}").json()["removed"] is None
    assert reaching.under()


def test_what_has_three_dimensions_is_turned_by_dragging(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    reaching = Reaching(opened(open_pane, hub, show(SPATIAL)))
    expect(reaching.button("Drag to pan")).to_have_attribute("aria-pressed", "false")
    for act in (
        lambda: reaching.drag((0.5, 0.5), (0.6, 0.55)),
        lambda: reaching.page.keyboard.press("ArrowLeft"),
        lambda: reaching.page.mouse.wheel(0, -200),
    ):
        before = reaching.pixels()
        act()
        reaching.page.wait_for_function(
            "before => document.querySelector('[data-testid=reach] canvas').toDataURL() !== before", arg=before
        )


def test_a_kept_view_is_a_new_version_and_the_one_before_stays(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    output = show(LINE)
    pane = opened(open_pane, hub, output)
    reaching = Reaching(pane)
    reaching.drag((0.5, 0.5), (0.3, 0.5))
    seen = reaching.under()
    reaching.page.mouse.move(0, 0)
    reaching.button("Keep this view").click()
    expect(pane.page.get_by_test_id("reach")).to_have_count(0)
    expect(pane.page.locator(".version", has_text="v2")).to_be_visible()
    pane.ready(output)
    again = Reaching(pane)
    assert again.under() == seen
    pane.press("Escape")
    pane.press("[")
    expect(pane.page.get_by_text("v1 of 2")).to_be_visible()
    pane.ready(output)
    assert Reaching(pane).under() != seen


def test_each_pane_has_a_copy_of_its_own(show: Show, open_pane: OpenPane, hub: connection.Connection) -> None:
    output = show(LINE)
    one, other = (Reaching(opened(open_pane, hub, output)) for _ in range(2))
    before = other.under()
    one.page.bring_to_front()
    one.drag((0.5, 0.5), (0.3, 0.5))
    assert one.under() != before
    other.page.bring_to_front()
    assert other.under() == before


def test_nothing_of_it_is_loaded_before_it_is_asked_for(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    output, asked = show(LINE), list[str]()
    pane = opened(open_pane, hub, output)
    pane.page.on("request", lambda request: note(request, asked))
    pane.page.reload()
    pane.ready(output)
    pane.page.wait_for_timeout(2500)
    assert not asked
    Reaching(pane)
    assert asked


def note(request: Request, asked: list[str]) -> None:
    if "/Reach-" in request.url:
        asked.append(request.url)


def test_another_output_ends_it(show: Show, open_pane: OpenPane, hub: connection.Connection) -> None:
    first, second = show(LINE), show(LINE)
    pane = opened(open_pane, hub, second)
    Reaching(pane)
    pane.go(first)
    expect(pane.page.get_by_test_id("reach")).to_have_count(0)
    expect(pane.page.get_by_role("button", name="Reach in")).to_have_attribute("aria-pressed", "false")


def test_what_is_no_figure_cannot_be_reached_into(pane: Pane, publish: Any) -> None:
    pane.ready(publish({"text/plain": "words"}))
    expect(pane.page.get_by_role("button", name="Reach in")).to_have_count(0)
    pane.press("z")
    expect(pane.page.get_by_test_id("reach")).to_have_count(0)


def test_a_keeper_that_goes_is_told_and_it_begins_again(
    show: Show, open_pane: OpenPane, hub: connection.Connection
) -> None:
    reaching = Reaching(opened(open_pane, hub, show(LINE)))
    stop_keeper(environment())
    expect(reaching.page.get_by_text("the figure keeper went away")).to_be_visible()
    reaching.page.get_by_role("button", name="Begin again").click()
    reaching.ready()
    assert reaching.under()


@pytest.mark.parametrize("width", [1100, 600, 360])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_narrow_panes_in_both_themes_and_all_can_read_it(
    show: Show, open_pane: OpenPane, hub: connection.Connection, width: int, theme: str
) -> None:
    pane = opened(open_pane, hub, show(LINE))
    pane.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    pane.page.set_viewport_size({"width": width, "height": 640})
    reaching = Reaching(pane)
    pane.fits(width)
    for name in ("Home", "View before", "Drag to pan", "Keep this view", "Leave"):
        box = reaching.button(name).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert axe(pane.page) == []


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong with it."""
    source = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
    page.evaluate(source.read_text())
    found = page.evaluate("axe.run('[data-testid=reach]').then(({ violations }) => violations.map(({ id }) => id))")
    return [str(each) for each in found]
