"""What a figure says in words, and the data that it shows."""

import csv as tables
import io
from datetime import date
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from ipyweb.figures.describe import LONGEST, MOST_AXES, MOST_WORDS, csv, describe


def described(figure: Figure) -> list[str]:
    figure.savefig(io.BytesIO(), format="png")  # as it is called: after a drawing
    return describe(figure).splitlines()


def axes() -> tuple[Figure, Any]:
    figure = Figure()
    return figure, figure.subplots()


def rows(figure: Figure) -> list[list[str]]:
    return list(tables.reader(io.StringIO(csv(figure))))


def test_all_words_of_a_figure_are_there() -> None:
    figure, a = axes()
    a.plot([1, 5], label="fit")
    a.set(title="Residuals", xlabel="time / s", ylabel="error", yscale="log", ylim=(1, 10))
    a.annotate("here\nit is", (0, 1))
    a.legend(title="Kind")
    figure.suptitle("All of it")
    figure.text(0, 0, "a note")
    assert described(figure) == [
        "Figure of 6.4 x 4.8 in with 1 axes",
        "title: All of it",
        "text: a note",
        "Axes",
        "  title: Residuals",
        "  x: time / s, -0.05 to 1.05",
        "  y: error, 1 to 10, log",
        "  legend: Kind; fit",
        "  text: here it is",
        "  artists: line of 2 points 'fit', 1 to 5",
    ]


def test_kinds_and_ranges_of_artists_are_told() -> None:
    figure, a = axes()
    a.scatter([1, 2, 3], [1, 2, 3], c=[7, 8, 9], label="points")
    a.imshow([[0.0, np.nan], [2.0, 3.0]])
    a.bar([1, 2], [3, 4])
    a.pcolormesh([[1.0, 2.0]])
    a.plot([np.inf, 2])
    a.fill_between([0, 1], [0, 1], label="band")
    a.fill([0, 1, 2], [2, 5, 2])
    a.axvspan(0, 1)
    a.barh([5, 6, 7], [1, 2, 9], label="flat")
    a.vlines([1], 3, 8)
    (line,) = [each for each in described(figure) if each.startswith("  artists:")]
    for words in (
        "scatter of 3 points 'points', 1 to 3, values 7 to 9",
        "image of 2 x 2, 0 to 3",
        "2 bars, 3 to 4",
        "3 bars 'flat', 1 to 9",
        "LineCollection, 3 to 8",
        "Polygon, 2 to 5",
        "mesh of 2 cells, 1 to 2",
        "line of 2 points, 2 to 2",
        "FillBetweenPolyCollection 'band', 0 to 1",
    ):
        assert words in line


def test_words_outside_axes_and_in_all_legends_are_told() -> None:
    figure = Figure()
    left, right = figure.subfigures(1, 2)
    a = left.subplots()
    first, second = a.plot([1, 5], label="fit")[0], a.plot([2, 3], label="data")[0]
    a.add_artist(a.legend([first], ["one"]))
    a.legend([second], ["two"])
    left.suptitle("Left half")
    left.text(0, 0, "a note")
    right.legend([first], ["on the right"], title="Right")
    right.supxlabel("below")
    figure.legend([second], ["of all"])
    lines = described(figure)
    for words in (
        ["legend: of all"],
        ["Subfigure 1", "  title: Left half", "  text: a note"],
        ["Subfigure 2", "  labels: below", "  legend: Right; on the right"],
    ):
        start = lines.index(words[0])
        assert lines[start : start + len(words)] == words
    assert {"  legend: one", "  legend: two"} <= set(lines)


def test_axes_inside_axes_are_told() -> None:
    figure, a = axes()
    a.plot([0, 1])
    inset = a.inset_axes([0.5, 0.5, 0.4, 0.4])
    inset.plot([3, 4], label="closer")
    inset.set_title("Detail")
    a.secondary_xaxis("top", functions=(np.rad2deg, np.deg2rad)).set_xlabel("degrees")
    lines = described(figure)
    assert lines[lines.index("  inset") + 1] == "    title: Detail"
    assert "    artists: line of 2 points 'closer', 3 to 4" in lines
    start = lines.index("  secondary axis")
    assert [each.partition(",")[0] for each in lines[start:]] == ["  secondary axis", "    x: degrees"]
    assert "  artists: line of 2 points, 0 to 1" in lines
    assert rows(figure)[0] == ["line 1 x", "line 1 y", "Detail: closer x", "Detail: closer y"]


def test_ranges_in_three_dimensions_and_of_masked_points_do_no_harm() -> None:
    figure = Figure()
    a = figure.add_subplot(projection="3d")
    a.scatter([1, 2], [3, 4], [5, 6])
    a.bar3d([1], [2], [0], 1, 1, 1)
    assert any("artists" in each for each in described(figure))
    figure, a = axes()
    a.scatter([1, 2, 3], np.ma.array([1, 2, 30], mask=[False, False, True]))
    assert any("scatter of 3 points, 1 to 2" in each for each in described(figure))


def test_named_ticks_are_told_and_numbers_are_not() -> None:
    figure, a = axes()
    a.bar(["ape", "bee"], [-1, 2])
    lines = described(figure)
    assert "  x ticks: ape; bee" in lines
    assert not any(each.startswith("  y ticks") for each in lines)
    a.set_yscale("symlog")
    assert not any(each.startswith("  y ticks") for each in described(figure))


def test_three_dimensions_have_three_axes() -> None:
    figure = Figure()
    figure.add_subplot(projection="3d").set_zlabel("depth")
    assert any(each.startswith("  z: depth, ") for each in described(figure))


def test_polar_axes_and_what_is_invisible_do_no_harm() -> None:
    figure = Figure()
    a = figure.add_subplot(projection="polar")
    a.plot([1, 2], visible=False)
    assert not any("artists" in each for each in described(figure))


def test_a_description_has_an_end() -> None:
    figure = Figure()
    for each in figure.subplots(5, 5).flat:
        each.set_title("x" * 300)
        for number in range(MOST_WORDS + 3):
            each.text(0, 0, f"text {number}")
    text = describe(figure)
    assert len(text) == LONGEST
    assert text.endswith("…")
    short = Figure()
    short.subplots(5, 5)
    assert described(short)[-1] == f"… and {25 - MOST_AXES} axes more"
    figure, a = axes()
    for number in range(MOST_WORDS + 3):
        a.text(0, 0, str(number))
    assert described(figure)[-1].endswith("; … 3 more")


def test_axes_of_a_librarys_own_kind_that_cannot_be_told_are_passed_over() -> None:
    figure, a = axes()
    a.get_xlim = None
    assert described(figure)[-1] == "Axes" or len(described(figure)) == 1


def test_data_of_lines_points_bars_and_images_comes_in_columns() -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [5, 6], label="fit")
    left.scatter([1, 2], [3, 4], c=[7, 8])
    left.bar([10], [20])
    left.set(title="L", xlabel="t", ylabel="v")
    right.imshow([[1, 2], [3, 4]])
    header, *body = rows(figure)
    assert header == [
        "L: fit t",
        "L: fit v",
        "L: points 1 t",
        "L: points 1 v",
        "L: points 1 value",
        "L: bars 1 t",
        "L: bars 1 v",
        "axes 2: image 1 column 0",
        "axes 2: image 1 column 1",
    ]
    assert body == [
        ["0", "5", "1.0", "3.0", "7.0", "10.0", "20", "1", "2"],
        ["1", "6", "2.0", "4.0", "8.0", "", "", "3", "4"],
    ]


def test_bars_that_lie_have_their_values_along_x() -> None:
    figure, a = axes()
    a.barh([1, 2], [10, -20], left=[0, 5], label="flat")
    a.bar([1, 2], [3, 4], bottom=1)
    a.set(xlabel="kg", ylabel="rank")
    header, *body = rows(figure)
    assert header == ["flat kg", "flat rank", "bars 2 kg", "bars 2 rank"]
    assert [list(map(float, row)) for row in body] == [[10, 1, 1, 4], [-15, 2, 2, 5]]


def test_words_and_dates_stay_what_they_are_and_masked_values_are_empty() -> None:
    figure, a = axes()
    a.plot(["ape", "bee"], np.ma.array([1.5, 2.5], mask=[False, True]))
    assert rows(figure)[1:] == [["ape", "1.5"], ["bee", ""]]
    figure, a = axes()
    a.plot([date(2026, 1, 1), date(2026, 1, 2)], [1, 2])
    assert [row[0] for row in rows(figure)[1:]] == ["2026-01-01", "2026-01-02"]


def test_a_figure_without_data_says_so() -> None:
    with pytest.raises(ValueError, match="no lines, points, bars or images"):
        csv(axes()[0])
