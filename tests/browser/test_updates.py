"""Live updates: a new version of the output shown is drawn in its place."""

import itertools

from playwright.sync_api import expect

from .conftest import Pane, Publish, html, image


def test_an_image_is_replaced_without_a_blank_between(pane: Pane, publish: Publish) -> None:
    output = publish({"image/png": image("red")}, display_id="a")
    pane.ready(output)
    pane.page.evaluate("""() => {
        window.blanks = 0;
        const look = () => {
            const stage = document.querySelector('[data-testid=stage]');
            if (![...stage.querySelectorAll('img')].some(each => each.complete && each.naturalWidth)) window.blanks++;
            requestAnimationFrame(look);
        };
        look();
    }""")
    for colour in itertools.islice(itertools.cycle(["blue", "lime"]), 10):
        publish({"image/png": image(colour)}, display_id="a")
    expect(pane.page.get_by_text("v11", exact=True)).to_be_visible()
    pane.ready(output)
    expect(pane.page.locator("[data-testid=stage] img")).to_have_count(1)
    assert pane.share((0, 255, 0)) > 0.05
    assert pane.page.evaluate("window.blanks") == 0


def test_a_plotly_figure_is_updated_in_its_frame(pane: Pane, publish: Publish) -> None:
    def figure(y: list[int]) -> dict[str, object]:
        return {"application/vnd.plotly.v1+json": {"data": [{"y": y}], "layout": {}}}

    output = publish(figure([1, 2]), display_id="a")
    pane.ready(output)
    frame = pane.frame
    frame.evaluate("window.mark = 1")
    publish(figure([5, 6, 7]), display_id="a")
    frame.wait_for_function("document.getElementById('output').data[0].y.length === 3")
    pane.ready(output)
    assert pane.frame.evaluate("window.mark") == 1


def test_html_gets_a_fresh_frame_with_each_version(pane: Pane, publish: Publish) -> None:
    output = publish(html("<script>window.mark = 1</script>one"), display_id="a")
    pane.ready(output)
    publish(html("<p id=two>two</p>"), display_id="a")
    expect(pane.page.get_by_text("v2", exact=True)).to_be_visible()
    expect(pane.page.locator("[data-testid=stage] iframe")).to_have_count(1)
    pane.ready(output)
    assert pane.frame.locator("#two").inner_text() == "two"
    assert pane.frame.evaluate("window.mark") is None


def test_an_older_output_is_updated_without_being_shown(pane: Pane, publish: Publish) -> None:
    publish({"text/plain": "one"}, display_id="a")
    second = publish({"text/plain": "two"})
    pane.ready(second)
    old = publish({"text/plain": "one again"}, display_id="a")
    expect(pane.page.locator(f"[data-thumbnail='{old}']")).to_contain_text("one again")
    assert pane.shown == second


def test_a_frame_is_as_it_was_when_the_user_comes_back(pane: Pane, publish: Publish) -> None:
    first = publish(html("<input id=i>"))
    second = publish({"text/plain": "x"})
    pane.go(first)
    pane.frame.locator("#i").fill("typed")
    pane.go(second)
    pane.go(first)
    assert pane.frame.locator("#i").input_value() == "typed"


def test_a_burst_ends_with_the_newest(pane: Pane, publish: Publish) -> None:
    outputs = [publish({"image/png": image(colour)}) for colour in ["red", "lime", "blue"] * 10]
    pane.ready(outputs[-1])
    assert pane.share((0, 0, 255)) > 0.05


def test_what_was_passed_over_takes_nothing_away_later(pane: Pane, publish: Publish) -> None:
    first = publish({"image/png": image("red")})
    slow = publish({"text/plain": "slow"})
    last = publish({"image/png": image("blue")})
    pane.go(first)
    pane.page.route("**/c/**.bin", lambda route: None)  # never answered
    pane.page.evaluate(f"""async () => {{
        location.hash = "#o={slow}";
        await new Promise(requestAnimationFrame);
        location.hash = "#o={last}";
    }}""")
    pane.ready(last)
    pane.page.evaluate("new Promise(resolve => setTimeout(resolve, 400))")  # longer than anything may stay
    assert pane.share((0, 0, 255)) > 0.05
