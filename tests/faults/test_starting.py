"""One hub, however many start it, whoever started it, and whatever becomes of them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import pytest

from ipyweb import connection
from ipyweb.connection import scope_token

from .conftest import (
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

DISPLAY = """
import sys, ipyweb
ipyweb.display({"text/plain": sys.argv[1]}, raw=True, title=sys.argv[1])
"""


def test_fifty_starts_at_once_make_one_hub(scripts: Scripts) -> None:
    started = [scripts.start(DISPLAY, str(number)) for number in range(50)]
    for process in started:
        done = scripts.finish(process, timeout=180)
        assert done.status == 0, done
    assert sorted(titles(), key=int) == [str(number) for number in range(50)]
    assert [process.pid for process in hubs()] == [the_hub().pid]


def test_a_hub_outlives_a_starter_that_is_killed(scripts: Scripts) -> None:
    process = scripts.start(
        "import ipyweb, time; ipyweb.display(1, title='first').wait(); print('', flush=True); time.sleep(600)"
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(os.getpgid(process.pid), 0)
    kill(process.pid)
    scripts.run(DISPLAY, "second")
    wait_for_titles(["first", "second"])


def test_a_connection_file_of_a_dead_hub_does_not_hinder_the_next(scripts: Scripts) -> None:
    scripts.run(DISPLAY, "first")
    before = the_hub()
    kill_the_hub()
    scripts.run(DISPLAY, "second")
    wait_for_titles(["first", "second"])
    after = the_hub()
    assert (after.port, after.token, after.hub) == (before.port, before.token, before.hub)


def test_a_stranger_on_the_port_gets_no_token_and_ends_the_old_ones(scripts: Scripts) -> None:
    scripts.run(DISPLAY, "first")
    before = the_hub()
    kill_the_hub()
    stranger = socket.create_server(("127.0.0.1", before.port))
    stranger.settimeout(0.2)
    heard: list[bytes] = []
    done = threading.Event()

    def listen() -> None:
        while not done.is_set():
            try:
                peer, _ = stranger.accept()
            except TimeoutError:
                continue
            with peer:
                peer.settimeout(1)
                heard.append(peer.recv(65536))
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        scripts.run(DISPLAY, "second")
        wait_for_titles(["first", "second"])
    finally:
        done.set()
        thread.join()
        stranger.close()
    after = the_hub()
    assert after.port != before.port
    assert after.token != before.token
    assert heard
    tokens = [
        scope_token(root, scope) for root in (before.token, after.token) for scope in ("admin", "session", "pane")
    ]
    assert not any(token.encode() in each for token in tokens for each in heard)


def test_a_hub_goes_on_when_the_environment_that_started_it_is_deleted(scripts: Scripts, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    inside = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    libraries = Path(sysconfig.get_path("purelib"))
    for name in ("tornado", "traitlets", "platformdirs", "filelock"):
        shutil.copytree(libraries / name, inside / name)
    package = Path(connection.__file__).parent
    shutil.copytree(package, inside / "ipyweb", ignore=shutil.ignore_patterns("__pycache__"))
    python = environment / "bin" / "python"
    command = "from ipyweb import connection; connection.start()"
    subprocess.run([python, "-P", "-c", command], check=True, timeout=60, cwd="/", env=without_python_path())
    hub = the_hub()
    assert Path(f"/proc/{hub.pid}/cmdline").read_bytes().startswith(bytes(python))
    shutil.rmtree(environment)

    scripts.run(DISPLAY, "after it was deleted")
    wait_for_titles(["after it was deleted"])
    assert the_hub().pid == hub.pid
    assert data_of(outputs()[0], "text/plain") == b"after it was deleted"
    for address in ("", "api/state", "api/openapi.json", "api/outputs/999", get("api/state")["frame"]):
        headers = {"X-Ipyweb-Token": hub.token}
        assert connection.exchange(hub.url, "GET", address, headers=headers).status in (200, 404)
    assert the_hub().pid == hub.pid


def without_python_path() -> dict[str, str]:
    """This environment without what would lead to other modules than the environment's own."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sessions_go_on_with_the_next_hub(scripts: Scripts, number: signal.Signals) -> None:
    source = """
import ipyweb
for n in range(3):
    ipyweb.display({"text/plain": str(n)}, raw=True, title=str(n)).wait()
    print(n, flush=True)
    input()
"""
    process = scripts.start(source)
    assert process.stdin is not None
    assert process.stdout is not None
    for expected in range(3):
        assert process.stdout.readline() == f"{expected}\n"
        kill(the_hub().pid, number)
        wait_until(lambda: not hubs(), "the hub to end")
        process.stdin.write("\n")
        process.stdin.flush()
    assert scripts.finish(process).status == 0
    scripts.run(DISPLAY, "last")
    wait_for_titles(["0", "1", "2", "last"])
