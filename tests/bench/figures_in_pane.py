"""The numbers of figures in a pane: call to pixels, resizing, a loop that redraws.

    python tests/bench/figures_in_pane.py            all
    python tests/bench/figures_in_pane.py pixels     only those whose name contains the word

Times are those of the machine, so `savefig` of the same figure is measured in the same run. The keeper is warm.
`against_lab` needs JupyterLab, in this environment or in PATH.
"""

import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chromium import page
from figures import image, line, main, median, say, scatter
from lab import RUN, find, notebook
from matplotlib import pyplot as plt

PROBE = """([images, room]) => {
    window.seen = [];
    const mark = () => {
        for (const each of document.querySelectorAll(images)) each.setAttribute("elementtiming", "figure");
    };
    new MutationObserver(mark).observe(document.body, {subtree: true, childList: true});
    new PerformanceObserver((list) => {
        const width = room && document.querySelector(room).clientWidth - 32;
        const drawn = list.getEntries().filter((each) => !width || each.naturalWidth === width);
        window.seen.push(...drawn.map((each) => performance.timeOrigin + each.renderTime));
    }).observe({type: "element"});
    mark();
}"""
"""Stamps the moments when a figure is painted, as the browser tells them (W3C Element Timing), in the pane those when
it was drawn for the stage."""

STAGE, CELL = ["[data-testid=stage] .layer img", "[data-testid=stage]"], [".jp-OutputArea-output img", ""]

KERNEL = """
import sys, time
from pathlib import Path
sys.path.insert(0, {bench!r})
import figures, matplotlib.pyplot as plt
%matplotlib inline
place = Path({place!r})
figure = getattr(figures, (place / "kind").read_text())()
plt.close(figure)
start = 1e3 * time.time()
display(figure)
(place / "start").write_text(str(start))
"""
"""A cell that shows a figure of the kind that a file says, and says when it began to."""


def opened(shown: Any) -> None:
    """A pane with a figure that was drawn for it."""
    import ipyweb
    from ipyweb import connection
    from ipyweb.browser import link

    shown.goto(link(connection.start()))
    shown.wait_for_selector("[data-testid=stage]")
    ipyweb.display(line()).wait()
    shown.wait_for_selector("[data-testid=drawn]:not(:empty)")
    shown.evaluate(PROBE, STAGE)


def saved(figure: Any) -> float:
    """Milliseconds of `savefig`."""
    return median(lambda: figure.savefig(io.BytesIO(), format="png"), 7)


def pixels() -> None:
    """From the call to the figure's final pixels, those drawn for the stage."""
    with page() as shown:
        opened(shown)
        for make in (line, scatter, image):
            took = [displayed(shown, make) for _ in range(11)]
            pause = saved(make())
            say(f"{make.__name__}: savefig", pause, "ms")
            say(f"{make.__name__}: call to pixels", statistics.median(took[1:]), "ms", pause + 40)


def displayed(shown: Any, make: Callable[[], Any]) -> float:
    """Milliseconds from `display` of a new figure to its final pixels in the pane."""
    import ipyweb

    figure = make()
    plt.close(figure)
    shown.bring_to_front()
    shown.wait_for_timeout(600)
    shown.evaluate("window.seen = []")
    start = 1e3 * time.time()
    ipyweb.display(figure)
    shown.wait_for_function("() => window.seen.length > 0")
    return float(shown.evaluate("window.seen.at(-1)")) - start


def against_lab() -> None:
    """From the call to pixels, in turns with a notebook in JupyterLab, so that both have the same machine."""
    program = find()
    if program is None:
        return
    with TemporaryDirectory() as directory, page() as ours:
        theirs = ours.context.browser.new_page(viewport=ours.viewport_size)
        place = Path(directory)
        (place / "kind").write_text("line")
        opened(ours)
        with notebook(program, theirs, KERNEL.format(bench=str(Path(__file__).parent), place=directory)):
            theirs.evaluate(PROBE, CELL)
            for make in (line, scatter, image):
                (place / "kind").write_text(make.__name__)
                pairs = [(displayed(ours, make), ran(theirs, place)) for _ in range(16)]
                pane, lab = (statistics.median(each) for each in zip(*pairs[1:], strict=True))
                say(f"{make.__name__}: call to pixels in the pane", pane, "ms")
                say(f"{make.__name__}: call to pixels in JupyterLab", lab, "ms")
                say(f"{make.__name__}: the pane's median over JupyterLab's", pane / lab, "", 1)


def ran(shown: Any, place: Path) -> float:
    """Milliseconds from `display` in a notebook's cell to pixels."""
    shown.bring_to_front()
    shown.wait_for_timeout(600)
    shown.evaluate("window.seen = []")
    shown.evaluate(RUN)
    shown.wait_for_function("() => window.seen.length > 0")
    shown.wait_for_timeout(200)
    return float(shown.evaluate("window.seen.at(-1)")) - float((place / "start").read_text())


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
    main(pixels, against_lab, resize, loop)
