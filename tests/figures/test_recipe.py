"""A call stands for the figures that its function makes, wherever it is called."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from ipyweb.errors import NotPicklable
from ipyweb.figures.recipe import FunctionFailed, called, is_call, take_call
from ipyweb.figures.snapshot import Snapshot, take
from ipyweb.session.deferred import _pickled


def call(function: object, *data: object) -> Snapshot:
    return take_call(_pickled(function), data, "function")  # type: ignore[arg-type]


def titles(snapshot: Snapshot) -> list[str]:
    with called(Snapshot.of_parts(snapshot.parts())) as made:
        return [each.axes[0].get_title() for each in made.figures]


def figure(title: str) -> Figure:
    made = Figure()
    made.subplots().set_title(title)
    return made


def left_in_pyplot(count: int) -> None:
    for number in range(count):
        plt.figure()
        plt.title(str(number))


def returned_as(kind: str) -> object:
    one, two = figure("one"), figure("two")
    kinds = {
        "figure": one,
        "axes": one.axes[0],
        "tuple": (one, two),
        "dict": {"a": one, "b": two},
        "axes of two": [one.axes[0], two.axes[0]],
        "lines": one.axes[0].plot([1, 2]),
    }
    return kinds[kind]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("figure", ["one"]),
        ("axes", ["one"]),
        ("lines", ["one"]),
        ("tuple", ["one", "two"]),
        ("dict", ["one", "two"]),
        ("axes of two", ["one", "two"]),
    ],
)
def test_all_figures_that_are_returned_are_found(kind: str, expected: list[str]) -> None:
    assert titles(call(returned_as, kind)) == expected


def test_all_figures_that_are_left_in_pyplot_are_found_and_forgotten() -> None:
    mine = plt.figure()
    try:
        assert titles(call(left_in_pyplot, 3)) == ["0", "1", "2"]
        assert [plt.figure(number) for number in plt.get_fignums()] == [mine]
    finally:
        plt.close(mine)


def test_a_figure_that_is_both_returned_and_left_is_found_once() -> None:
    def both() -> object:
        first, _ = plt.subplots()
        second, _ = plt.subplots()
        first.axes[0].set_title("first")
        second.axes[0].set_title("second")
        return second

    assert titles(call(both)) == ["second", "first"]


def test_the_function_is_called_with_the_rcparams_of_the_call() -> None:
    def plot() -> object:
        return plt.plot([1, 2])

    with plt.rc_context({"lines.linewidth": 7.0}):
        snapshot = call(plot)
    with called(snapshot) as made:
        assert made.figures[0].axes[0].lines[0].get_linewidth() == 7.0
    assert plt.rcParams["lines.linewidth"] != 7.0


def test_an_error_is_told_with_its_traceback_from_the_function_on() -> None:
    def bad() -> None:
        raise ValueError("no data today")

    with pytest.raises(FunctionFailed, match="no data today") as failure:
        titles(call(bad))
    lines = str(failure.value).splitlines()
    assert lines[0].startswith("Traceback")
    assert "in bad" in lines[1]


@pytest.mark.parametrize("ending", [lambda: exit(3), lambda: None, lambda: 5])
def test_a_function_without_a_figure_fails(ending: object) -> None:
    with pytest.raises(FunctionFailed):
        titles(call(ending))


def test_arguments_that_cannot_be_pickled_are_refused() -> None:
    with pytest.raises(NotPicklable):
        call(figure, (each for each in "ab"))


def test_the_same_function_is_the_same_part_of_every_call() -> None:
    first, second = call(left_in_pyplot, 1), call(left_in_pyplot, 2)
    assert first.parts()[-1] == second.parts()[-1]
    assert first.head["function"] == second.head["function"]
    assert is_call(first)
    assert not is_call(take(Figure()))
