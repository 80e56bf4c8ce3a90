"""The numbers of widgets: from a key to a callback and back, here and in JupyterLab; a live figure, much data, rest.

    python tests/bench/widgets.py            all
    python tests/bench/widgets.py drag       only those whose name contains the word

Directories and hub are its own. `against_lab` needs JupyterLab, in this environment or in PATH.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
from chromium import held, page, to_and_fro
from figures import main, say
from lab import find, notebook

SETUP = """
import time, json, ipywidgets as w
called = []
slider, label = w.IntSlider(0, max=1000, description="n"), w.Label("-1")
def moved(change):
    called.append(time.time())
    label.value = str(change.new)
slider.observe(moved, "value")
w.VBox([slider, label])
"""
PROBE = """() => {
    const label = [...document.querySelectorAll(".widget-label")].find((each) => each.textContent === "-1");
    const now = () => performance.timeOrigin + performance.now();
    window.pressed = []; window.seen = [];
    addEventListener("keydown", () => window.pressed.push(now()), true);
    const changes = {characterData: true, childList: true, subtree: true};
    new MutationObserver(() => window.seen.push([Number(label.textContent), now()])).observe(label, changes);
}"""
FIGURE = """
import ipyweb, matplotlib
matplotlib.use("ipympl")
import matplotlib.pyplot as plt, numpy as np
figure, axes = plt.subplots(figsize=(8, 6), dpi=100)
x = np.linspace(0, 100, 1000)
axes.plot(x, np.sin(x))
figure.canvas.header_visible = figure.canvas.footer_visible = False
figure.canvas.toolbar.pan()
ipyweb.display(figure.canvas)
ipyweb.wait()
"""
PICTURES = """() => {
    window.shown = 0;
    let asked = false;
    const ask = () => requestAnimationFrame(() => {
        window.shown++;
        asked = false;
    });
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (source, ...values) {
        if (source instanceof HTMLImageElement && !asked) asked = ask() > 0;
        return draw.call(this, source, ...values);
    };
}"""
"""Counts the frames of the screen that have a new picture on the canvas."""
BYTES = """
import sys, time, json, anywidget, traitlets, ipyweb
class Blob(anywidget.AnyWidget):
    _esm = "export default {}"
    data = traitlets.Bytes(b"").tag(sync=True)
blob = Blob()
blocks = [bytes([n]) * 10**6 for n in range(30)]
def loop(show):
    end, count = time.monotonic() + 15, 0
    while time.monotonic() < end:
        if show:
            blob.data = blocks[count % 30]
        else:
            blocks[count % 30]
        count += 1
        time.sleep(1 / 30)
    return count
without = loop(False)
ipyweb.display(blob)
ipyweb.flush(10); time.sleep(1)
print(json.dumps([without, loop(True)]))
"""
COPIES = """
import ipyweb, plotly.graph_objects as go
kept = [go.FigureWidget() for _ in range(50)]
ipyweb.display(kept[0]); ipyweb.flush(10); ipyweb.wait(5)
print(sum(map(len, ipyweb.session.wire.wire()._texts.values())), len(kept[0]._esm))
"""


@contextmanager
def ipython() -> Iterator[Any]:
    """IPython on a terminal, with the extension."""
    process = pexpect.spawn(sys.executable, ["-m", "IPython", "--no-banner"], encoding="utf-8", timeout=60)
    process.delaybeforesend = None
    process.expect_exact("\x1b[?2004h")
    cell(process, "%load_ext ipyweb")
    yield process
    process.close(force=True)


def cell(process: Any, code: str) -> str:
    """Run a cell; what it printed."""
    process.send(f"\x1b[200~{code}\x1b[201~\x1b\r")
    process.expect_exact("\x1b[?2004l")
    process.expect_exact("\x1b[?2004h")
    return str(process.before)


def drag() -> None:
    """A slider moved by keys: from the key to the observer in IPython, and back to the label."""
    with ipython() as process, page() as shown:
        cell(process, SETUP)
        frame = stage(shown)
        press(probed(frame), 60)
        said = Path(os.environ["IPYWEB_DATA_DIR"]) / "called.json"
        cell(process, f"_ = open({str(said)!r}, 'w').write(json.dumps(called))")
        while not said.exists():  # notices above the prompt look like the end of a cell
            time.sleep(0.1)
        called = [1e3 * each for each in json.loads(said.read_text())]
        pressed = frame.evaluate("window.pressed")
        count = min(len(pressed), len(called))
        there = [b - a for a, b in zip(pressed[-count:], called[-count:], strict=True)]
        say("slider: from the key to the observer in IPython, median", statistics.median(there), "ms", 10)
        say("slider: and back to the view, median", statistics.median(trips(frame)), "ms", 20)


def against_lab() -> None:
    """The same slider in a notebook in JupyterLab, in turns with ours, so that both have the same machine."""
    program = find()
    if program is None:
        return
    with ipython() as process, page() as ours, beside(ours) as theirs, notebook(program, theirs, SETUP):
        cell(process, SETUP)
        places = (ours, stage(ours)), (theirs, theirs)
        handles = [(tab, probed(frame)) for tab, frame in places]
        for _ in range(4):
            for tab, handle in handles:
                tab.bring_to_front()
                press(handle, 20)
        pane, lab = (trips(frame) for _, frame in places)
        for name, took in {"the pane": pane, "JupyterLab": lab}.items():
            say(f"slider: round trip in {name}, median", statistics.median(took), "ms")
            say(f"slider: round trip in {name}, shortest", min(took), "ms")
        ratio = statistics.median(pane) / statistics.median(lab)
        say("slider: the pane's median over JupyterLab's", ratio, "", 0.7)


def stage(shown: Any) -> Any:
    """Open the pane in a page; the frame of the output that it shows."""
    from ipyweb import connection
    from ipyweb.browser import link

    while (hub := connection.find()) is None:
        time.sleep(0.1)
    shown.goto(link(hub))
    return shown.wait_for_selector("[data-testid=stage] iframe").content_frame()


@contextmanager
def beside(shown: Any) -> Iterator[Any]:
    """Another page of the same browser."""
    other = shown.context.browser.new_page(viewport=shown.viewport_size)
    yield other
    other.close()


def probed(frame: Any) -> Any:
    """The slider's handle, in a frame that henceforth notes when a key comes and when the label changes."""
    handle = frame.wait_for_selector(".noUi-handle")
    frame.evaluate(PROBE)
    return handle


def press(handle: Any, times: int) -> None:
    """Move a slider by keys, and wait until it is at rest."""
    handle.focus()
    for _ in range(times):
        handle.press("ArrowRight")
        time.sleep(0.05)
    time.sleep(1)


def trips(frame: Any) -> list[float]:
    """Milliseconds from each key to the label that says it, or a later one."""
    pressed, seen = frame.evaluate("[window.pressed, window.seen]")
    return [
        next((at for value, at in seen if value >= number), math.inf) - start
        for number, start in enumerate(pressed, start=1)
    ]


def live() -> None:
    """A line of 1,000 points in ipympl's canvas, 800 by 600 pixels, panned by the mouse: pictures a second."""
    script = subprocess.Popen([sys.executable, "-c", FIGURE])
    try:
        with page() as shown:
            frame = stage(shown)
            canvas = frame.wait_for_selector("canvas:last-of-type")
            shown.wait_for_timeout(2000)
            frame.evaluate(PICTURES)
            say("ipympl panned: pictures a second, least 20", panned(shown, frame, canvas.bounding_box()), "/s")
    finally:
        script.terminate()
        script.wait()


def panned(shown: Any, frame: Any, box: dict[str, float], seconds: float = 5.0) -> float:
    """Pictures a second while the mouse goes to and fro on a canvas with its button held."""
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    with held(shown, x, y):
        before = frame.evaluate("window.shown")
        took = to_and_fro(shown, x, y, seconds)
        return float((frame.evaluate("window.shown") - before) / took)


def idle() -> None:
    """What an idle prompt with the hook takes of a processor."""
    with ipython() as process:
        cell(process, SETUP)
        time.sleep(2)
        before = seconds(process.pid)
        time.sleep(10)
        say("idle prompt with the hook: processor", 10 * (seconds(process.pid) - before), "%", 1)


def seconds(pid: int) -> float:
    """Processor seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def megabytes() -> None:
    """A trait of 1 MB, 30 times a second: the speed of the loop that sets it."""
    without, showing = json.loads(run(BYTES))
    say("1 MB trait, 30/s: speed of the loop over that without, least 0.95", showing / without)


def copies() -> None:
    """50 plotly widgets, each with the same 5 MB: bytes that are sent and kept."""
    held, one = map(int, run(COPIES).split())
    say("50 FigureWidgets: long texts sent, over one copy", held / one, "", 1.2)


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main(drag, against_lab, live, idle, megabytes, copies)
