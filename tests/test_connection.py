"""Finding a hub, and telling it from whoever else answers there."""

import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ipyweb import connection
from ipyweb.connection import Connection, challenge, proof, scope_token
from ipyweb.errors import ConnectionFileError, HubError, HubImpostor, HubUnreachable, OutputNotFound
from ipyweb.private import private_directory, write_private

ROOT = "r" * 64
Answer = Callable[[BaseHTTPRequestHandler], tuple[int, object]]


class Peer:
    """An HTTP server that answers as a test says, and remembers what it was sent."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request: (404, {})
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do(self) -> None:
                peer.seen.append((self.command, self.path, dict(self.headers)))
                status, body = peer.answer(self)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do  # noqa: N815 - the names that http.server calls

            def log_message(self, *args: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def hello(self, root: str = ROOT, hub: str = "hub-1", port: int | None = None, host: str | None = None) -> Answer:
        def answer(request: BaseHTTPRequestHandler) -> tuple[int, object]:
            nonce = parse_qs(urlsplit(request.path).query)["nonce"][0]
            number = self.port if port is None else port
            address = host or request.headers["Host"]
            scopes = ("admin", "session", "pane")
            proofs = {scope: proof(scope_token(root, scope), nonce, hub, address, number) for scope in scopes}
            return 200, {"hub": hub, "protocol": 1, "version": "9.9", "port": number, "proofs": proofs}

        return answer

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    yield server
    server.close()


def connection_to(peer: Peer, **fields: Any) -> Connection:
    return Connection(**{"url": peer.url, "hub": "hub-1", "token": ROOT, **fields})


def write_connection_file(**fields: Any) -> Path:
    path = private_directory(connection.runtime_dir()) / connection.CONNECTION_FILE
    write_private(path, json.dumps({"hub": "hub-1", "token": ROOT, "version": "9.9", "pid": 1, **fields}).encode())
    return path


def test_a_hub_that_knows_the_secret_is_believed(peer: Peer) -> None:
    peer.answer = peer.hello()
    assert challenge(connection_to(peer)).version == "9.9"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda peer: peer.hello(root="another"),
        lambda peer: peer.hello(hub="hub-2"),
        lambda peer: peer.hello(port=peer.port + 1),  # passes on the answers of the hub on another port
        lambda peer: peer.hello(host="127.0.0.1:1"),  # an answer made for another address
        lambda peer: lambda request: (200, {}),
        lambda peer: lambda request: (200, b"hello"),
        lambda peer: lambda request: (200, {"hub": "hub-1", "port": "x", "proofs": {}, "version": ""}),
    ],
)
def test_whoever_does_not_know_the_secret_is_sent_no_token(peer: Peer, wrong: Callable[[Peer], Answer]) -> None:
    peer.answer = wrong(peer)
    write_connection_file(url=peer.url)
    with pytest.raises(HubImpostor):
        challenge(connection_to(peer))
    assert connection.find() is None
    sent = json.dumps(peer.seen)
    assert not any(scope_token(ROOT, scope) in sent for scope in ("admin", "session", "pane"))


def test_each_challenge_has_a_nonce_of_its_own(peer: Peer) -> None:
    peer.answer = peer.hello()
    challenge(connection_to(peer))
    challenge(connection_to(peer))
    assert peer.seen[0][1] != peer.seen[1][1]


def test_a_hub_elsewhere_may_prove_any_scope(peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token_file = tmp_path / "token"
    write_private(token_file, scope_token(ROOT, "session").encode())
    monkeypatch.setenv("IPYWEB_HUB", peer.url)
    monkeypatch.setenv("IPYWEB_TOKEN_FILE", str(token_file))
    peer.answer = peer.hello(port=1)  # behind a tunnel it listens on another port than the one dialled
    found = connection.start()
    assert found.hub == "hub-1"
    assert found.token_for("session") == scope_token(ROOT, "session")


def test_a_hub_elsewhere_without_token_file_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYWEB_HUB", "http://127.0.0.1:1")
    monkeypatch.delenv("IPYWEB_TOKEN_FILE", raising=False)
    with pytest.raises(ConnectionFileError, match="IPYWEB_TOKEN_FILE"):
        connection.find()


def test_no_connection_file_means_no_hub() -> None:
    assert connection.find() is None


def test_a_connection_file_of_a_dead_hub_means_no_hub() -> None:
    write_connection_file(url="http://127.0.0.1:1")
    assert connection.find() is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null"])
def test_a_broken_connection_file_means_no_hub(content: bytes) -> None:
    write_private(private_directory(connection.runtime_dir()) / connection.CONNECTION_FILE, content)
    assert connection.find() is None


def test_a_connection_file_that_others_can_read_is_refused(peer: Peer) -> None:
    write_connection_file(url=peer.url).chmod(0o644)
    with pytest.raises(ConnectionFileError, match="0600"):
        connection.find()


def test_a_connection_file_that_is_a_link_is_refused(peer: Peer, tmp_path: Path) -> None:
    path = write_connection_file(url=peer.url)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConnectionFileError):
        connection.find()


def test_a_hard_linked_connection_file_is_refused(peer: Peer, tmp_path: Path) -> None:
    os.link(write_connection_file(url=peer.url), tmp_path / "second name")
    with pytest.raises(ConnectionFileError):
        connection.find()


def test_a_runtime_directory_open_to_others_is_refused_and_left_as_it_is() -> None:
    write_connection_file(url="http://127.0.0.1:1")
    connection.runtime_dir().chmod(0o755)
    with pytest.raises(ConnectionFileError, match="0700"):
        connection.find()
    assert stat.S_IMODE(connection.runtime_dir().stat().st_mode) == 0o755


def test_scopes_have_different_tokens() -> None:
    assert len({scope_token(ROOT, scope) for scope in ("admin", "session", "pane")}) == 3
    assert scope_token(ROOT, "admin") == ROOT


def test_what_the_hub_refuses_becomes_an_exception_in_its_words(peer: Peer) -> None:
    peer.answer = lambda request: (404, {"error": "no output 3; there are 1 and 2"})
    with pytest.raises(OutputNotFound, match="there are 1 and 2") as caught:
        connection.request(connection_to(peer), "GET", "api/outputs/3")
    assert str(caught.value) == "no output 3; there are 1 and 2"
    peer.answer = lambda request: (500, b"")
    with pytest.raises(HubError, match="500"):
        connection.request(connection_to(peer), "GET", "api/outputs/3")


def test_a_request_carries_only_the_token_of_its_scope(peer: Peer) -> None:
    peer.answer = lambda request: (200, {})
    connection.request(connection_to(peer), "GET", "api/state", scope="session")
    headers = peer.seen[-1][2]
    assert headers["Authorization"] == f"Bearer {scope_token(ROOT, 'session')}"
    assert ROOT not in json.dumps(headers)


def test_a_path_prefix_is_kept(peer: Peer) -> None:
    peer.answer = lambda request: (200, {})
    connection.request(connection_to(peer, url=f"{peer.url}/proxy/1"), "GET", "api/state")
    assert peer.seen[-1][1] == "/proxy/1/api/state"


def test_nobody_there_is_said_with_the_address() -> None:
    with pytest.raises(HubUnreachable, match=r"127\.0\.0\.1:1"):
        connection.exchange("http://127.0.0.1:1", "GET", "hello")


@pytest.mark.parametrize(
    ("theirs", "older"), [("0.0.9", True), ("0.1.0", False), ("0.1", True), ("9.0", False), ("", True)]
)
def test_a_hub_counts_as_older_by_the_numbers_of_its_version(theirs: str, older: bool) -> None:
    assert connection._is_older(theirs) is older
