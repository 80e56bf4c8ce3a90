"""What is pickled with less than it would be by itself comes back equal, and what is out of the ordinary as it is."""

import io
import pickle
from collections.abc import Callable
from typing import Any

import cloudpickle
import numpy as np
import pytest
from matplotlib.cbook import CallbackRegistry
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from ipyweb.figures.reducing import OUT_OF_BAND, reducers
from ipyweb.figures.snapshot import take


@pytest.fixture(params=[pickle.Pickler, cloudpickle.CloudPickler])
def copied(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    def copy(obj: Any) -> Any:
        stream = io.BytesIO()
        pickler = request.param(stream, protocol=5)
        pickler.dispatch_table = reducers(request.param, None)
        pickler.dump(obj)
        return pickle.loads(stream.getvalue())

    return copy


def pixels(marker: Any) -> bytes:
    figure = Figure(figsize=(1, 1))
    figure.add_artist(Line2D([0.5], [0.5], marker=marker, markersize=40))
    stream = io.BytesIO()
    figure.savefig(stream, format="rgba")
    return stream.getvalue()


@pytest.mark.parametrize("fillstyle", MarkerStyle.fillstyles)
def test_every_marker_looks_as_before(copied: Callable[[Any], Any], fillstyle: str) -> None:
    markers = [MarkerStyle(name, fillstyle) for name in MarkerStyle.markers]
    for marker, again in zip(markers, copied(markers), strict=True):
        assert again.get_marker() == marker.get_marker()
        assert again.get_fillstyle() == marker.get_fillstyle()
        assert pixels(again) == pixels(marker)


def turned() -> MarkerStyle:
    marker = MarkerStyle("^")
    marker._transform.rotate_deg(30)
    return marker


def reshaped() -> MarkerStyle:
    marker = MarkerStyle("s")
    marker._path = Path([[0, 0], [1, 0], [0, 1], [0, 0]])
    return marker


@pytest.mark.parametrize(
    "make",
    [
        turned,
        reshaped,
        lambda: MarkerStyle("s", transform=Affine2D().rotate_deg(20)),
        lambda: MarkerStyle("s").rotated(deg=10).scaled(0.5),
        lambda: MarkerStyle("^", capstyle="round", joinstyle="bevel"),
        lambda: MarkerStyle("$f$"),
        lambda: MarkerStyle((5, 1, 20)),
        lambda: MarkerStyle(Path([[0, 0], [1, 0], [0, 1], [0, 0]])),
        lambda: MarkerStyle(np.array([[0, 0], [1, 0], [0, 1], [0, 0]])),
    ],
)
def test_a_marker_that_somebody_changed_stays_as_it_is(
    copied: Callable[[Any], Any], make: Callable[[], MarkerStyle]
) -> None:
    assert pixels(copied(make())) == pixels(make())


def test_what_somebody_added_to_a_marker_stays(copied: Callable[[Any], Any]) -> None:
    marker = MarkerStyle("o")
    marker.note = "mine"
    assert copied(marker).note == "mine"


def test_a_registry_keeps_its_signals_and_works(copied: Callable[[Any], Any]) -> None:
    registry, heard = CallbackRegistry(signals=["moved"]), []
    registry.connect("moved", print)
    again = copied(registry)
    again.connect("moved", heard.append)
    again.process("moved", 3)
    assert heard == [3]
    with pytest.raises(ValueError, match="moved"):
        again.connect("other", print)


def test_callbacks_that_are_meant_to_travel_do(copied: Callable[[Any], Any]) -> None:
    registry: Any = CallbackRegistry()
    heard: list[int] = []
    registry._connect_picklable("changed", heard.append)
    again, its = copied((registry, heard))
    again.process("changed", 5)
    assert its == [5]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("size", [1, OUT_OF_BAND])
def test_arrays_small_and_large_come_back_in_their_own_order(
    copied: Callable[[Any], Any], order: Any, size: int
) -> None:
    array = np.asarray(np.arange(6.0 * size).reshape(2, -1), order=order)
    again = copied(array)
    assert again.flags.writeable
    assert again.flags.f_contiguous == array.flags.f_contiguous
    assert (again == array).all()


def test_collection_of_garbage_is_left_as_it_was() -> None:
    import gc

    for before in (gc.disable, gc.enable):
        before()
        take(Figure())
        assert gc.isenabled() == (before is gc.enable)
