"""Removing with undo, clearing, the trash, deleting for good, and how much is kept."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from ipyweb import connection

from .conftest import Pane, Publish, image


@pytest.fixture
def five(pane: Pane, publish: Publish) -> list[int]:
    """Five outputs, two of them of another session, the newest shown."""
    ids = [publish({"image/png": image("red")}, title=f"Plot {number}") for number in range(3)]
    ids += [publish({"text/plain": f"text {number}"}, session="other.py") for number in range(2)]
    pane.ready(ids[-1])
    return ids


def listed(pane: Pane, count: int) -> None:
    expect(pane.page.get_by_test_id("filmstrip").get_by_role("option")).to_have_count(count)


def toast(pane: Pane) -> Locator:
    return pane.page.get_by_test_id("toast")


def do(pane: Pane, action: str) -> None:
    pane.press("Control+k")
    expect(pane.page.get_by_role("combobox")).to_be_focused()
    pane.page.keyboard.type(action)
    pane.press("Enter")


def state(hub: connection.Connection) -> dict[str, Any]:
    found: dict[str, Any] = connection.request(hub, "GET", "api/state").json()
    return found


def test_several_removals_are_undone_one_by_one(pane: Pane, five: list[int]) -> None:
    for key, next_ in {"Delete": 3, "Backspace": 2, "x": 1, "d": 0}.items():
        pane.press(key)
        pane.ready(five[next_])
        expect(toast(pane)).to_contain_text("Removed")
    listed(pane, 1)
    for key, back in (("u", 1), ("Control+z", 2), ("u", 3), ("Control+z", 4)):
        pane.press(key)
        pane.ready(five[back])
    listed(pane, 5)
    pane.press("u")
    expect(toast(pane)).to_contain_text("nothing to undo")


def test_everything_listed_is_removed_but_pins_and_comes_back_at_once(pane: Pane, five: list[int]) -> None:
    pane.go(five[1])
    pane.press("b")
    expect(toast(pane)).to_contain_text("Pinned")
    pane.press("Alt+d")
    expect(toast(pane)).to_contain_text("Removed 4 outputs")
    listed(pane, 1)
    toast(pane).get_by_role("button", name="Undo").click()
    listed(pane, 5)


def test_only_what_was_found_is_removed(pane: Pane, five: list[int]) -> None:
    pane.press("/")
    pane.page.keyboard.type("plot")
    listed(pane, 3)
    pane.press("Enter")
    pane.press("Alt+d")
    expect(toast(pane)).to_contain_text("Removed 3 outputs")
    pane.page.get_by_role("button", name="End the search").first.click()
    listed(pane, 2)


def test_a_session_is_removed_and_comes_back(pane: Pane, five: list[int]) -> None:
    pane.page.get_by_role("button", name="More").click()
    pane.page.get_by_role("menuitem", name="Remove all of this session").click()
    expect(toast(pane)).to_contain_text("Removed 2 outputs")
    listed(pane, 3)
    pane.press("u")
    listed(pane, 5)


def test_the_trash_gives_back_and_deletes_for_good(pane: Pane, five: list[int], hub: connection.Connection) -> None:
    pane.press("Alt+d")
    expect(toast(pane)).to_contain_text("Removed 5 outputs")
    do(pane, "trash")
    dialog = pane.page.get_by_role("dialog")
    expect(dialog.get_by_test_id("storage")).to_contain_text("come back for 7 days")
    rows = dialog.get_by_role("listitem")
    expect(rows).to_have_count(5)
    rows.filter(has_text="Plot 1").get_by_role("button", name="Restore").click()
    expect(rows).to_have_count(4)
    pane.ready(five[1])
    rows.filter(has_text="Plot 0").get_by_role("button", name="Delete for good").click()
    expect(rows).to_have_count(3)
    dialog.get_by_role("button", name="Empty the trash…").click()
    assert state(hub)["trash"] == 3
    dialog.get_by_role("button", name="Yes, delete 3 for good").click()
    expect(dialog).to_contain_text("The trash is empty.")
    assert state(hub)["trash"] == 0
    assert state(hub)["outputs"] == 1
