"""The hub's Unix socket: the same hub, the same check, and nobody else's."""

import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ipyweb import connection
from ipyweb.connection import GATE, SOCKET, Connection, challenge, exchange, proof, request, voucher
from ipyweb.errors import HubImpostor
from ipyweb.hub.door import is_ours
from ipyweb.private import write_private
from ipyweb.protocol import encode, read_header
from ipyweb.unix import LONGEST, dial
from ipyweb.websocket import open_websocket

from ..conftest import wait_until
from .conftest import Live, hello_fields
from .test_routes import BAD_HOSTS, BAD_ORIGINS, METHODS, PRIVATE, UPGRADE

STRANGER = 4242


def path_of(live: Live) -> Path:
    return Path(live.state["socket"])


def through(live: Live) -> Connection:
    """The hub, dialled by its socket."""
    return live.connection._replace(socket=str(path_of(live)))


def ask(live: Live, headers: dict[str, str], method: str = "GET", path: str = "/api/state") -> tuple[int, bytes]:
    response = exchange(through(live).address, method, path, b"" if method == "POST" else None, headers)
    return response.status, response.body


def raw(live: Live, head: str) -> int:
    """The status of a request with exactly these lines."""
    with dial(path_of(live), 10) as peer:
        peer.sendall(f"GET /api/state HTTP/1.1\r\n{head}\r\n".encode())
        answer = peer.recv(65536)
    return int(answer.split()[1])


def test_the_same_hub_answers_at_its_socket(live: Live) -> None:
    assert path_of(live) == connection.runtime_dir() / SOCKET
    hub = challenge(through(live))
    assert request(hub, "GET", "api/state").json()["pid"] == live.state["pid"]


def test_the_socket_is_its_users_alone(live: Live) -> None:
    assert path_of(live).lstat().st_mode & 0o777 == 0o600
    assert path_of(live).parent.stat().st_mode & 0o777 == 0o700


def test_a_proof_says_by_which_door_it_was_asked_for(live: Live) -> None:
    """So nobody passes on at one what the hub answered at the other."""
    nonce = "ab" * 16
    for host in ("localhost", "127.0.0.1:18792"):
        hello = exchange(through(live).address, "GET", f"hello?nonce={nonce}", headers={"Host": host}).json()
        assert (hello["port"], hello["url"]) == (0, live.state["url"])
        assert hello["proofs"]["pane"] == proof(live.token("pane"), nonce, live.state["hub"], host, 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        relay = subprocess.Popen(
            [sys.executable, "-c", RELAY, str(server.fileno()), path_of(live)], pass_fds=[server.fileno()]
        )
    try:
        with pytest.raises(HubImpostor):
            challenge(live.connection._replace(url=f"http://127.0.0.1:{port}"))
    finally:
        relay.kill()
        relay.wait()


RELAY = """
import socket, sys, threading
server = socket.socket(fileno=int(sys.argv[1]))
def pass_on(a, b):
    while data := a.recv(65536):
        b.sendall(data)
while True:
    near, _ = server.accept()
    far = socket.socket(socket.AF_UNIX)
    far.connect(sys.argv[2])
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pass_on, args=pair, daemon=True).start()
"""


def test_without_a_token_every_private_route_is_an_empty_403(live: Live) -> None:
    for path, method in itertools.product(PRIVATE, METHODS):
        assert ask(live, {}, method, path) == (403, b""), (method, path)
    assert ask(live, {**UPGRADE}, path="/ws/pane") == (403, b"")


def test_foreign_hosts_and_origins_are_refused_even_with_the_token(live: Live) -> None:
    token = f"Authorization: Bearer {live.token()}\r\n"
    for host in BAD_HOSTS:
        assert raw(live, f"Host: {host.format(port=live.port)}\r\n{token}") in (400, 403), host
    for origin in BAD_ORIGINS:
        assert raw(live, f"Host: localhost\r\nOrigin: {origin.format(port=live.port)}\r\n{token}") == 403, origin
    for host in ("localhost", "127.0.0.1:18792"):  # the far end of a tunnel has any port
        assert raw(live, f"Host: {host}\r\nOrigin: http://{host}\r\n{token}") == 200


def test_a_session_publishes_through_the_socket(live: Live) -> None:
    with open_websocket(through(live), "/ws/session") as peer:
        peer.send(encode({"type": "hello", "protocol": 1, "key": "ab" * 32, "session": hello_fields()}))
        assert read_header(peer.recv(timeout=180))["type"] == "welcome"


def test_a_long_directory_has_a_socket_too(
    start: Callable[..., Live], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("d" * LONGEST)
    monkeypatch.setenv("IPYWEB_RUNTIME_DIR", str(long))
    live = start()
    assert path_of(live).parent == long
    assert challenge(through(live)).hub == live.state["hub"]
    live.stop()
    assert not (long / SOCKET).exists()


def test_where_no_socket_can_be_it_lies_in_a_private_directory(start: Callable[..., Live]) -> None:
    (connection.runtime_dir() / SOCKET).mkdir()
    live = start()
    assert path_of(live).parent != connection.runtime_dir()
    assert path_of(live).parent.stat().st_mode & 0o777 == 0o700
    assert challenge(through(live)).hub == live.state["hub"]
    live.stop()
    assert not path_of(live).parent.exists()


def test_what_a_killed_hub_left_is_replaced(start: Callable[..., Live]) -> None:
    with socket.socket(socket.AF_UNIX) as old:
        descriptor = os.open(connection.runtime_dir(), os.O_RDONLY)
        old.bind(f"/proc/self/fd/{descriptor}/{SOCKET}")
        os.close(descriptor)
    assert challenge(through(start())).hub


def test_the_socket_comes_back_when_somebody_cleaned_up(live: Live) -> None:
    path_of(live).unlink()
    wait_until(path_of(live).exists, "the socket")
    assert challenge(through(live)).hub == live.state["hub"]


def test_our_own_processes_are_ours() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert is_ours(one)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_is_refused_even_with_the_token_and_where_files_let_him_in(
    start: Callable[..., Live], monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as base:
        monkeypatch.setenv("IPYWEB_RUNTIME_DIR", f"{base}/run")
        live = start()
        for path, mode in ((Path(base), 0o755), (path_of(live).parent, 0o755), (path_of(live), 0o666)):
            path.chmod(mode)
        request = f"GET /api/state HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {live.token()}\r\n\r\n"
        answers = {user: answer_to(user, path_of(live), request) for user in (0, STRANGER)}
        live.stop()
    assert answers == {0: b"200", STRANGER: b"403"}


def answer_to(user: int, path: Path, request: str) -> bytes:
    """The status that a process of another user gets."""
    command = [sys.executable, "-c", ASK, str(path), str(user)]
    done = subprocess.run(command, input=request.encode(), stdout=subprocess.PIPE, check=True)
    return done.stdout.split()[1]


ASK = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
peer.sendall(sys.stdin.buffer.read())
sys.stdout.buffer.write(peer.recv(99))
"""


def test_a_socket_is_a_hub_elsewhere_with_a_token_file(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(tmp_path / "token", live.token("session").encode())
    monkeypatch.setenv("IPYWEB_HUB", f"unix://{path_of(live)}")
    monkeypatch.setenv("IPYWEB_TOKEN_FILE", str(tmp_path / "token"))
    found = connection.start()
    assert (found.url, found.hub) == (live.state["url"], live.state["hub"])
    assert request(found, "GET", "api/state").json()["pid"] == live.state["pid"]


# -- a gate -----------------------------------------------------------------------------------------------------------

JUPYTER = "jupyter.example.org"


def vouched(live: Live, **headers: str) -> dict[str, str]:
    """The headers of a request that a gate passes on."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Host": JUPYTER, GATE: voucher(live.token(), JUPYTER), **named}


def exchanged(live: Live, headers: dict[str, str]) -> int:
    return ask(live, headers, "POST", "/exchange")[0]


def test_a_name_that_a_gate_vouches_for_is_answered_to_and_a_token_is_needed_all_the_same(live: Live) -> None:
    assert ask(live, vouched(live)) == (403, b"")
    assert ask(live, vouched(live, X_Ipyweb_Token=live.token("pane")))[0] == 200
    for origin, status in ((f"https://{JUPYTER}", 200), ("https://evil.example", 403), ("null", 403)):
        assert ask(live, vouched(live, X_Ipyweb_Token=live.token("pane"), Origin=origin))[0] == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"Host": JUPYTER},
        {"Host": JUPYTER, GATE: ""},
        {"Host": JUPYTER, GATE: "0" * 64},
        {"Host": JUPYTER, GATE: voucher("0" * 64, JUPYTER)},
        {"Host": "evil.example", GATE: "for " + JUPYTER},
    ],
)
def test_a_name_is_not_believed_without_a_voucher_of_its_own(live: Live, wrong: dict[str, str]) -> None:
    if wrong.get(GATE, "").startswith("for "):
        wrong = {**wrong, GATE: voucher(live.token(), JUPYTER)}
    assert ask(live, {**wrong, "X-Ipyweb-Token": live.token()})[0] == 403


def test_a_voucher_is_worth_nothing_at_the_port(live: Live) -> None:
    headers = vouched(live, X_Ipyweb_Token=live.token(), Origin=f"https://{JUPYTER}")
    assert live.request("GET", "/api/state", headers=headers, scope=None).status == 403
    headers = {**headers, "Host": "127.0.0.1", GATE: voucher(live.token(), "127.0.0.1")}
    headers["Origin"] = "http://127.0.0.1"
    assert live.request("POST", "/exchange", {}, headers=headers, scope=None).status == 403


def test_a_page_of_the_same_origin_is_given_a_token_and_nobody_else_is(live: Live) -> None:
    page = vouched(live, Origin=f"https://{JUPYTER}", Sec_Fetch_Site="same-origin")
    status, body = ask(live, page, "POST", "/exchange")
    assert (status, json.loads(body)) == (200, {"token": live.token("pane")})
    for other in (
        vouched(live),
        vouched(live, Origin="null"),
        vouched(live, Origin="https://evil.example"),
        vouched(live, Origin=f"https://{JUPYTER}", Sec_Fetch_Site="cross-site"),
        {"Host": "localhost", "Origin": "http://localhost"},
    ):
        assert exchanged(live, other) == 403
    assert ask(live, page, "GET", "/exchange")[0] in (403, 405)


def test_a_rotation_ends_vouchers(live: Live) -> None:
    before = vouched(live, Origin=f"https://{JUPYTER}")
    assert exchanged(live, before) == 200
    assert live.request("POST", "/api/rotate", {}).status == 200
    assert exchanged(live, before) == 403
