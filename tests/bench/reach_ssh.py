"""The numbers of another machine's pane: connecting, coming back, and a picture over a line with 40 ms round trip.

    python tests/bench/reach_ssh.py            all
    python tests/bench/reach_ssh.py picture    only those whose name contains the word

The other machine is an OpenSSH server on loopback, with directories, and so a hub, of its own. A pane counts as usable
when its page and its data come through the tunnel. The slow line is a relay between ssh and its server that holds every
byte for 20 ms in each direction; round trips are those that it adds to what the same picture takes without it.
"""

import asyncio
import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chromium import page

sys.path.insert(0, str(Path(__file__).parents[2]))

from ipyweb.browser import link
from ipyweb.connection import Connection, challenge, exchange, request
from ipyweb.errors import IpywebError
from tests.reach.conftest import Machine
from tests.reach.test_connect import Connected

RUNS, PICTURES, ONE_WAY = 7, 25, 0.020

SHOW = """
import os, sys, time
import ipyweb
ipyweb.display({"text/plain": "first"}, raw=True).wait()
print("ready", flush=True)
for line in sys.stdin:
    png = bytes.fromhex(line)
    began = time.time()
    ipyweb.display({"image/png": png}, raw=True)
    print(began, flush=True)
"""


def say(what: str, value: float, unit: str, bar: float) -> None:
    """Print one figure beside its bar."""
    print(f"{what:64s} {value:8.2f} {unit:8s} bar {bar:g}   {'ok' if value <= bar else 'ABOVE'}", flush=True)


@contextlib.contextmanager
def machine() -> Iterator[Machine]:
    """Another machine, whose hub runs."""
    with tempfile.TemporaryDirectory(prefix="far", dir="/tmp") as directory:
        here = Path(directory, "here")
        here.mkdir()
        os.environ.update(IPYWEB_RUNTIME_DIR=f"{here}/run", IPYWEB_DATA_DIR=f"{here}/data")
        far = Machine(Path(directory, "far"))
        subprocess.run([*far.ssh.split(), "far", "ipyweb", "url", "--json"], check=True, capture_output=True)
        yield far
        far.end()


@contextlib.contextmanager
def connection_to(far: Machine) -> Iterator[Connected]:
    """A running ``ipyweb connect``."""
    with tempfile.TemporaryDirectory() as directory:
        running = Connected(far, Path(directory))
        try:
            yield running
        finally:
            running.end()


def until_usable(pane: Callable[[], Connection]) -> None:
    """Wait until page and data come through the tunnel."""
    while True:
        with contextlib.suppress(IpywebError):
            found = challenge(pane())
            if exchange(found.url, "GET", "").status == 200 and request(found, "GET", "api/outputs?limit=50"):
                return
        time.sleep(0.005)


def connecting() -> None:
    """From the command to a usable pane, and back after ssh was killed."""
    begun, back = [], []
    with machine() as far:
        for _ in range(RUNS):
            start = time.perf_counter()
            with connection_to(far) as running:
                until_usable(running.pane)
                begun.append(time.perf_counter() - start)
                pane, old = running.pane(), running.ssh
                start = time.perf_counter()
                old.send_signal(signal.SIGKILL)
                old.wait()
                until_usable(lambda pane=pane: pane)  # type: ignore[misc]
                back.append(time.perf_counter() - start)
    say("connect, hub running: command to pane usable, median", statistics.median(begun), "s", 2)
    say("after ssh was killed: usable again on the same port, median", statistics.median(back), "s", 3)
    say("                      worst", max(back), "s", 3)


def picture() -> None:
    """From a display over there to pixels here, of a PNG of 100 kB."""
    with machine() as far:
        quick = statistics.median(pictures(far))
        with slowed(far):
            slow = statistics.median(pictures(far))
    print(
        f"    {1000 * quick:.0f} ms without, {1000 * slow:.0f} ms with a round trip of {2000 * ONE_WAY:g} ms",
        flush=True,
    )
    say("display to pixels, 100 kB PNG: round trips, median", (slow - quick) / (2 * ONE_WAY), "", 4)


def pictures(far: Machine) -> list[float]:
    """Seconds from display to pixels, each."""
    environ = {**os.environ, "IPYWEB_RUNTIME_DIR": str(far.runtime), "IPYWEB_DATA_DIR": str(far.data)}
    script = subprocess.Popen(
        [sys.executable, "-c", SHOW], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
    )
    assert script.stdin is not None
    assert script.stdout is not None
    assert script.stdout.readline() == "ready\n"
    seconds = []
    with connection_to(far) as running, page() as shown:
        shown.goto(link(running.pane()))
        shown.wait_for_selector("[data-testid=stage] [data-state=ready]")
        for number in range(PICTURES):
            width = 300 + number
            shown.evaluate(WATCH, width)
            print(png(width).hex(), file=script.stdin, flush=True)
            began = float(script.stdout.readline())
            seconds.append(shown.evaluate("window.seen") / 1000 - began)
            time.sleep(0.2)
    script.stdin.close()
    script.wait()
    return seconds[5:]


WATCH = """width => {
    window.seen = new Promise(resolve => {
        const look = () => {
            const found = [...document.querySelectorAll('[data-testid=stage] img')];
            const there = found.some(each => each.complete && each.naturalWidth === width && each.checkVisibility());
            if (there) requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
            else requestAnimationFrame(look);
        };
        look();
    });
}"""
"""The time at which a picture of that width has been painted."""


def png(width: int) -> bytes:
    """A PNG of 100 kB whose pixels are noise, so that no cache has it."""
    import io

    import numpy
    from PIL import Image

    height = 100_000 // (3 * width)
    pixels = numpy.random.default_rng().integers(0, 256, (height, width, 3), dtype="uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", compress_level=0)
    return file.getvalue()


@contextlib.contextmanager
def slowed(far: Machine) -> Iterator[None]:
    """Let ssh go through a relay that holds what it carries."""
    ready: list[int] = []
    begun = threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(lambda *peer: relay(far.port, *peer), "127.0.0.1", 0)
        ready.append(server.sockets[0].getsockname()[1])
        begun.set()

    threading.Thread(target=lambda: (loop.run_until_complete(serve()), loop.run_forever()), daemon=True).start()
    begun.wait()
    config, known = far.directory / "config", far.directory / "known_hosts"
    before = config.read_text(), known.read_text()
    config.write_text(re.sub(r"Port \d+", f"Port {ready[0]}", before[0]))
    known.write_text(before[1].replace(f":{far.port} ", f":{ready[0]} "))
    try:
        yield
    finally:
        config.write_text(before[0])
        known.write_text(before[1])
        loop.call_soon_threadsafe(loop.stop)


async def relay(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on everything, later."""
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(hold(reader, far_writer), hold(far_reader, writer))


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass one direction on."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(ONE_WAY, writer.write, data)
    loop.call_later(ONE_WAY, writer.close)


BENCHES: tuple[Callable[[], Any], ...] = (connecting, picture)

if __name__ == "__main__":
    for each in BENCHES:
        if all(word in each.__name__ for word in sys.argv[1:]):
            each()
