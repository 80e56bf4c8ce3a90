"""``ipyweb doctor``."""

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ipyweb import connection
from ipyweb.cli import doctor

Answer = Callable[..., tuple[int, str, str]]
NAMES = ["connection file", "challenge", "hub version", "WebSocket", "store", "disk", "browser rule"]


def marks(out: str) -> dict[str, str]:
    """The mark of each line, by the check's name."""
    found = {}
    for line in out.splitlines():
        mark, rest = line.split(maxsplit=1)
        found[next(name for name in NAMES if rest.startswith(name))] = mark
    return found


def test_a_healthy_hub_is_in_order_line_by_line(hub: connection.Connection, answer: Answer) -> None:
    status, out, _ = answer("doctor")
    assert marks(out) == dict.fromkeys(NAMES, "ok")
    assert status == 0
    assert hub.token not in out


def test_no_hub_is_a_finding_with_a_remedy(answer: Answer) -> None:
    status, out, _ = answer("doctor")
    assert status == 1
    assert marks(out)["connection file"] == "fail"
    assert marks(out)["challenge"] == "skip"
    assert "`ipyweb open`" in out


def test_a_dead_hubs_file_is_seen_through(hub: connection.Connection, answer: Answer) -> None:
    os.kill(hub.pid, signal.SIGKILL)
    status, out, _ = answer("doctor")
    assert status == 1
    assert (marks(out)["connection file"], marks(out)["challenge"]) == ("ok", "fail")


def test_a_stranger_on_the_port_is_found_out_and_gets_no_token(hub: connection.Connection, answer: Answer) -> None:
    os.kill(hub.pid, signal.SIGKILL)
    with stranger(hub.port) as heard:
        status, out, _ = answer("doctor")
    assert status == 1
    assert marks(out)["challenge"] == "fail"
    assert heard
    assert hub.token.encode() not in b"".join(heard)


def test_another_version_is_a_finding(
    hub: connection.Connection, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "__version__", "99.0")
    status, out, _ = answer("doctor")
    assert (status, marks(out)["hub version"]) == (1, "fail")
    assert "99.0" in out


def test_an_open_connection_file_is_a_finding(hub: connection.Connection, answer: Answer) -> None:
    path = connection.runtime_dir() / connection.CONNECTION_FILE
    path.chmod(0o644)
    status, out, _ = answer("doctor")
    path.chmod(0o600)
    assert (status, marks(out)["connection file"]) == (1, "fail")
    assert str(path) in out


def test_a_full_disk_is_a_finding(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    status, out, _ = answer("doctor")
    assert (status, marks(out)["disk"]) == (1, "fail")
    assert "10 B free" in out


def test_a_missing_browser_is_a_finding(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IPYWEB_BROWSER", "/nowhere/browser")
    status, out, _ = answer("doctor")
    assert (status, marks(out)["browser rule"]) == (1, "fail")
    assert "/nowhere/browser" in out


@contextmanager
def stranger(port: int) -> Iterator[list[bytes]]:
    """A server that took over the port; gives what it hears."""
    heard: list[bytes] = []
    with _bound(port) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    peer, _ = server.accept()
                except TimeoutError:
                    continue
                with peer:
                    heard.append(peer.recv(65536))
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield heard
        finally:
            over.set()
            thread.join()


def _bound(port: int) -> socket.socket:
    deadline = time.monotonic() + 180
    while True:  # until the kernel has taken the port from the dead hub
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.01)
