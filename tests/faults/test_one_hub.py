"""One hub, the right one, for as long as it is wanted: however it was started, and whoever is in its place."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import ipyweb
from ipyweb import connection
from ipyweb.connection import CONNECTION_FILE, Connection, runtime_dir, scope_token
from ipyweb.private import write_private
from ipyweb.protocol import PREVIOUS

from ..hub.conftest import Pane, Session
from .conftest import (
    HANGS,
    Scripts,
    data_of,
    get,
    hubs,
    kill,
    kill_the_hub,
    outputs,
    the_hub,
    titles,
    wait_for_titles,
    wait_until,
)

SHOW = "import sys, ipyweb; ipyweb.display({'text/plain': 'x'}, raw=True, title=sys.argv[1])"
START = "from ipyweb import connection; print(connection.start(60).pid)"
STAY = """
import sys
import ipyweb
for line in sys.stdin:
    ipyweb.display({"text/plain": "x"}, raw=True, title=line.strip()).wait(60)
    print("shown", flush=True)
"""


class Teller:
    """A script that displays what it is told, and goes on living."""

    def __init__(self, scripts: Scripts, python: str = sys.executable, **environ: str) -> None:
        self.process = scripts.start(STAY, python=python, **environ)

    def show(self, title: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{title}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "shown\n"


def write_connection_file(**fields: object) -> None:
    """Change what the connection file says."""
    path = runtime_dir() / CONNECTION_FILE
    write_private(path, json.dumps({**json.loads(path.read_bytes()), **fields}).encode())


# -- one --------------------------------------------------------------------------------------------------------------


def test_fifty_starts_at_once_make_one_hub(scripts: Scripts) -> None:
    starters = [scripts.start(START) for _ in range(50)]
    pids = {scripts.finish(each, 2 * HANGS).out for each in starters}
    assert pids == {f"{the_hub().pid}\n"}
    assert [process.pid for process in hubs()] == [the_hub().pid]


def test_a_stale_connection_file_is_replaced_and_port_and_token_stay(scripts: Scripts) -> None:
    scripts.run(SHOW, "before")
    old = the_hub()
    kill_the_hub()
    assert (runtime_dir() / CONNECTION_FILE).exists()
    scripts.run(SHOW, "after")
    assert titles() == ["before", "after"]
    new = the_hub()
    assert (new.port, new.token, new.hub) == (old.port, old.token, old.hub)
    assert new.pid != old.pid


def test_a_process_that_got_the_pid_of_a_dead_hub_is_left_alone(scripts: Scripts) -> None:
    scripts.run(SHOW, "before")
    kill_the_hub()
    bystander = scripts.start("input()")
    write_connection_file(pid=bystander.pid)
    stop = subprocess.run([sys.executable, "-m", "ipyweb", "stop"], capture_output=True, text=True, timeout=HANGS)
    assert "Traceback" not in stop.stderr
    scripts.run(SHOW, "after")
    assert bystander.poll() is None
    assert titles() == ["before", "after"]


# -- strangers --------------------------------------------------------------------------------------------------------


class Stranger:
    """A server on a port that was a hub's. It writes down whatever it is sent."""

    def __init__(self, port: int, answer: Callable[[bytes], bytes] | None) -> None:
        self.heard = bytearray()
        self._answer = answer
        self._open: list[socket.socket] = []
        self._listener: socket.socket = wait_until(lambda: _listening(port), f"port {port} to be free")
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(peer)
            threading.Thread(target=self._listen, args=(peer,), daemon=True).start()

    def _listen(self, peer: socket.socket) -> None:
        while chunk := peer.recv(65536):
            self.heard += chunk
            if self._answer is not None:
                peer.sendall(self._answer(chunk))
                peer.close()
                return

    def close(self) -> None:
        for each in (self._listener, *self._open):
            each.close()


def _listening(port: int) -> socket.socket | None:
    """A listening socket, unless a hub that is still dying holds the port."""
    with contextlib.suppress(OSError):
        return socket.create_server(("127.0.0.1", port))
    return None


def _liar(request: bytes) -> bytes:
    """A hub of the right shape that does not know the secret."""
    hello = {"hub": "0" * 16, "protocol": 1, "previous": 1, "version": "9.9", "port": 1, "proofs": {"admin": "0" * 64}}
    body = json.dumps(hello).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


ANSWERS = {
    "silent": None,
    "not HTTP": lambda request: b"220 mail.example.org ESMTP\r\n",
    "another web server": lambda request: b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "a liar": _liar,
}


@pytest.fixture
def stranger() -> Iterator[Callable[[int, Callable[[bytes], bytes] | None], Stranger]]:
    """Put strangers on ports."""
    started: list[Stranger] = []

    def begin(port: int, answer: Callable[[bytes], bytes] | None) -> Stranger:
        started.append(Stranger(port, answer))
        return started[-1]

    yield begin
    for each in started:
        each.close()


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_stranger_on_the_kept_port_is_told_no_token_and_the_hub_gets_another_port_and_token(
    scripts: Scripts,
    stranger: Callable[[int, Callable[[bytes], bytes] | None], Stranger],
    answer: Callable[[bytes], bytes] | None,
) -> None:
    teller = Teller(scripts)
    teller.show("before")
    old = the_hub()
    kill_the_hub()
    listener = stranger(old.port, answer)
    teller.show("after")
    scripts.run(SHOW, "another")
    assert titles() == ["before", "after", "another"]
    new = the_hub()
    assert new.port != old.port
    assert new.token != old.token
    assert b"/hello" in listener.heard
    for hub in (old, new):
        for scope in ("admin", "session", "pane"):
            assert scope_token(hub.token, scope).encode() not in listener.heard
    assert not re.search(rb"(?i)authorization|x-ipyweb-token|[0-9a-f]{64}", bytes(listener.heard))
    assert get("api/state")["notices"]


# -- life -------------------------------------------------------------------------------------------------------------


def test_a_hub_survives_its_starter(scripts: Scripts) -> None:
    starter = scripts.start(START + "\ninput()", IPYWEB_REPORT="0")
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert os.getsid(pid) != os.getsid(starter.pid)
    kill(starter.pid)
    scripts.run(SHOW, "after")
    assert the_hub().pid == pid
    assert psutil.Process(pid).cwd() == "/"


def test_a_hub_survives_ctrl_c_and_hang_up_in_its_starters_terminal(scripts: Scripts) -> None:
    teller = Teller(scripts)
    teller.show("before")
    pid = the_hub().pid
    for number in (signal.SIGINT, signal.SIGHUP):
        teller.process.send_signal(number)
    scripts.finish(teller.process)
    scripts.run(SHOW, "after")
    assert the_hub().pid == pid


def test_a_starter_killed_while_it_starts_a_hub_leaves_the_way_free(scripts: Scripts) -> None:
    for _ in range(5):
        starter = scripts.start("print('go', flush=True)\n" + START)
        assert starter.stdout is not None
        starter.stdout.readline()
        kill(starter.pid)
    scripts.run(SHOW, "after")
    assert titles() == ["after"]
    assert len(hubs()) == 1


def copied_environment(directory: Path, *, version: str | None = None) -> Path:
    """An environment of its own with everything a hub and a session need; returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--copies", directory], check=True)
    (packages,) = directory.glob("lib/python*/site-packages")
    (packages / "rest.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    for module in ("tornado", "traitlets", "filelock", "platformdirs", "websockets"):
        source = Path(str(__import__(module).__file__)).parent
        shutil.copytree(source, packages / module, ignore=shutil.ignore_patterns("__pycache__"))
    source = Path(str(ipyweb.__file__)).parent
    shutil.copytree(source, packages / "ipyweb", ignore=shutil.ignore_patterns("__pycache__"))
    if version is not None:
        init = packages / "ipyweb" / "__init__.py"
        init.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', init.read_text()))
    return directory / "bin" / "python"


def test_a_hub_goes_on_when_the_environment_that_started_it_is_deleted(scripts: Scripts, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    python = copied_environment(environment)
    done = scripts.finish(scripts.start(SHOW, "before", python=str(python), PYTHONPATH=""))
    assert done.status == 0, done
    assert Path(psutil.Process(the_hub().pid).exe()).is_relative_to(environment)
    shutil.rmtree(environment)
    scripts.run(
        """
import ipyweb
ipyweb.display({"text/plain": "x"}, raw=True, title="after")
ipyweb.display({"image/png": b"x" * 3_000_000}, raw=True, title="large")
"""
    )
    assert titles() == ["before", "after", "large"]
    assert data_of(outputs()[2], "image/png") == b"x" * 3_000_000
    page = connection.exchange(the_hub().url, "GET", "")
    assert page.status == 200
    for asset in re.findall(rb'(?:src|href)="[./]*(assets/[^"]+)"', page.body):
        assert connection.exchange(the_hub().url, "GET", asset.decode()).status == 200
    pane = Pane(the_hub().port, the_hub().token_for("pane"), 0)
    pane.until(lambda each: len(each.outputs) == 3)
    connection.request(the_hub(), "DELETE", f"api/outputs/{outputs()[0]['id']}?purge=1")
    pane.until(lambda each: any(row.get("purged") for row in each.outputs.values()))
    pane.close()
    teller = Teller(scripts)
    teller.show("later")
    log = (connection.data_dir() / "hub.log").read_text()
    assert "Traceback" not in log, log
    connection.request(the_hub(), "POST", "api/stop", {})
    wait_until(lambda: not hubs(), "the hub to stop")
    teller.show("at the next hub")
    assert titles()[-2:] == ["later", "at the next hub"]


def test_a_newer_hub_takes_over_at_the_same_port_and_sessions_and_panes_go_on(scripts: Scripts, tmp_path: Path) -> None:
    python = copied_environment(tmp_path / "newer", version="99.0.0")
    teller = Teller(scripts)
    teller.show("before")
    old = the_hub()
    pane = Pane(old.port, old.token_for("pane"), 0)
    pane.until(lambda each: len(each.outputs) == 1)
    done = scripts.finish(scripts.start(SHOW, "newer", python=str(python), PYTHONPATH=""))
    assert done.status == 0, done
    new = the_hub()
    assert new.version == "99.0.0"
    assert (new.port, new.token, new.hub) == (old.port, old.token, old.hub)
    assert new.pid != old.pid
    teller.show("after")
    wait_for_titles(["before", "newer", "after"])
    resumed = Pane(new.port, new.token_for("pane"), pane.event)
    resumed.until(lambda each: len(each.outputs) == 2)
    assert sorted(row["title"] for row in resumed.outputs.values()) == ["after", "newer"]
    resumed.close()
    scripts.run(SHOW, "older")
    assert the_hub().pid == new.pid
    assert len(hubs()) == 1


def test_a_session_of_the_previous_protocol_is_served(scripts: Scripts) -> None:
    hub = connection.start()
    session = Session(hub.port, hub.token_for("session"), protocol=PREVIOUS)
    session.welcome()
    session.display()
    assert len(session.acked()) == 1
    session.close()


def test_a_hub_that_stands_still_is_not_doubled(scripts: Scripts) -> None:
    scripts.run(SHOW, "before")
    hub: Connection = the_hub()
    kill(hub.pid, signal.SIGSTOP)
    starter = scripts.start(SHOW, "after")
    assert scripts.finish(starter).status == 0
    wait_until(lambda: [process.pid for process in hubs()] == [hub.pid], "the second one to give up")
    kill(hub.pid, signal.SIGCONT)
    wait_for_titles(["before", "after"])


def test_a_runtime_directory_that_is_cleaned_away_is_made_again(scripts: Scripts) -> None:
    teller = Teller(scripts)
    teller.show("before")
    hub = the_hub()
    shutil.rmtree(runtime_dir())
    assert the_hub().pid == hub.pid
    assert runtime_dir().stat().st_mode & 0o777 == 0o700
    teller.show("after")
    scripts.run(SHOW, "another")
    assert titles() == ["before", "after", "another"]
    assert len(hubs()) == 1


def test_a_runtime_directory_that_is_not_there_is_made(scripts: Scripts, tmp_path: Path) -> None:
    scripts.run(SHOW, "a", IPYWEB_RUNTIME_DIR=str(tmp_path / "deep" / "down"))
    assert (tmp_path / "deep" / "down").stat().st_mode & 0o777 == 0o700
    for process in hubs(str(tmp_path / "deep" / "down")):
        kill(process.pid)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_runtime_directory_open_to_others_is_refused_and_the_program_goes_on(scripts: Scripts, mode: int) -> None:
    runtime_dir().chmod(mode)
    done = scripts.run(SHOW + "; print('goes on')", "a")
    assert done.out == "goes on\n"
    assert done.err.count("the program goes on") == 1
    assert "Traceback" not in done.err
    assert os.listdir(runtime_dir()) == []
    runtime_dir().chmod(0o700)
    connection.start()
    wait_for_titles(["a"])
