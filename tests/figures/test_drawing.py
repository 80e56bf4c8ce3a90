"""Drawings without backgrounds, in sizes in which the margins as made would cut labels, and with ticks made ahead."""

import io
import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

import ipyweb
from ipyweb.figures.drawing import LEAST, Spec, draw, make_ticks
from ipyweb.figures.snapshot import load, take

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


@pytest.mark.parametrize("wanted", [{"width": 300}, {"height": "2in"}, {"style": "font.size: 5"}])
def test_a_figure_without_a_copy_is_drawn_as_it_is_and_says_why_not_otherwise(wanted: dict[str, Any]) -> None:
    figure = plot()
    figure.lock = threading.Lock()  # type: ignore[attr-defined]
    assert alpha(ipyweb.render(figure, dpi=50)) == (255, 255)
    with pytest.raises(ipyweb.errors.NotPicklable, match=r"as it is only.*lock.*set_size_inches"):
        ipyweb.render(figure, **wanted)


def labelled(**options: object) -> Figure:
    figure = Figure(**options)  # type: ignore[arg-type]
    axes = figure.subplots()
    axes.plot([1, 3, 2])
    axes.set(xlabel="day", ylabel="price")
    return figure


def overhang(figure: Figure, **wanted: object) -> float:
    """Pixels by which the labels stand out of the drawing, on the left or at the bottom."""
    sizes = {"width": [288, "px"], "height": [200, "px"]}
    draw(figure, Spec.of({"mime": "image/png", **sizes, **wanted}))
    (axes,) = figure.axes
    boxes = [axis.label.get_window_extent() for axis in (axes.xaxis, axes.yaxis)]
    return max(0.0, -min(min(box.x0, box.y0) for box in boxes))


def test_labels_fit_into_a_smaller_drawing_that_keeps_the_margins() -> None:
    assert overhang(labelled()) > 0
    assert overhang(labelled(), margins=True) == 0


def test_a_layout_engine_sees_to_the_margins_itself() -> None:
    figure = labelled(layout="constrained")
    before = vars(figure.subplotpars).copy()
    assert overhang(figure, margins=True) == 0
    assert vars(figure.subplotpars) == before


@pytest.mark.parametrize(("width", "height"), [(6.4, 4.8), (12.8, 9.6)])
def test_margins_stay_shares_of_a_drawing_that_does_not_get_smaller(width: float, height: float) -> None:
    spec = {"mime": "image/png", "width": [width, "in"], "height": [height, "in"]}
    assert draw(labelled(), Spec.of({**spec, "margins": True})) == draw(labelled(), Spec.of(spec))


def test_subplots_keep_a_share_of_the_smallest_drawing() -> None:
    figure = labelled()
    draw(figure, Spec.of({"mime": "image/png", "width": [60, "px"], "height": [40, "px"], "margins": True}))
    (axes,) = figure.axes
    assert min(axes.get_position().size) > LEAST - 1e-6


def test_margins_are_no_wider_than_labels_need_them() -> None:
    bare, full = Figure(), labelled()
    bare.subplots().set_axis_off()
    for figure in (bare, full):
        draw(figure, Spec.of({"mime": "image/png", "width": [288, "px"], "margins": True}))
    assert bare.subplotpars.left == pytest.approx(0.125)
    assert full.subplotpars.left > 0.15
    assert full.subplotpars.right == pytest.approx(0.9)


def test_a_long_title_stays_inside() -> None:
    figure = labelled()
    (axes,) = figure.axes
    axes.set_title("Residuals of the second model")
    draw(figure, Spec.of({"mime": "image/png", "width": [288, "px"], "height": [300, "px"], "margins": True}))
    box = axes.title.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= 288


def dates(figure: Figure) -> None:
    figure.subplots().plot([date(2026, 1, 1), date(2026, 12, 1)], [1, 2])


def logarithmic(figure: Figure) -> None:
    axes = figure.subplots()
    axes.loglog([1, 10, 1e5], [1, 3, 2])
    axes.grid(which="both")


def words(figure: Figure) -> None:
    axes = figure.subplots()
    axes.bar(["a", "b", "c"], [1, 3, 2])
    axes.tick_params(axis="x", rotation=30, colors="red", length=9)


def round_ones(figure: Figure) -> None:
    figure.subplots(subplot_kw={"projection": "polar"}).plot([1, 3, 2])
    figure.add_subplot(122, projection="3d").plot([1, 3, 2], [1, 2, 3], [0, 1, 0])


def with_others(figure: Figure) -> None:
    first, second = figure.subplots(2, sharex=True)
    figure.colorbar(first.imshow([[0, 1], [2, 3]]), ax=first)
    second.twinx().plot([1, 3, 2])
    second.set_xticks([0, 0.25, 1], minor=True)


def drawn_before(figure: Figure) -> None:
    figure.subplots().plot([1, 3, 2])
    figure.tight_layout()


@pytest.mark.parametrize("fill", [dates, logarithmic, words, round_ones, with_others, drawn_before])
def test_ticks_made_ahead_change_no_picture(fill: Callable[[Figure], None]) -> None:
    figure = Figure()
    fill(figure)
    snapshot = take(figure)
    fresh, ticked = load(snapshot), load(snapshot)
    make_ticks(ticked.figure, ticked.params)
    for sizes in ({}, {"width": [900, "px"], "height": [500, "px"]}):
        spec = Spec.of({"mime": "image/png", **sizes})
        assert draw(ticked.figure, spec, ticked.params) == draw(fresh.figure, spec, fresh.params)
