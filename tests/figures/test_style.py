"""A style sheet laid over a figure that is there already changes what it names, and nothing else."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import matplotlib
import pytest
from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import ipyweb
from ipyweb.figures.style import MAX_BYTES, parse, restyled


def restyle(figure: Figure, text: str) -> None:
    with restyled(figure, text):
        pass


def plot() -> tuple[Figure, Any]:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2], label="first")
    axes.plot([2, 1], label="second")
    axes.bar([0, 1], [1, 1])
    axes.set_title("Title")
    axes.set_xlabel("x")
    axes.legend()
    figure.suptitle("All")
    return figure, axes


def pixels(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="rgba")
    return stream.getvalue()


def test_a_sheet_is_read_as_matplotlib_reads_it() -> None:
    params = parse("font.size: 8\naxes.grid: True  # with a remark\nlines.linewidth: 0.5\n")
    assert (params["font.size"], params["axes.grid"], params["lines.linewidth"]) == (8.0, True, 0.5)


@pytest.mark.parametrize("text", ["", "# nothing", "no.such.parameter: 3"])
def test_a_sheet_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a style sheet such as"):
        parse(text)


def test_a_sheet_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_BYTES} characters"):
        parse("font.size: 8\n" * MAX_BYTES)


def test_sizes_of_letters_follow_the_font_size() -> None:
    figure, axes = plot()
    restyle(figure, "font.size: 5")
    legend = axes.get_legend()
    assert axes.title.get_fontsize() == pytest.approx(6.0)  # "large"
    assert axes.xaxis.label.get_fontsize() == pytest.approx(5.0)
    assert legend.get_texts()[0].get_fontsize() == pytest.approx(5.0)
    assert axes.get_xticklabels()[0].get_fontsize() == pytest.approx(5.0)


def test_what_a_sheet_names_is_applied() -> None:
    figure, axes = plot()
    restyle(
        figure,
        "figure.facecolor: black\naxes.facecolor: 222222\naxes.edgecolor: red\naxes.titlesize: 20\n"
        "axes.spines.top: False\nlines.linewidth: 3\nlegend.frameon: False\nxtick.labelsize: 4\nxtick.color: green\n"
        "figure.titlesize: 30\ntext.color: orange\n",
    )
    assert to_hex(figure.get_facecolor()) == "#000000"
    assert to_hex(axes.get_facecolor()) == "#222222"
    assert to_hex(axes.spines["left"].get_edgecolor()) == to_hex("red")
    assert not axes.spines["top"].get_visible()
    assert axes.title.get_fontsize() == 20
    assert figure._suptitle.get_fontsize() == 30  # type: ignore[attr-defined]
    assert axes.lines[0].get_linewidth() == 3
    assert not axes.get_legend().get_frame_on()
    assert axes.get_xticklabels()[0].get_fontsize() == 4
    assert to_hex(axes.title.get_color()) == to_hex("orange")


def test_colours_of_the_former_cycle_become_those_of_the_new_one_and_chosen_ones_stay() -> None:
    figure, axes = plot()
    axes.plot([3, 3], color="#123456")
    restyle(figure, "axes.prop_cycle: cycler('color', ['ff0000', '00ff00', '0000ff'])")
    assert [to_hex(line.get_color()) for line in axes.lines] == ["#ff0000", "#00ff00", "#123456"]
    assert to_hex(axes.patches[0].get_facecolor()) == "#ff0000"


def test_a_grid_is_put_in_and_taken_out() -> None:
    figure, axes = plot()
    restyle(figure, "axes.grid: True")
    assert any(line.get_visible() for line in axes.get_xgridlines())
    restyle(figure, "axes.grid: False")
    assert not any(line.get_visible() for line in axes.get_xgridlines())


def test_what_a_sheet_does_not_name_stays_as_it_was() -> None:
    plain, styled = plot()[0], plot()[0]
    restyle(styled, "image.cmap: gray")
    assert pixels(styled) == pixels(plain)


found: dict[str, float] = {}


class Watcher(Artist):
    """Looks at the rcParams whenever it is drawn: on the thread that draws, and on another one."""

    def draw(self, renderer: Any) -> None:
        self._look("here")
        other = threading.Thread(target=self._look, args=("elsewhere",))
        other.start()
        other.join()

    def _look(self, where: str) -> None:
        found[where] = matplotlib.rcParams["font.size"]


@pytest.mark.parametrize("bbox", [None, "tight"])
def test_a_style_counts_on_the_thread_that_draws_and_ends_with_the_drawing(bbox: str | None) -> None:
    figure = Figure()
    figure.add_artist(Watcher())
    with matplotlib.rc_context({"savefig.bbox": bbox}):
        before = dict(matplotlib.rcParams)
        ipyweb.render(figure, style="font.size: 5\naxes.grid: True")
        assert found == {"here": 5.0, "elsewhere": before["font.size"]}
        assert dict(matplotlib.rcParams) == before
        assert type(matplotlib.rcParams) is matplotlib.RcParams


def test_a_style_that_cannot_be_drawn_leaves_nothing_behind() -> None:
    before = dict(matplotlib.rcParams)
    with pytest.raises(ValueError, match="expected a style sheet"):
        ipyweb.render(plot()[0], style="no.such.parameter: 3")
    figure = Figure()
    figure.subplots().set_title("$\\nosuchsymbol$")
    with pytest.raises(ValueError, match="nosuchsymbol"):
        ipyweb.render(figure, style="font.size: 5")
    assert dict(matplotlib.rcParams) == before


def test_thirty_two_renderings_at_once_each_have_their_own_style() -> None:
    sizes = [5 + number % 4 for number in range(32)]

    def drawn(size: int) -> bytes:
        return ipyweb.render(plot()[0], width=200, style=f"font.size: {size}")

    alone = {size: drawn(size) for size in set(sizes)}
    assert len(set(alone.values())) == 4
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(drawn, sizes)) == [alone[size] for size in sizes]
