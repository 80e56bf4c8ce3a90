"""One test for each kind of output, looking at its pixels or at the document inside its frame."""

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import Pane, Publish, html, image

pytestmark = pytest.mark.whole_browser

RED = (255, 0, 0)
GREEN = (0, 128, 0)
VEGA = {
    "width": 200,
    "height": 100,
    "background": "white",
    "marks": [
        {
            "type": "rect",
            "encode": {"enter": {"width": {"value": 200}, "height": {"value": 100}, "fill": {"value": "green"}}},
        }
    ],
}
VEGA_LITE = {
    "width": 300,
    "height": 200,
    "data": {"values": [{"a": "A", "b": 28}, {"a": "B", "b": 55}]},
    "mark": {"type": "bar", "color": "green"},
    "encoding": {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"}},
}
PLOTLY = {
    "data": [{"type": "bar", "x": ["a", "b"], "y": {"dtype": "i1", "bdata": "AwU="}, "marker": {"color": "green"}}],
    "layout": {"title": {"text": "Bars"}},
}
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">
    <rect width="300" height="200" fill="green"/></svg>"""


@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "webp"])
def test_a_raster_image_is_painted(pane: Pane, publish: Publish, form: str) -> None:
    pane.ready(publish({f"image/{form}": image("red", form=form), "text/plain": "<Figure>"}))
    assert pane.share(RED) > 0.05
    assert pane.page.locator("[data-testid=stage] iframe").count() == 0


def test_an_image_has_the_size_that_its_metadata_asks_for(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"image/png": image(size=(400, 300))}, metadata={"image/png": {"width": 200, "height": 150}}))
    box = pane.page.locator("[data-testid=stage] img").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (200, 150)


def test_plain_text_keeps_its_colours_and_runs_nothing(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"text/plain": "\x1b[31mred\x1b[0m <img src=x onerror=alert(1)>"}))
    text = pane.page.locator("[data-testid=stage] pre")
    expect(text).to_have_text("red <img src=x onerror=alert(1)>")
    assert text.locator("span").evaluate("el => getComputedStyle(el).color") == "rgb(192, 50, 43)"


def test_html_runs_its_scripts_in_order_and_has_its_styles(pane: Pane, publish: Publish) -> None:
    source = """<style>#a { color: rgb(1, 2, 3) }</style><p id=a></p><script>var order = ['first'];</script>
        <script>order.push('second'); document.getElementById('a').textContent = order;</script>"""
    pane.ready(publish(html(source)))
    assert pane.frame.locator("#a").inner_text() == "first,second"
    assert pane.frame.locator("#a").evaluate("el => getComputedStyle(el).color") == "rgb(1, 2, 3)"


def test_html_that_uses_storage_goes_on(pane: Pane, publish: Publish) -> None:
    pane.ready(
        publish(
            html(
                "<p id=a></p><script>localStorage.setItem('k', 'v'); a.textContent = localStorage.getItem('k')</script>"
            )
        )
    )
    assert pane.frame.locator("#a").inner_text() == "v"


def test_a_whole_html_document_keeps_its_own_look(pane: Pane, publish: Publish) -> None:
    pane.ready(publish(html("<!doctype html><html><head><title>x</title></head><body>own page</body></html>")))
    assert pane.frame.locator("body").evaluate("el => getComputedStyle(el).margin") == "8px"


def test_markdown_becomes_headings_tables_and_formulas_but_no_scripts(pane: Pane, publish: Publish) -> None:
    evil = "<script>window.hacked = 1</script><img src='data:,' onerror='window.hacked = 1'>"
    source = f"# Title\n\n| a | b |\n|---|---|\n| 1 | $x_1^2$ |\n\n{evil}"
    pane.ready(publish({"text/markdown": source}))
    frame = pane.frame
    assert frame.locator("h1").inner_text() == "Title"
    assert frame.locator("td .katex").count() == 1
    assert frame.evaluate("window.hacked") is None


def test_latex_is_set_in_its_own_fonts(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"text/latex": r"$\displaystyle \int_0^1 x\,dx = \frac{1}{2}$", "text/plain": "1/2"}))
    assert pane.frame.locator(".katex").count() == 1
    assert pane.frame.evaluate("[...document.fonts].some(f => f.status === 'loaded' && f.family.includes('KaTeX'))")


def test_svg_is_drawn(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"image/svg+xml": SVG}))
    assert pane.share(GREEN) > 0.05


def test_a_pdf_is_drawn_page_by_page(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"application/pdf": image("green", form="pdf")}))
    assert pane.frame.locator("canvas").count() == 1
    assert pane.share(GREEN) > 0.2


def test_json_is_a_tree_whose_branches_open(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"application/json": {"name": "waves", "modes": [{"f": 0.5}], "none": None}}))
    frame = pane.frame
    assert '"waves"' in frame.locator(".json").inner_text()
    assert '"f"' not in frame.locator(".json").inner_text()
    frame.locator("summary", has_text="modes").click()
    frame.locator("summary", has_text="0").last.click()
    expect(frame.locator(".leaf", has_text="f")).to_have_count(1)


def test_a_huge_json_tree_makes_only_what_is_looked_at(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"application/json": {"many": list(range(100_000))}}))
    pane.frame.locator("summary", has_text="many").click()
    expect(pane.frame.locator(".leaf")).to_have_count(100)
    pane.frame.get_by_text("99900 more").click()
    expect(pane.frame.locator(".leaf")).to_have_count(200)


def test_geojson_is_a_tree(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"application/geo+json": {"type": "Point", "coordinates": [12.5, 41.9]}}))
    assert "Point" in pane.frame.locator(".json").inner_text()


@pytest.mark.parametrize(
    "code", ["element.textContent = 'drawn'", "element.append('<p>drawn</p>')", "element[0].innerHTML = '<i>drawn</i>'"]
)
def test_javascript_gets_its_element(pane: Pane, publish: Publish, code: str) -> None:
    pane.ready(publish({"application/javascript": code}))
    assert pane.frame.locator("#output").inner_text().strip() == "drawn"


def test_javascript_that_throws_is_an_error_with_its_words(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"application/javascript": "throw new Error('no such column')"}), "error")
    assert "no such column" in pane.page.get_by_test_id("stage").inner_text()


def test_a_plotly_figure_with_typed_arrays_fills_the_stage(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"application/vnd.plotly.v1+json": PLOTLY, "text/html": "<p>fallback</p>"}))
    assert pane.frame.evaluate("[...document.getElementById('output')._fullData[0].y]") == [3, 5]
    assert pane.frame.evaluate("document.querySelector('.main-svg').clientWidth === innerWidth")
    assert pane.share(GREEN) > 0.1


def test_a_plotly_figure_of_a_size_of_its_own_is_in_the_middle(pane: Pane, publish: Publish) -> None:
    figure = {**PLOTLY, "layout": {"width": 300, "height": 200}}
    pane.ready(publish({"application/vnd.plotly.v1+json": figure}))
    left, top, right, bottom = pane.frame.evaluate("""() => {
        const box = document.querySelector(".svg-container").getBoundingClientRect();
        return [box.left, box.top, innerWidth - box.right, innerHeight - box.bottom];
    }""")
    assert abs(left - right) <= 1
    assert abs(top - bottom) <= 1


@pytest.mark.parametrize("version", ["v5", "v6"])
@pytest.mark.parametrize("spelling", [".", "+"])
@pytest.mark.parametrize(("grammar", "spec"), [("vega", VEGA), ("vegalite", VEGA_LITE)])
def test_vega_is_drawn_in_both_versions_and_spellings(
    pane: Pane, publish: Publish, version: str, spelling: str, grammar: str, spec: dict[str, Any]
) -> None:
    schema = f"https://vega.github.io/schema/{'vega' if grammar == 'vega' else 'vega-lite'}/{version}.json"
    pane.ready(publish({f"application/vnd.{grammar}.{version}{spelling}json": {"$schema": schema, **spec}}))
    assert pane.share(GREEN) > 0.02


def test_vega_says_which_data_it_did_not_load(pane: Pane, publish: Publish) -> None:
    spec = {**VEGA_LITE, "data": {"url": "https://example.org/cars.json"}}
    pane.ready(publish({"application/vnd.vegalite.v6+json": spec}))
    expect(pane.page.get_by_test_id("stage")).to_contain_text("example.org/cars.json")


def test_an_unknown_mime_type_is_shown_as_such_and_can_be_saved(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"application/vnd.acme.thing+json": {"a": 1}, "text/plain": "Thing(a=1)"}))
    stage = pane.page.get_by_test_id("stage")
    expect(stage).to_contain_text("application/vnd.acme.thing+json")
    expect(stage).to_contain_text("Thing(a=1)")
    with pane.page.expect_download() as download:
        stage.get_by_role("button", name="Save").click()
    assert json.loads(download.value.path().read_text()) == {"a": 1}


def test_the_richest_is_shown_and_the_others_are_one_click_away(pane: Pane, publish: Publish) -> None:
    output = publish({"text/plain": "plain words", "text/html": "<p>rich</p>", "image/png": image()})
    pane.ready(output)
    shown = pane.page.locator("[data-testid=stage] [data-output-id]")
    assert shown.get_attribute("data-mime") == "text/html"
    pane.page.get_by_role("button", name="Text", exact=True).click()
    expect(shown).to_have_attribute("data-mime", "text/plain")
    expect(pane.page.locator("[data-testid=stage] pre")).to_have_text("plain words")


def test_broken_data_is_an_error_with_a_way_to_save_it(pane: Pane, publish: Publish) -> None:
    pane.ready(publish({"image/png": b"not a picture"}), "error")
    expect(pane.page.get_by_role("alert")).to_contain_text("cannot be decoded")
