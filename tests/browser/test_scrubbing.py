"""The versions of an output: stepping, sliding, playing, and new ones coming meanwhile."""

import pytest
from playwright.sync_api import expect

from ipyweb import connection

from .conftest import OpenPane, Pane, Publish, html, image

COLOURS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}


@pytest.fixture
def scrubbed(pane: Pane, publish: Publish) -> Pane:
    """A pane with an output of three versions: red, lime, blue."""
    for colour in COLOURS:
        output = publish({"image/png": image(colour)}, display_id="loss")
        pane.ready(output)
    versions(pane, "v3")
    return pane.ready(output)


def versions(pane: Pane, says: str) -> None:
    expect(pane.page.get_by_test_id("versions").locator(".version")).to_have_text(says)


def coloured(pane: Pane, colour: str) -> None:
    pane.ready(pane.shown)
    assert pane.share(COLOURS[colour]) > 0.05


def test_brackets_step_through_the_versions(scrubbed: Pane) -> None:
    coloured(scrubbed, "blue")
    scrubbed.press("[")
    versions(scrubbed, "v2 of 3")
    coloured(scrubbed, "lime")
    scrubbed.press("[")
    scrubbed.press("[")
    versions(scrubbed, "v1 of 3")
    coloured(scrubbed, "red")
    scrubbed.press("]")
    scrubbed.press("]")
    versions(scrubbed, "v3")
    coloured(scrubbed, "blue")


def test_the_slider_and_its_buttons_do_the_same(scrubbed: Pane) -> None:
    slider = scrubbed.page.get_by_role("slider", name="Version")
    slider.hover()
    expect(slider).to_have_attribute("max", "2")
    slider.fill("0")
    versions(scrubbed, "v1 of 3")
    scrubbed.page.get_by_role("button", name="Version after").click()
    versions(scrubbed, "v2 of 3")
    scrubbed.page.get_by_title("To the newest version").click()
    versions(scrubbed, "v3")
    slider.press("ArrowLeft")
    versions(scrubbed, "v2 of 3")
    assert scrubbed.page.evaluate("document.activeElement.type") == "range"


def test_the_slider_is_dragged(scrubbed: Pane) -> None:
    box = scrubbed.page.get_by_role("slider", name="Version").bounding_box()
    assert box is not None
    mouse, left, right, middle = (
        scrubbed.page.mouse,
        box["x"] + 4,
        box["x"] + box["width"],
        box["y"] + box["height"] / 2,
    )
    mouse.move(right - 8, middle)
    mouse.down()
    for x, says in ((left, "v1 of 3"), ((left + right) / 2, "v2 of 3")):
        mouse.move(x, middle, steps=4)
        versions(scrubbed, says)
    mouse.up()
    coloured(scrubbed, "lime")


@pytest.mark.parametrize("width", [320, 700])
def test_a_narrow_pane_has_the_slider_below_the_output(scrubbed: Pane, width: int) -> None:
    scrubbed.page.set_viewport_size({"width": width, "height": 640})
    slider = scrubbed.page.get_by_role("slider", name="Version")
    box, output = slider.bounding_box(), scrubbed.page.get_by_test_id("stage").bounding_box()
    assert box is not None
    assert output is not None
    assert box["width"] >= 100
    assert box["y"] >= output["y"] + output["height"]
    scrubbed.page.get_by_test_id("versions").hover()
    expect(slider).to_have_attribute("max", "2")
    scrubbed.page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    versions(scrubbed, "v1 of 3")
    coloured(scrubbed, "red")
    for button in ("Version after", "Play the versions"):
        expect(scrubbed.page.get_by_role("button", name=button)).to_be_visible()


def test_the_details_lead_to_the_version_before_and_back(scrubbed: Pane) -> None:
    scrubbed.press("i")
    line = scrubbed.page.get_by_test_id("details").get_by_test_id("version")
    expect(line).to_contain_text("Version 3 of 3")
    for number in (2, 1):
        line.get_by_role("button", name="the version before").click()
        expect(line).to_contain_text(f"Version {number} of 3")
    expect(line.get_by_role("button", name="the version before")).to_have_count(0)
    coloured(scrubbed, "red")
    line.get_by_role("button", name="the newest").click()
    versions(scrubbed, "v3")


def test_nothing_jumps_when_a_new_version_comes(scrubbed: Pane, publish: Publish) -> None:
    scrubbed.press("[")
    versions(scrubbed, "v2 of 3")
    publish({"image/png": image("red")}, display_id="loss")
    versions(scrubbed, "v2 of 4")
    coloured(scrubbed, "lime")
    scrubbed.press("]")
    scrubbed.press("]")
    versions(scrubbed, "v4")
    coloured(scrubbed, "red")
    publish({"image/png": image("blue")}, display_id="loss")
    versions(scrubbed, "v5")
    coloured(scrubbed, "blue")


def test_versions_are_played_to_the_newest_by_key_and_by_mouse(scrubbed: Pane) -> None:
    play = scrubbed.page.get_by_role("button", name="Play the versions")
    for begin in (lambda: scrubbed.press("."), play.click):
        scrubbed.page.evaluate("""() => {
            window.said = [];
            const look = () => {
                const text = document.querySelector("[data-testid=versions] .version").textContent;
                if (window.said.at(-1) !== text) window.said.push(text);
            };
            const changes = {subtree: true, childList: true, characterData: true};
            new MutationObserver(look).observe(document.querySelector("footer"), changes);
        }""")
        begin()
        versions(scrubbed, "v1 of 3")
        versions(scrubbed, "v3")
        assert scrubbed.page.evaluate("window.said") == ["v1 of 3", "v2 of 3", "v3"]
        expect(play).to_be_visible()


def test_each_output_keeps_its_version_unless_they_are_linked(scrubbed: Pane, publish: Publish) -> None:
    first = scrubbed.shown
    for number in range(3):
        second = publish(html(f"<p id=p>step {number + 1}</p>"), display_id="other")
    scrubbed.go(second)
    scrubbed.press("[")
    scrubbed.press("k")
    scrubbed.ready(first)
    versions(scrubbed, "v3")
    scrubbed.press("Control+k")
    expect(scrubbed.page.get_by_role("combobox")).to_be_focused()
    scrubbed.page.keyboard.type("same step")
    scrubbed.press("Enter")
    expect(scrubbed.page.get_by_role("dialog")).to_have_count(0)
    scrubbed.press("[")
    scrubbed.press("[")
    versions(scrubbed, "v1 of 3")
    scrubbed.press("j")
    scrubbed.ready(second)
    versions(scrubbed, "v1 of 3")
    expect(scrubbed.page.frame_locator("[data-testid=stage] iframe").locator("#p")).to_have_text("step 1")


def test_an_output_with_one_version_has_no_slider(
    open_pane: OpenPane, publish: Publish, hub: connection.Connection
) -> None:
    output = publish({"text/plain": "once"})
    pane = open_pane()
    pane.ready(output)
    expect(pane.page.get_by_test_id("versions")).to_have_count(0)
