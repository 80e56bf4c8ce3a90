"""Many ranks that redraw: what that costs them, and what it costs the hub.

    python tests/bench/cluster.py           64 producers, five times a second, 50 kB each, for 60 s, and 5 panes
    python tests/bench/cluster.py 10        the same for 10 s

A producer is a session with its own socket and threads, as each rank has. Sixteen of them share a process, since 64
interpreters would measure the machine's memory; so they also share an interpreter's lock, which is to their harm and
not the hub's. Panes are sockets that read what changed. Everything runs on loopback with directories of its own, and on
two cores producers, panes and hub take time from each other.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

import psutil
from bridge import own_hub, percentile, say
from websockets.sync.client import connect

from ipyweb import connection
from ipyweb.settings import Settings

PRODUCERS, PROCESSES, PANES = 64, 4, 5
RATE, SIZE = 5, 50_000


def picture(rank: int, step: int) -> bytes:
    """Bytes that no other step and rank has."""
    return b"\x89PNG\r\n\x1a\n" + f"{rank:04d}.{step:08d}".encode() + os.urandom(SIZE)


def produce(first: int, count: int, seconds: float) -> None:
    """Be some of the producers; prints their times per call, in seconds, and how many steps each did."""
    from ipyweb.session.session import Session

    os.environ["OMPI_COMM_WORLD_SIZE"] = str(PRODUCERS)
    settings = Settings()
    settings.open_browser = "never"
    sessions = []
    for rank in range(first, first + count):
        os.environ["OMPI_COMM_WORLD_RANK"] = str(rank)
        sessions.append((rank, Session("script", settings)))
    took: list[float] = []
    steps: dict[int, int] = {}
    for rank, session in sessions:
        session.publish({"image/png": picture(rank, 0)}, display_id="loss")
        assert session.client.flush(60)
    print("ready", flush=True)
    sys.stdin.readline()

    def run(rank: int, session: Any) -> None:
        begun = time.perf_counter() + rank / PRODUCERS / RATE
        number = 0
        while time.perf_counter() < begun + seconds:
            due = begun + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            number += 1
            made = picture(rank, number)
            start = time.perf_counter()
            session.publish({"image/png": made}, display_id="loss", update=True)
            took.append(time.perf_counter() - start)
        steps[rank] = number

    threads = [threading.Thread(target=run, args=each) for each in sessions]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    late = time.perf_counter()
    for _, session in sessions:
        session.client.flush(60)
    print(json.dumps({"took": took, "steps": steps, "late": time.perf_counter() - late}), flush=True)
    sys.stdin.readline()
    os._exit(0)


class Pane(threading.Thread):
    """Reads what changed until the socket is closed."""

    def __init__(self, hub: connection.Connection) -> None:
        super().__init__(daemon=True)
        headers = {"Authorization": f"Bearer {hub.token_for('pane')}"}
        url = f"ws{hub.url.removeprefix('http')}/ws/pane"
        self._manager = connect(url, additional_headers=headers, compression=None, max_size=2**20)
        self.socket = self._manager.__enter__()
        self.socket.send(json.dumps({"type": "subscribe", "since": 0}))
        self.frames = 0
        self.newest: dict[int, int] = {}
        self.start()

    def run(self) -> None:
        for frame in self.socket:
            self.frames += 1
            for record in json.loads(frame).get("outputs", ()):
                self.newest[record["id"]] = record["version"]


def measure(hub: connection.Connection, seconds: float) -> None:
    share = PRODUCERS // PROCESSES
    command = [sys.executable, __file__, "--produce"]
    producers = [
        subprocess.Popen(
            [*command, str(n * share), str(share), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    for each in producers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    panes = [Pane(hub) for _ in range(PANES)]
    process = psutil.Process(hub.pid)
    before, start, peak = sum(process.cpu_times()[:2]), time.perf_counter(), 0
    for each in producers:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    while time.perf_counter() < start + seconds:
        time.sleep(0.25)
        peak = max(peak, process.memory_info().rss)
    load = (sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - start)
    results = [json.loads(each.stdout.readline()) for each in producers if each.stdout]
    steps = {int(rank): count for each in results for rank, count in each["steps"].items()}
    took = [each for result in results for each in result["took"]]
    peak = max(peak, process.memory_info().rss)

    say(
        f"{PRODUCERS} producers, {RATE}/s, {SIZE // 1000} kB: of a step, display takes, mean",
        100 * RATE * statistics.mean(took),
        "%",
        5,
    )
    say("a display call, median", 1e3 * statistics.median(took), "ms")
    say("a display call, 99th percentile", 1e3 * percentile(took, 0.99), "ms")
    say("steps that the slowest producer lacks", 100 * (1 - min(steps.values()) / (RATE * seconds)), "%", 5)
    say("until the last was stored, once all had ended", max(each["late"] for each in results), "s")
    say("hub: cores", load, "", 1)
    say("hub: memory at most", peak / 1e6, "MB", 300)

    records = connection.request(hub, "GET", f"api/outputs?limit={PRODUCERS}").json()["outputs"]
    assert len(records) == PRODUCERS
    say("updates that became versions", 100 * sum(each["version"] - 1 for each in records) / sum(steps.values()), "%")
    wrong = [each["id"] for each in records if not is_last(hub, each, steps)]
    say("last states that are wrong", len(wrong), "", 0)
    newest = {each["id"]: each["version"] for each in records}
    deadline = time.monotonic() + 10
    while any(pane.newest != newest for pane in panes) and time.monotonic() < deadline:
        time.sleep(0.05)
    say("panes that do not know them", sum(pane.newest != newest for pane in panes), "", 0)
    say("frames a second to a pane", statistics.mean(pane.frames for pane in panes) / seconds, "")
    for each in producers:
        each.communicate("end\n")


def is_last(hub: connection.Connection, record: dict[str, Any], steps: dict[int, int]) -> bool:
    """Whether an output shows the last picture of its rank."""
    rank = record["source"]["place"]["rank"]
    data = connection.request(hub, "GET", f"api/outputs/{record['id']}/data?mime=image/png").body
    return data[8:21] == f"{rank:04d}.{steps[rank]:08d}".encode()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--produce"]:
        produce(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    with own_hub() as running:
        measure(running, float(sys.argv[1]) if sys.argv[1:] else 60.0)
