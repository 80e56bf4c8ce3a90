"""Runs of scripts in the pane: their list, what changed from one to the next, each pair compared."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from ipyweb import connection

from .conftest import ROOT, OpenPane, Pane

Run = Callable[..., None]

SCRIPT = """
import sys
from PIL import Image
import ipyweb

losses, extra = sys.argv[1:]
ipyweb.display(Image.new("RGB", (300, 200), losses), title="Losses")
ipyweb.display(Image.new("RGB", (300, 200), "green"), title="Weights")
if extra == "before":
    ipyweb.display(Image.new("RGB", (300, 200), "gray"), title="Noise")
if extra == "after":
    ipyweb.display(Image.new("RGB", (300, 200), "gold"), title="Gradients")
"""


@pytest.fixture
def run(tmp_path: Path, hub: connection.Connection) -> Run:
    """Run the script with the colour of its losses, and with what else it shows."""
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH", "")]))}

    def run(losses: str, extra: str = "nothing") -> None:
        arguments = [sys.executable, str(script), losses, extra]
        subprocess.run(arguments, check=True, timeout=180, env=environ, cwd=tmp_path)

    return run


@pytest.fixture
def twice(run: Run, open_pane: OpenPane, hub: connection.Connection, tmp_path: Path) -> Pane:
    """A pane after two runs: the losses have changed, noise is gone, and gradients are new."""
    run("red", "before")
    run("blue", "after")
    return opened_for(open_pane, hub, tmp_path).ready(6)


def opened_for(open_pane: OpenPane, hub: connection.Connection, project: Path) -> Pane:
    return open_pane(f"token={hub.token_for('pane')}&project={quote(str(project), safe='')}")


def change(pane: Pane, status: str) -> Locator:
    return pane.page.locator(f"[data-testid=change][data-status={status}]")


def compared(pane: Pane, *outputs: int) -> None:
    for output in outputs:
        expect(pane.page.locator(f"[data-testid=tile][data-output-id='{output}'][data-state=ready]")).to_have_count(1)


def test_the_command_that_runs_it_again_is_copied(
    twice: Pane, context: BrowserContext, hub: connection.Connection, tmp_path: Path
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub.url)
    twice.page.get_by_role("button", name="Take away").click()
    twice.page.get_by_role("menuitem", name="Copy the command that runs it again").click()
    expect(twice.page.get_by_test_id("toast")).to_have_text("Copied the command")
    again = f"cd {tmp_path} && ipyweb run {tmp_path}/train.py blue after"
    assert twice.page.evaluate("navigator.clipboard.readText()") == again


def test_one_key_tells_what_changed_since_the_run_before(twice: Pane) -> None:
    twice.press("w")
    dialog = twice.page.get_by_role("dialog", name="Runs")
    expect(dialog.get_by_role("heading", level=2)).to_have_text("run 2 of train.py")
    expect(dialog.get_by_test_id("run-summary")).to_contain_text("3 figures, 1 changed, 1 new, 1 gone")
    for status, name in {"changed": "Losses", "new": "Gradients", "gone": "Noise"}.items():
        expect(change(twice, status)).to_contain_text(name)
    expect(change(twice, "same")).to_be_hidden()
    dialog.get_by_text("1 as before").click()
    expect(change(twice, "same")).to_contain_text("Weights")


@pytest.mark.parametrize(("button", "mode"), [("Side by side", "Side by side"), ("Blink", "Blink")])
def test_a_pair_is_compared_and_escape_goes_back_to_the_changes(twice: Pane, button: str, mode: str) -> None:
    twice.press("w")
    change(twice, "changed").get_by_role("button", name=button, exact=True).click()
    compared(twice, 1, 4)
    how = twice.page.get_by_role("group", name="How to compare").get_by_role("button", name=mode)
    expect(how).to_have_attribute("aria-pressed", "true")
    twice.press("Escape")
    expect(twice.page.get_by_role("dialog", name="Runs")).to_be_visible()
    expect(change(twice, "changed")).to_have_count(1)
    expect(twice.page.get_by_test_id("tile")).to_have_count(0)
    twice.press("Escape")
    expect(twice.page.get_by_role("dialog")).to_have_count(0)


def test_a_pair_is_compared_by_keys_alone(twice: Pane) -> None:
    for keys, mode in {("Enter",): "Side by side", ("Tab", "Tab", "Enter"): "Blink"}.items():
        twice.press("w")
        expect(twice.page.get_by_role("button", name="All runs")).to_be_focused()
        expect(change(twice, "changed")).to_have_count(1)
        twice.press("ArrowDown")
        expect(change(twice, "changed").get_by_role("button").first).to_be_focused()
        for key in keys:
            twice.press(key)
        compared(twice, 1, 4)
        how = twice.page.get_by_role("group", name="How to compare").get_by_role("button", name=mode)
        expect(how).to_have_attribute("aria-pressed", "true")
        twice.press("Escape")
        expect(twice.page.get_by_test_id("tile")).to_have_count(0)
        expect(change(twice, "changed")).to_have_count(1)
        twice.press("Escape")
        expect(twice.page.get_by_role("dialog")).to_have_count(0)


def test_the_difference_of_a_pair_is_drawn(twice: Pane) -> None:
    twice.press("w")
    change(twice, "changed").get_by_role("button", name="Difference").click()
    expect(twice.page.get_by_test_id("difference")).to_contain_text("100.0 %")


def test_what_is_new_is_shown_and_so_is_what_is_gone(twice: Pane) -> None:
    for status, output in {"gone": 3, "new": 6}.items():
        twice.press("n")
        twice.ready(6)
        twice.press("w")
        change(twice, status).get_by_role("button").first.click()
        expect(twice.page.get_by_role("dialog")).to_have_count(0)
        twice.ready(output)


def test_the_runs_are_listed_and_one_is_chosen_by_keys_alone(twice: Pane, run: Run) -> None:
    run("blue", "after")
    twice.ready(9)
    twice.press("Shift+r")
    rows = twice.page.get_by_test_id("run-row")
    expect(rows).to_have_count(3)
    expect(rows.first).to_be_focused()
    expect(rows.nth(1)).to_contain_text("3 figures, 1 changed, 1 new")
    twice.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    twice.press("Enter")
    expect(twice.page.get_by_role("heading", name="run 2 of train.py")).to_be_visible()
    expect(twice.page.get_by_role("button", name="All runs")).to_be_focused()
    twice.press("Enter")
    expect(rows.nth(1)).to_be_focused()


def test_any_two_runs_of_a_script_are_compared(twice: Pane, run: Run) -> None:
    run("red", "before")
    twice.ready(9)
    twice.press("w")
    summary = twice.page.get_by_test_id("run-summary")
    expect(summary).to_contain_text("3 figures, 1 changed, 1 new, 1 gone")
    twice.page.get_by_label("compared with").select_option(label=first_run(twice))
    expect(summary).to_contain_text("3 figures, all as before")


def first_run(pane: Pane) -> str:
    return pane.page.get_by_label("compared with").locator("option").last.inner_text()


def test_the_caption_says_the_run_and_leads_to_it(twice: Pane) -> None:
    twice.go(4)
    chip = twice.page.get_by_test_id("run")
    expect(chip).to_have_text("run 2, changed")
    chip.click()
    expect(twice.page.get_by_role("heading", name="run 2 of train.py")).to_be_visible()


def test_the_caption_says_that_the_session_has_ended(twice: Pane) -> None:
    session = twice.page.get_by_test_id("session")
    expect(session).to_have_class(re.compile("over"))
    expect(session).to_have_text(re.compile("^train.py.*, ended$"))
    expect(session).to_have_attribute("title", re.compile("^train.py.*, ended$"))


def test_a_run_that_goes_on_is_told_as_it_goes(
    run: Run, open_pane: OpenPane, hub: connection.Connection, tmp_path: Path
) -> None:
    run("red")
    pane = opened_for(open_pane, hub, tmp_path).ready(2)
    pane.press("Shift+r")
    rows = pane.page.get_by_test_id("run-row")
    expect(rows).to_have_count(1)
    run("blue")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("2 figures, 1 changed")


def test_without_any_run_the_list_says_how_to_make_one(pane: Pane) -> None:
    pane.press("Shift+r")
    expect(pane.page.get_by_role("dialog")).to_contain_text("ipyweb run SCRIPT")


def test_the_palette_and_the_menu_lead_to_the_runs(twice: Pane) -> None:
    twice.press("Control+k")
    expect(twice.page.get_by_role("combobox")).to_be_focused()
    twice.page.keyboard.type("what changed")
    twice.press("Enter")
    expect(change(twice, "changed")).to_have_count(1)
    twice.press("Escape")
    expect(twice.page.get_by_role("dialog")).to_have_count(0)
    twice.page.get_by_role("button", name="More").click()
    twice.page.get_by_role("menuitem", name="Runs of scripts").click()
    expect(twice.page.get_by_test_id("run-row")).to_have_count(2)
    twice.page.get_by_test_id("run-row").last.click()
    expect(twice.page.get_by_role("heading", name="run 1 of train.py")).to_be_visible()
    twice.page.get_by_role("button", name="All runs").click()
    twice.page.get_by_role("button", name="Close").click()
    expect(twice.page.get_by_role("dialog")).to_have_count(0)


def test_the_brackets_go_from_run_to_run_where_there_is_no_other_version(twice: Pane) -> None:
    twice.page.locator("[data-thumbnail='4']").click()
    twice.ready(4)
    twice.press("[")
    twice.ready(1)
    twice.press("]")
    twice.ready(4)


def thumbnails(pane: Pane) -> Locator:
    return pane.page.locator("[data-testid=filmstrip] [role=option]")


def test_a_run_lies_on_the_one_before_and_buries_nothing(twice: Pane) -> None:
    expect(thumbnails(twice)).to_have_count(4)  # noise, losses, weights, gradients
    expect(twice.page.get_by_test_id("runs-stacked")).to_have_count(2)
    twice.go(4)
    twice.press("[")
    twice.ready(1)
    selected = twice.page.locator("[data-testid=filmstrip] [aria-selected=true]")
    expect(selected).to_have_attribute("data-thumbnail", "4")
    twice.press("ArrowRight")
    twice.ready(5)


def test_an_output_goes_with_what_earlier_runs_showed_in_its_place_and_comes_back_with_it(twice: Pane) -> None:
    twice.go(4)
    twice.press("x")
    expect(twice.page.get_by_test_id("toast")).to_contain_text("Removed Losses of 2 runs")
    expect(thumbnails(twice)).to_have_count(3)
    twice.press("u")
    expect(thumbnails(twice)).to_have_count(4)
    expect(twice.page.get_by_test_id("runs-stacked")).to_have_count(2)


def at_the_run_before(pane: Pane, newest: int, before: int) -> None:
    pane.go(newest)
    pane.press("[")
    pane.ready(before)


def test_what_lies_on_an_older_one_is_shown_when_that_is_removed(twice: Pane) -> None:
    at_the_run_before(twice, 4, 1)
    twice.press("x")
    twice.ready(4)
    twice.press("u")
    twice.ready(1)


def test_what_lies_on_an_older_one_is_shown_when_somebody_else_removes_that(
    twice: Pane, hub: connection.Connection
) -> None:
    at_the_run_before(twice, 4, 1)
    connection.request(hub, "DELETE", "api/outputs/1")
    twice.ready(4)


def test_marking_on_from_an_older_one_marks_two(twice: Pane) -> None:
    at_the_run_before(twice, 4, 1)
    twice.press("Shift+ArrowRight")
    twice.ready(5)
    expect(twice.page.get_by_test_id("mark")).to_have_count(2)
    expect(twice.page.get_by_test_id("marked")).to_have_text("2marked")


def test_a_mark_on_an_older_one_is_told_by_what_lies_on_it(twice: Pane) -> None:
    at_the_run_before(twice, 4, 1)
    twice.press("m")
    below = twice.page.locator("[data-thumbnail='4']").get_by_test_id("mark-below")
    expect(below).to_have_attribute("title", "Marked in it: run 1")
    expect(twice.page.get_by_test_id("mark")).to_have_count(0)
    expect(twice.page.get_by_role("option", name="run 1 of it marked")).to_have_count(1)
    twice.press("m")
    expect(below).to_have_count(0)


def test_the_details_lead_to_the_run_before_that_is_still_there(
    twice: Pane, run: Run, hub: connection.Connection
) -> None:
    run("green")
    twice.go(7)
    twice.press("i")
    connection.request(hub, "DELETE", "api/outputs/4")
    twice.press("]")
    twice.page.get_by_role("button", name="the run before").click()
    twice.ready(1)


def test_an_older_one_is_compared_with_the_newest(twice: Pane) -> None:
    at_the_run_before(twice, 4, 1)
    twice.press("v")
    compared(twice, 1, 4)
    expect(twice.page.get_by_test_id("tile")).to_have_count(2)


def test_the_brackets_step_over_a_run_whose_output_was_removed(twice: Pane, run: Run) -> None:
    run("green")
    at_the_run_before(twice, 7, 4)
    twice.press("x")
    twice.ready(7)
    twice.press("[")
    twice.ready(1)
    twice.press("]")
    twice.ready(7)


def test_runs_may_stand_one_by_one(twice: Pane) -> None:
    twice.press("Control+k")
    expect(twice.page.get_by_role("combobox")).to_be_focused()
    twice.page.keyboard.type("stacked")
    expect(twice.page.get_by_role("option", name="Runs of a script stacked")).to_be_visible()
    twice.press("Enter")
    expect(thumbnails(twice)).to_have_count(6)
    expect(twice.page.get_by_test_id("runs-stacked")).to_have_count(0)
