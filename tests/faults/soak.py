"""What takes too long for every test run. ``python tests/faults/soak.py [--rounds 20] [--messages 200000]``.

- the kill loop of `kill`, round after round, each with another seed;
- a spool file of very many small messages: the hub takes it in without holding it in memory.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import kill
import psutil

from ipyweb import connection
from ipyweb.config import IPyWeb
from ipyweb.session.backlog import Backlog
from ipyweb.session.session import Session, now
from ipyweb.session.spool import write_spool

HUB_MEMORY = 150 * 2**20
"""Bytes that the hub may have at its peak."""


@contextmanager
def directories() -> Iterator[None]:
    """Directories of their own, and an end for the hub in them."""
    with tempfile.TemporaryDirectory() as directory:
        for name in ("RUNTIME", "DATA"):
            os.environ[f"IPYWEB_{name}_DIR"] = os.path.join(directory, name.lower())
        os.environ["IPYWEB_BROWSER"] = "none"
        try:
            yield
        finally:
            hub = connection.start()
            connection.request(hub, "POST", "api/stop", {})
            psutil.wait_procs([psutil.Process(hub.pid)] if psutil.pid_exists(hub.pid) else [], 30)


def take_in(messages: int) -> None:
    """Let a hub take in one spool file of so many messages, and look at its memory.

    Raises:
        AssertionError: it took too much, or something is missing.
    """
    backlog = Backlog()
    for number in range(messages):
        content = {
            "metadata": {},
            "transient": {"display_id": f"d{number % 1000}"},
            "title": None,
            "source": {"file": "soak.py", "line": 1, "cell": None, "code": "show()"},
            "problems": [],
        }
        backlog.add({"type": "display_data", "time": now(), "content": content}, {"text/plain": b"%d" % number})
    path = write_spool(Session("script", IPyWeb())._hello(), backlog.drain())
    size, began, peak = path.stat().st_size, time.monotonic(), 0
    hub = psutil.Process(connection.start().pid)
    while path.exists():
        peak = max(peak, hub.memory_info().rss)
        time.sleep(0.05)
    seconds = time.monotonic() - began
    print(f"spool of {messages} messages, {size / 2**20:.0f} MiB: {seconds:.0f} s, hub at most {peak / 2**20:.0f} MiB")
    assert peak < HUB_MEMORY
    state = connection.request(connection.start(), "GET", "api/state").json()
    assert state["outputs"] == min(messages, 1000)


def main() -> None:
    """Do everything, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--messages", type=int, default=200_000)
    arguments = parser.parse_args()
    for _ in range(arguments.rounds):
        with directories():
            kill.report(kill.run())
    with directories():
        take_in(arguments.messages)


if __name__ == "__main__":
    main()
