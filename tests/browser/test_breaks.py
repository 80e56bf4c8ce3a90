"""After a break: how many outputs have come since, where they begin, and the way there. Nobody is pulled anywhere."""

import pytest
from playwright.sync_api import Page, expect

from .conftest import OpenPane, Pane, Publish, image

BREAK = """
const now = Date.now;
let away = false;
Date.now = () => now() + (window.later ?? 0);
Object.defineProperty(document, "hidden", { get: () => away });
window.hide = hidden => { away = hidden; document.dispatchEvent(new Event("visibilitychange")); };
"""
"""Lets a test hide the tab, and let time go by."""


@pytest.fixture
def hideable(open_pane: OpenPane) -> Pane:
    pane = open_pane()
    pane.page.add_init_script(BREAK)
    pane.page.reload()
    expect(pane.page.get_by_test_id("status")).to_have_text("Connected")
    return pane


def hide(page: Page) -> None:
    page.evaluate("hide(true)")


def come_back(page: Page, seconds: int) -> None:
    page.evaluate("seconds => { window.later = (window.later ?? 0) + 1000 * seconds; hide(false); }", seconds)


def test_after_a_break_one_key_goes_to_the_first_that_came(hideable: Pane, publish: Publish) -> None:
    hideable.ready(publish({"image/png": image("red")}, title="before"))
    hide(hideable.page)
    first, *_, last = [publish({"image/png": image("blue")}, title=f"new {i}") for i in range(3)]
    expect(hideable.page).to_have_title("(3) new 2 · ipyweb")
    come_back(hideable.page, 120)
    hideable.ready(last)
    news = hideable.page.get_by_test_id("news")
    expect(news).to_have_text("3new")
    expect(hideable.page.locator(".first-new")).to_have_attribute("data-thumbnail", str(first))
    hideable.press("Shift+n")
    hideable.ready(first)
    expect(news).to_have_count(0)
    expect(hideable.page.locator(".first-new")).to_have_attribute("data-thumbnail", str(first))


def test_whoever_looks_at_an_older_one_stays_there(hideable: Pane, publish: Publish) -> None:
    old = publish({"image/png": image("red")})
    hideable.ready(publish({"image/png": image("green")}))
    hideable.press("Home")
    hideable.ready(old)
    hide(hideable.page)
    first = publish({"image/png": image("blue")})
    expect(hideable.page.locator(f"[data-thumbnail='{first}']")).to_have_count(1)
    come_back(hideable.page, 120)
    news = hideable.page.get_by_test_id("news")
    expect(news).to_have_text("1new")
    assert hideable.shown == old
    news.click()
    hideable.ready(first)
    expect(news).to_have_count(0)


def test_a_look_into_another_tab_is_no_break(hideable: Pane, publish: Publish) -> None:
    hideable.ready(publish({"text/plain": "one"}))
    hide(hideable.page)
    publish({"text/plain": "two"})
    last = publish({"text/plain": "three"})
    expect(hideable.page).to_have_title(f"(2) Output {last} · ipyweb")
    come_back(hideable.page, 5)
    expect(hideable.page).to_have_title(f"Output {last} · ipyweb")
    expect(hideable.page.get_by_test_id("news")).to_have_count(0)


def test_a_pane_that_is_opened_again_says_what_has_come_since(open_pane: OpenPane, publish: Publish) -> None:
    before = open_pane().ready(publish({"text/plain": "one"}))
    before.page.close()
    first, last = publish({"text/plain": "two"}), publish({"text/plain": "three"})
    again = open_pane().ready(last)
    expect(again.page.get_by_test_id("news")).to_have_text("2new")
    again.press("Shift+n")
    again.ready(first)
    again.page.wait_for_url(f"**/#o={first}")
    again.page.reload()
    again.ready(first)
    expect(again.page.get_by_test_id("news")).to_have_count(0)


def test_a_first_visit_calls_nothing_new(publish: Publish, open_pane: OpenPane) -> None:
    last = [publish({"text/plain": str(i)}) for i in range(3)][-1]
    pane = open_pane().ready(last)
    expect(pane.page.locator("[data-thumbnail]")).to_have_count(3)
    expect(pane.page.get_by_test_id("news")).to_have_count(0)
    expect(pane.page.locator(".first-new")).to_have_count(0)
