"""The numbers of the pane in headless Chromium: loading, a long history, going through it, searching, a slow pane.

    python tests/bench/pane.py            all
    python tests/bench/pane.py flick      only those whose name contains the word

Each line says what was measured, the figure, and the bar it must stay below. Chromium is the one that is installed; it
draws without a GPU.
"""

import gzip
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bridge import PROBE, child, latencies, own_hub, percentile, png, say
from chromium import page

import ipyweb
from ipyweb import connection
from ipyweb.browser import link

MANY = 10_000
FLICKED = 500
TYPED = "residuals of epoch 77"

STAMPS = """() => {
    window.pressed = 0;
    window.painted = {};
    addEventListener("keydown", () => (window.pressed = performance.timeOrigin + performance.now()), true);
    let last = "";
    const look = () => {
        const shown = document.querySelector("[data-testid=stage] [data-output-id][data-state=ready]");
        if (!shown || shown.dataset.outputId === last) return;
        const id = (last = shown.dataset.outputId);
        requestAnimationFrame(() => requestAnimationFrame(() =>
            window.painted[id] ??= performance.timeOrigin + performance.now()));
    };
    new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true});
}"""
"""Stamps key presses, and when what they show has been on the screen for a frame."""

CONNECTED = """
    new MutationObserver(() => {
        if (document.querySelector("[data-status=connected]")) window.connected ??= performance.now();
    }).observe(document, {subtree: true, childList: true, attributes: true});
"""
"""Stamps when the pane is connected: it does whatever is pressed."""

BEATS = """
    if (parent !== window) {
        window.beats = [];
        const beat = () => {
            window.beats.push(performance.timeOrigin + performance.now());
            if (window.beats.length > 600) window.beats.shift();
            requestAnimationFrame(beat);
        };
        requestAnimationFrame(beat);
    }
"""
"""Stamps every frame of the screen in which an output's frame was drawn; out of sight it is not."""


def opened(shown: Any, hub: connection.Connection) -> None:
    """Open the pane and wait until it is connected."""
    shown.goto(link(hub))
    shown.wait_for_selector("[data-status=connected]")


def ready(shown: Any, output: int) -> None:
    """Wait until an output is shown."""
    shown.wait_for_selector(f"[data-testid=stage] [data-output-id='{output}'][data-state=ready]", timeout=60_000)


def first_load() -> None:
    """An empty hub: the bytes of JavaScript before the pane is connected, and the time until it is."""
    took, sizes = [], []
    with own_hub() as hub, page() as first:
        for _ in range(9):
            shown = first.context.browser.new_page()  # a profile of its own, with nothing cached
            scripts: list[Any] = []
            shown.on("response", lambda each, to=scripts: to.append(each) if ".js" in each.url else None)
            shown.add_init_script(CONNECTED)
            opened(shown, hub)
            took.append(shown.evaluate("window.connected"))
            sizes.append(sum(len(gzip.compress(each.body(), 9)) for each in scripts))
            assert all(each.header_value("content-encoding") == "gzip" for each in scripts)
            shown.close()
    say("first load: JavaScript on the critical path, gzip", sizes[0] / 1e3, "kB", 120)
    say("first load: from the address to connected, median", statistics.median(took), "ms", 400)


FOUND = """() => {
    window.listed = [];
    window.found = [];
    let typed = 0;
    const soon = requestAnimationFrame;
    const into = (times) => soon(() => soon(() => times.push(performance.now() - typed)));
    addEventListener("input", () => {
        typed = performance.now();
        into(window.listed);
    }, true);
    new PerformanceObserver((list) => {
        if (list.getEntries().some(({ name }) => /[?&]q=/.test(name))) into(window.found);
    }).observe({ type: "resource" });
}"""
"""Milliseconds from each keystroke until the list has changed, and until it has what only the hub could find."""

FILL = f"""
    import json, sys, ipyweb
    sys.path.insert(0, sys.argv[1]); from bridge import png
    for i in range(int(sys.argv[2])):
        size = (90, 74) if i > {MANY - FLICKED - 100} else (24, 24)
        words = f"residuals of epoch {{i}} by model {{i * 7919 % 97}}"
        ipyweb.display({{"image/png": png(*size), "text/plain": words}}, raw=True, title=f"Step {{i}}")
        if i % 500 == 0: ipyweb.flush(60)
    print(json.dumps(ipyweb.flush(60)))
"""


def fill(count: int) -> None:
    """Show pictures, the newest of 20 kB."""
    assert child(FILL, str(Path(__file__).parent), str(count))


def history() -> None:
    """10,000 outputs: opening, scrolling, flicking, searching, and what one more costs."""
    costs = {}
    for count in (10, MANY):
        with own_hub() as hub:
            fill(count)
            costs[count] = cost(hub)
            if count == MANY:
                opening(hub)
                scrolling(hub)
                flicking(hub)
                typing(hub)
    for what, unit in (("events", ""), ("requests", ""), ("bytes", "B")):
        few, many = (costs[count][what] for count in (10, MANY))
        say(f"a new output among {MANY:,}: {what}, and with 10: {few:g}", many, unit, 1.05 * few)


def newest_of(hub: connection.Connection) -> int:
    (record,) = connection.request(hub, "GET", "api/outputs?limit=1").json()["outputs"]
    return int(record["id"])


def opening(hub: connection.Connection) -> None:
    """From the address to the newest output."""
    took = []
    newest = newest_of(hub)
    for _ in range(5):
        with page() as shown:
            start = time.perf_counter()
            shown.goto(link(hub))
            ready(shown, newest)
            took.append(time.perf_counter() - start)
    say(f"{MANY:,} outputs: from the address to the newest painted, median", statistics.median(took), "s", 1)


def whole(shown: Any) -> None:
    """Wait until all outputs are listed."""
    shown.wait_for_function("() => !document.querySelector('.position').innerText.endsWith('…')", timeout=60_000)
    shown.wait_for_timeout(1000)


def scrolling(hub: connection.Connection) -> None:
    """Frames of the screen in a second, while the filmstrip is scrolled by half of its height in each."""
    with page() as shown:
        opened(shown, hub)
        whole(shown)
        intervals = shown.evaluate(
            """() => new Promise((resolve) => {
                const strip = document.querySelector("[data-testid=filmstrip]");
                const seen = [];
                let before = performance.now();
                const end = before + 4000;
                const step = (now) => {
                    seen.push(now - before);
                    before = now;
                    strip.scrollTop -= strip.clientHeight / 2;
                    if (now < end) requestAnimationFrame(step); else resolve(seen.slice(2));
                };
                requestAnimationFrame(step);
            })"""
        )
    say("filmstrip: frames a second, least 50", len(intervals) / (sum(intervals) / 1e3), "fps")
    say("filmstrip: longest frame but one in a hundred", percentile(intervals, 0.99), "ms")


def heap(shown: Any) -> float:
    """Megabytes of JavaScript objects of the page."""
    session = shown.context.new_cdp_session(shown)
    session.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"]) / 1e6


def flicking(hub: connection.Connection) -> None:
    """Through 500 outputs by a key that repeats 30 times a second."""
    with page() as shown:
        opened(shown, hub)
        whole(shown)
        shown.evaluate(STAMPS)
        newest = newest_of(hub)
        start = time.perf_counter()
        for number in range(FLICKED):
            shown.keyboard.down("ArrowLeft")
            shown.wait_for_timeout(max(0.0, 1e3 * (start + number / 30 - time.perf_counter())))
        ready(shown, newest - FLICKED)
        took = time.perf_counter() - start
        shown.keyboard.up("ArrowLeft")
        seen = shown.evaluate("Object.keys(window.painted).length")
        say(f"key held down for {FLICKED}: outputs painted a second, least 20", seen / took, "/s")
        say("heap of the page after it", heap(shown), "MB", 150)


def typing(hub: connection.Connection) -> None:
    """From a keystroke in the search field to what was found."""
    with page() as shown:
        opened(shown, hub)
        whole(shown)
        shown.keyboard.press("/")
        shown.evaluate(FOUND)
        for number, letter in enumerate(TYPED, 1):
            shown.keyboard.type(letter)
            shown.wait_for_function("n => window.found.length >= n", arg=number if number < 3 else 1)
            shown.wait_for_timeout(250)
        listed, found = shown.evaluate("[window.listed, window.found]")
    say(f"search over {MANY:,}: from a keystroke to the list, median", statistics.median(listed), "ms", 100)
    say("search: the slowest keystroke", max(listed), "ms")
    say("search: until it has what only the hub could find, median", statistics.median(found), "ms", 100)


def cost(hub: connection.Connection) -> dict[str, float]:
    """Events, requests and bytes that one more output costs a pane, the mean of ten."""
    counted = {"events": 0.0, "requests": 0.0, "bytes": 0.0}
    with page() as shown:
        opened(shown, hub)
        shown.wait_for_timeout(4000)
        session = shown.context.new_cdp_session(shown)
        session.send("Network.enable")

        def heard(what: str, size: float) -> None:
            counted[what] += 1
            counted["bytes"] += size

        session.on("Network.webSocketFrameReceived", lambda each: heard("events", len(each["response"]["payloadData"])))
        session.on("Network.loadingFinished", lambda each: heard("requests", each["encodedDataLength"]))
        random_pictures = [png(90, 74) for _ in range(10)]
        for picture in random_pictures:
            ready(shown, ipyweb.display({"image/png": picture}, raw=True).id or 0)
            shown.wait_for_timeout(400)
    return {name: value / 10 for name, value in counted.items()}


def images(number: int) -> dict[str, Any]:
    return {"image/png": png(600, 400)}


def plotly(number: int) -> dict[str, Any]:
    x = list(range(1000))
    data = [{"type": "scatter", "mode": "markers", "x": x, "y": [(each * (number + 3)) % 97 for each in x]}]
    return {"application/vnd.plotly.v1+json": {"data": data, "layout": {"title": {"text": f"Plot {number}"}}}}


def vega(number: int) -> dict[str, Any]:
    values = [{"x": each, "y": (each * (number + 3)) % 97} for each in range(1000)]
    fields = {name: {"field": name, "type": "quantitative"} for name in "xy"}
    spec = {"mark": "point", "width": 600, "height": 400, "data": {"values": values}, "encoding": fields}
    return {"application/vnd.vegalite.v6+json": {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", **spec}}


PACES = {"one in 2.5 s": [2500] * 8, "three, 0.9 s apart": [900, 900, 4000] * 4}
"""Milliseconds after each key press."""


def flick() -> None:
    """From a key press to the pixels of the next output, and of the one before."""
    for make, bar in ((images, 50), (plotly, 150), (vega, 150)):
        with own_hub() as hub:
            ids = [ipyweb.display(make(number), raw=True).id or 0 for number in range(16)]
            for pace, pauses in PACES.items():
                took = sorted(pressing(hub, ids, pauses))
                say(f"{make.__name__}, {pace}: key to pixels, median", statistics.median(took), "ms", bar)
                say(f"{make.__name__}, {pace}: the slowest", took[-1], "ms")


def pressing(hub: connection.Connection, ids: list[int], pauses: list[int]) -> Iterator[float]:
    """Go back, and at half of the way on again; milliseconds from each key to pixels."""
    with page() as shown:
        shown.add_init_script(BEATS)
        opened(shown, hub)
        ready(shown, ids[-1])
        shown.evaluate(STAMPS)
        shown.wait_for_timeout(6000)
        at = len(ids) - 1
        for number, pause in enumerate(pauses):
            back = number < len(pauses) / 2
            at += -1 if back else 1
            shown.evaluate("id => delete window.painted[id]", str(ids[at]))
            shown.keyboard.press("ArrowLeft" if back else "ArrowRight")
            shown.wait_for_function("id => window.painted[id] > 0", arg=str(ids[at]), timeout=60_000)
            begun, painted = shown.evaluate("id => [window.pressed, window.painted[id]]", str(ids[at]))
            yield max(painted, in_frame(shown, begun)) - begun
            spent = 1e3 * time.time() - begun
            shown.wait_for_timeout(max(0.0, pause - spent))


def in_frame(shown: Any, begun: float) -> float:
    """When the frame on the stage, if there is one, had been on the screen for a frame."""
    element = shown.query_selector("[data-testid=stage] .layer:not(.coming) > iframe")
    if element is None:
        return 0.0
    element.content_frame().wait_for_function(
        "begun => window.beats.filter((each) => each > begun).length > 1", arg=begun
    )
    return float(element.content_frame().evaluate("begun => window.beats.filter((each) => each > begun)[1]", begun))


def slow_pane() -> None:
    """Two panes, of which one has a line of 1 kB/s: from the call to pixels at the other."""
    with own_hub() as hub, page() as shown:
        shown.add_init_script(PROBE)
        opened(shown, hub)
        alone = statistics.median(latencies(shown))
        with second(shown, hub):
            beside = statistics.median(latencies(shown))
    say("call to pixels, 20 kB: alone", alone, "ms")
    say("call to pixels, 20 kB: beside a pane at 1 kB/s", beside, "ms", 1.25 * alone + 2)


@contextmanager
def second(shown: Any, hub: connection.Connection) -> Iterator[None]:
    """A pane beside, slow once it is open."""
    other = shown.context.browser.new_page()
    opened(other, hub)
    session = other.context.new_cdp_session(other)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 50, "downloadThroughput": 1000, "uploadThroughput": 1000}
    session.send("Network.emulateNetworkConditions", slow)
    yield
    other.close()


def main() -> None:
    """Run the benchmarks that the command line names."""
    for each in (first_load, history, flick, slow_pane):
        if all(word in each.__name__ for word in sys.argv[1:]):
            print(f"-- {each.__doc__}", flush=True)
            each()


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed ipyweb is compiled
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CONFIG_HOME"] = home
        main()
