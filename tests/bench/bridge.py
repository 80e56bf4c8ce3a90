"""The numbers of the bridge, from a display call to bytes, pixels and a full history.

    python tests/bench/bridge.py            all
    python tests/bench/bridge.py caller     only those whose name contains the word

Each line says what was measured, the figure, and the bar it must stay below. Machines are noisy: compare ratios of one
run, and quote medians. Everything runs on loopback with directories of its own.
"""

import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chromium import page

BENCHES: list[Callable[[], None]] = []


def bench(function: Callable[[], None]) -> Callable[[], None]:
    """Register a benchmark under its name."""
    BENCHES.append(function)
    return function


def say(what: str, value: float, unit: str, bar: float | None = None) -> None:
    """Print one figure beside its bar."""
    limit = "" if bar is None else f"   bar {bar:g} {unit}   {'ok' if value <= bar else 'ABOVE'}"
    print(f"{what:64s} {value:10.2f} {unit:8s}{limit}", flush=True)


def child(code: str, *args: str, **environ: str) -> Any:
    """Run a Python program; what it prints last is JSON."""
    command = [sys.executable, "-c", textwrap.dedent(code), *args]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environ}, timeout=600)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


@contextlib.contextmanager
def own_hub() -> Iterator[Any]:
    """A hub with directories of its own."""
    from ipyweb import connection

    with tempfile.TemporaryDirectory() as directory:
        names = {"IPYWEB_RUNTIME_DIR": "run", "IPYWEB_DATA_DIR": "data"}
        os.environ.update({name: str(Path(directory, each)) for name, each in names.items()})
        os.environ.update(IPYWEB_BROWSER="none", IPYWEB_REPORT="0")
        hub = connection.start()
        try:
            yield hub
        finally:
            connection.request(hub, "POST", "api/stop", {})
            with contextlib.suppress(OSError):
                while os.kill(hub.pid, 0) is None:
                    time.sleep(0.02)


def memory(pid: int) -> float:
    """Resident memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@bench
def imports() -> None:
    """`import ipyweb` and `%load_ext ipyweb`."""
    code = """
        import sys, time
        before = len(sys.modules); start = time.perf_counter()
        import ipyweb
        print([time.perf_counter() - start, len(sys.modules) - before])
    """
    runs = [child(code) for _ in range(9)]
    say("import ipyweb: modules", max(each[1] for each in runs), "", 10)
    say("import ipyweb: time, median", 1e3 * statistics.median(each[0] for each in runs), "ms", 5)
    code = """
        import sys, time, json
        from IPython.terminal.interactiveshell import TerminalInteractiveShell
        from traitlets.config import Config
        config = Config(); config.HistoryManager.enabled = False
        shell = TerminalInteractiveShell.instance(config=config)
        shell.run_cell("1"); shell.run_line_magic("load_ext", "autoreload")
        start = time.perf_counter(); shell.run_line_magic("load_ext", "ipyweb"); took = time.perf_counter() - start
        heavy = [m for m in ("tornado", "websockets", "matplotlib", "matplotlib_inline", "plotly", "altair", "numpy")
                 if m in sys.modules]
        print(json.dumps([took, heavy]))
    """
    runs = [child(code) for _ in range(9)]
    say("%load_ext ipyweb in a warm IPython, median", 1e3 * statistics.median(each[0] for each in runs), "ms", 15)
    say("%load_ext ipyweb: heavy modules loaded", len(runs[0][1]), "", 0)


CALLER = """
    import json, os, sys, time, ipyweb
    n = int(sys.argv[1])
    def bundle(i): return {"image/png": i.to_bytes(8, "big") * 2500, "text/plain": str(i)}
    ipyweb.display(bundle(0), raw=True)
    if sys.argv[2] == "hub": ipyweb.flush(10)
    else: time.sleep(2)
    took = []
    for i in range(1, n):
        ready = bundle(i)
        start = time.perf_counter(); ipyweb.display(ready, raw=True); took.append(time.perf_counter() - start)
        time.sleep(0.001)
    print(json.dumps(took), flush=True)
    ipyweb.flush(10) if sys.argv[2] == "hub" else os._exit(0)
"""


@bench
def caller() -> None:
    """Time that `display()` takes in the caller."""
    with own_hub():
        took = child(CALLER, "1000", "hub")
    say("display() of a 20 kB bundle, median", 1e3 * statistics.median(took), "ms", 0.3)
    say("display() of a 20 kB bundle, p99", 1e3 * percentile(took, 0.99), "ms", 2)
    with tempfile.TemporaryDirectory() as directory:
        token = Path(directory, "token")
        token.touch(mode=0o600)
        token.write_text("0" * 64)
        took = child(CALLER, "1000", "none", IPYWEB_HUB="http://127.0.0.1:9", IPYWEB_TOKEN_FILE=str(token))
    say("the same with no hub reachable, median", 1e3 * statistics.median(took), "ms", 0.3)
    say("the same with no hub reachable, p99", 1e3 * percentile(took, 0.99), "ms", 2)


LISTENER = """
    import json, os, sys, time, urllib.request
    from websockets.sync.client import connect
    from ipyweb import connection
    hub = connection.find(); token = hub.token_for("pane")
    def get(path):
        request = urllib.request.Request(f"{hub.url}/{path}", headers={"Authorization": "Bearer " + token})
        return urllib.request.urlopen(request).read()
    since = json.loads(get("api/outputs"))["event"]
    with connect("ws" + hub.url[4:] + "/ws/pane", additional_headers={"X-Ipyweb-Token": token}, proxy=None) as socket:
        socket.send(json.dumps({"type": "subscribe", "since": since}))
        print("ready", flush=True)
        for frame in socket:
            for output in json.loads(frame).get("outputs", ()):
                if "image/png" in output["data"]:
                    get(output["data"]["image/png"]["url"])
                    print(output["title"], time.time(), flush=True)
"""


@bench
def second_process() -> None:
    """From the call to the bytes at another process that listens on /ws/pane."""
    with own_hub():
        listener = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(LISTENER)], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
        )
        assert listener.stdout is not None
        listener.stdout.readline()
        code = """
            import ipyweb, json, time
            ipyweb.display({"text/plain": "warm"}, raw=True).wait()
            calls = {}
            for i in range(60):
                bundle = {"image/png": i.to_bytes(8, "big") * 2500, "text/plain": str(i)}
                calls[i] = time.time(); ipyweb.display(bundle, raw=True, title=str(i)); time.sleep(0.05)
            ipyweb.flush()
            print(json.dumps(calls))
        """
        calls = child(code)
        arrived: dict[str, str] = {}
        while arrived.keys() < calls.keys():  # an output comes again when git has told of changes
            title, at = listener.stdout.readline().split()
            arrived.setdefault(title, at)
        listener.kill()
        listener.wait()
    took = [1e3 * (float(arrived[i]) - at) for i, at in calls.items()][10:]
    say("call to bytes at a second process, median", statistics.median(took), "ms", 10)
    say("call to bytes at a second process, p90", percentile(took, 0.9), "ms")


PROBE = """
    let last = "";
    const look = () => {
        const shown = document.querySelector("[data-testid=stage] [data-output-id][data-state=ready]");
        const image = shown?.querySelector("img");
        if (!image?.complete || shown.dataset.outputId === last) return;
        last = shown.dataset.outputId;
        requestAnimationFrame(() => requestAnimationFrame(() =>
            console.debug("PAINTED " + last + " " + (performance.timeOrigin + performance.now()))));
    };
    new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true});
    document.addEventListener("load", look, true);
"""


def png(width: int, height: int) -> bytes:
    """A picture of noise, about 3 bytes a pixel."""
    import struct
    import zlib

    rows = b"".join(b"\0" + random.randbytes(3 * width) for _ in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def latencies(shown: Any) -> list[float]:
    """Milliseconds from the call to pixels in a pane that was opened with `PROBE`, for ready PNGs of 20 kB."""
    import ipyweb

    painted: dict[int, float] = {}

    def heard(message: Any) -> None:
        if message.text.startswith("PAINTED"):
            painted[int(message.text.split()[1])] = float(message.text.split()[2])

    shown.on("console", heard)
    took = []
    for _ in range(25):
        picture = png(90, 74)
        shown.wait_for_timeout(150)
        start = time.time()
        output = ipyweb.display({"image/png": picture}, raw=True)
        shown.wait_for_timeout(150)
        took.append(painted.get(output.id or 0, float("inf")) - 1e3 * start)
    shown.remove_listener("console", heard)
    return took[5:]


@bench
def pixels() -> None:
    """From the call to pixels in headless Chromium, for a ready 20 kB PNG."""
    from ipyweb.browser import link

    with own_hub() as hub, page() as shown:
        shown.add_init_script(PROBE)
        shown.goto(link(hub))
        took = latencies(shown)
    say("call to pixels, 20 kB PNG, median", statistics.median(took), "ms", 60)
    say("call to pixels, p90", percentile(took, 0.9), "ms")


BURST = """
    import ipyweb, json, sys, time
    n = int(sys.argv[1])
    bundles = [{"image/png": i.to_bytes(8, "big") * 2500, "text/plain": str(i)} for i in range(n)]
    ipyweb.display({"text/plain": "warm"}, raw=True).wait()
    start = time.perf_counter()
    for bundle in bundles: ipyweb.display(bundle, raw=True)
    looped = time.perf_counter(); ok = ipyweb.flush(60)
    print(json.dumps([looped - start, time.perf_counter() - looped, ok]))
"""


@bench
def burst() -> None:
    """2,000 displays of 20 kB as fast as the script can."""
    waits = []
    for _ in range(3):
        with own_hub() as hub:
            loop, wait, ok = child(BURST, "2000")
            assert ok
            waits.append(wait)
            resident = memory(hub.pid)
    say("2,000 displays of 20 kB: the loop itself", loop, "s")
    say("all acknowledged after the loop, median of 3", statistics.median(waits), "s", 0.6)
    say("hub memory after it", resident, "MB", 120)


@bench
def history() -> None:
    """10,000 outputs stored."""
    from ipyweb.browser import link

    with own_hub() as hub:
        code = """
            import json, random, sys, ipyweb
            sys.path.insert(0, sys.argv[1]); from bridge import png
            for i in range(10_000):
                ipyweb.display({"image/png": png(24, 24), "text/plain": f"picture {i}"}, raw=True, title=f"Step {i}")
                if i % 500 == 0: ipyweb.flush(60)
            print(json.dumps(ipyweb.flush(60)))
        """
        assert child(code, str(Path(__file__).parent))
        say("10,000 outputs stored: hub memory", memory(hub.pid), "MB", 150)
        command = [sys.executable, "-m", "ipyweb", "list", "--json", "--all"]
        took = []
        for _ in range(5):
            start = time.perf_counter()
            listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            took.append(time.perf_counter() - start)
        assert len(listed) == 10_000, len(listed)
        say("list --json --all with Python's start, median", statistics.median(took), "s", 0.7)
        newest = listed[-1]["id"]
        usable = []
        for _ in range(5):
            with page() as shown:
                start = time.perf_counter()
                shown.goto(link(hub))
                shown.wait_for_selector(f"[data-output-id='{newest}'][data-state=ready]", timeout=30_000)
                strip = shown.locator("[data-testid=filmstrip]")
                before = strip.inner_text()
                strip.hover()
                shown.mouse.wheel(0, -20_000)
                shown.wait_for_function("([e, t]) => e.innerText !== t", arg=[strip.element_handle(), before])
                usable.append(time.perf_counter() - start)
        say("pane usable after opening, median", statistics.median(usable), "s", 1.5)
        say("hub memory after five panes", memory(hub.pid), "MB", 150)


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed ipyweb is compiled
    sys.path.insert(0, str(Path(__file__).parents[2]))
    words = sys.argv[1:] or [""]
    for each in BENCHES:
        if any(word in each.__name__ for word in words):
            print(f"-- {each.__doc__}")
            each()
