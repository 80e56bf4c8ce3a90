"""Finding, scrubbing, tidying and the details in the engines that Playwright does not drive here."""

import pytest

from ipyweb import connection

from .conftest import Publish, image
from .engines import ITEM, PICTURE, TOAST, VERSION, done, gone, listed, ready, there
from .tab import Tab

SOURCE = {"file": "/home/ada/waves/train.py", "line": 42, "code": "plot(losses)"}
SEARCHING = "document.activeElement.type === 'search'"
DIALOG, DETAILS, SEARCH = "dialog[open]", "[data-testid=details]", "[data-testid=search]"


@pytest.fixture
def five(tab: Tab, publish: Publish) -> list[int]:
    """Five outputs, two of them of another session, the newest shown."""
    ids = [publish({"image/png": image()}, title=f"Plot {number}") for number in range(3)]
    ids += [publish({"text/plain": f"text {number}"}, session="other.py") for number in range(2)]
    ready(tab, ids[-1])
    listed(tab, 5)
    return ids


@pytest.mark.parametrize(
    ("filter_", "chosen", "count"), [("Kind", "PNG", 3), ("Session", "other.py", 2), ("Date", "Last 7 days", 5)]
)
def test_filters_narrow_the_list_down(tab: Tab, five: list[int], filter_: str, chosen: str, count: int) -> None:
    tab.click("[aria-label=Search]")
    tab.wait(SEARCHING)
    tab.fill(f"{SEARCH} [aria-label={filter_}]", chosen)
    tab.reads(f"{SEARCH} [role=status]", f"{count} found")
    listed(tab, count)
    tab.click(f"{SEARCH} [aria-label='End the search']")
    listed(tab, 5)


def test_names_and_notes_are_given_and_found(tab: Tab, five: list[int]) -> None:
    tab.press("r")
    tab.wait("document.activeElement.name === 'title'")
    tab.press(*"Final", "Enter")
    tab.reads("footer strong", "Final")
    tab.press("a")
    tab.wait("document.activeElement.name === 'note'")
    tab.press(*"for chapter 3", "Enter")
    tab.reads("footer", "for chapter 3")
    tab.press("/", *"chapter")
    listed(tab, 1)
    ready(tab, five[-1])


def test_pins_are_set_by_key_and_mouse_and_found(tab: Tab, five: list[int]) -> None:
    tab.press("b")
    there(tab, "[aria-label=Pin][aria-pressed=true]")
    tab.press("Home")
    ready(tab, five[0])
    tab.click("[aria-label=Pin]")
    there(tab, "[aria-label=Pin][aria-pressed=true]")
    tab.press("/")
    tab.wait(SEARCHING)
    tab.click("[aria-label='Only pinned']")
    listed(tab, 2)


def test_a_search_that_finds_nothing_says_so(tab: Tab, five: list[int]) -> None:
    tab.press("/", *"xylophone")
    tab.reads("[data-testid=stage]", "Nothing matches")
    tab.click("[data-testid=stage] button", "End the search")
    listed(tab, 5)


def test_linked_versions_go_together_and_are_played(tab: Tab, publish: Publish) -> None:
    for width in (100, 200, 300):
        outputs = [publish({"image/png": image(size=(width, 100))}, display_id=name) for name in ("loss", "gain")]
    ready(tab, outputs[-1])
    tab.reads(VERSION, "v3")
    done(tab, "same step")
    gone(tab, DIALOG)
    tab.press("[", "[")
    tab.reads(VERSION, "v1 of 3")
    tab.press("k")
    ready(tab, outputs[0])
    tab.reads(VERSION, "v1 of 3")
    tab.wait(f"{PICTURE}.naturalWidth === 100")
    tab.click("[aria-label='Version after']")
    tab.reads(VERSION, "v2 of 3")
    tab.press(".")
    tab.wait(f"document.querySelector('{VERSION}').innerText === 'v3'")


def test_the_marked_are_removed_together_and_come_back_by_a_click(tab: Tab, five: list[int]) -> None:
    tab.press("Shift+ArrowLeft", "Delete")
    tab.reads(TOAST, "Removed 2 outputs")
    listed(tab, 3)
    tab.click(f"{TOAST} button", "Undo")
    listed(tab, 5)


def test_a_session_or_all_is_removed_but_pins(tab: Tab, five: list[int]) -> None:
    tab.click("[aria-label=More]")
    tab.click(ITEM, "Remove all of this session")
    tab.reads(TOAST, "Removed 2 outputs")
    listed(tab, 3)
    tab.press("b")
    there(tab, "[aria-label=Pin][aria-pressed=true]")
    tab.press("Alt+d")
    tab.reads(TOAST, "Removed 2 outputs")
    listed(tab, 1)
    tab.press("u")
    listed(tab, 3)


def test_the_trash_gives_back_and_deletes_for_good(hub: connection.Connection, tab: Tab, five: list[int]) -> None:
    done(tab, "remove all listed")
    tab.reads(TOAST, "Removed 5 outputs")
    done(tab, "trash")
    tab.reads("[data-testid=storage]", "come back for 7 days")
    rows = f"document.querySelectorAll('{DIALOG} li').length"
    tab.wait(f"{rows} === 5")
    tab.click(f"{DIALOG} li button", "Restore")
    tab.wait(f"{rows} === 4")
    ready(tab, five[-1])
    tab.click(f"{DIALOG} li [aria-label='Delete for good']")
    tab.wait(f"{rows} === 3")
    tab.click(f"{DIALOG} button", "Empty the trash…")
    tab.click(f"{DIALOG} button", "Yes, delete 3 for good")
    tab.reads(DIALOG, "The trash is empty.")
    state = connection.request(hub, "GET", "api/state").json()
    assert (state["trash"], state["outputs"]) == (0, 1)


def test_the_details_say_where_an_output_comes_from(tab: Tab, publish: Publish) -> None:
    publish({"text/plain": "another"}, title="Another")
    ready(tab, publish({"image/png": image(), "text/plain": "<Plot>"}, source=SOURCE, title="Losses"))
    tab.press("i")
    for words in ("Losses", "plot(losses)", "/home/ada/waves/train.py:42", "image/png"):
        tab.reads(DETAILS, words)
    tab.click(f"{DETAILS} summary .code", "text/plain")
    tab.reads(f"{DETAILS} details[open] pre", "<Plot>")
    tab.click(f"{DETAILS} [aria-label='Copy the code']")
    tab.reads(TOAST, "Copied the code")
    tab.press("k")
    tab.reads(f"{DETAILS} h2", "Another")
    tab.click("[aria-label=Details]")
    gone(tab, DETAILS)
