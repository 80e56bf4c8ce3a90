"""Objects become MIME data as IPython makes it, without its tracebacks and without the same picture twice."""

from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter

from ipyweb.session.formatting import format_object


class Rich:
    def _repr_html_(self) -> str:
        return "<b>rich</b>"

    def _repr_latex_(self) -> tuple[str, dict[str, int]]:
        return "$x$", {"n": 1}


class Failing(Rich):
    def _repr_html_(self) -> str:
        raise ValueError("two\nlines")


class Bundled(Rich):
    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/html": "from the bundle", "x/custom": 1}, {"x/custom": {"m": 1}}


class Picture:
    asked: list[str]

    def __init__(self) -> None:
        self.asked = []

    def _repr_png_(self) -> bytes:
        self.asked.append("png")
        return b"png"

    def _repr_jpeg_(self) -> bytes:
        self.asked.append("jpeg")
        return b"jpeg"


@pytest.fixture
def formatter() -> DisplayFormatter:
    made = DisplayFormatter()
    made.active_types = ["text/plain"]  # as in a terminal
    return made


def test_types_that_a_terminal_leaves_out_are_made(formatter: DisplayFormatter) -> None:
    made = format_object(formatter, Rich())
    assert made.data["text/html"] == "<b>rich</b>"
    assert made.data["text/latex"] == "$x$"
    assert made.metadata == {"text/latex": {"n": 1}}
    assert made.terminal == {"text/plain"}


def test_a_repr_that_raises_costs_one_line(formatter: DisplayFormatter, capsys: pytest.CaptureFixture[str]) -> None:
    made = format_object(formatter, Failing())
    assert made.problems == ["text/html: ValueError: two lines"]
    assert "text/latex" in made.data
    assert capsys.readouterr() == ("", "")


def test_what_the_terminal_would_have_shown_a_traceback_of_is_told(formatter: DisplayFormatter) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError("no")

    told: list[Any] = []
    made = format_object(formatter, Broken(), loud=told.append)
    assert [each[0] for each in told] == [ValueError]
    assert made.data == {}
    assert made.problems == ["text/plain: ValueError: no"]
    format_object(formatter, Failing(), loud=told.append)
    assert len(told) == 1


def test_the_bundle_comes_before_single_reprs(formatter: DisplayFormatter) -> None:
    made = format_object(formatter, Bundled())
    assert made.data["text/html"] == "from the bundle"
    assert made.data["x/custom"] == 1
    assert made.metadata["x/custom"] == {"m": 1}
    assert made.terminal == {"text/plain", "text/html", "x/custom"}


def test_a_registered_printer_comes_before_the_bundle(formatter: DisplayFormatter) -> None:
    formatter.formatters["text/html"].for_type(Bundled, lambda obj: "registered")
    assert format_object(formatter, Bundled()).data["text/html"] == "registered"


def test_a_picture_is_encoded_once(formatter: DisplayFormatter) -> None:
    picture = Picture()
    assert "image/jpeg" not in format_object(formatter, picture).data
    assert picture.asked == ["png"]
    assert format_object(formatter, picture, include=["image/jpeg"]).data == {"image/jpeg": b"jpeg"}


def test_include_and_exclude_are_honoured(formatter: DisplayFormatter) -> None:
    assert set(format_object(formatter, Rich(), include=["text/html"]).data) == {"text/html"}
    assert set(format_object(formatter, Rich(), exclude=["text/html"]).data) == {"text/plain", "text/latex"}


@pytest.mark.parametrize("made", [None, {}, 3, (1, 2, 3), ({}, None), ("x", {})])
def test_a_rubbish_bundle_leaves_the_text(formatter: DisplayFormatter, made: object) -> None:
    class Rubbish:
        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> object:
            return made

        def __repr__(self) -> str:
            return "rubbish"

    assert format_object(formatter, Rubbish()).data == {"text/plain": "rubbish"}


def test_an_object_that_displays_itself_has_no_data(formatter: DisplayFormatter) -> None:
    class Itself:
        def _ipython_display_(self) -> None: ...

    assert format_object(formatter, Itself()).data == {}


def test_not_implemented_means_another_repr(formatter: DisplayFormatter) -> None:
    class Declines(Rich):
        def _ipython_display_(self) -> None:
            raise NotImplementedError

    made = format_object(formatter, Declines())
    assert "text/html" in made.data
    assert made.problems == []


def test_ctrl_c_in_a_repr_is_not_swallowed(formatter: DisplayFormatter) -> None:
    class Interrupted:
        def _repr_html_(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        format_object(formatter, Interrupted())


def test_every_type_is_the_one_that_ipython_makes() -> None:
    formatter = DisplayFormatter()
    for obj in (Rich(), Bundled(), [1, 2], 3.5, "text", None):
        data, metadata = formatter.format(obj)
        made = format_object(formatter, obj)
        assert (made.data, made.metadata) == (data, metadata)
