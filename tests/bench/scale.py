"""What docs/scale.md counts with: memory of idle hubs, bytes of outputs, and what hubs on one PostgreSQL get out of it.

    python tests/bench/scale.py             all
    python tests/bench/scale.py hubs        only those whose name contains the word

Numbers are printed, nothing is asserted. Memory is proportional (PSS): pages that processes share count once in all.
"""

import os
import random
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil
import psycopg
from bridge import child, own_hub
from pane_store import STARTED, _display, fill, say

from ipyweb import connection
from ipyweb.hub import schema
from ipyweb.hub.messages import Hello
from ipyweb.hub.postgres import CHANNEL
from ipyweb.hub.postgres import Connection as Postgres
from ipyweb.hub.retention import Limits
from ipyweb.hub.shared import SharedStore
from ipyweb.hub.sqlite import SqliteStore
from tests.postgres_server import Cluster, cluster

HUBS, OUTPUTS, LISTENERS = 10, 2000, 50
BENCHES: list[Callable[[], None]] = []
FIGURES = """
    import ipyweb, json, matplotlib.pyplot as plt, time
    for n in range(2):
        plt.plot([1, n]); ipyweb.display(plt.gcf()).wait(); time.sleep(8)  # the first one is drawn here, meanwhile
    print(json.dumps(1))
"""


def bench(function: Callable[[], None]) -> Callable[[], None]:
    """Register a benchmark under its name."""
    BENCHES.append(function)
    return function


@bench
def hubs() -> None:
    """Hubs of several users on one machine, with nothing to do."""
    with tempfile.TemporaryDirectory() as directory:
        started = []
        for number in range(HUBS):
            for name in ("RUNTIME", "DATA"):
                path = Path(directory, f"{name}{number}")
                path.mkdir(mode=0o700)
                os.environ[f"IPYWEB_{name}_DIR"] = str(path)
            started.append(connection.start())
        time.sleep(3)
        processes = [psutil.Process(hub.pid) for hub in started]
        before = [sum(each.cpu_times()[:2]) for each in processes]
        time.sleep(20)
        used = [sum(each.cpu_times()[:2]) - had for each, had in zip(processes, before, strict=True)]
        say(f"an idle hub of {HUBS}, memory", statistics.mean(map(_pss, processes)), "MB")
        say("an idle hub, processor time of an hour", 180 * statistics.mean(used), "s")
        say("an idle hub, open files", statistics.mean(each.num_fds() for each in processes), "")
        say("an idle hub, files on disk", sum(len(files) for *_, files in os.walk(directory)) / HUBS, "")
        for hub in started:
            connection.request(hub, "POST", "api/stop", {})


@bench
def keeper() -> None:
    """What comes with the first matplotlib figure."""
    with own_hub() as hub:
        alone = _pss(psutil.Process(hub.pid))
        child(FIGURES)
        ours = os.environ["IPYWEB_RUNTIME_DIR"]
        found = [each for each in psutil.process_iter(["cmdline"]) if _is_of(each, ours)]
        say("memory more, with the figure keeper", sum(map(_pss, found)) - alone, "MB")
        say("processes of the figure keeper", len(found) - 1, "")


@bench
def sqlite() -> None:
    """Bytes of outputs in SQLite, 2.5 kB of words and a picture of some bytes each."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "outputs.sqlite")
        store = SqliteStore(schema.connect(path), path.parent, Limits(max_bytes=2**32))
        say("writing one output", fill(store, OUTPUTS) / OUTPUTS * 1e6, "µs")
        while store.run([lambda each: each.index()]).outcomes[0].value:
            pass
        store.close()
        say("an output in the file, but for its data", path.stat().st_size / OUTPUTS, "bytes")


@bench
def postgresql() -> None:
    """Hubs on one PostgreSQL, as installed, without a network between."""
    with cluster() as server:
        store = SharedStore(Postgres(server.address), Limits(max_bytes=2**32))
        started = server.execute("SELECT pg_current_wal_lsn()")[0][0]
        say("writing one output, 20 in a transaction", fill(store, OUTPUTS) / OUTPUTS * 1e6, "µs")
        ((written,),) = server.execute(f"SELECT pg_current_wal_lsn() - '{started}'")
        say("log of one output", float(str(written)) / OUTPUTS, "bytes")
        while store.run([lambda each: each.index()]).outcomes[0].value:
            pass
        ((indexed,),) = server.execute(f"SELECT pg_current_wal_lsn() - '{started}' - {written}")
        say("log of indexing one output", float(str(indexed)) / OUTPUTS, "bytes")
        sizes = "SELECT relname, pg_total_relation_size(oid), pg_indexes_size(oid) FROM pg_class WHERE relkind = 'r'"
        schemas = " AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'ipyweb')"
        found = [(str(name), int(str(size)), int(str(of))) for name, size, of in server.execute(sizes + schemas)]
        say("an output in the database, but for its data", sum(size for _, size, _ in found) / OUTPUTS, "bytes")
        say("of that, indexes", sum(of for *_, of in found) / OUTPUTS, "bytes")
        store.close()
        for count in (1, 2, 4):
            say(f"outputs a second of {count} hubs, one a transaction", _together(server, count), "")
        _notify(server)


def _together(server: Cluster, count: int) -> float:
    command = [sys.executable, __file__, "--write", server.address]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(count)]
    for each in writers:
        assert each.stdout is not None
        assert each.stdout.readline() == b"ready\n"
    begun = time.perf_counter()
    for each in writers:
        each.communicate(b"go\n")
    return count * OUTPUTS / 4 / (time.perf_counter() - begun)


def _write(address: str) -> None:
    """Be the store of one of several hubs."""
    store = SharedStore(Postgres(address), Limits(max_bytes=2**32))
    session = secrets.token_hex(16)
    hello = Hello(session, "b" * 64, "/p", "train.py", None, "script", "n", 1, "3.11", "[]", "/p", STARTED, False)
    store.run([lambda each: each.open_session(hello)])
    words = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(3000)]
    displays = [_display(seq, secrets.randbelow(2**40), words) for seq in range(1, OUTPUTS // 4 + 1)]
    print("ready", flush=True)
    sys.stdin.readline()
    for one in displays:
        (outcome,) = store.run([lambda each, one=one: each.apply(session, one)]).outcomes
        assert outcome.error is None, outcome.error
    store.close()


def _notify(server: Cluster) -> None:
    """Word from one hub to the others."""
    before = _resident(server)
    listeners = [psycopg.connect(server.address, autocommit=True) for _ in range(LISTENERS)]
    for each in listeners:
        each.execute(f"LISTEN {CHANNEL}".encode())
    say("an idle connection, memory of the server", (_resident(server) - before) / LISTENERS, "MB")
    with psycopg.connect(server.address, autocommit=True) as teller:
        took = []
        for number in range(200):
            begun = time.perf_counter()
            teller.execute("SELECT pg_notify('ipyweb', %s)", (str(number),))
            for each in listeners:
                assert next(each.notifies(timeout=10)).payload == str(number)
            took.append(time.perf_counter() - begun)
    say(f"word of a change, until {LISTENERS} listeners have it", 1e3 * statistics.median(took), "ms")
    for each in listeners:
        each.close()


def _resident(server: Cluster) -> float:
    parent = psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))
    return sum(map(_pss, [parent, *parent.children()]))


def _pss(process: psutil.Process) -> float:
    """Proportional memory in MB."""
    return float(process.memory_full_info().pss) / 1e6


def _is_of(process: psutil.Process, runtime: str) -> bool:
    """Whether a process is a hub's, or a keeper's, of a runtime directory."""
    try:
        return "ipyweb" in " ".join(process.cmdline()) and process.environ().get("IPYWEB_RUNTIME_DIR") == runtime
    except psutil.Error:
        return False


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        _write(sys.argv[2])
        sys.exit()
    os.environ.update(IPYWEB_BROWSER="none", IPYWEB_REPORT="0")
    for each in BENCHES:
        if any(word in each.__name__ for word in sys.argv[1:] or [""]):
            print(f"-- {each.__doc__}", flush=True)
            each()
