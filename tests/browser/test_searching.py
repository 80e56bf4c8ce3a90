"""Finding outputs as one types, by kind, session, date and pin; names, notes and pins."""

from datetime import date

import pytest
from playwright.sync_api import Locator, expect

from ipyweb import connection

from .conftest import OpenPane, Pane, Publish, Show, html, image, opened


@pytest.fixture
def library(publish: Publish) -> dict[str, int]:
    """Outputs to be found, by what makes each special."""
    return {
        "title": publish({"image/png": image("red")}, title="Residuals of the fit"),
        "code": publish({"image/png": image("blue")}, source={"code": "plot_gamma(rays)"}),
        "text": publish({"text/plain": "the zebra is in here"}),
        "html": publish(html("<b>table</b>"), session="notebook"),
        "last": publish({"text/plain": "last"}),
    }


def options(pane: Pane) -> Locator:
    return pane.page.get_by_test_id("filmstrip").get_by_role("option")


def found(pane: Pane, *outputs: int) -> None:
    expect(options(pane)).to_have_count(len(outputs))
    for output in outputs:
        expect(pane.page.locator(f"[data-thumbnail='{output}']")).to_have_count(1)


def test_outputs_are_found_as_one_types(pane: Pane, library: dict[str, int]) -> None:
    pane.ready(library["last"])
    pane.press("/")
    expect(pane.page.get_by_role("searchbox")).to_be_focused()
    pane.page.keyboard.type("resid")
    found(pane, library["title"])
    pane.ready(library["title"])
    expect(pane.page.get_by_role("status").filter(has_text="1 found")).to_be_visible()
    pane.press("Escape")
    expect(pane.page.get_by_test_id("search")).to_have_count(0)
    expect(options(pane)).to_have_count(5)
    pane.ready(library["title"])


def test_kinds_and_days_are_words_too(pane: Pane, library: dict[str, int], publish: Publish) -> None:
    plot = publish({"application/vnd.plotly.v1+json": {"data": []}}, title="Residuals, live")
    pane.ready(plot)
    pane.press("/")
    pane.page.keyboard.type("resid")
    found(pane, library["title"], plot)
    pane.page.keyboard.type(" plotl")
    found(pane, plot)
    pane.page.get_by_role("searchbox").fill(f"png {date.today().year}-")
    found(pane, library["title"], library["code"])
    pane.page.get_by_role("searchbox").fill("png 2019-11-30")
    expect(pane.page.get_by_text("Nothing matches")).to_be_visible()


def test_the_search_leaves_full_screen(pane: Pane, library: dict[str, int]) -> None:
    pane.ready(library["last"])
    pane.press("f")
    expect(pane.page.locator("header")).to_have_count(0)
    pane.press("/")
    expect(pane.page.get_by_role("searchbox")).to_be_focused()
    pane.page.wait_for_function("() => document.fullscreenElement === null")
    pane.page.keyboard.type("resid")
    found(pane, library["title"])


def test_going_through_what_was_found(pane: Pane, library: dict[str, int]) -> None:
    pane.ready(library["last"])
    pane.press("/")
    pane.page.get_by_label("Kind").select_option("PNG")
    found(pane, library["title"], library["code"])
    pane.page.get_by_role("searchbox").focus()
    pane.press("Enter")
    pane.press("Home")
    pane.ready(library["title"])
    pane.press("ArrowRight")
    pane.ready(library["code"])
    pane.press("ArrowRight")
    assert pane.shown == library["code"]


def test_the_session_and_the_date_narrow_it_down(pane: Pane, library: dict[str, int]) -> None:
    pane.ready(library["last"])
    pane.page.get_by_role("button", name="Search").click()
    pane.page.get_by_label("Session").select_option("notebook")
    found(pane, library["html"])
    pane.page.get_by_label("Date").select_option("Last 7 days")
    found(pane, library["html"])
    pane.page.get_by_role("button", name="End the search").click()
    expect(options(pane)).to_have_count(5)


def test_nothing_found_is_said(pane: Pane, library: dict[str, int]) -> None:
    pane.ready(library["last"])
    pane.press("/")
    pane.page.keyboard.type("xylophone")
    expect(pane.page.get_by_text("Nothing matches")).to_be_visible()
    pane.page.get_by_test_id("stage").get_by_role("button", name="End the search").click()
    expect(options(pane)).to_have_count(5)
    pane.ready(library["last"])


def test_the_words_inside_a_figure_are_found(show: Show, open_pane: OpenPane, hub: connection.Connection) -> None:
    first = show("f = Figure(); f.subplots().set_title('Tides of the Tamar')")
    show("f = Figure(); f.subplots().set_title('Something else')")
    pane = opened(open_pane, hub, first)
    pane.page.get_by_role("button", name="Everything").click()
    pane.press("/")
    pane.page.keyboard.type("tamar tides")
    found(pane, first)


def test_a_new_output_that_does_not_match_stays_out(pane: Pane, library: dict[str, int], publish: Publish) -> None:
    pane.ready(library["last"])
    pane.press("/")
    pane.page.keyboard.type("fit")
    found(pane, library["title"])
    publish({"text/plain": "other"})
    match = publish({"text/plain": "x"}, title="A better fit")
    found(pane, library["title"], match)


def test_a_new_output_is_found_by_words_that_only_the_hub_has_read(
    pane: Pane, library: dict[str, int], publish: Publish
) -> None:
    pane.ready(library["last"])
    pane.press("/")
    pane.page.keyboard.type("zebra")
    found(pane, library["text"])
    found(pane, library["text"], publish({"text/plain": "another zebra"}))


def test_what_the_hub_finds_is_of_the_project_spoken_of(pane: Pane, library: dict[str, int], publish: Publish) -> None:
    elsewhere = publish({"text/plain": "a zebra elsewhere"}, project="/elsewhere", session="other")
    pane.ready(library["last"])
    pane.press("/")
    pane.page.keyboard.type("zebra")
    found(pane, library["text"])
    pane.page.get_by_role("button", name="Everything").click()
    found(pane, library["text"], elsewhere)


def test_renaming_and_noting(pane: Pane, library: dict[str, int]) -> None:
    pane.ready(library["last"])
    pane.press("r")
    pane.page.get_by_label("Name", exact=True).fill("Final")
    pane.press("Enter")
    expect(pane.page.locator("footer strong")).to_have_text("Final")
    pane.press("a")
    expect(pane.page.get_by_label("Note", exact=True)).to_be_focused()
    pane.page.keyboard.type("for chapter 3")
    pane.press("Enter")
    expect(pane.page.locator("footer")).to_contain_text("for chapter 3")
    pane.press("/")
    pane.page.keyboard.type("chapter")
    found(pane, library["last"])


def test_pins_are_seen_and_found(pane: Pane, library: dict[str, int]) -> None:
    pane.go(library["text"])
    pane.press("b")
    expect(pane.page.get_by_role("button", name="Pin", exact=True)).to_have_attribute("aria-pressed", "true")
    pane.press("/")
    pane.page.get_by_role("button", name="Only pinned").click()
    found(pane, library["text"])
