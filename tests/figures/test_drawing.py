"""Drawings with and without the backgrounds of the figure and of its axes."""

import io

import pytest
from matplotlib.figure import Figure
from PIL import Image

import ipyweb
from ipyweb.figures.drawing import Spec, draw

SIZES = {"width": [320, "px"], "height": [240, "px"]}


def plot() -> Figure:
    figure = Figure(figsize=(4, 3), facecolor="gold")
    figure.subplots().plot([1, 3, 2])
    return figure


def alpha(png: bytes) -> tuple[int, int]:
    """The least and the most opaque pixel."""
    channel = Image.open(io.BytesIO(png)).convert("RGBA").getchannel("A").tobytes()
    return min(channel), max(channel)


@pytest.mark.parametrize("params", [None, {}], ids=["in the process", "in the keeper"])
@pytest.mark.parametrize("sizes", [{}, SIZES], ids=["as made", "in a size"])
def test_a_transparent_png_has_no_background(params: dict[str, object] | None, sizes: dict[str, object]) -> None:
    assert alpha(draw(plot(), Spec.of({"mime": "image/png", **sizes}), params)) == (255, 255)
    assert alpha(draw(plot(), Spec.of({"mime": "image/png", **sizes, "transparent": True}), params)) == (0, 255)


def test_a_transparent_svg_has_no_background() -> None:
    assert b"#ffd700" in draw(plot(), Spec.of({"mime": "image/svg+xml"}))
    assert b"#ffd700" not in draw(plot(), Spec.of({"mime": "image/svg+xml", "transparent": True}))


def test_a_jpeg_which_knows_no_transparency_becomes_white() -> None:
    picture = Image.open(io.BytesIO(draw(plot(), Spec.of({"mime": "image/jpeg", "transparent": True}))))
    red, green, blue = picture.convert("RGB").getpixel((2, 2))  # type: ignore[misc]
    assert min(red, green, blue) > 250


def test_a_figure_stays_as_it_is() -> None:
    figure = plot()
    ipyweb.render(figure, transparent=True)
    assert alpha(ipyweb.render(figure)) == (255, 255)
    assert alpha(ipyweb.render(figure, transparent=True)) == (0, 255)
