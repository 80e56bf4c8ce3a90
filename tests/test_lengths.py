"""Lengths as people write them."""

import pytest

from ipyweb.lengths import length


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("800", 800, "px"),
        (800, 800, "px"),
        (0.5, 0.5, "px"),
        ("800px", 800, "px"),
        (" 8 in ", 8, "in"),
        (".5in", 0.5, "in"),
        ("2.54cm", 1, "in"),
        ("85mm", 85 / 25.4, "in"),
    ],
)
def test_pixels_and_lengths_on_paper_are_understood(text: str | float, number: float, unit: str) -> None:
    assert length(text) == (pytest.approx(number), unit)


@pytest.mark.parametrize(
    "text",
    ["", "px", "0", "-3", "0in", "8ft", "1e3", "1e9", "nan", "inf", "8 in in", "1,5cm", "\u0661", "9" * 30, "3\n4"],
)
def test_what_is_no_length_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a length such as 800, 8in, 21cm or 85mm, got"):
        length(text)
