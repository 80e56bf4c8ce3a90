"""The keeper loads what sessions of its own user hand over, and lets nobody else in."""

import os
import time
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from ipyweb import keepers
from ipyweb.errors import KeeperUnavailable
from ipyweb.figures import channel
from ipyweb.figures.keeper import MIB, fills_stage, memory_bound
from ipyweb.figures.shelf import Shelf
from ipyweb.figures.snapshot import Snapshot, load, take
from ipyweb.unix import short_address

from ..conftest import wait_until
from .conftest import answer, record

Keeper = Callable[..., Connection]


def figure() -> Figure:
    made = Figure()
    made.subplots().plot([1, 2])
    return made


def put(peer: Connection, snapshot: Snapshot, **header: object) -> None:
    channel.send(peer, {"type": "put", "id": snapshot.id, "display_id": snapshot.id, **header}, snapshot.parts())


class Unloadable:
    def __setstate__(self, state: object) -> None:
        raise RuntimeError("not here")

    def __getstate__(self) -> dict[str, int]:
        return {"a": 1}


class Crashing(Unloadable):
    def __setstate__(self, state: object) -> None:
        os.abort()


class Hanging(Unloadable):
    def __setstate__(self, state: object) -> None:
        time.sleep(1000)


def test_a_figure_is_acknowledged_once_it_is_loaded_and_lies_on_the_shelf(keeper: Keeper, environment: str) -> None:
    peer, snapshot = keeper(), take(figure())
    put(peer, snapshot)
    assert answer(peer) == {"type": "loaded", "id": snapshot.id, "parts": []}
    assert load(Shelf(environment).get(snapshot.id)).figure.axes


def test_a_private_figure_is_not_put_on_the_shelf(keeper: Keeper, environment: str) -> None:
    peer, snapshot = keeper(), take(figure())
    put(peer, snapshot, private=True)
    assert answer(peer)["type"] == "loaded"
    assert snapshot.id not in Shelf(environment)


@pytest.mark.parametrize(("kind", "said"), [(Unloadable, "failed"), (Crashing, "loaded"), (Hanging, "loaded")])
def test_a_figure_that_cannot_be_loaded_harms_no_other_and_is_given_back_unless_it_is_deadly(
    keeper: Keeper, kind: type, said: str
) -> None:
    peer, bad, good = keeper(timeout=2), figure(), take(figure())
    bad.thing = kind()
    refused = take(bad)
    put(peer, refused)
    put(peer, good)
    answers = {each["id"]: each for each in (answer(peer), answer(peer))}
    assert answers[good.id]["type"] == "loaded"
    assert answers[refused.id]["type"] == said
    assert answers[refused.id].get("error", "").partition(" (")[0] == (
        "RuntimeError: not here" if said == "failed" else ""
    )


def test_there_is_one_keeper_however_often_it_is_started(keeper: Keeper, environment: str) -> None:
    first, second = keeper(), keeper()
    for peer in (first, second):
        snapshot = take(figure())
        put(peer, snapshot)
        assert answer(peer)["type"] == "loaded"


def test_a_peer_without_the_key_is_refused(keeper: Keeper, environment: str) -> None:
    keeper()
    path = keepers.channel_dir(environment) / channel.SOCKET
    with short_address(path) as address, pytest.raises(Exception, match="digest"):
        Client(address, family="AF_UNIX", authkey=b"guess")


def test_a_peer_that_says_nonsense_is_dropped_and_the_keeper_goes_on(keeper: Keeper) -> None:
    good, bad = keeper(), keeper()
    bad.send_bytes(b"\x80\x05nonsense")
    with pytest.raises((EOFError, OSError)):
        answer(bad)
    snapshot = take(figure())
    put(good, snapshot)
    assert answer(good)["type"] == "loaded"


def test_a_peer_that_leaves_at_once_was_heard(keeper: Keeper, environment: str) -> None:
    keeper()
    leaving = channel.dial(environment)
    channel.send(leaving, {"type": "stop"})
    leaving.close()
    socket = keepers.channel_dir(environment) / channel.SOCKET
    wait_until(lambda: not socket.exists(), "the keeper to end")


def test_socket_and_key_are_the_users_alone(keeper: Keeper, environment: str) -> None:
    keeper()
    directory = keepers.channel_dir(environment)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in directory.iterdir()} == {0}


def test_an_idle_keeper_ends_and_is_started_again(keeper: Keeper, environment: str) -> None:
    keeper(idle=1).close()
    socket = keepers.channel_dir(environment) / channel.SOCKET
    deadline = time.monotonic() + 180
    while socket.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    snapshot = take(figure())
    peer = keeper(idle=1)
    put(peer, snapshot)
    assert answer(peer)["type"] == "loaded"


def test_a_keeper_without_a_record_is_not_started(environment: str) -> None:
    with pytest.raises(KeeperUnavailable, match="nothing is known of the environment"):
        keepers.start(environment)


def test_a_command_that_cannot_run_is_said(environment: str) -> None:
    keepers.write_record(environment, ["/nonexistent/python"], {}, {})
    with pytest.raises(KeeperUnavailable, match="cannot be started"):
        keepers.start(environment)
    keepers.write_record(environment, ["/bin/echo", "no luck"], {}, {})
    with pytest.raises(KeeperUnavailable, match="could not start: no luck"):
        keepers.start(environment)


def test_no_secret_of_the_environment_is_written_down() -> None:
    kept = keepers.kept_environment({"AWS_SECRET": "x", "HOME": "/h", "MPLBACKEND": "qt", "LC_ALL": "C"})
    assert kept == {"HOME": "/h", "LC_ALL": "C"}


@pytest.mark.parametrize("name", ["", "../../etc", "A" * 16, "0" * 15])
def test_an_environment_id_is_no_path(name: str) -> None:
    with pytest.raises(KeeperUnavailable, match="expected an environment id"):
        record(name)


@pytest.mark.parametrize(
    ("group", "limit", "expected"),
    [
        ("0::/job", "sys/fs/cgroup/job/memory.max", 100),
        ("4:cpu:/x\n9:memory:/slurm/job_1", "sys/fs/cgroup/memory/slurm/job_1/memory.limit_in_bytes", 100),
        ("4:memory:/in/a/container", "sys/fs/cgroup/memory/memory.limit_in_bytes", 100),
        ("4:cpu:/", "sys/fs/cgroup/memory/memory.limit_in_bytes", 512),
        ("0::/", "sys/fs/cgroup/nowhere", 512),
    ],
)
def test_figures_take_a_tenth_of_what_the_job_may_have(tmp_path: Path, group: str, limit: str, expected: int) -> None:
    for name, text in (("proc/self/cgroup", f"{group}\n"), (limit, f"{1000 * MIB}\n")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_bound(tmp_path) == expected * MIB


def test_what_fills_a_stage_is_drawn_ahead_and_nothing_else() -> None:
    stage = {"mime": "image/png", "width": [800, "px"], "height": [600, "px"], "dpi": 100.0, "margins": True}
    assert fills_stage(stage)
    for other in ({"mime": "application/pdf"}, {"style": "dark"}, {"transparent": True}, {"describe": True}):
        assert not fills_stage({**stage, **other})
    assert not fills_stage({"mime": "image/png", "width": [800, "px"]})
