"""`capture` shows the figures made inside a block, and closes them, whatever happens."""

from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import pytest

from ipyweb import capture
from ipyweb.session import pyplot

from .conftest import Sent


@pytest.fixture(autouse=True)
def agg(sent: Sent) -> Iterator[None]:
    matplotlib.use("Agg")
    plt.close("all")
    yield
    plt.close("all")
    assert not pyplot.listeners


def test_figures_made_inside_are_shown_and_closed(sent: Sent) -> None:
    with capture() as shown:
        plt.plot([1, 2])
        plt.figure()
    assert len(shown.outputs) == 2
    assert len(sent.displays()) == 2
    assert plt.get_fignums() == []


def test_they_are_also_when_the_block_raises(sent: Sent) -> None:
    def plot() -> None:
        with shown:
            plt.plot([1, 2])
            _ = 1 / 0

    shown = capture()
    with pytest.raises(ZeroDivisionError):
        plot()
    assert len(shown.outputs) == len(sent.displays()) == 1
    assert plt.get_fignums() == []


def test_figures_from_outside_are_left_alone(sent: Sent) -> None:
    outside = plt.figure()
    with capture() as shown:
        outside.add_subplot()
    assert shown.outputs == []
    assert sent.displays() == []
    assert plt.fignum_exists(outside.number)


def test_a_figure_closed_inside_is_not_shown(sent: Sent) -> None:
    with capture() as shown:
        plt.close(plt.figure())
    assert shown.outputs == []


def test_push_shows_at_once_and_later_changes_update(sent: Sent) -> None:
    with capture() as shown:
        plt.plot([1, 2])
        output = shown.push()
        assert len(sent.displays()) == 1
        plt.title("x")
    assert sent.types() == ["update_display_data"]
    assert [each.display_id for each in shown.outputs] == [output.display_id]


def test_push_takes_a_figure_or_axes_from_anywhere(sent: Sent) -> None:
    outside, axes = plt.subplots()
    with capture() as shown:
        shown.push(axes)
        shown.push(outside)
    assert len(shown.outputs) == 1
    assert plt.fignum_exists(outside.number)


def test_push_without_a_figure_says_what_was_expected() -> None:
    with capture() as shown, pytest.raises(ValueError, match="current figure"):
        shown.push()


def test_blocks_can_be_nested(sent: Sent) -> None:
    with capture() as outer:
        plt.figure()
        with capture() as inner:
            plt.figure()
    assert (len(inner.outputs), len(outer.outputs)) == (1, 2)
    assert len(sent.displays()) == 2
