"""A script may end at any time: what it displayed arrives, now or at the next hub, and it is hardly held up."""

import os
import signal
import stat
import time

import pytest

from ipyweb import connection
from ipyweb.private import write_private

from .conftest import (
    Scripts,
    chance,
    data_of,
    hubs,
    kill,
    outputs,
    spool_files,
    the_hub,
    titles,
    wait_for_titles,
    wait_until,
)

TEN = """
import sys
import ipyweb
for number in range(10):
    ipyweb.display({"text/plain": f"{sys.argv[1]}.{number}"}, raw=True, title=f"{sys.argv[1]}.{number}")
"""
EXIT = 5.0
"""Seconds by which the end of a process may be delayed; twice that is allowed for a slow machine."""

NOWHERE = """
import sys
sys.executable = {executable!r}
import ipyweb
for number in range(20):
    ipyweb.display({{"text/plain": str(number)}}, raw=True, title=str(number))
    ipyweb.display({{"image/png": b"x" * 400_000}}, raw=True, title=f"{{number}}, large")
print("goes on")
"""
TITLES = [title for number in range(20) for title in (str(number), f"{number}, large")]


def test_everything_arrives_from_scripts_that_end_at_once(scripts: Scripts) -> None:
    runs = [scripts.start(TEN, str(run)) for run in range(2)]
    for run in range(2, 50):
        done = scripts.finish(runs.pop(0))
        assert done.status == 0, done
        runs.append(scripts.start(TEN, str(run)))
    for script in runs:
        assert scripts.finish(script).status == 0
    arrived = titles()
    assert len(arrived) == 500
    for run in range(50):
        assert [title for title in arrived if title.startswith(f"{run}.")] == [f"{run}.{n}" for n in range(10)]
    assert len(hubs()) == 1


@pytest.mark.parametrize("executable", ["/nonexistent/python", "/bin/false", "", None], ids=str)
def test_where_no_hub_can_be_started_the_program_goes_on_and_the_next_hub_gets_everything(
    scripts: Scripts, executable: str | None
) -> None:
    began = time.monotonic()
    done = scripts.run(NOWHERE.format(executable=executable))
    assert time.monotonic() - began < 2 * EXIT
    assert done.out == "goes on\n"
    warnings = [line for line in done.err.splitlines() if "the program goes on" in line]
    assert len(warnings) == 1, done
    assert "Traceback" not in done.err
    assert "waiting up to 5 s" in done.err
    (spooled,) = spool_files()
    assert stat.S_IMODE(spooled.stat().st_mode) == 0o600
    assert stat.S_IMODE(spooled.parent.stat().st_mode) == 0o700
    assert hubs() == []
    connection.start()
    wait_for_titles(TITLES)
    wait_until(lambda: not spool_files(), "the spool to be taken in")
    assert len(data_of(outputs()[1], "image/png")) == 400_000


def test_a_spool_is_taken_in_once_even_if_the_hub_dies_over_it(scripts: Scripts) -> None:
    random = chance()
    scripts.run(NOWHERE.format(executable="/bin/false"))
    (spooled,) = spool_files()
    content = spooled.read_bytes()
    for _ in range(5):
        kill(connection.start().pid)
        time.sleep(random.uniform(0, 0.05))
    connection.start()
    wait_until(lambda: not spool_files(), "the spool to be taken in")
    write_private(spooled, content)
    kill(connection.start().pid)
    connection.start()
    wait_until(lambda: not spool_files(), "the spool to be taken in again")
    assert titles() == TITLES


def test_a_hub_elsewhere_that_is_not_there_costs_one_warning(scripts: Scripts) -> None:
    token = connection.data_dir() / "token"
    write_private(token, b"0" * 64)
    done = scripts.run(TEN, "a", IPYWEB_HUB="http://127.0.0.1:9", IPYWEB_TOKEN_FILE=str(token))
    assert done.err.count("the program goes on") == 1, done
    assert hubs() == []
    connection.start()
    wait_for_titles([f"a.{number}" for number in range(10)])


def test_ctrl_c_ends_the_wait_at_the_end_and_nothing_is_lost(scripts: Scripts) -> None:
    script = scripts.start(NOWHERE.format(executable="/bin/false") + "\nprint('end', flush=True)")
    assert script.stdout is not None
    assert script.stderr is not None
    while "waiting up to" not in script.stderr.readline():
        pass
    script.send_signal(signal.SIGINT)
    done = scripts.finish(script)
    assert "not waiting any longer" in done.err
    assert "Traceback" not in done.err
    assert done.seconds < EXIT - 1
    connection.start()
    wait_for_titles(TITLES)


def test_a_hub_that_stands_still_holds_no_script_up_and_gets_everything_afterwards(scripts: Scripts) -> None:
    script = scripts.start(
        """
import sys, time
import ipyweb
ipyweb.display({"text/plain": "first"}, raw=True, title="-1").wait(30)
print("ready", flush=True)
sys.stdin.readline()
slowest = 0
for number in range(2000):
    began = time.perf_counter()
    ipyweb.display({"image/png": b"%d" % number * 5000}, raw=True, title=str(number))
    slowest = max(slowest, time.perf_counter() - began)
print(slowest, flush=True)
sys.stdin.readline()
print(ipyweb.flush(60), flush=True)
"""
    )
    assert script.stdin is not None
    assert script.stdout is not None
    assert script.stdout.readline() == "ready\n"
    hub = the_hub()
    kill(hub.pid, signal.SIGSTOP)
    script.stdin.write("\n")
    script.stdin.flush()
    slowest = float(script.stdout.readline())
    print(f"slowest of 2,000 displays while the hub stood still: {1000 * slowest:.1f} ms")
    assert slowest < 2
    kill(hub.pid, signal.SIGCONT)
    script.stdin.write("\n")
    script.stdin.flush()
    done = scripts.finish(script)
    assert done.out.endswith("True\n"), done
    assert titles() == [str(number) for number in range(-1, 2000)]


def test_a_script_that_ends_while_the_hub_stands_still_leaves_nothing_out_and_nothing_twice(scripts: Scripts) -> None:
    scripts.run(TEN, "before")
    hub = the_hub()
    kill(hub.pid, signal.SIGSTOP)
    began = time.monotonic()
    scripts.run(TEN, "after")
    assert time.monotonic() - began < 2 * EXIT
    kill(hub.pid, signal.SIGCONT)
    wait_for_titles([f"{word}.{number}" for word in ("before", "after") for number in range(10)])
    assert the_hub().pid == hub.pid


def test_what_is_secured_outlives_a_process_that_ends_without_a_word(scripts: Scripts) -> None:
    scripts.run(TEN, "before")
    hub = the_hub()
    kill(hub.pid, signal.SIGSTOP)
    lines = "\nfrom ipyweb.session.session import current\ncurrent().client.secure(0.5)\n"
    scripts.run(TEN + 2 * lines + "import os\nos._exit(0)", "after")
    kill(hub.pid, signal.SIGCONT)
    wait_for_titles([f"{word}.{number}" for word in ("before", "after") for number in range(10)])


OVERFLOW = """
import sys, threading, time
from traitlets.config import Config
from ipyweb.config import IPyWeb
IPyWeb.instance(config=Config({{"IPyWeb": {{"queue_bytes": 200_000}}}}))
import ipyweb

def show(name):
    for number in range({count}):
        ipyweb.display({{"image/png": b"x" * 20_000}}, raw=True, title=f"{{name}}.{{number}}")

{body}
print(ipyweb.flush(60))
"""


def test_what_the_queue_cannot_hold_goes_to_files_and_arrives_once_and_in_order(scripts: Scripts) -> None:
    scripts.run(TEN, "before")
    hub = the_hub()
    kill(hub.pid, signal.SIGSTOP)
    script = scripts.start(OVERFLOW.format(count=300, body="show('a')"))
    wait_until(lambda: len(spool_files()) > 10, "many spool files")
    kill(hub.pid, signal.SIGCONT)
    done = scripts.finish(script)
    assert done.status == 0, done
    wait_until(lambda: not spool_files(), "the spool to be taken in")
    assert titles()[10:] == [f"a.{number}" for number in range(300)]


def test_a_queue_that_overflows_under_a_running_hub_loses_nothing_either(scripts: Scripts) -> None:
    scripts.run(TEN, "before")
    done = scripts.run(OVERFLOW.format(count=1000, body="show('a')"))
    wait_until(lambda: not spool_files(), "the spool to be taken in")
    assert titles()[10:] == [f"a.{number}" for number in range(1000)], done


def test_threads_that_overflow_the_queue_together_lose_nothing(scripts: Scripts) -> None:
    scripts.run(TEN, "before")
    body = """
threads = [threading.Thread(target=show, args=(name,)) for name in "abcd"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    done = scripts.run(OVERFLOW.format(count=250, body=body))
    wait_until(lambda: not spool_files(), "the spool to be taken in")
    arrived = titles()[10:]
    assert len(arrived) == 1000, done
    for name in "abcd":
        assert [title for title in arrived if title.startswith(name)] == [f"{name}.{n}" for n in range(250)]


def test_a_spool_that_nobody_can_write_is_said_and_holds_nothing_up(scripts: Scripts) -> None:
    (connection.data_dir() / "spool").write_text("in the way")
    done = scripts.run(NOWHERE.format(executable="/bin/false"))
    assert done.out == "goes on\n"
    assert "41 messages are lost" in done.err
    assert "Traceback" not in done.err
    assert os.listdir(connection.data_dir()) == ["spool"]
