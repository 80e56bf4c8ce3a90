"""The numbers of figures: the caller's time, a short script, many figures, and drawing anew.

    python tests/bench/figures.py            all
    python tests/bench/figures.py caller     only those whose name contains the word

Ratios are taken within one process or one run. Directories and hub are its own.
"""

import compileall
import contextlib
import io
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

PACKAGE = Path(__file__).parents[2] / "ipyweb"
RANDOM = np.random.default_rng(0)


def line() -> Figure:
    figure, axes = plt.subplots()
    axes.plot(np.sin(np.arange(1000) / 50))
    return figure


def scatter() -> Figure:
    figure, axes = plt.subplots()
    axes.scatter(*RANDOM.random((2, 100_000)), s=2)
    return figure


def image() -> Figure:
    figure, axes = plt.subplots()
    axes.imshow(RANDOM.random((1000, 1000)))
    return figure


def grid() -> Figure:
    figure, grid = plt.subplots(4, 4)
    for axes in grid.flat:
        axes.scatter(*RANDOM.random((2, 50)))
    return figure


BARS = {line: 0.20, scatter: 0.12, image: 0.10, grid: 0.45}


def say(what: str, value: float, unit: str = "", bar: float | None = None) -> None:
    """Print one figure beside its bar."""
    limit = "" if bar is None else f"   bar {bar:g} {unit}   {'ok' if value <= bar else 'ABOVE'}"
    print(f"{what:60s} {value:10.2f} {unit:6s}{limit}", flush=True)


def median(function: Callable[[], object], times: int = 15) -> float:
    """Milliseconds."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        took.append(1e3 * (time.perf_counter() - start))
    return statistics.median(took)


def medians(functions: dict[str, Callable[[], object]], times: int = 15) -> dict[str, float]:
    """Milliseconds, taken in turns, so that whatever else this machine does hits all alike."""
    took: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(times):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            took[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(each) for name, each in took.items()}


def caller() -> None:
    """Time of `display(figure)` in the caller, over `pickle.dumps` and over `savefig`."""
    import ipyweb

    ipyweb.display(line())
    time.sleep(2)
    for make, bar in BARS.items():
        figure = make()
        figure.savefig(io.BytesIO(), format="png")
        took = medians(
            {
                "pickled": lambda f=figure: pickle.dumps(f, 5),  # type: ignore[misc]
                "shown": lambda f=figure: ipyweb.display(f),  # type: ignore[misc]
                "saved": lambda f=figure: f.savefig(io.BytesIO(), format="png"),  # type: ignore[misc]
            }
        )
        pickled, shown, saved = took["pickled"], took["shown"], took["saved"]
        say(f"display({make.__name__})", shown, "ms", 1.2 * pickled + 0.3)
        say(f"display({make.__name__}) / savefig", shown / saved, "", bar)
        plt.close(figure)


def short_script() -> None:
    """A script with one line plot that ends, over the same with `savefig`; no hub and no keeper running."""
    plot = "import matplotlib.pyplot as plt; f, a = plt.subplots(); a.plot([1, 3, 2]); "
    ratios = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as directory, own(directory):
            took = [run(plot + f"f.savefig('{directory}/x.png')"), run(plot + "import ipyweb; ipyweb.display(f)")]
            stop()
        ratios.append(took[1] / took[0])
    say("short script, over the same with savefig", statistics.median(ratios), "", 1.5)


def many() -> None:
    """1,000 figures in a loop: memory of the producer, and every output has its picture."""
    code = """
import resource, sys, ipyweb, matplotlib.pyplot as plt, json
def rss(): return int(open('/proc/self/statm').read().split()[1]) * 4096 / 1e6
for n in range(20):
    f, a = plt.subplots(); a.plot([n, 1]); ipyweb.display(f); plt.close(f)
before = rss()
for n in range(1000):
    f, a = plt.subplots(); a.plot([n, 1]); ipyweb.display(f); plt.close(f)
print(json.dumps(rss() - before)); ipyweb.flush(60)
"""
    from ipyweb import connection

    hub = connection.start()
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    say("1,000 figures: growth of the producer", json.loads(done.stdout), "MB", 50)
    while True:
        state = connection.request(hub, "GET", "api/outputs?limit=1000").json()["outputs"]
        missing = sum("image/png" not in each["mimetypes"] for each in state)
        if not missing or time.perf_counter() - start > 300:
            break
        time.sleep(0.5)
    say("1,000 figures: without picture", missing, "", 0)
    say("1,000 figures: all drawn after", time.perf_counter() - start, "s")


def anew() -> None:
    """A size asked of the hub, over `savefig`."""
    import ipyweb

    for make in BARS:
        figure = make()
        output = ipyweb.display(figure)
        output.data("image/png", width=500)
        widths = iter(range(600, 700))
        drawn = median(lambda o=output, w=widths: o.data("image/png", width=next(w), height=480), 9)
        saved = median(lambda f=figure: f.savefig(io.BytesIO(), format="png"), 7)
        say(f"{make.__name__} drawn anew, beyond savefig", drawn - saved, "ms", 60)
        plt.close(figure)


def run(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


@contextlib.contextmanager
def own(directory: str):  # type: ignore[no-untyped-def]
    """Directories of this run's own."""
    before = dict(os.environ)
    for name, place in (("IPYWEB_RUNTIME_DIR", "run"), ("IPYWEB_DATA_DIR", "data")):
        os.environ[name] = str(Path(directory, place))
    os.environ.update(IPYWEB_BROWSER="none", IPYWEB_REPORT="0")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def stop() -> None:
    """End hub and keeper of these directories."""
    from ipyweb import connection
    from ipyweb.figures import channel
    from ipyweb.session.figures import environment

    with contextlib.suppress(Exception):
        channel.send(channel.dial(environment()), {"type": "stop"})
    hub = connection.find()
    if hub is not None:
        connection.request(hub, "POST", "api/stop", {})
        with contextlib.suppress(OSError):
            while os.kill(hub.pid, 0) is None:
                time.sleep(0.02)


def main(*benches: Callable[[], None]) -> None:
    """Run those of the benchmarks that the command line names, each in directories of its own."""
    compileall.compile_dir(PACKAGE, quiet=2)  # as what is installed is, whatever PYTHONDONTWRITEBYTECODE says
    for bench in benches:
        if all(word in bench.__name__ for word in sys.argv[1:]):
            with tempfile.TemporaryDirectory() as directory, own(directory):
                try:
                    bench()
                finally:
                    stop()


if __name__ == "__main__":
    main(caller, short_script, many, anew)
    os._exit(0)
