"""A snapshot draws the same pixels elsewhere, and taking it changes nothing."""

import io
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from ipyweb.errors import NotPicklable
from ipyweb.figures.reducing import OUT_OF_BAND
from ipyweb.figures.snapshot import Snapshot, is_figure, load, take


def pixels(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=figure.dpi, bbox_inches=None)
    return stream.getvalue()


def line() -> Figure:
    figure = Figure()
    figure.subplots().plot([1, 3, 2], label="a")
    return figure


def scatter() -> Figure:
    figure = Figure()
    figure.subplots().scatter(np.arange(30_000), np.arange(30_000) ** 0.5)
    return figure


def masked_image() -> Figure:
    figure = Figure()
    image = np.ma.masked_less(np.linspace(0, 1, 200 * 200).reshape(200, 200), 0.2)
    figure.colorbar(figure.subplots().imshow(image))
    return figure


@pytest.mark.parametrize("make", [line, scatter, masked_image])
def test_a_snapshot_draws_the_same_pixels(make: object) -> None:
    figure = make()  # type: ignore[operator]
    snapshot = Snapshot.of_parts(take(figure).parts())
    assert pixels(load(snapshot).figure) == pixels(figure)


def test_large_arrays_lie_beside_the_pickle_and_are_copies() -> None:
    figure = scatter()
    snapshot = take(figure)
    assert snapshot.buffers
    assert all(len(each) > OUT_OF_BAND for each in snapshot.buffers)
    before = pixels(load(snapshot).figure)
    figure.axes[0].collections[0].get_offsets()[:] = 0
    assert pixels(load(snapshot).figure) == before


def test_masked_arrays_keep_mask_and_fill_value() -> None:
    figure = line()
    figure.stash = np.ma.array([1, 2, 3], mask=[0, 1, 0], fill_value=-7)
    again = load(take(figure)).figure.stash
    assert again.tolist() == [1, None, 3]
    assert again.fill_value == -7


def test_taking_neither_draws_nor_alters_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = line()
    drawn: list[object] = []
    monkeypatch.setattr(Figure, "draw", lambda *args: drawn.append(args))
    canvas, stale, state = figure.canvas, figure.stale, sorted(vars(figure))
    take(figure)
    assert (figure.canvas, figure.stale, sorted(vars(figure))) == (canvas, stale, state)
    assert drawn == []


def test_what_only_cloudpickle_carries_is_carried() -> None:
    figure = line()
    figure.axes[0].xaxis.set_major_formatter(lambda value, position: f"<{value:g}>")
    snapshot = take(figure)
    assert snapshot.head["cloud"]
    assert pixels(load(snapshot).figure) == pixels(figure)


def test_what_nothing_can_pickle_is_said() -> None:
    figure = line()
    figure.lock = threading.Lock()
    with pytest.raises(NotPicklable, match="lock"):
        take(figure)


def test_a_class_of_the_script_is_there_when_the_script_is_gone(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from matplotlib.figure import Figure\n"
        "from matplotlib.ticker import Formatter\n"
        "from beside import colour\n"
        "from ipyweb.figures.snapshot import take\n"
        "class Stars(Formatter):\n"
        "    def __call__(self, value, position=None): return '*' * int(value)\n"
        "f = Figure(); a = f.subplots(); a.plot([1, 2, 3], color=colour()); a.note = colour\n"
        "a.yaxis.set_major_formatter(Stars())\n"
        "parts = take(f).parts()\n"
        "import pickle; pickle.dump([bytes(each) for each in parts], open('snapshot', 'wb'))\n"
    )
    (tmp_path / "beside.py").write_text("def colour(): return 'red'\n")
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(Path(__file__).parents[2])])
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": path})
    snapshot = Snapshot.of_parts(pickle.loads((tmp_path / "snapshot").read_bytes()))
    loaded = load(snapshot)
    assert loaded.figure.axes[0].yaxis.get_major_formatter()(3) == "***"
    assert loaded.figure.axes[0].note() == "red"
    assert str(tmp_path) not in sys.path


def test_bars_in_polar_axes_are_bent_in_another_process_too(tmp_path: Path) -> None:
    figure = Figure()
    figure.add_subplot(projection="polar").bar([0.0, 1.0, 3.0], [3, 2, 1], width=1.0)
    parts = take(figure).parts()
    (tmp_path / "parts").write_bytes(pickle.dumps([bytes(part) for part in parts]))
    code = f"""
import pickle
from ipyweb.figures.snapshot import Snapshot, load
figure = load(Snapshot.of_parts(pickle.load(open({str(tmp_path / "parts")!r}, "rb")))).figure
figure.savefig({str(tmp_path / "there.png")!r}, dpi=figure.dpi, bbox_inches=None)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=180, env={**os.environ, "MPLBACKEND": "agg"})
    assert (tmp_path / "there.png").read_bytes() == pixels(figure)


def test_changed_rcparams_go_along_and_the_rest_do_not() -> None:
    with matplotlib.rc_context({"font.family": "serif", "savefig.dpi": 300, "axes.unicode_minus": False}):
        params = load(take(line())).params
    assert params["axes.unicode_minus"] is False
    assert params["font.family"] == ["serif"]
    assert "savefig.dpi" not in params
    assert len(params) < 5


def test_the_backend_is_not_resolved() -> None:
    code = (
        "from matplotlib.figure import Figure; import matplotlib, sys\n"
        "from ipyweb.figures.snapshot import take\n"
        "take(Figure())\n"
        "print('matplotlib.pyplot' in sys.modules, isinstance(dict.get(matplotlib.rcParams, 'backend'), str))"
    )
    clean = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean)
    assert done.stdout.split() == ["False", "False"]


def test_a_figure_of_pyplot_is_not_made_known_to_it_again() -> None:
    import matplotlib.pyplot as plt

    figure = plt.figure()
    try:
        snapshot = take(figure)
        before = plt.get_fignums()
        load(snapshot)
        assert plt.get_fignums() == before
    finally:
        plt.close(figure)


def test_fonts_added_at_run_time_are_named(tmp_path: Path) -> None:
    from matplotlib import font_manager

    font = tmp_path / "own.ttf"
    font.write_bytes(Path(font_manager.findfont("DejaVu Sans")).read_bytes())
    before = list(font_manager.fontManager.ttflist)
    try:
        font_manager.fontManager.addfont(font)
        assert take(line()).head["fonts"] == [str(font)]
    finally:
        font_manager.fontManager.ttflist[:] = before
    assert take(line()).head["fonts"] == []


def test_size_and_default_size_are_known_without_unpickling() -> None:
    assert take(Figure()).head["default_size"] is True
    snapshot = take(Figure(figsize=(4, 2), dpi=50))
    assert snapshot.head["default_size"] is False
    assert snapshot.pixels == [200, 100]
    json.dumps(snapshot.head)


def test_a_warning_while_loading_becomes_a_problem() -> None:
    figure = line()
    figure.warner = _Warner()
    assert any("beware" in each for each in load(take(figure)).problems)


class _Warner:
    def __setstate__(self, state: object) -> None:
        import warnings

        warnings.warn("beware", UserWarning, stacklevel=2)

    def __getstate__(self) -> dict[str, int]:
        return {"a": 1}


def test_parts_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a head and a pickle, got 1"):
        Snapshot.of_parts([b"{}"])


def test_figures_are_told_from_other_things() -> None:
    assert is_figure(Figure())
    assert not is_figure(Figure)
    assert not is_figure(3)
