"""A copy of a figure under matplotlib's WebAgg core: what events do to it, what it says, and what is drawn."""

import io
from multiprocessing import Pipe
from typing import Any

import numpy
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ipyweb.figures import reach
from ipyweb.figures.channel import send
from ipyweb.figures.copies import conflate
from ipyweb.figures.reach import WINDOW, Copy
from ipyweb.figures.snapshot import Snapshot, load

SIZE = {"width": 800, "height": 600, "dpi": 100.0}
MOUSE = {"button": 0, "buttons": 1, "modifiers": [], "step": 0}


class Pane:
    """Looks at a copy: puts its pictures together, and keeps what it says last."""

    def __init__(self, figure: Any, **wanted: Any) -> None:
        self.pictures: list[Image.Image] = []
        self.mimes: list[str] = []
        self.said: dict[str, Any] = {}
        self.kept: Snapshot | None = None
        self.refused = ""
        self.figure = figure
        self.copy = Copy(figure, {**SIZE, **wanted}, self.hear)
        self.copy.settle()

    def hear(self, header: dict[str, Any], parts: Any) -> None:
        match header["op"]:
            case "frame":
                self.mimes.append(header["mime"])
                self._paint(header["size"], header["at"], bytes(parts[0]))
            case "said":
                self.said.update({each["type"]: each for each in header["messages"]})
            case "kept" if parts:
                self.kept = Snapshot.of_parts([bytes(each) for each in parts])
            case "kept":
                self.refused = header["error"]

    def _paint(self, size: list[int], at: list[int], data: bytes) -> None:
        self.picture = self.pictures[-1].copy() if self.pictures and at != [0, 0] else Image.new("RGB", tuple(size))
        self.picture.paste(Image.open(io.BytesIO(data)).convert("RGB"), tuple(at))
        self.pictures.append(self.picture)

    def do(self, *events: dict[str, Any], acks: bool = True) -> None:
        for event in events:
            self.copy.take(event)
        self.copy.settle()
        while acks and self.copy._on_way:
            self.copy.take({"type": "ack"})
            self.copy.settle()

    def rest(self) -> None:
        """Let what was sent roughly be made good."""
        self.copy._sent = 0.0
        self.do()

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        places = [("button_press", start), ("motion_notify", end), ("button_release", end)]
        self.do(*({**MOUSE, "type": name, "x": x, "y": y} for name, (x, y) in places))


def line(**options: Any) -> Any:
    figure = Figure(figsize=(8, 6), dpi=100, **options)
    figure.subplots().plot([0, 1, 2, 3], [0, 1, 0, 1])
    return figure


def test_the_first_picture_is_the_whole_figure_at_the_size_that_was_asked_for() -> None:
    pane = Pane(line(), width=500, height=400)
    assert pane.picture.size == (500, 400)
    assert pane.said["navigate_mode"] == {"type": "navigate_mode", "mode": "PAN"}


def test_dragging_pans_and_home_back_and_forward_walk_through_the_views() -> None:
    pane = Pane(line())
    (axes,) = pane.figure.axes
    before = axes.get_xlim()
    pane.drag((400, 300), (300, 300))
    after = axes.get_xlim()
    assert after[0] > before[0]
    assert pane.said["history_buttons"]["Back"]
    for name, limits in (("back", before), ("forward", after), ("home", before)):
        pane.do({"type": "toolbar_button", "name": name})
        assert axes.get_xlim() == limits


def test_only_what_changed_is_sent_and_makes_the_same_picture_as_a_whole_one() -> None:
    pane = Pane(line())
    pane.drag((400, 300), (300, 250))
    pane.rest()
    pieced = numpy.asarray(pane.picture)
    pane.do({"type": "refresh"})
    pane.rest()
    assert (numpy.asarray(pane.picture) == pieced).all()


def test_pictures_that_hurry_are_rough_and_made_good_at_rest() -> None:
    pane = Pane(line())
    pane.copy._sent = 0.0
    pane.drag((400, 300), (300, 250))
    assert pane.copy.patience is None
    assert pane.mimes[-1] == "image/png"
    pane.drag((400, 300), (300, 250))
    assert pane.mimes[-1] == "image/jpeg"
    assert pane.copy.patience == reach.REST
    rough = numpy.asarray(pane.picture, dtype=int)
    pane.do()
    assert pane.mimes[-1] == "image/jpeg"
    pane.rest()
    assert pane.mimes[-1] == "image/png"
    assert pane.copy.patience is None
    assert 0 < numpy.abs(numpy.asarray(pane.picture, dtype=int) - rough).mean() < 2


def test_what_can_be_seen_through_is_never_rough() -> None:
    figure = line()
    figure.patch.set_alpha(0.5)
    figure.axes[0].patch.set_alpha(0.0)
    pane = Pane(figure)
    for _ in range(3):
        pane.drag((400, 300), (300, 250))
    assert {*pane.mimes} == {"image/png"}


def test_a_rectangle_is_zoomed_to_and_its_band_is_told_on_the_way() -> None:
    pane = Pane(line())
    pane.do({"type": "toolbar_button", "name": "zoom"})
    assert pane.said["navigate_mode"]["mode"] == "ZOOM"
    pane.do(
        *({**MOUSE, "type": name, "x": at, "y": at} for name, at in [("button_press", 200), ("motion_notify", 350)])
    )
    band = pane.said["rubberband"]
    assert (band["x0"], band["y0"], band["x1"], band["y1"]) == (200, 400, 350, 250)
    pane.do({**MOUSE, "type": "button_release", "x": 350, "y": 350})
    assert pane.said["rubberband"]["x0"] == -1
    left, right = pane.figure.axes[0].get_xlim()
    assert (left, right) == pytest.approx((0.38, 1.18), abs=0.01)


def test_the_point_under_the_cursor_is_told() -> None:
    pane = Pane(line())
    pane.do({**MOUSE, "type": "motion_notify", "x": 400, "y": 300, "buttons": 0})
    assert pane.said["message"]["message"].startswith("(x, y) = (1.4")
    assert pane.said["cursor"]["cursor"] == "move"


def test_a_wheel_zooms_around_the_cursor_and_its_turns_are_one_step_back() -> None:
    pane = Pane(line())
    (axes,) = pane.figure.axes
    before = axes.get_xlim()
    at = axes.transData.inverted().transform((500, 300))
    pane.do(*({**MOUSE, "type": "scroll", "x": 500, "y": 300, "step": 1} for _ in range(3)))
    left, right = axes.get_xlim()
    assert right - left == pytest.approx(reach.NOTCH**3 * (before[1] - before[0]))
    assert axes.transData.inverted().transform((500, 300)) == pytest.approx(at)
    pane.do({"type": "toolbar_button", "name": "back"})
    assert axes.get_xlim() == before


def test_axes_that_share_a_direction_are_zoomed_in_it_once() -> None:
    figure = line()
    twin = figure.axes[0].twinx()
    twin.plot([0, 3], [0, 100])
    pane = Pane(figure)
    (before,), twins = {each.get_xlim() for each in figure.axes}, twin.get_ylim()
    pane.do({**MOUSE, "type": "scroll", "x": 400, "y": 300, "step": 1})
    ((left, right),) = {each.get_xlim() for each in figure.axes}
    assert right - left == pytest.approx(reach.NOTCH * (before[1] - before[0]))
    assert numpy.ptp(twin.get_ylim()) == pytest.approx(reach.NOTCH * numpy.ptp(twins))


def test_logarithmic_axes_are_zoomed_in_their_scale() -> None:
    figure = line()
    figure.axes[0].set_yscale("log")
    figure.axes[0].set_ylim(1, 1e4)
    pane = Pane(figure)
    pane.do({**MOUSE, "type": "scroll", "x": 400, "y": 300, "step": -2})
    low, high = figure.axes[0].get_ylim()
    assert 0 < low < 1
    assert high / low == pytest.approx(1e4 ** (reach.NOTCH**-2))


def test_keys_move_all_axes() -> None:
    pane = Pane(line())
    (axes,) = pane.figure.axes
    before = axes.get_xlim()[0]
    pane.do({"type": "move", "x": 50, "y": 0})
    assert axes.get_xlim()[0] > before


def test_what_has_three_dimensions_is_turned_by_dragging_and_by_keys_and_zoomed_by_the_wheel() -> None:
    figure = Figure(figsize=(8, 6), dpi=100)
    axes: Any = figure.add_subplot(projection="3d")
    axes.plot([0, 1], [0, 1], [0, 1])
    pane = Pane(figure)
    assert "navigate_mode" not in pane.said
    before = axes.azim, axes.elev
    pane.drag((400, 300), (330, 300))
    turned = axes.azim, axes.elev
    assert turned != before
    pane.do({"type": "move", "x": 60, "y": 30})
    assert (axes.azim, axes.elev) != turned
    width = numpy.ptp(axes.get_xlim())
    pane.do({**MOUSE, "type": "scroll", "x": 400, "y": 300, "step": 1})
    assert numpy.ptp(axes.get_xlim()) < width


def test_the_size_follows_the_pane_and_home_is_still_home() -> None:
    pane = Pane(line())
    (axes,) = pane.figure.axes
    before = axes.get_xlim()
    pane.drag((400, 300), (300, 300))
    pane.do({"type": "resize", "width": 400, "height": 300, "dpi": 100.0})
    assert pane.picture.size == (400, 300)
    small = axes.get_position().bounds
    pane.do({"type": "toolbar_button", "name": "home"})
    assert axes.get_xlim() == before
    assert axes.get_position().bounds == small
    pane.do({"type": "resize", **SIZE})
    assert axes.get_position().bounds == pytest.approx(line().axes[0].get_position().bounds)


def test_no_more_pictures_are_on_their_way_than_the_window_has_room_for_and_the_newest_comes() -> None:
    pane = Pane(line())
    pane.do()
    count = len(pane.pictures)
    pane.do({**MOUSE, "type": "button_press", "x": 400, "y": 300})
    for x in range(390, 300, -10):
        pane.do({**MOUSE, "type": "motion_notify", "x": x, "y": 300}, acks=False)
    assert len(pane.pictures) == count + WINDOW
    pane.do()
    assert len(pane.pictures) == count + WINDOW + 1
    pane.rest()
    newest = numpy.asarray(pane.picture)
    pane.do({"type": "refresh"})
    pane.rest()
    assert (numpy.asarray(pane.picture) == newest).all()


def test_of_movements_that_wait_only_the_last_counts_and_nothing_else_is_dropped() -> None:
    events: list[dict[str, Any]] = []
    names = (
        ["motion_notify"] * 3 + ["button_press"] + ["motion_notify"] * 2 + ["button_release", "key_press", "key_press"]
    )
    for number, name in enumerate(names):
        conflate(events, {"type": name, "x": number})
    assert [each["x"] for each in events] == [2, 3, 5, 6, 7, 8]


@pytest.mark.parametrize("options", [{}, {"layout": "constrained"}, {"layout": "tight"}])
def test_a_view_is_kept_in_the_size_that_the_figure_was_made_in(options: dict[str, Any]) -> None:
    pane = Pane(line(**options), width=1000, height=500, dpi=150.0)
    pane.drag((500, 250), (400, 250))
    pane.do({"type": "keep"})
    assert pane.kept is not None
    assert pane.kept.shape == {"size": [800, 600], "dpi": 100.0, "default_size": False}
    figure = load(pane.kept).figure
    assert figure.axes[0].get_xlim() == pane.figure.axes[0].get_xlim()
    assert figure.axes[0].get_navigate_mode() is None
    assert pane.figure.axes[0].get_navigate_mode() == "PAN"


def test_a_copy_goes_on_as_it_was_after_a_view_of_it_was_kept() -> None:
    pane = Pane(line(), width=1000, height=500, dpi=150.0)
    pane.drag((500, 250), (400, 250))
    pane.do({"type": "keep"})
    pane.rest()
    before = numpy.asarray(pane.picture)
    pane.do({"type": "refresh"})
    pane.rest()
    assert pane.picture.size == (1000, 500)
    assert (numpy.asarray(pane.picture) == before).all()


def test_what_cannot_be_pickled_cannot_be_kept_and_that_is_said() -> None:
    pane = Pane(line())
    pane.figure.canvas.mpl_connect("draw_event", lambda event: None)
    pane.do({"type": "keep"})
    assert pane.kept is None
    assert "draw_event" in pane.refused


def test_an_event_that_matplotlib_stumbles_over_is_told_and_goes_by() -> None:
    pane = Pane(line())
    pane.figure.axes[0].format_coord = lambda x, y: 1 / 0
    pane.do({**MOUSE, "type": "motion_notify", "x": 400, "y": 300})
    assert pane.said["message"]["message"] == "ZeroDivisionError: division by zero"
    pane.drag((400, 300), (300, 300))
    assert len(pane.pictures) > 1


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_drawing_that_fails_later_is_told_and_the_picture_stays() -> None:
    pane = Pane(line())
    pane.figure.axes[0].set_xlim(-2, -1)
    pane.do({**MOUSE, "type": "motion_notify", "x": 400, "y": 300}, {"type": "refresh"})
    count = len(pane.pictures)
    pane.do({"type": "key_press", "key": "kk"})
    assert len(pane.pictures) == count
    assert pane.said["message"]["message"].startswith("ValueError: ")
    pane.do({"type": "key_press", "key": "kk"})
    pane.do({**MOUSE, "type": "motion_notify", "x": 410, "y": 300})
    pane.drag((400, 300), (300, 300))
    assert len(pane.pictures) > count
    assert pane.said["message"]["message"].startswith("(x, y)")


def test_events_that_wait_are_taken_at_once_and_a_closed_pipe_ends_it() -> None:
    ours, theirs = Pipe()
    for x in (1, 2):
        send(ours, {"event": {"type": "motion_notify", "x": x}})
    assert reach._waiting(theirs, None) == [{"type": "motion_notify", "x": 2}]
    assert reach._waiting(theirs, 0.01) == []
    ours.close()
    with pytest.raises(EOFError):
        reach._waiting(theirs, None)
    theirs.close()
