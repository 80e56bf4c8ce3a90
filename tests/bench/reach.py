"""The numbers of reaching into a figure: how many pictures a second reach the pixels during a drag.

    python tests/bench/reach.py            all
    python tests/bench/reach.py turning    only those whose name contains the word

Figures are 800 by 600 CSS pixels, on screens of one and of two pixels each. The keeper is warm. A picture counts when a
frame of the screen has shown it, once however many were painted before that frame. What drawing alone takes is measured
in the same run: a copy cannot be faster.
"""

import statistics
import sys
import tempfile
import time
from typing import Any

from chromium import held, page, to_and_fro
from figures import median, own, say, scatter, stop
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg

COUNT = """() => {
    window.shown = 0;
    let painted = false;
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (...values) {
        painted = true;
        return draw.apply(this, values);
    };
    const tick = () => {
        window.shown += painted;
        painted = false;
        requestAnimationFrame(tick);
    };
    tick();
}"""
"""Counts the frames of the screen that have something new on the canvas."""

SECONDS, RUNS = 3.0, 7


def line() -> Any:
    """A line of 1,000 points, 800 by 600 pixels."""
    import numpy

    figure, axes = plt.subplots(figsize=(8, 6), dpi=100)
    x = numpy.linspace(0, 100, 1000)
    axes.plot(x, numpy.sin(x))
    axes.set(title="Residuals", xlabel="time", ylabel="value")
    return figure


def surface() -> Any:
    """A surface of 50 by 50 points in three dimensions."""
    import numpy

    figure = plt.figure(figsize=(8, 6), dpi=100)
    x, y = numpy.meshgrid(*[numpy.linspace(-3, 3, 50)] * 2)
    figure.add_subplot(projection="3d").plot_surface(x, y, numpy.sin(x) * y)
    return figure


def points() -> Any:
    """A scatter of 100,000 points, 800 by 600 pixels."""
    figure = scatter()
    figure.set_size_inches(8, 6)
    figure.set_dpi(100)
    return figure


def reached(shown: Any, figure: Any) -> dict[str, float]:
    """Reach into a figure in a pane; where its canvas is."""
    import ipyweb
    from ipyweb import connection
    from ipyweb.browser import link

    plt.close(figure)
    ipyweb.display(figure).wait()
    shown.goto(link(connection.start()))
    shown.wait_for_selector("[data-testid=drawn]:not(:empty)")
    shown.keyboard.press("1")  # as made
    shown.keyboard.press("z")
    shown.wait_for_selector("[data-testid=reach][data-state=ready]")
    box: dict[str, float] = shown.locator("[data-testid=reach] canvas").bounding_box()
    assert (box["width"], box["height"]) == (800, 600), box
    shown.evaluate(COUNT)
    return box


def drag(shown: Any, box: dict[str, float]) -> float:
    """Pictures a second while the mouse goes to and fro with its button held."""
    x, y = box["x"] + 400, box["y"] + 300
    with held(shown, x, y):
        shown.wait_for_timeout(200)
        before = shown.evaluate("window.shown")
        took = to_and_fro(shown, x, y, SECONDS)
        return float((shown.evaluate("window.shown") - before) / took)


def drawing(figure: Any, ratio: int) -> float:
    """Milliseconds that matplotlib takes to draw a figure anew, in this process."""
    figure.set_dpi(100 * ratio)
    canvas = FigureCanvasAgg(figure)
    return median(canvas.draw)


def frames(make: Any, ratios: tuple[int, ...] = (1, 2)) -> None:
    """Pictures a second of one figure, the median of some drags."""
    for ratio in ratios:
        with page(device_scale_factor=ratio) as shown:
            box = reached(shown, make())
            drag(shown, box)
            rates = [drag(shown, box) for _ in range(RUNS)]
        what = f"{make.__name__}, {ratio} px per CSS px"
        say(f"{what}: pictures a second", statistics.median(rates), "/s")
        say(f"{what}: matplotlib's own drawing", drawing(make(), ratio), "ms")


def panning() -> None:
    """A line is panned."""
    frames(line)


def turning() -> None:
    """A surface is turned."""
    frames(surface, (1,))


def crowd() -> None:
    """A scatter of 100,000 points is panned."""
    frames(points, (1,))


def opening() -> None:
    """From the key to the first picture of the copy."""
    with page() as shown:
        reached(shown, line())
        took = []
        for _ in range(RUNS):
            shown.keyboard.press("z")
            shown.wait_for_selector("[data-testid=reach]", state="detached")
            shown.wait_for_timeout(1000)
            start = time.perf_counter()
            shown.keyboard.press("z")
            shown.wait_for_selector("[data-testid=reach][data-state=ready]")
            took.append(1e3 * (time.perf_counter() - start))
    say("line: from the key to the first picture", statistics.median(took), "ms")


def main() -> None:
    """Run the benchmarks that the command line names."""
    for bench in (panning, turning, crowd, opening):
        if all(word in bench.__name__ for word in sys.argv[1:]):
            with tempfile.TemporaryDirectory() as directory, own(directory):
                bench()
                stop()


if __name__ == "__main__":
    main()
