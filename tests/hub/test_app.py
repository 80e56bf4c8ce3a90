"""The hub as a process: one per directory, found again, handed over, and hard to kill."""

import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from ipyweb import connection
from ipyweb.errors import ConnectionFileError, HubError
from ipyweb.hub import app, spool
from ipyweb.private import write_private
from ipyweb.protocol import encode

from .conftest import Live, Pane, Session, display_frame, free_port, hello_fields, write_spool

SERVE = (
    "import sys; from ipyweb.config import Hub; from ipyweb.hub.app import run; "
    "run(Hub(), lambda state: print(state['pid'], flush=True))"
)


class Spawned:
    """A hub in a process of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline().strip() != b""
        found = connection.read_connection_file()
        if self.ready and found is not None:
            self.connection = found

    @property
    def port(self) -> int:
        return self.connection.port

    def session(self, **fields: Any) -> Session:
        return Session(self.port, self.connection.token_for("session"), **fields)

    def get(self, path: str) -> Any:
        return connection.request(self.connection, "GET", path).json()

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> int:
        status = self.process.wait(180)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return status


@pytest.fixture
def spawn() -> Iterator[Callable[[], Spawned]]:
    """Start hub processes; those that still run are killed at the end."""
    started: list[Spawned] = []

    def begin() -> Spawned:
        started.append(Spawned())
        return started[-1]

    yield begin
    for each in started:
        if each.process.poll() is None:
            each.kill()


# -- finding it -------------------------------------------------------------------------------------------------------


def test_port_token_and_outputs_are_kept_over_restarts(start: Callable[..., Live]) -> None:
    first = start()
    session = first.session()
    session.welcome()
    session.display()
    session.acked()
    url = first.outputs()[0]["data"]["image/png"]["url"]
    state = first.state
    first.stop()
    second = start()
    assert {name: second.state[name] for name in ("hub", "port", "token")} == {
        name: state[name] for name in ("hub", "port", "token")
    }
    assert second.outputs()[0]["data"]["image/png"]["url"] == url


def test_the_first_port_is_a_random_one_of_ours(live: Live) -> None:
    assert 20000 <= live.port < 30000


def test_when_a_stranger_holds_the_kept_port_port_and_token_are_new(start: Callable[..., Live]) -> None:
    first = start()
    state = first.state
    first.stop()
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", state["port"]))
        stranger.listen()
        second = start()
        assert second.state["hub"] == state["hub"]
        assert second.state["port"] != state["port"]
        assert second.state["token"] != state["token"]
        assert connection.find() is not None
        second.stop()
    third = start()
    assert third.state["token"] == second.state["token"]
    assert third.state["port"] == second.state["port"]


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(start: Callable[..., Live]) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        with pytest.raises(HubError, match=r"port \d+ is taken"):
            start(port=stranger.getsockname()[1])


def test_a_port_can_be_chosen(start: Callable[..., Live]) -> None:
    port = free_port()
    assert start(port=port).port == port


def test_the_connection_file_says_everything_and_is_ours_alone(live: Live) -> None:
    path = connection.runtime_dir() / connection.CONNECTION_FILE
    fields = json.loads(path.read_text())
    assert fields.keys() == {
        "hub",
        "url",
        "address",
        "certificate",
        "proxy",
        "port",
        "socket",
        "token",
        "pid",
        "pid_started",
        "boot",
        "host",
        "uid",
        "version",
        "protocol",
        "data_dir",
        "started",
    }
    assert path.stat().st_mode & 0o777 == 0o600
    found = connection.find()
    assert found is not None
    assert found.token == live.state["token"]


def test_a_proof_is_bound_to_the_address_dialled(live: Live) -> None:
    for host in (f"127.0.0.1:{live.port}", f"localhost:{live.port}", "127.0.0.1:18792"):
        hello = live.request("GET", "/hello?nonce=" + "ab" * 16, headers={"Host": host}, scope=None).json()
        for scope in ("admin", "session", "pane"):
            expected = connection.proof(live.token(scope), "ab" * 16, live.state["hub"], host, live.port)
            assert hello["proofs"][scope] == expected


def test_the_connection_file_goes_when_the_hub_does(live: Live) -> None:
    live.stop()
    assert connection.find() is None
    assert not (connection.runtime_dir() / connection.CONNECTION_FILE).exists()


def test_the_connection_file_comes_back_when_somebody_cleaned_up(live: Live) -> None:
    runtime = connection.runtime_dir()
    runtime.rename(runtime.with_name("gone"))
    deadline = time.monotonic() + 180
    while connection.read_connection_file() is None if runtime.exists() else True:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert runtime.stat().st_mode & 0o777 == 0o700


def test_only_one_hub_runs(spawn: Callable[[], Spawned]) -> None:
    first = spawn()
    assert first.ready
    second = spawn()
    assert not second.ready
    assert second.process.stderr is not None
    assert b"a hub runs already" in second.process.stderr.read()
    assert second.end() != 0
    assert first.get("api/state")["pid"] == first.process.pid


def test_only_one_hub_uses_a_store_even_with_another_runtime_directory(
    live: Live, spawn: Callable[[], Spawned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYWEB_RUNTIME_DIR", str(tmp_path / "other"))
    second = spawn()
    assert second.process.stderr is not None
    assert b"another hub uses the store" in second.process.stderr.read()
    assert second.end() != 0
    assert json.loads((connection.data_dir() / "identity.json").read_text())["token"] == live.state["token"]


# -- directories that cannot be trusted -------------------------------------------------------------------------------


def test_a_runtime_directory_open_to_others_is_refused_and_left_alone(start: Callable[..., Live]) -> None:
    runtime = connection.runtime_dir()
    runtime.chmod(0o777)
    with pytest.raises(ConnectionFileError, match="mode 0700"):
        start()
    assert runtime.stat().st_mode & 0o777 == 0o777
    runtime.chmod(0o700)


def test_a_runtime_directory_that_is_a_link_or_a_file_is_refused(
    start: Callable[..., Live], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, link, plain = tmp_path / "target", tmp_path / "link", tmp_path / "plain"
    target.mkdir(mode=0o700)
    link.symlink_to(target)
    plain.touch(0o600)
    for path in (link, plain):
        monkeypatch.setenv("IPYWEB_RUNTIME_DIR", str(path))
        with pytest.raises(ConnectionFileError, match="directory of your own"):
            start()


def test_a_runtime_directory_of_somebody_else_is_refused(
    start: Callable[..., Live], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(ConnectionFileError, match="directory of your own"):
        start()


def test_a_kept_secret_that_others_could_have_written_is_refused(start: Callable[..., Live]) -> None:
    start().stop()
    path = connection.data_dir() / "identity.json"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o666)
    with pytest.raises(ConnectionFileError, match="mode 0600"):
        start()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"hub": 1}', b'{"hub":"x","token":"short","port":1}', b"\xff"])
def test_a_spoilt_identity_is_replaced(start: Callable[..., Live], content: bytes) -> None:
    write_private(connection.data_dir() / "identity.json", content)
    assert len(start().state["token"]) == 64


def test_every_file_is_private_whatever_the_umask(spawn: Callable[[], Spawned]) -> None:
    old = os.umask(0)
    try:
        hub = spawn()
    finally:
        os.umask(old)
    session = hub.session()
    session.welcome()
    session.display({"image/png": os.urandom(200_000)})
    session.acked()
    for root in (connection.data_dir(), connection.runtime_dir()):
        for path in root.rglob("*"):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


# -- stopping ---------------------------------------------------------------------------------------------------------


def test_stopping_tells_panes_and_sessions(live: Live) -> None:
    session, pane = live.session(), live.pane()
    session.welcome()
    pane.until(lambda pane: pane.sessions)
    live.request("POST", "/api/stop", {"handover": True})
    assert pane.receive() == {"type": "stopping", "handover": True}
    for peer in (session, pane):
        with pytest.raises(ConnectionClosed) as caught:
            peer.receive()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001
    live.stop()


def test_a_newer_hub_takes_port_and_sessions_over(start: Callable[..., Live]) -> None:
    first = start()
    session = first.session()
    session.welcome()
    session.display()
    session.acked()
    first.request("POST", "/api/stop", {"handover": True})
    first.stop()
    second = start()
    assert second.port == first.port
    again = Session(second.port, second.token("session"), key=session.key, **session.fields)
    assert again.welcome()["acked"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(spawn: Callable[[], Spawned], number: signal.Signals) -> None:
    hub = spawn()
    session = hub.session()
    session.welcome()
    session.display()
    session.acked()
    hub.process.send_signal(number)
    assert hub.end() == 0
    assert not (connection.runtime_dir() / connection.CONNECTION_FILE).exists()


def test_it_stops_when_nobody_was_here_for_long(start: Callable[..., Live], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "CHECK_SECONDS", 0.05)
    live = start(idle_timeout=0.4)
    pane = live.pane()
    with pytest.raises(TimeoutError):
        pane.receive(timeout=0.8)
    pane.close()
    live._thread.join(180)
    assert not live._thread.is_alive()


# -- surviving --------------------------------------------------------------------------------------------------------


def test_everything_acknowledged_survives_being_killed_at_random(spawn: Callable[[], Spawned]) -> None:
    chance = random.Random(5)
    acked: dict[int, int] = {}
    key, fields, seq = "ab" * 32, hello_fields(), 0
    for _ in range(5):
        hub = spawn()
        session = hub.session(key=key, **fields)
        seq = max(acked, default=0)
        assert session.welcome()["acked"] >= seq
        session.seq = seq  # replay from what we know to be acknowledged
        killer = threading.Timer(chance.uniform(0.02, 0.15), hub.process.kill)
        killer.start()
        try:
            while True:
                session.display({"image/png": os.urandom(20_000)})
                if session.seq % 20 == 0:
                    acked.update({each[0]: each[1] for each in session.acked()})
        except ConnectionClosed:
            killer.join()
            hub.end()
    hub = spawn()
    session = hub.session(key=key, **fields)
    session.welcome()
    outputs: list[dict[str, Any]] = []
    while page := hub.get(f"api/outputs?limit=1000&after={len(outputs)}")["outputs"]:
        outputs += page
    by_display_id = {output["display_id"]: output["id"] for output in outputs}
    assert len(by_display_id) == len(outputs)
    assert all(by_display_id[f"d{number}"] == output for number, output in acked.items())
    assert [output["display_id"] for output in outputs] == [f"d{n}" for n in range(1, len(outputs) + 1)]


def test_sessions_of_a_killed_hub_are_ended_unless_they_come_back(
    spawn: Callable[[], Spawned], start: Callable[..., Live], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = spawn()
    stays, goes = hub.session(), hub.session()
    for session in (stays, goes):
        session.welcome()
    hub.kill()
    monkeypatch.setattr("ipyweb.hub.hub.ENDED_AFTER", 0.5)
    live = start()
    again = Session(live.port, live.token("session"), key=stays.key, **stays.fields)
    again.welcome()
    pane = live.pane()
    pane.until(lambda pane: pane.sessions.get(goes.id, {}).get("ended"))
    assert pane.sessions[stays.id]["ended"] is None
    assert pane.sessions[stays.id]["connected"]
    assert not pane.sessions[goes.id]["connected"]


def damage(path: Path, start_at: int = 4096) -> None:
    with path.open("r+b") as file:
        file.seek(start_at)
        file.write(os.urandom(max(4096, path.stat().st_size - start_at)))


def test_a_damaged_database_is_set_aside_and_a_fresh_one_begun(start: Callable[..., Live]) -> None:
    live = start()
    session = live.session()
    session.welcome()
    session.display({"image/png": os.urandom(200_000)})
    session.display({"text/plain": b"x" * 50_000})
    session.acked()
    live.stop()
    damage(connection.data_dir() / "outputs.sqlite")
    live = start()
    assert live.outputs() == []
    (notice,) = live.get("/api/state")["notices"]
    (aside,) = connection.data_dir().glob("damaged-*")
    assert str(aside) in notice
    assert {path.name for path in aside.iterdir()} >= {"outputs.sqlite", "blobs"}
    session = live.session()
    session.welcome()
    session.display()
    session.acked()
    live.stop()
    assert start().get("/api/state")["notices"] == []


def test_damage_found_while_running_is_no_crash_loop(start: Callable[..., Live]) -> None:
    live = start()
    session, pane = live.session(), live.pane()
    session.welcome()
    for _ in range(300):
        session.display({"text/plain": os.urandom(20_000)})
    session.acked()
    event = live.get("/api/state")["event"]
    path = connection.data_dir() / "outputs.sqlite"
    other = sqlite3.connect(path)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    damage(path, 100)
    deadline = time.monotonic() + 180
    while not list(connection.data_dir().glob("damaged-*")):
        assert time.monotonic() < deadline
        live.request("GET", "/api/outputs?limit=1000")
        live.request("GET", f"/api/outputs/{random.randint(1, 300)}/data")
    pane.until(lambda pane: any("set aside" in notice for notice in pane.notices))
    again = Session(live.port, live.token("session"), key=session.key, **session.fields)
    again.welcome()
    again.display(seq=301)
    assert again.acked(301)[0][1] > 300
    assert live.get("/api/state")["event"] > event


def test_no_database_at_all_is_set_aside_too(start: Callable[..., Live]) -> None:
    (connection.data_dir() / "outputs.sqlite").write_bytes(b"this is no database " * 1000)
    live = start()
    assert "set aside" in live.get("/api/state")["notices"][0]


def test_a_newer_database_is_read_only_and_says_so(start: Callable[..., Live]) -> None:
    live = start()
    session = live.session()
    session.welcome()
    session.display()
    session.acked()
    live.stop()
    path = connection.data_dir() / "outputs.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.commit()
    database.close()
    live = start()
    before = path.read_bytes()
    assert "newer ipyweb" in live.get("/api/state")["notices"][0]
    assert [output["id"] for output in live.outputs()] == [1]
    again = Session(live.port, live.token("session"), key=session.key, **session.fields)
    assert again.welcome()["acked"] == 1
    again.display()
    nack = again.receive()
    assert (nack["reason"], nack["seq"]) == ("storage_full", 2)
    assert "newer ipyweb" in nack["message"]
    assert live.request("DELETE", "/api/outputs/1").status == 507
    fresh = live.session()
    fresh.welcome()
    fresh.display()
    assert fresh.receive()["reason"] == "storage_full"
    live.stop()
    assert path.read_bytes() == before


def test_a_data_directory_that_cannot_be_written_means_memory(start: Callable[..., Live], tmp_path: Path) -> None:
    plain = tmp_path / "file"
    plain.touch()
    live = start(data_dir=str(plain / "below"))
    state = live.get("/api/state")
    assert not state["durable"]
    assert "kept in memory only" in state["notices"][0]
    session = live.session()
    session.welcome()
    session.display()
    session.acked()


def test_a_store_in_memory_leaves_no_output_on_disk(
    start: Callable[..., Live], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYWEB_STORE", "memory")
    live = start()
    session = live.session()
    session.welcome()
    session.display({"text/plain": b"my-secret" * 50_000})
    session.acked()
    names = {path.name for path in connection.data_dir().rglob("*")}
    assert names == {"identity.json", "hub.log", "hub.lock"}
    assert all(b"my-secret" not in path.read_bytes() for path in connection.data_dir().iterdir())


def test_a_network_file_system_is_gone_round(
    start: Callable[..., Live], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    local = tmp_path / "local"
    local.mkdir(mode=0o700)
    data_dir = connection.data_dir()
    monkeypatch.setattr("ipyweb.hub.disk.is_network", lambda path, *_: "nfs4" if path == data_dir else None)
    monkeypatch.setattr("ipyweb.hub.disk.node_local", lambda directory: local)
    live = start()
    session = live.session()
    session.welcome()
    session.display()
    session.acked()
    assert "nfs4" in live.get("/api/state")["notices"][0]
    assert (local / "outputs.sqlite").exists()
    assert not (connection.data_dir() / "outputs.sqlite").exists()


# -- spool ------------------------------------------------------------------------------------------------------------


def spooled(
    seqs: range, key: str = "ab" * 32, size: int = 10, **fields: Any
) -> tuple[dict[str, Any], list[str | bytes]]:
    identity = hello_fields(**fields)
    hello = encode({"type": "hello", "protocol": 1, "key": key, "session": identity})
    displays = []
    for seq in seqs:
        header, *buffers = display_frame(seq, {"image/png": os.urandom(size)})
        displays.append(encode(header, buffers))
    return identity, [hello, *displays]


def test_spool_files_are_taken_in_at_start_once_and_deleted(start: Callable[..., Live]) -> None:
    identity, frames = spooled(range(1, 6), size=2_000_000)
    path = write_spool(f"{identity['id']}-1.spool", *frames)
    _, more = spooled(range(4, 9), id=identity["id"])
    second = write_spool(f"{identity['id']}-2.spool", *more)
    os.utime(path, (1, 1))
    live = start()
    pane = live.pane()
    pane.until(lambda pane: pane.sessions.get(identity["id"], {}).get("ended") and len(pane.outputs) == 8)
    assert [output["display_id"] for output in live.outputs()] == [f"d{n}" for n in range(1, 9)]
    deadline = time.monotonic() + 180
    while path.exists() or second.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_spool_files_are_taken_in_while_running(start: Callable[..., Live], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(app, "SPOOL_SECONDS", 0.1)
    live = start()
    pane = live.pane()
    identity, frames = spooled(range(1, 3))
    write_spool(f"{identity['id']}-1.spool", *frames)
    pane.until(lambda pane: len(pane.outputs) == 2)


def test_spool_files_that_make_no_sense_are_kept_under_another_name(start: Callable[..., Live]) -> None:
    identity, frames = spooled(range(1, 3))
    bad = {
        "cut.spool": (frames[0], frames[1][:-1]),
        "nohello.spool": (frames[1],),
        "empty.spool": (),
        "garbage.spool": (b"{nonsense",),
        "otherkey.spool": spooled(range(3, 4), key="cd" * 32, id=identity["id"])[1],
    }
    good = write_spool("good.spool", *frames)
    os.utime(good, (1, 1))
    for name, each in bad.items():
        path = write_spool(name, *each)
        if name == "cut.spool":
            path.write_bytes(path.read_bytes()[:-3])
    live = start()
    pane = live.pane()
    pane.until(lambda pane: len(pane.outputs) == 2)
    deadline = time.monotonic() + 180
    while spool.waiting(connection.data_dir() / "spool"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    kept = {path.name for path in (connection.data_dir() / "spool").iterdir()}
    assert kept == {f"{name}.bad" for name in bad}


def test_a_spool_file_of_others_or_a_link_is_left_alone(tmp_path: Path) -> None:
    directory = tmp_path / "spool"
    directory.mkdir()
    (tmp_path / "target").write_bytes(b"x")
    (directory / "link.spool").symlink_to(tmp_path / "target")
    loose = directory / "loose.spool"
    loose.touch()
    loose.chmod(0o666)
    assert spool.waiting(directory) == []
    assert spool.waiting(tmp_path / "missing") == []


# -- the process ------------------------------------------------------------------------------------------------------


def test_no_secret_is_in_the_log_the_arguments_or_the_environment(spawn: Callable[[], Spawned]) -> None:
    hub = spawn()
    session = hub.session()
    session.welcome()
    session.display()
    session.acked()
    url = hub.get("api/outputs")["outputs"][0]["data"]["image/png"]["url"]
    for path in (url, f"x?token={hub.connection.token}", f"c/{'0' * 32}/{'0' * 64}.png", hub.connection.token):
        connection.exchange(hub.connection.url, "GET", path)
        headers = {"Authorization": f"Bearer {hub.connection.token}"}
        connection.exchange(hub.connection.url, "POST", path, b"{}", headers)
    Pane(hub.port, hub.connection.token_for("pane"), 0).close()
    process = Path(f"/proc/{hub.process.pid}")
    seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    connection.request(hub.connection, "POST", "api/stop", {})
    hub.end()
    seen += (connection.data_dir() / "hub.log").read_bytes()
    secrets = [hub.connection.token_for(scope) for scope in ("admin", "session", "pane")]  # type: ignore[arg-type]
    for secret in (*secrets, session.key, re.findall(r"c/([0-9a-f]{32})/", url)[0]):
        assert secret.encode() not in seen


def test_nothing_is_imported_once_the_hub_answers(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The environment may be deleted while the hub runs."""
    report = tmp_path / "imports"
    code = (
        "import sys; from ipyweb.config import Hub; from ipyweb.hub.app import run\n"
        "def ready(state):\n"
        "    seen.update(sys.modules); print('ready', flush=True)\n"
        "seen = set(); run(Hub(), ready)\n"
        f"open({str(report)!r}, 'w').write(chr(10).join(set(sys.modules) - seen))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    request.addfinalizer(process.kill)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    found = connection.find()
    assert found is not None
    session = Session(found.port, found.token_for("session"))
    session.welcome()
    session.display()
    session.display({"image/png": os.urandom(500_000)})
    session.acked()
    pane = Pane(found.port, found.token_for("pane"), 0)
    pane.until(lambda pane: len(pane.outputs) == 2)
    paths = ["", "hello?nonce=" + "0" * 32, "api/openapi.json", "nothing", pane.outputs[1]["data"]["image/png"]["url"]]
    for path in paths:
        connection.exchange(found.url, "GET", path)
    for path in ("api/state", "api/outputs?q=x", "api/outputs/2/data", "api/outputs/1/versions", "api/sessions"):
        connection.request(found, "GET", path)
    connection.request(found, "POST", "api/outputs", {"data": {"image/png": "iVBORw0KGgo="}})
    connection.request(found, "PATCH", "api/outputs/1", {"pinned": True})
    connection.exchange(found.url, "GET", "api/outputs/%C3%BC/%ff", headers={"Authorization": f"Bearer {found.token}"})
    connection.request(found, "POST", "api/stop", {})
    assert process.wait(180) == 0
    process.stdout.close()
    assert report.read_text() == ""


def test_there_are_no_core_dumps_and_enough_sockets(spawn: Callable[[], Spawned]) -> None:
    hub = spawn()
    limits = Path(f"/proc/{hub.process.pid}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0", limits)
    assert int(re.findall(r"Max open files\s+(\d+)", limits)[0]) >= 1024
