"""What several hubs on one store cost, and what a store of 100,000 outputs answers in, in either database.

    python tests/bench/stores.py                    all
    python tests/bench/stores.py latency            only those whose name contains the word

Numbers are printed, nothing is asserted. PostgreSQL is one of its own in a temporary directory, as installed, on a Unix
socket; so are the hubs.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[2]))

from bridge import child, percentile
from pane_store import fill, own_directories, say

from ipyweb import connection
from ipyweb.hub import schema
from ipyweb.hub.postgres import Connection as Postgres
from ipyweb.hub.retention import Limits
from ipyweb.hub.shared import SharedStore
from ipyweb.hub.sql import SqlStore
from ipyweb.hub.sqlite import SqliteStore
from tests.faults import kill, kill_several
from tests.postgres_server import cluster
from tests.several import Follower, Hubs

OUTPUTS = int(os.environ.get("OUTPUTS", "100000"))
LIMITS = Limits(max_bytes=2**32)
BENCHES: list[Callable[[], None]] = []


def bench(function: Callable[[], None]) -> Callable[[], None]:
    """Register a benchmark under its name."""
    BENCHES.append(function)
    return function


DISPLAYS = """
    import ipyweb, json, time
    ipyweb.display({"text/plain": "warm"}, raw=True).wait()
    calls = {}
    for i in range(100):
        bundle = {"image/png": i.to_bytes(8, "big") * 2500, "text/plain": str(i)}
        now = time.time(); shown = ipyweb.display(bundle, raw=True); calls[shown.wait().id] = now
        time.sleep(0.03)
    print(json.dumps(calls))
"""


@bench
def latency() -> None:
    """From a display at one hub to a pane of the other."""
    with tempfile.TemporaryDirectory() as directory, cluster() as server:
        hubs = Hubs(server.address, Path(directory))
        token = Path(directory, "token")
        token.touch(mode=0o600)
        token.write_text(hubs.token("session"))
        for name, there in (("its own hub", 0), ("the other hub", 1)):
            pane = Follower(hubs.ports[there], hubs.token("pane"))
            url = f"http://127.0.0.1:{hubs.ports[0]}"
            calls = child(DISPLAYS, IPYWEB_HUB=url, IPYWEB_TOKEN_FILE=str(token), IPYWEB_REPORT="0")
            time.sleep(1)
            pane.stop()
            took = [1e3 * (pane.told[int(number)] - at) for number, at in calls.items()]
            say(f"display to a pane of {name}, median", statistics.median(took), "ms", 60)
            say(f"display to a pane of {name}, worst of {len(took)}", max(took), "ms")
        hubs.stop()


@bench
def kills() -> None:
    """20 kills of either of two hubs while a script displays 2,000 outputs and a pane looks on, behind a balancer."""
    with tempfile.TemporaryDirectory() as directory, cluster() as server:
        kill.report(kill_several.run(server.address, Path(directory)))


@bench
def sqlite() -> None:
    """100,000 outputs in SQLite."""
    with own_directories() as data:
        store = SqliteStore(schema.connect(data / "outputs.sqlite"), data, LIMITS)
        prepare(store)
        os.environ["IPYWEB_STORE"] = "disk"
        hub = connection.start()
        try:
            ask(hub)
        finally:
            connection.request(hub, "POST", "api/stop", {})


@bench
def postgresql() -> None:
    """100,000 outputs in PostgreSQL."""
    with tempfile.TemporaryDirectory() as directory, cluster() as server:
        hubs = Hubs(server.address, Path(directory), count=1)  # whose the store is
        hubs.kill(0)  # it would index, too
        prepare(SharedStore(Postgres(server.address), LIMITS))
        hubs.start(0)
        try:
            ask(hubs.connection(0))
        finally:
            hubs.stop()


ASKED = {
    "list page of 200": "api/outputs?limit=200",
    "list page of 200 of a project": "api/outputs?project=/p&limit=200",
    "page of 200 in the middle": f"api/outputs?limit=200&before={OUTPUTS // 2}",
    "last": "api/outputs?project=/p&limit=1",
    "state": "api/state",
    "sessions": "api/sessions",
    "one kind": "api/outputs?kind=figure&limit=200",
    **{
        f"search {words!r}{f' with {more}' if more else ''}": f"api/outputs?q={quote(words)}&limit=200{more}"
        for words, more in (
            *((words, "") for words in ("r", "re", "resid", "residuals of epoch 77", "epoch 77777", "epoch 777 train")),
            *((words, "") for words in ("nowhere-to-be-found", "train.py", "train.py nowhere", "qz", "~~", "zqx")),
            *((words, "") for words in ("figure", "html", "today", "2026-11-20", "2026-11-20 figure resid", "2026-10")),
            *((words, "&project=/p") for words in ("resid", "epoch 77777", "nowhere-to-be-found")),
            *((words, "&kind=figure") for words in ("resid", "epoch 77777", "nowhere-to-be-found")),
            *((words, f"&session={150:032x}") for words in ("resid", "epoch 77777")),
            ("resid", f"&before={OUTPUTS // 2}"),
        )
    },
}


def prepare(store: SqlStore) -> None:
    """Fill a store, and let it index what there is, as it does when it is idle."""
    say("writing one output, with its words", fill(store, OUTPUTS) / OUTPUTS * 1e6, "µs")
    took, more = [], [True]
    while more[-1]:
        begun = time.perf_counter()
        store.run([lambda each: more.append(each.index())])
        took.append(time.perf_counter() - begun)
    say("indexing one output, when idle", sum(took) / OUTPUTS * 1e6, "µs")
    say("a step of that, median", 1e3 * statistics.median(took), "ms", 20)
    say("a step of that, 99th percentile", 1e3 * percentile(took, 0.99), "ms")
    (size,) = store.db.execute(f"SELECT sum(length(bits)) FROM {store.db.main}.grams").fetchone()
    say("the index, for each output", int(size or 0) / OUTPUTS, "bytes")
    store.close()


def ask(hub: connection.Connection) -> None:
    """Ask a hub for what panes and the command line ask."""
    time.sleep(3)  # what it does at first
    for what, path in ASKED.items():
        say(what, 1e3 * statistics.median(_timed(hub, path) for _ in range(5)), "ms", 150)


def _timed(hub: connection.Connection, path: str) -> float:
    begun = time.perf_counter()
    connection.request(hub, "GET", path)
    return time.perf_counter() - begun


if __name__ == "__main__":
    os.environ.update(IPYWEB_BROWSER="none", IPYWEB_REPORT="0")
    words = sys.argv[1:] or [""]
    for each in BENCHES:
        if any(word in each.__name__ for word in words):
            print(f"-- {each.__doc__}", flush=True)
            each()
