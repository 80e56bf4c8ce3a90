"""Children, threads, event loops, and the last moments of an interpreter."""

import pytest

from ipyweb import connection

from .conftest import Finished, Scripts, get, kill_the_hub, outputs, spool_files, titles, wait_for_titles, wait_until

FORK = """
import os
import ipyweb
show = lambda title: ipyweb.display({"text/plain": title}, raw=True, title=title)
show("parent before").wait(30)
children = []
for number in range(3):
    child = os.fork()
    if not child:
        show(f"child {number}")
        show(f"child {number} again")
        raise SystemExit
    children.append(child)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
show("parent after").wait(30)
"""

POOL = """
import multiprocessing
import ipyweb

def show(title):
    ipyweb.display({"text/plain": title}, raw=True, title=title)

if __name__ == "__main__":
    context = multiprocessing.get_context("METHOD")
    show("parent before")
    children = [context.Process(target=show, args=(f"child {number}",)) for number in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    show("parent after")
"""


def check_family(done: Finished, children: list[str]) -> None:
    """The parent's outputs in order, the children's all there, each process a session of its own, all ended."""
    arrived = outputs()
    assert sorted(record["title"] for record in arrived) == sorted(["parent before", "parent after", *children]), done
    sessions = {record["title"]: record["session"] for record in arrived}
    assert sessions["parent before"] == sessions["parent after"]
    assert len(set(sessions.values())) == 1 + len({title.removesuffix(" again") for title in children})
    wait_until(lambda: all(each["ended"] for each in get("api/sessions")["sessions"]), "all sessions to end")
    assert spool_files() == []


def test_forked_children_have_sessions_of_their_own(scripts: Scripts) -> None:
    done = scripts.run(FORK)
    check_family(done, [f"child {number}{again}" for number in range(3) for again in ("", " again")])


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_have_sessions_of_their_own(scripts: Scripts, method: str) -> None:
    check_family(scripts.run(POOL.replace("METHOD", method)), [f"child {number}" for number in range(3)])


def test_a_child_forked_while_other_threads_display_gets_through(scripts: Scripts) -> None:
    done = scripts.run(
        """
import os, threading, time
import ipyweb
going = True

def show_on(name):
    while going:
        ipyweb.display({"text/plain": name}, raw=True, display_id=name)
        time.sleep(0.01)  # no faster than a slow hub takes them in: others would wait behind them

ipyweb.display({"text/plain": "x"}, raw=True, title="parent")
threads = [threading.Thread(target=show_on, args=(f"thread {number}",), daemon=True) for number in range(3)]
for thread in threads:
    thread.start()
for number in range(8):
    child = os.fork()
    if not child:
        ipyweb.display({"text/plain": "x"}, raw=True, title=f"child {number}")
        ipyweb.flush(30)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
going = False
"""
    )
    assert sorted(filter(None, titles())) == sorted(["parent", *(f"child {number}" for number in range(8))]), done


def test_a_first_display_in_a_child_forked_at_a_bad_moment_gets_through(scripts: Scripts) -> None:
    done = scripts.run(
        """
import os, threading
from ipyweb import display, flush  # Python itself hangs in the child of a thread that imports
starts = threading.Barrier(2)

def show():
    starts.wait()
    display({"text/plain": "x"}, raw=True, title="parent")

thread = threading.Thread(target=show, daemon=True)
thread.start()
starts.wait()
children = []
for number in range(20):
    child = os.fork()
    if not child:
        display({"text/plain": "x"}, raw=True, title=f"child {number}")
        flush(30)
        os._exit(0)
    children.append(child)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
thread.join()
"""
    )
    assert sorted(titles()) == sorted(["parent", *(f"child {number}" for number in range(20))]), done


def test_threads_that_display_at_once_keep_their_own_order(scripts: Scripts) -> None:
    scripts.run(
        """
import threading
import ipyweb
start = threading.Barrier(8)

def show(name):
    start.wait()
    for number in range(50):
        ipyweb.display({"text/plain": "x"}, raw=True, title=f"{name}.{number}")

for name in "abcdefgh":
    threading.Thread(target=show, args=(name,)).start()
"""
    )
    arrived = titles()
    assert len(arrived) == 400
    for name in "abcdefgh":
        assert [title for title in arrived if title.startswith(name)] == [f"{name}.{n}" for n in range(50)]


def test_displays_inside_a_running_event_loop_do_not_touch_it(scripts: Scripts) -> None:
    done = scripts.run(
        """
import asyncio
import ipyweb

async def show():
    asyncio.get_running_loop().set_debug(True)
    for number in range(20):
        shown = ipyweb.display({"text/plain": "x"}, raw=True, title=str(number))
        await asyncio.sleep(0)
    print(shown.wait(30).id, len(asyncio.all_tasks()))

asyncio.run(show())
"""
    )
    assert done.out == "20 1\n", done
    wait_for_titles([str(number) for number in range(20)])


LATE = {
    "atexit handler that runs before ours": """
import atexit
import ipyweb
ipyweb.display({"text/plain": "x"}, raw=True, title="main")
atexit.register(lambda: ipyweb.display({"text/plain": "x"}, raw=True, title="late"))
""",
    "atexit handler that runs after ours": """
import atexit
import ipyweb
atexit.register(lambda: ipyweb.display({"text/plain": "x"}, raw=True, title="late"))
ipyweb.display({"text/plain": "x"}, raw=True, title="main")
""",
    "atexit handler of a session that had nothing left to send": """
import atexit, signal
import ipyweb
from ipyweb import connection
atexit.register(lambda: ipyweb.display({"text/plain": "x"}, raw=True, title="late"))
ipyweb.display({"text/plain": "x"}, raw=True, title="main").wait(30)
connection.request(connection.find(), "POST", "api/stop", {})
from ipyweb.session.session import current
while current().client.connected:
    pass
""",
    "session that was closed": """
import ipyweb
from ipyweb.session.session import current
ipyweb.display({"text/plain": "x"}, raw=True, title="main")
current().end()
ipyweb.display({"text/plain": "x"}, raw=True, title="late")
""",
}


@pytest.mark.parametrize("source", LATE.values(), ids=LATE)
def test_late_displays_arrive(scripts: Scripts, source: str) -> None:
    done = scripts.run(source)
    assert "Traceback" not in done.err, done
    if connection.find():
        kill_the_hub()  # a hub looks for spool files when it starts, and then every 10 s
    connection.start()
    wait_until(lambda: len(titles()) == 2, "the late display")
    assert titles() == ["main", "late"], done


def test_a_display_only_in_an_exit_handler_arrives(scripts: Scripts) -> None:
    done = scripts.run(
        """
import atexit, threading
import ipyweb
atexit.register(lambda: ipyweb.display({"text/plain": "x"}, raw=True, title="late"))
"""
    )
    assert "Traceback" not in done.err, done
    connection.start()
    wait_for_titles(["late"])


def test_an_object_that_displays_while_modules_are_torn_down_breaks_nothing(scripts: Scripts) -> None:
    done = scripts.run(
        """
import ipyweb
class Late:
    def __init__(self):
        self.show = ipyweb.display
    def __del__(self):
        self.show({"text/plain": "x"}, raw=True, title="late")
ipyweb.display({"text/plain": "x"}, raw=True, title="main")
late = Late()
"""
    )
    assert "Traceback" not in done.err, done
    assert titles()[:1] == ["main"]


def test_a_script_that_uses_multiprocessing_ends_without_leftovers(scripts: Scripts) -> None:
    done = scripts.run(
        """
import multiprocessing.pool
import ipyweb
ipyweb.display({"text/plain": "x"}, raw=True, title="main")
"""
    )
    assert spool_files() == []
    assert done.err.splitlines()[-1] == "ipyweb: 1 output stored: 1 · ipyweb get 1"


def test_a_display_in_a_signal_handler_arrives(scripts: Scripts) -> None:
    scripts.run(
        """
import os, signal
import ipyweb
show = lambda title: ipyweb.display({"text/plain": "x"}, raw=True, title=title)
signal.signal(signal.SIGUSR1, lambda *_: show("signal"))
show("main")
for _ in range(20):
    os.kill(os.getpid(), signal.SIGUSR1)
"""
    )
    wait_for_titles(["main"] + ["signal"] * 20)
