"""What idle panes cost the busy ones.

    python tests/bench/panes.py            1,000 idle ones
    PANES=200 python tests/bench/panes.py

Ten panes are told of each of 100 displays, first alone, then beside panes that only listen, as those of people do who
left them open. All run on this machine, so what the idle ones take to read what they are told is in the number, too.
"""

import os
import statistics
import subprocess
import sys
import textwrap
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bridge import child, memory, own_hub, say

from ipyweb import connection
from tests.several import Follower

PANES = int(os.environ.get("PANES", "1000"))
BUSY = 10
DISPLAYS = """
    import ipyweb, json, time
    ipyweb.display({"text/plain": "warm"}, raw=True).wait()
    calls = {}
    for i in range(100):
        now = time.time(); shown = ipyweb.display({"text/plain": str(i)}, raw=True); calls[shown.wait().id] = now
        time.sleep(0.2)
    print(json.dumps(calls))
"""
LISTENERS = """
    import asyncio, resource, sys
    from websockets.asyncio.client import connect

    async def listen(url, headers, ready):
        async with connect(url, additional_headers=headers, compression=None, proxy=None) as socket:
            await socket.send('{"type":"subscribe","since":0}')
            ready.release()
            async for _ in socket: pass

    async def main(url, token, count):
        ready = asyncio.Semaphore(0)
        tasks = []
        for _ in range(count):
            tasks.append(asyncio.create_task(listen(url, {"X-Ipyweb-Token": token}, ready)))
            await ready.acquire()
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for task in tasks: task.cancel()

    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def latency(hub: connection.Connection) -> float:
    """Median milliseconds from a display to the panes that look at it."""
    panes = [Follower(int(hub.url.rpartition(":")[2]), hub.token_for("pane")) for _ in range(BUSY)]
    calls = child(DISPLAYS)
    time.sleep(2)
    for pane in panes:
        pane.stop()
    return statistics.median(1e3 * (pane.told[int(number)] - at) for number, at in calls.items() for pane in panes)


def main() -> None:
    """Measure both, and what the hub takes."""
    with own_hub() as hub:
        alone, before = latency(hub), memory(hub.pid)
        say(f"display to {BUSY} panes, median", alone, "ms")
        command = [sys.executable, "-c", textwrap.dedent(LISTENERS)]
        url = "ws" + hub.url.removeprefix("http") + "/ws/pane"
        pipe = subprocess.PIPE
        idle = subprocess.Popen([*command, url, hub.token_for("pane"), str(PANES)], stdin=pipe, stdout=pipe)
        assert idle.stdout is not None
        assert idle.stdout.readline() == b"ready\n"
        say(f"{PANES} more panes, memory of the hub", memory(hub.pid) - before, "MB")
        beside = latency(hub)
        idle.communicate()
        say(f"display to {BUSY} panes beside {PANES} idle ones, median", beside, "ms", 2 * alone)


if __name__ == "__main__":
    main()
