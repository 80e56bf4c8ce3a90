"""The numbers of figures in a pane: call to pixels, resizing, a loop that redraws.

    python tests/bench/figures_in_pane.py            all
    python tests/bench/figures_in_pane.py pixels     only those whose name contains the word

Times are those of the machine, so `savefig` of the same figure is measured in the same run. The keeper is warm.
"""

import io
import json
import statistics
import subprocess
import sys
import time
from typing import Any

from chromium import page
from figures import image, line, main, median, say, scatter
from matplotlib import pyplot as plt

PROBE = """() => {
    window.seen = [];
    const stage = document.querySelector("[data-testid=stage]");
    const mark = () => {
        for (const each of stage.querySelectorAll(".layer img")) each.setAttribute("elementtiming", "figure");
    };
    new MutationObserver(mark).observe(stage, {subtree: true, childList: true});
    new PerformanceObserver((list) => {
        const drawn = list.getEntries().filter((each) => each.naturalWidth === stage.clientWidth - 32);
        window.seen.push(...drawn.map((each) => performance.timeOrigin + each.renderTime));
    }).observe({type: "element"});
    mark();
}"""
"""Stamps the moments when a figure, drawn for the stage, is painted, as the browser tells them (W3C Element Timing)."""


def opened(shown: Any) -> None:
    """A pane with a figure that was drawn for it."""
    import ipyweb
    from ipyweb import connection
    from ipyweb.browser import link

    shown.goto(link(connection.start()))
    shown.wait_for_selector("[data-testid=stage]")
    ipyweb.display(line()).wait()
    shown.wait_for_selector("[data-testid=drawn]:not(:empty)")
    shown.evaluate(PROBE)


def saved(figure: Any) -> float:
    """Milliseconds of `savefig`."""
    return median(lambda: figure.savefig(io.BytesIO(), format="png"), 7)


def pixels() -> None:
    """From the call to the figure's final pixels, those drawn for the stage."""
    import ipyweb

    with page() as shown:
        opened(shown)
        for make in (line, scatter, image):
            took = []
            for _ in range(11):
                figure = make()
                plt.close(figure)
                shown.wait_for_timeout(600)
                shown.evaluate("window.seen = []")
                start = 1e3 * time.time()
                ipyweb.display(figure)
                shown.wait_for_function("() => window.seen.length > 0")
                took.append(shown.evaluate("window.seen.at(-1)") - start)
            pause = saved(figure)
            say(f"{make.__name__}: savefig", pause, "ms")
            say(f"{make.__name__}: call to pixels", statistics.median(took[1:]), "ms", pause + 40)


def resize() -> None:
    """From the last event of a drag to sharp pixels."""
    import ipyweb

    with page() as shown:
        opened(shown)
        figure = line()
        ipyweb.display(figure)
        shown.wait_for_timeout(1000)
        took = []
        for number in range(12):
            for width in range(1000 + 20 * number, 1000 + 20 * number + 200, 40):
                shown.set_viewport_size({"width": width, "height": 800})
            start = shown.evaluate("(window.seen = [], performance.timeOrigin + performance.now())")
            shown.wait_for_function("() => window.seen.length > 0")
            shown.wait_for_timeout(300)
            took.append(shown.evaluate("window.seen.at(-1)") - start)
        say("line: last drag event to sharp pixels", statistics.median(took), "ms", saved(figure) + 60)


LOOP = """
import sys, time, json, numpy as np, matplotlib.pyplot as plt
import ipyweb
x = np.linspace(0, 10, 1000)
figure, axes = plt.subplots(); drawn, = axes.plot(x, np.sin(x))
ipyweb.display(figure, display_id="loop").wait(); ipyweb.flush(20)
def work(n):
    end = time.perf_counter() + 0.1
    drawn.set_ydata(np.sin(x + n / 10)); axes.set_title(str(n))
    if SHOW: ipyweb.display(figure, display_id="loop")
    while time.perf_counter() < end: sum(range(500))
SHOW, counts, n = False, [0, 0], 0
for SHOW in (False, True) * ROUNDS:
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        work(n); n += 1; counts[SHOW] += 1
print(json.dumps([counts, n - 1])); sys.stdout.flush()
ipyweb.flush(20); sys.stdin.readline()
"""


def loop() -> None:
    """A loop that redraws one line plot of 1,000 points ten times a second, with and without `display`."""
    with page() as shown:
        opened(shown)
        code = LOOP.replace("ROUNDS", "6").replace("SECONDS", "10")
        words = [sys.executable, "-c", code]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            counts, last = json.loads(process.stdout.readline())
            label = "[data-testid=stage] img[alt*='" + str(last) + "']"
            shown.wait_for_selector(label, timeout=20_000)
            process.stdin.write("\n")
        say("10 Hz loop: speed with display over without, least 0.95", counts[1] / counts[0])
        say("10 Hz loop: its last state is in the pane", 1)


if __name__ == "__main__":
    main(pixels, resize, loop)
