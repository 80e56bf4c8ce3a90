"""A hub killed with SIGKILL at random moments while a script displays: nothing acknowledged is ever missing.

``python tests/faults/kill.py [--kills 20] [--displays 2000] [--seed N]`` prints what happened.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ipyweb import connection

PRODUCER = """
import sys, threading, time
import ipyweb

def content(n):
    size = 300_000 if n % 100 == 50 else 20_000
    return (b"%d " % n * size)[:size]

shown, told = [], 0
def tell():
    global told
    while True:
        while told < len(shown) and shown[told].status == "stored":
            print(told + 1, shown[told].id, flush=True)
            told += 1
        time.sleep(0.002)

threading.Thread(target=tell, daemon=True).start()
for line in sys.stdin:
    for _ in range(int(line)):
        n = len(shown) + 1
        shown.append(ipyweb.display({"image/png": content(n)}, raw=True, title=str(n)))
while told < len(shown):
    time.sleep(0.01)
"""


def sha256(number: int) -> str:
    """The SHA-256 of what the producer displays as its output of that number."""
    size = 300_000 if number % 100 == 50 else 20_000
    return hashlib.sha256((b"%d " % number * size)[:size]).hexdigest()


@dataclass
class Figures:
    """What was seen.

    Attributes:
        seed: of the random moments.
        acked_at_kill: how many outputs the script knew to be stored, at each kill.
        displayed_at_kill: how many it had displayed.
        stored_after: how many outputs there were after each restart.
        seconds: how long it all took.
    """

    seed: int
    acked_at_kill: list[int] = field(default_factory=list)
    displayed_at_kill: list[int] = field(default_factory=list)
    stored_after: list[int] = field(default_factory=list)
    seconds: float = 0.0


class Producer:
    """The script, and what it heard of its outputs."""

    def __init__(self) -> None:
        self.acked: dict[int, int] = {}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PRODUCER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            number, output = map(int, line.split())
            self.acked[number] = output

    def display(self, count: int) -> None:
        """Let it display so many more."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()

    def end(self) -> None:
        """Let it end by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0


def run(kills: int = 20, displays: int = 2000, seed: int | None = None) -> Figures:
    """Do it, in the directories that the environment names.

    Raises:
        AssertionError: something acknowledged is missing, twice there, or not in order.
    """
    figures = Figures(random.randrange(2**32) if seed is None else seed)
    chance = random.Random(figures.seed)
    began = time.monotonic()
    connection.start()
    producer = Producer()
    try:
        for number in range(kills):
            producer.display(displays * (number + 1) // kills - displays * number // kills)
            time.sleep(chance.uniform(0, 0.15))
            acked = _kill(figures, producer)
            _check(acked, figures)
            figures.displayed_at_kill.append(displays * (number + 1) // kills)
        producer.end()
        _check(producer.acked, figures)
    finally:
        producer.process.kill()
        producer.process.wait()
    assert list(producer.acked) == list(range(1, displays + 1))
    assert figures.stored_after[-1] == displays
    figures.seconds = time.monotonic() - began
    return figures


def _kill(figures: Figures, producer: Producer) -> dict[int, int]:
    """Kill the hub, and return what was acknowledged before."""
    os.kill(connection.start().pid, signal.SIGKILL)
    acked = dict(producer.acked)
    figures.acked_at_kill.append(len(acked))
    return acked


def _check(acked: dict[int, int], figures: Figures) -> None:
    """After a restart: what is stored is the beginning of what was displayed, whole, and all that was acknowledged."""
    stored = _outputs()
    numbers = [int(record["title"]) for record in stored]
    assert numbers == list(range(1, len(stored) + 1)), f"not once and in order: {numbers}"
    ids = {int(record["title"]): record["id"] for record in stored}
    missing = [number for number, output in acked.items() if ids.get(number) != output]
    assert not missing, f"acknowledged, but not there: {missing}"
    assert all(record["data"]["image/png"]["sha256"] == sha256(n) for n, record in enumerate(stored, 1))
    figures.stored_after.append(len(stored))


def _outputs() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    hub = connection.start()  # the script starts one too, unless all of its own is acknowledged
    while page := _page(hub, found[-1]["id"] if found else 0):
        found += page
    return found


def _page(hub: connection.Connection, after: int) -> list[dict[str, Any]]:
    answer = connection.request(hub, "GET", f"api/outputs?limit=1000&after={after}")
    page: list[dict[str, Any]] = answer.json()["outputs"]
    return page


def main() -> None:
    """Do it in directories of its own, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--displays", type=int, default=2000)
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for name in ("RUNTIME", "DATA"):
            os.environ[f"IPYWEB_{name}_DIR"] = os.path.join(directory, name.lower())
        os.environ["IPYWEB_BROWSER"] = "none"
        try:
            report(run(arguments.kills, arguments.displays, arguments.seed))
        finally:
            connection.request(connection.start(), "POST", "api/stop", {})


def report(figures: Figures) -> None:
    """Print what was seen."""
    print(f"seed {figures.seed}: {len(figures.acked_at_kill)} kills in {figures.seconds:.1f} s")
    print(f"acknowledged at each kill  {figures.acked_at_kill}")
    print(f"stored after each restart  {figures.stored_after[:-1]}")
    print(f"displayed at each kill     {figures.displayed_at_kill}")
    print(f"in the end {figures.stored_after[-1]} outputs, each once, in order, with the right bytes")


if __name__ == "__main__":
    main()
