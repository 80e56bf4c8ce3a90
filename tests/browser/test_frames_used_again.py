"""Frames with a heavy library draw the next output of the same session, and nothing of the one before is left."""

from typing import Any

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
