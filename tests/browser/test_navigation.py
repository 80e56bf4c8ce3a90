"""Going through outputs: keys, the filmstrip, following the newest, removing, reloading."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import PROJECT, OpenPane, Pane, Publish, html, image


@pytest.fixture
def three(publish: Publish) -> list[int]:
    """Three outputs, the second in a frame."""
    return [publish({"image/png": image("red")}), publish(html("<p id=p>hello</p>")), publish({"text/plain": "last"})]


def test_keys_go_back_and_on(pane: Pane, three: list[int]) -> None:
    back = {"ArrowLeft": 1, "ArrowUp": 1, "k": 1, "Home": 0, "PageUp": 0}
    on = {"ArrowRight": 1, "ArrowDown": 1, "j": 1, "l": 1, "End": 2, "n": 2, "PageDown": 2}
    for begin, keys in ((2, back), (0, on)):
        for key, end in keys.items():
            pane.go(three[begin])
            pane.press(key)
            pane.ready(three[end])


@pytest.mark.parametrize("key", ["ArrowLeft", "k"])
def test_keys_go_on_working_after_a_click_inside_a_frame(pane: Pane, three: list[int], key: str) -> None:
    pane.go(three[1])
    pane.frame.locator("#p").click()
    pane.press(key)
    pane.ready(three[0])


def test_keys_that_an_output_uses_stay_with_it(pane: Pane, publish: Publish) -> None:
    first = publish({"image/png": image()})
    second = publish(html("<input id=i><div style='height:3000px'></div>"))
    pane.ready(second)
    pane.frame.locator("#i").click()
    pane.press("ArrowLeft")
    pane.press("n")
    assert pane.frame.locator("#i").input_value() == "n"
    pane.frame.locator("div").click(position={"x": 5, "y": 5})
    pane.press("ArrowDown")
    pane.frame.wait_for_function("scrollY > 0")
    assert pane.shown == second
    pane.press("k")
    pane.ready(first)


def test_a_new_output_is_shown_while_following(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"text/plain": "one"}))
    pane.ready(publish({"text/plain": "two"}))


def test_a_new_output_does_not_pull_the_user_away(pane: Pane, three: list[int], publish: Publish) -> None:
    pane.go(three[0])
    newest = [publish({"text/plain": "four"}), publish({"text/plain": "five"})][-1]
    unread = pane.page.get_by_test_id("unread")
    expect(unread).to_have_text(re.compile("2.*new"))
    assert pane.shown == three[0]
    expect(pane.page).to_have_title(re.compile(r"^\(2\)"))
    unread.click()
    pane.ready(newest)
    expect(unread).to_have_count(0)


def test_a_reload_shows_the_same_output(pane: Pane, three: list[int]) -> None:
    pane.ready(three[2])
    pane.press("Home")
    pane.ready(three[0])
    pane.page.wait_for_url(f"**/#o={three[0]}")
    pane.page.reload()
    pane.ready(three[0])


def test_a_reload_while_following_goes_on_following(pane: Pane, three: list[int], publish: Publish) -> None:
    pane.ready(three[2])
    pane.page.reload()
    pane.ready(three[2])
    pane.ready(publish({"text/plain": "new"}))


def test_the_filmstrip_shows_every_output_and_selects_by_click(pane: Pane, three: list[int]) -> None:
    strip = pane.page.get_by_test_id("filmstrip")
    expect(strip.get_by_role("option")).to_have_count(3)
    strip.locator(f"[data-thumbnail='{three[0]}']").click()
    pane.ready(three[0])
    expect(strip.get_by_role("option", selected=True)).to_have_attribute("data-thumbnail", str(three[0]))


def test_a_strip_at_the_bottom_tells_the_time_beside_the_title(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"text/plain": "words"}, title="Residuals of it all"))
    pane.page.set_viewport_size({"width": 320, "height": 640})
    line = pane.page.get_by_test_id("filmstrip").locator(".along .line")
    expect(line.locator("time")).to_be_visible()
    name, time = line.locator(".name").bounding_box(), line.locator("time").bounding_box()
    assert name is not None
    assert time is not None
    assert name["width"] >= 64
    assert name["x"] + name["width"] <= time["x"]


def test_the_filmstrip_gets_a_picture_from_the_frame(pane: Pane, publish: Publish) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="30" height="20"/></svg>'
    output = publish({"image/svg+xml": svg})
    pane.ready(output)
    expect(pane.page.locator(f"[data-thumbnail='{output}'] img")).to_have_attribute("src", re.compile("^blob:"))


def test_the_filmstrip_draws_only_what_is_in_view(pane: Pane, publish: Publish) -> None:
    outputs = [publish({"text/plain": str(n)}) for n in range(60)]
    pane.ready(outputs[-1])
    options = pane.page.get_by_test_id("filmstrip").get_by_role("option")
    assert options.count() < 25
    pane.press("Home")
    expect(pane.page.locator(f"[data-thumbnail='{outputs[0]}']")).to_be_in_viewport()


def test_h_hides_the_filmstrip_and_t_changes_the_theme(pane: Pane, three: list[int]) -> None:
    pane.ready(three[2])
    pane.press("h")
    expect(pane.page.get_by_test_id("filmstrip")).to_have_count(0)
    root = pane.page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    pane.press("t")
    pane.press("t")
    expect(root).to_have_attribute("data-theme", "dark")
    pane.page.reload()
    pane.ready(three[2])
    expect(root).to_have_attribute("data-theme", "dark")
    expect(pane.page.get_by_test_id("filmstrip")).to_have_count(0)


def test_frames_follow_the_theme(pane: Pane, three: list[int]) -> None:
    pane.go(three[1])
    pane.press("t")
    pane.press("t")
    pane.frame.wait_for_function("getComputedStyle(document.documentElement).colorScheme === 'dark'")


def test_the_help_lists_the_keys(pane: Pane, three: list[int]) -> None:
    pane.ready(three[2])
    pane.press("?")
    dialog = pane.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Newest output")
    pane.press("ArrowLeft")
    assert pane.shown == three[2]
    pane.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_removed_output_goes_at_once_and_comes_back_by_undo(pane: Pane, three: list[int]) -> None:
    pane.go(three[1])
    pane.press("Delete")
    pane.ready(three[2])
    pane.page.get_by_role("button", name="Undo").click()
    pane.ready(three[1])


def test_a_pane_speaks_of_its_project_and_of_everything_on_request(pane: Pane, publish: Publish) -> None:
    own = publish({"text/plain": "own"})
    pane.ready(own)
    other = publish({"text/plain": "other"}, project="/home/ada/other")
    options = pane.page.get_by_test_id("filmstrip").get_by_role("option")
    expect(options).to_have_count(1)
    pane.page.get_by_role("button", name="Everything").click()
    pane.ready(other)
    expect(options).to_have_count(2)
    pane.page.get_by_role("button", name=PROJECT.rpartition("/")[2], exact=True).click()
    pane.ready(own)


def test_a_link_to_an_output_of_another_project_shows_it(open_pane: OpenPane, pane: Pane, publish: Publish) -> None:
    publish({"text/plain": "own"})
    other = publish({"text/plain": "other"}, project="/home/ada/other")
    pane.go(other)


def test_an_output_that_is_not_there_is_said_and_the_newest_shown(pane: Pane, three: list[int]) -> None:
    pane.ready(three[2])
    pane.page.evaluate("location.hash = '#o=999'")
    expect(pane.page.get_by_test_id("toast")).to_contain_text("999")
    assert pane.shown == three[2]
    pane.problems = [each for each in pane.problems if "404" not in each]


def test_an_empty_pane_tells_the_ways_to_show_something(pane: Pane) -> None:
    empty = pane.page.get_by_test_id("empty")
    for way in ("%load_ext ipyweb", "ipyweb.display(fig)", "ipyweb run script.py"):
        expect(empty).to_contain_text(way)


@pytest.mark.parametrize("width", [320, 700, 1400])
def test_nothing_is_cut_off_at_any_width(pane: Pane, publish: Publish, width: int) -> None:
    pane.page.set_viewport_size({"width": width, "height": 640})
    pane.go(publish({"text/plain": "one"}))
    publish({"text/plain": "unread"})
    kinds = {"text/plain": "two", "text/html": "two", "application/json": {}, "text/markdown": "two"}
    pane.go(
        publish(
            kinds,
            title="A long title of an output, longer than what has room",
            session="a long session name · pts/3 · node17.cluster.example.org",
        )
    )
    publish({"text/plain": "unread"})
    pane.fits(width)
    for control in pane.page.locator("header button:visible, footer button.icon:visible").all():
        box = control.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width


def test_older_outputs_coming_in_do_not_undo_scrolling(open_pane: OpenPane, publish: Publish) -> None:
    ids = [publish({"text/plain": str(number)}) for number in range(700)]
    pane = open_pane()
    pane.ready(ids[-1])
    pane.page.locator("[data-testid=filmstrip]").hover()
    pane.page.mouse.wheel(0, -5000)
    distance = "() => { const s = document.querySelector('[data-testid=filmstrip]'); return %s }"
    pane.page.wait_for_function(distance % "s.scrollHeight >= 700 * 132")
    pane.page.wait_for_function(distance % "s.scrollHeight - s.scrollTop - s.clientHeight > 4000")


def test_a_page_is_told_by_its_words_in_the_filmstrip_not_by_the_name_of_its_object(
    pane: Pane, publish: Publish
) -> None:
    page = {
        "text/html": "<style>p {}</style><h1>Tides</h1> <p>of June</p>",
        "text/plain": "<IPython.core.display.HTML object>",
    }
    output = publish(page)
    expect(pane.page.locator(f"[data-thumbnail='{output}'] pre")).to_have_text("Tides of June")
