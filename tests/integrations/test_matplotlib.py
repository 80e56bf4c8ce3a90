"""Figures are shown as in a notebook, and the user's own choice of a backend stays."""

from collections.abc import Callable

import pytest

from .conftest import Run

Cells = Callable[..., Run]
PLOT = "plt.plot([1, 2])"
PNG = b"\x89PNG"


def pictures(run: Run) -> list[bytes]:
    return [each.data["image/png"] for each in run.shown if "image/png" in each.data]


def test_each_cell_shows_the_figures_it_made(cells: Cells) -> None:
    run = cells("%load_ext ipyweb", "import matplotlib.pyplot as plt", f"{PLOT}; plt.figure(); {PLOT};", "1")
    assert len(pictures(run)) == 2
    assert all(each.startswith(PNG) for each in pictures(run))
    assert "event loop" not in run.out + run.err


def test_the_cell_that_imports_matplotlib_shows_its_figures_too(cells: Cells) -> None:
    assert len(pictures(cells("%load_ext ipyweb", f"import matplotlib.pyplot as plt; {PLOT};"))) == 1


def test_a_figure_as_last_expression_is_shown_once(cells: Cells) -> None:
    run = cells("%load_ext ipyweb", "from matplotlib.figure import Figure\nf = Figure(); f.subplots(); f")
    assert len(pictures(run)) == 1
    assert "<Figure size 640x480 with 1 Axes>" in run.out


def test_matplotlib_may_be_imported_before(cells: Cells) -> None:
    run = cells("import matplotlib.pyplot as plt", "%load_ext ipyweb", f"{PLOT};")
    assert len(pictures(run)) == 1


def test_a_backend_that_the_user_chose_stays(cells: Cells) -> None:
    run = cells(
        "import matplotlib; matplotlib.use('svg')",
        "%load_ext ipyweb",
        f"import matplotlib.pyplot as plt; {PLOT}; print('backend', matplotlib.get_backend())",
        "fig = plt.gcf(); fig",
    )
    assert "backend svg" in run.out
    assert len(pictures(run)) == 1  # of the last expression


def test_figures_are_still_shown_after_matplotlib_inline_dropped_its_formatters(cells: Cells) -> None:
    run = cells(
        "%load_ext ipyweb", "import matplotlib.pyplot as plt", "%matplotlib agg", f"{PLOT};", "fig = plt.gcf()", "fig"
    )
    assert len(pictures(run)) == 1


def test_the_formats_of_inline_backend_are_honoured(cells: Cells) -> None:
    run = cells(
        "%load_ext ipyweb",
        "import matplotlib.pyplot as plt",
        "%matplotlib inline",
        "%config InlineBackend.figure_formats = set(['svg'])",
        f"{PLOT};",
    )
    assert "image/svg+xml" in run.shown[-1].data
    assert "image/png" not in run.shown[-1].data


def test_unloading_gives_the_backend_back(cells: Cells) -> None:
    run = cells(
        "%load_ext ipyweb",
        "import matplotlib.pyplot as plt",
        f"{PLOT};",
        "%unload_ext ipyweb",
        f"{PLOT};",
        "from ipyweb.session.pyplot import end_of_cell",
        "print('flushes', end_of_cell in get_ipython().events.callbacks['post_execute'])",
        "import matplotlib; print('interactive', matplotlib.is_interactive())",
    )
    assert len(pictures(run)) == 1
    assert "flushes False" in run.out
    assert "interactive False" in run.out


@pytest.mark.parametrize("how", ["import ipyweb\n{}", "{}\nimport ipyweb"])
def test_a_script_shows_a_figure(script: Callable[[str], Run], how: str) -> None:
    code = how.format("from matplotlib.figure import Figure\nf = Figure(); f.subplots().plot([1, 2])")
    run = script(f"{code}\nipyweb.display(f)")
    assert len(pictures(run)) == 1
