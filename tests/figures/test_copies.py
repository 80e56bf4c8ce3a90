"""Reaching into figures from end to end: a script that has ended, its hub, its keeper, and the copies of panes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import matplotlib
import psutil
import pytest
from websockets.sync.client import ClientConnection, connect

from ipyweb import connection, keepers
from ipyweb.figures.copies import IDLE, MOST, MOST_WAITING, Copies
from ipyweb.protocol import decode, encode

from ..conftest import stop_keeper, wait_until
from .conftest import ROOT

LINE = "figure = Figure(); axes = figure.subplots(); axes.plot([0, 1, 2], [0, 1, 0])"
MOUSE = {"button": 0, "buttons": 1, "modifiers": [], "step": 0}


class Pane:
    """A pane that reaches into an output."""

    def __init__(self, hub: connection.Connection, output: int, version: int = 1) -> None:
        headers = {"Authorization": f"Bearer {hub.token_for('pane')}"}
        address = "ws" + hub.url.removeprefix("http") + "/ws/reach"
        self._manager = connect(address, additional_headers=headers, compression=None, proxy=None)
        self.socket: ClientConnection = self._manager.__enter__()
        size = {"width": 800, "height": 600, "dpi": 100}
        self.say("reach", protocol=1, output=output, version=version, **size)

    def say(self, kind: str, **fields: Any) -> None:
        self.socket.send(encode({"type": kind, **fields}))

    def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message of these kinds; pictures are acknowledged."""
        while True:
            header = decode(self.socket.recv(timeout=180)).header
            if header["type"] == "frame":
                self.say("ack")
            if header["type"] in kinds:
                return header

    def drag(self) -> None:
        """Begin to drag, and go on."""
        self.say("button_press", x=400, y=300, **MOUSE)
        for x in range(400, 300, -10):
            self.say("motion_notify", x=x, y=300, **MOUSE)

    def close(self) -> None:
        self._manager.__exit__(None, None, None)


def environment() -> str:
    return keepers.environment_id(matplotlib.__version__)


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    stop_keeper(environment())


def show(hub: connection.Connection, code: str = LINE) -> int:
    """Run a script that shows a figure; its output, once that is drawn."""
    path = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH", "")]))
    script = f"from matplotlib.figure import Figure\n{code}\nimport ipyweb; ipyweb.display(figure); ipyweb.flush(30)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=180, env={**os.environ, "PYTHONPATH": path})
    return int(wait_until(lambda: drawn(hub), "a drawing")["id"])


def drawn(hub: connection.Connection) -> Any:
    (record,) = connection.request(hub, "GET", "api/outputs?limit=1").json()["outputs"]
    return record if "image/png" in record["data"] or record["problems"] else None


def keeper() -> psutil.Process:
    """The keeper's process."""
    words = ["ipyweb.figures.keeper", environment()]
    (found,) = (each for each in psutil.process_iter() if is_ours(each, words))
    return found


def is_ours(process: psutil.Process, words: list[str]) -> bool:
    try:
        return process.cmdline()[-2:] == words and process.environ()["IPYWEB_DATA_DIR"] == os.environ["IPYWEB_DATA_DIR"]
    except psutil.Error:
        return False


def easels() -> list[psutil.Process]:
    """The processes that hold figures, or wait for one."""
    (template,) = keeper().children()
    return [each for each in template.children() if each.status() != psutil.STATUS_ZOMBIE]


def pids() -> set[int]:
    return {each.pid for each in easels()}


def test_a_figure_whose_script_has_ended_is_panned_and_a_view_of_it_kept(hub: connection.Connection) -> None:
    output = show(hub)
    pane = Pane(hub, output)
    assert pane.hear("reached")["keeps"]
    assert pane.hear("frame")["size"] == [800, 600]
    pane.drag()
    assert pane.hear("frame")["at"] != [0, 0]
    pane.say("button_release", x=300, y=300, **MOUSE)
    assert pane.hear("history_buttons")["Back"]
    pane.say("keep")
    assert pane.hear("kept") == {"type": "kept", "version": 2}

    def versions() -> Any:
        found = connection.request(hub, "GET", f"api/outputs/{output}/versions").json()
        return found if "image/png" in found[-1]["data"] else None

    first, second = wait_until(versions, "the picture of the view")
    assert first["figure"]["id"] != second["figure"]["id"]
    assert "x: 0.2" in second["figure"]["description"]
    assert second["figure"]["size"] == first["figure"]["size"]
    again = Pane(hub, output, version=2)
    assert again.hear("frame")["size"] == [800, 600]


def test_a_keeper_that_has_ended_is_started_again(hub: connection.Connection) -> None:
    output = show(hub)
    assert Pane(hub, output).hear("frame")
    gone = keeper()
    stop_keeper(environment())
    gone.wait(60)
    assert Pane(hub, output).hear("reached", "gone")["type"] == "reached"


def test_a_pane_that_goes_in_the_middle_of_a_drag_takes_its_copy_along(hub: connection.Connection) -> None:
    pane = Pane(hub, show(hub))
    pane.hear("frame")
    other = Pane(hub, 1)
    other.hear("frame")
    other.drag()
    before = pids()
    other.close()
    wait_until(lambda: before - pids(), "the copy to go")
    pane.drag()
    assert pane.hear("frame")


def test_a_keeper_killed_in_the_middle_of_a_drag_is_told_and_the_pane_begins_again(hub: connection.Connection) -> None:
    pane = Pane(hub, show(hub))
    pane.hear("frame")
    pane.drag()
    processes = [keeper(), *easels()]
    os.kill(processes[0].pid, signal.SIGKILL)
    assert pane.hear("gone")["reason"] == "the figure keeper went away"
    psutil.wait_procs(processes, 60)
    assert not [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    assert Pane(hub, 1).hear("frame")


def test_a_copy_that_crashes_is_told_and_harms_no_other(hub: connection.Connection) -> None:
    output = show(hub)
    first = Pane(hub, output)
    first.hear("frame")
    before = pids()
    second = Pane(hub, output)
    second.hear("frame")
    killed = [each for each in easels() if each.pid not in before] or easels()[-1:]
    for each in killed:
        os.kill(each.pid, signal.SIGKILL)
    assert second.hear("gone")["reason"] == "its process crashed, or needed too much memory"
    first.drag()
    assert first.hear("frame")


def test_no_more_copies_than_the_bound_and_that_is_said(hub: connection.Connection) -> None:
    output = show(hub)
    panes = [Pane(hub, output) for _ in range(MOST + 4)]
    said = [pane.hear("reached", "gone") for pane in panes]
    refused = [each["reason"] for each in said if each["type"] == "gone"]
    assert refused == [f"{MOST} figures are reached into already; leave one of them first"] * 4
    panes[[each["type"] for each in said].index("reached")].close()
    wait_until(lambda: Pane(hub, output).hear("reached", "gone")["type"] == "reached", "room for another")


def test_a_copy_that_nobody_does_anything_to_is_ended_in_time_and_one_that_does_not_answer_at_once() -> None:
    said: list[dict[str, Any]] = []
    refuse: Any = None  # nothing is loaded here
    copies = Copies(lambda figure, job: None, refuse, refuse, lambda header, picture: said.append(header))
    wanted = {"width": 800, "height": 600, "dpi": 100}
    for number in (1, 2):
        copies.hear({"type": "reach", "n": number, "figure": "f" * 32, "wanted": wanted})
    copies._copies[1].used -= IDLE + 1
    copies.tick()
    assert said == [{"type": "left", "n": 1, "reason": "nothing was done for 10 minutes"}]
    for _ in range(MOST_WAITING + 1):
        copies.hear({"type": "event", "n": 2, "event": {"type": "key_press", "key": "kp"}})
    assert said[1:] == [{"type": "left", "n": 2, "reason": "it does not answer any more"}]
    assert len(copies) == 0


UNDRAWABLE = """
from matplotlib.artist import Artist
class Broken(Artist):
    def draw(self, renderer): raise ValueError("no ink")
figure = Figure(); figure.add_artist(Broken())
"""


def test_a_figure_that_cannot_be_drawn_says_why(hub: connection.Connection) -> None:
    output = show(hub, UNDRAWABLE)
    assert "no ink" in Pane(hub, output).hear("gone")["reason"]


def test_a_hub_that_goes_takes_the_copies_along(hub: connection.Connection) -> None:
    pane = Pane(hub, show(hub))
    pane.hear("frame")
    before = pids()
    connection.request(hub, "POST", "api/stop", {})
    wait_until(lambda: before - pids(), "the copy to go")
