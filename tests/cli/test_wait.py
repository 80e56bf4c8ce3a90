"""``ipyweb wait``."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipyweb import connection

from ..conftest import HANGS, stop_hub, wait_until
from .conftest import somebody_waits

Answer = Callable[..., tuple[int, str, str]]
Publish = Callable[..., int]
Begin = Callable[..., "subprocess.Popen[str]"]

LATER = """
import time, ipyweb
time.sleep(0.5)
ipyweb.display({"text/markdown": "# Later"}, raw=True, title="Later")
"""


@pytest.fixture
def begin(project: str) -> Iterator[Begin]:
    """A function that starts ``python -m ipyweb …`` beside the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "ipyweb", *words]
        begun.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=project))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=HANGS)
    return process.returncode, out, err


def test_a_script_that_shows_something_later_is_waited_for(hub: object, begin: Begin, project: str) -> None:
    Path(project, "later.py").write_text(LATER)
    waiting = begin("wait", "--timeout", "60s")
    somebody_waits()
    begin("run", "later.py")
    assert end(waiting) == (0, "1 'Later' text/markdown · later.py:4 · ipyweb get 1\n", "")


def test_each_output_after_one_that_is_known_is_told_once(publish: Publish, answer: Answer) -> None:
    first, other, second = publish(), publish(project="/elsewhere"), publish(title="Two")
    assert answer("wait", "--after", "0")[1].startswith(f"{first} text/plain")
    assert answer("wait", "--after", str(first))[1] == f"{second} 'Two' text/plain · ipyweb get {second}\n"
    assert answer("wait", "--after", str(first), "--all")[1].startswith(f"{other} ")
    status, out, _ = answer("wait", "--after", str(first), "--json")
    assert (status, json.loads(out)) == (0, json.loads(answer("list", "--json")[1])[-1])


def test_the_time_being_up_is_a_failure(publish: Publish, answer: Answer) -> None:
    number = publish(display_id="a")
    publish(display_id="a")
    publish(project="/elsewhere")
    assert answer("wait", "--timeout", "0.2") == (1, "", f"ipyweb: no output after {number + 1} within 0.2s\n")
    assert answer("wait", "last", "--timeout", "0") == (
        1,
        "",
        f"ipyweb: no version of output {number} after 2 within 0s\n",
    )


def test_the_next_version_is_waited_for(publish: Publish, answer: Answer, begin: Begin) -> None:
    number = publish(display_id="a")
    waiting = begin("wait", str(number), "--after", "2", "--timeout", "60")
    publish(display_id="a", title="Two")
    assert answer("wait", str(number), "--after", "1")[1] == (
        f"{number} 'Two' text/plain version 2 · ipyweb get {number}\n"
    )
    publish(display_id="a")
    assert end(waiting)[0:2] == (0, f"{number} 'Two' text/plain version 3 · ipyweb get {number}\n")


def test_a_hub_that_is_started_anew_meanwhile_is_waited_for(
    hub: connection.Connection, publish: Publish, begin: Begin, project: str
) -> None:
    number = publish()
    waiting = begin("wait", "--after", str(number), "--timeout", "60", "--json")
    somebody_waits()
    stop_hub()
    wait_until(lambda: connection.find() is None, "the hub to be gone")
    again = connection.start()
    body = {"data": {"text/plain": "after the break"}, "project": project}
    connection.request(again, "POST", "api/outputs", body)
    status, out, _ = end(waiting)
    assert (status, json.loads(out)["id"]) == (0, number + 1)


def test_a_hub_that_stays_away_is_not_started(hub: object, publish: Publish, begin: Begin) -> None:
    number = publish()
    waiting = begin("wait", "--after", str(number), "--timeout", "3")
    somebody_waits()
    stop_hub()
    assert end(waiting) == (
        1,
        "",
        f"ipyweb: no output after {number} within 3s; no hub is running any more\n",
    )


@pytest.mark.parametrize(
    "words",
    [["x"], ["--after", "x"], ["--after=-1"], ["--timeout", "soon"], ["--timeout", "nan"], ["1", "2"], ["--nosuch"]],
)
def test_wrong_usage_is_status_2(words: list[str], answer: Answer) -> None:
    status, out, error = answer("wait", *words)
    assert (status, out) == (2, "")
    assert "expected" in error or "nosuch" in error


def test_an_unknown_output_is_a_failure(publish: Publish, answer: Answer) -> None:
    number = publish()
    assert answer("wait", "999") == (1, "", f"ipyweb: there is no output 999; there are {number}\n")
