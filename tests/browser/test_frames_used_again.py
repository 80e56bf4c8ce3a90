"""Frames with a heavy library draw the next output of the same session, and nothing of the one before is left."""

import contextlib
from typing import Any

import pytest
from playwright.sync_api import Error, Frame

from tests.conftest import wait_until

from .conftest import Pane, Publish

MARK = "window.mark = (window.mark ?? 0) + 1"


def plot(points: int) -> dict[str, Any]:
    return {"application/vnd.plotly.v1+json": {"data": [{"y": list(range(points))}], "layout": {}}}


def drawn(pane: Pane, output: int, points: int) -> None:
    pane.ready(output)
    assert pane.frame.evaluate("document.getElementById('output').data.map(each => each.y.length)") == [points]


def test_plots_of_one_session_share_frames_and_show_only_themselves(pane: Pane, publish: Publish) -> None:
    outputs = [publish(plot(points), session="a.py") for points in range(2, 9)]
    pane.go(outputs[0])
    reused = False
    for points, output in enumerate(outputs, start=2):
        drawn(pane, output, points)
        reused = reused or bool(pane.frame.evaluate("window.mark"))
        pane.frame.evaluate(MARK)
        pane.press("j")
    assert reused
    assert pane.page.locator("iframe").count() <= 8


def test_a_plot_of_another_session_gets_a_frame_of_its_own(pane: Pane, publish: Publish) -> None:
    outputs = [publish(plot(points), session="a.py") for points in range(2, 7)]
    stranger = publish(plot(9), session="b.py")
    pane.go(outputs[0])
    for points, output in enumerate(outputs, start=2):
        drawn(pane, output, points)
        pane.frame.evaluate(MARK)
        pane.press("j")
    drawn(pane, stranger, 9)
    assert pane.frame.evaluate("window.mark") is None


def chart(points: int) -> dict[str, Any]:
    spec = {"mark": "point", "data": {"values": [{"a": each} for each in range(points)]}}
    return {"application/vnd.vegalite.v6+json": spec}


def drawn_ahead(pane: Pane, has: str) -> Frame | None:
    """The frame out of sight that is as large as the stage and has something; what the filmstrip needs is smaller."""
    extent = pane.page.get_by_test_id("stage").evaluate("stage => [stage.clientWidth, stage.clientHeight]")
    for frame in pane.page.frames[1:]:
        with contextlib.suppress(Error):  # it is gone by now
            if frame.evaluate("[innerWidth, innerHeight]") == extent and frame.evaluate(has):
                return frame
    return None


@pytest.mark.parametrize(
    ("draws", "has"),
    [
        (plot, "document.getElementById('output')?.data?.[0].y.length === 3"),
        (chart, "document.querySelectorAll('.mark-symbol path, canvas').length > 0"),
    ],
)
def test_the_neighbour_is_drawn_before_anybody_comes(pane: Pane, publish: Publish, draws: Any, has: str) -> None:
    before = publish(draws(3))
    last = publish({"text/plain": "last"})
    pane.ready(last)
    ahead = wait_until(lambda: drawn_ahead(pane, has), "the neighbour")
    ahead.evaluate("window.mark = 'ahead'")
    pane.press("k")
    pane.ready(before)
    assert pane.frame.evaluate("window.mark") == "ahead"
    pane.press("j")
    pane.ready(last)
    pane.press("k")
    pane.ready(before)
    assert pane.frame.evaluate("window.mark") == "ahead"
