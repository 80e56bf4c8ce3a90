"""Animations, frame by frame."""

from typing import Any

from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure

from ipyweb.integrations.matplotlib_animation import html


class Counting(Figure):
    """A figure that counts how often it is drawn."""

    drawn = 0

    def draw(self, renderer: Any) -> None:
        self.drawn += 1
        super().draw(renderer)


def test_each_frame_is_drawn_once() -> None:
    figure = Counting(figsize=(1, 1))
    (line,) = figure.subplots().plot([0, 1])
    animation = FuncAnimation(figure, lambda step: line.set_ydata([step, 1]), frames=5)
    before = dict(vars(figure.canvas))
    html([animation])
    assert figure.drawn == 5
    assert vars(figure.canvas).keys() == before.keys()
