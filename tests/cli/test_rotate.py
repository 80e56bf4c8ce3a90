"""``ipyweb rotate``: what was known before opens nothing any more, and programs go on."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from filelock import FileLock

from ipyweb import connection
from ipyweb.connection import START_LOCK, Connection, Scope, data_dir, exchange, runtime_dir
from ipyweb.hub.app import LOCK_FILE, rotate
from ipyweb.hub.identity import IDENTITY_FILE
from ipyweb.private import exclusive

from ..conftest import stop_hub
from ..hub.conftest import Pane, Session

Answer = Callable[..., tuple[int, str, str]]
STAY = """
import sys
import ipyweb
for line in sys.stdin:
    print(ipyweb.display({"text/plain": "x"}, raw=True, title=line.strip()).wait(60).status, flush=True)
"""
DONE = (0, "old tokens and links have ended; `ipyweb open` opens the pane anew\n", "")


def status(hub: Connection, token: str, path: str = "api/state") -> int:
    return exchange(hub.url, "GET", path, headers={"Authorization": f"Bearer {token}"}).status


def root() -> str:
    """The root secret that is kept for the next start."""
    return str(json.loads((data_dir() / IDENTITY_FILE).read_text())["token"])


def test_nothing_that_was_known_before_opens_anything(
    hub: Connection, publish: Callable[..., int], answer: Answer
) -> None:
    number = publish({"image/png": "iVBORw0KGgo="})
    scopes: tuple[Scope, ...] = ("admin", "session", "pane")
    tokens = [hub.token_for(scope) for scope in scopes]
    state = connection.request(hub, "GET", "api/state").json()
    record = connection.request(hub, "GET", f"api/outputs/{number}").json()
    code = connection.request(hub, "POST", "api/codes", {}).json()["code"]
    addresses = [record["data"]["image/png"]["url"], state["frame"]]
    assert [exchange(hub.url, "GET", each).status for each in addresses] == [200, 200]
    sockets = [Session(hub.port, tokens[1]), Pane(hub.port, tokens[2], 0)]

    assert answer("rotate") == DONE

    assert [status(hub, each) for each in tokens] == [403, 403, 403]
    assert [exchange(hub.url, "GET", each).status for each in addresses] == [403, 403]
    body = json.dumps({"code": code}).encode()
    assert exchange(hub.url, "POST", "exchange", body, {"Content-Type": "application/json"}).status == 403
    for each in sockets:
        assert each.until_closed() == (4401, "the hub has new tokens; `ipyweb open` opens the pane")

    renewed = connection.find()
    assert renewed is not None
    assert (renewed.url, renewed.hub, renewed.pid) == (hub.url, hub.hub, hub.pid)
    again = connection.request(renewed, "GET", f"api/outputs/{number}", scope="pane").json()
    assert exchange(hub.url, "GET", again["data"]["image/png"]["url"]).status == 200
    stop_hub()
    assert connection.start().token == renewed.token == root()


def test_only_the_admin_may_rotate(hub: Connection) -> None:
    for scope in ("session", "pane"):
        headers = {"Authorization": f"Bearer {hub.token_for(scope)}"}  # type: ignore[arg-type]
        assert exchange(hub.url, "POST", "api/rotate", b"{}", headers).status == 403
    assert connection.find() == hub


def test_a_running_script_goes_on_displaying(hub: Connection, answer: Answer) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", STAY], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as script:
        assert script.stdin is not None
        assert script.stdout is not None
        assert script.stderr is not None
        for title in ("before", "after", "at last"):
            script.stdin.write(f"{title}\n")
            script.stdin.flush()
            assert script.stdout.readline() == "stored\n"
            if title == "before":
                assert answer("rotate") == DONE
        script.stdin.close()
        assert "warn" not in script.stderr.read().lower()
    renewed = connection.find()
    assert renewed is not None
    assert renewed.pid == hub.pid
    outputs = connection.request(renewed, "GET", "api/outputs").json()["outputs"]
    assert [each["title"] for each in outputs] == ["before", "after", "at last"]
    assert len({each["session"] for each in outputs}) == 1


def test_without_a_hub_the_next_one_has_the_new_tokens(hub: Connection, answer: Answer) -> None:
    stop_hub()
    assert answer("rotate") == DONE
    assert connection.find() is None
    assert root() != hub.token
    renewed = connection.start()
    assert (renewed.token, renewed.url, renewed.hub) == (root(), hub.url, hub.hub)
    assert status(renewed, hub.token) == 403


def test_a_hub_that_never_was_can_be_rotated(answer: Answer) -> None:
    assert answer("rotate") == DONE
    assert connection.start().token == root()


def test_no_hub_starts_with_the_old_secret_in_between(hub: Connection) -> None:
    """While somebody starts a hub, or one runs, the kept secret is left alone; and the other way round."""
    from ipyweb.config import Hub

    before = root()
    assert not rotate(Hub())
    stop_hub()
    with exclusive(runtime_dir() / START_LOCK) as ours:
        assert ours
        assert not rotate(Hub())
    for directory in (runtime_dir(), data_dir()):
        with FileLock(directory / LOCK_FILE, timeout=0):
            assert not rotate(Hub())
    assert root() == before


def test_starting_and_rotating_at_once_leave_one_hub_with_the_newest_secret(answer: Answer) -> None:
    connection.start()
    stop_hub()
    before = root()
    found: list[Connection] = []
    starters = [threading.Thread(target=lambda: found.append(connection.start(60))) for _ in range(4)]
    for each in starters:
        each.start()
    assert answer("rotate") == DONE
    for each in starters:
        each.join()
    running = connection.find()
    assert running is not None
    assert running.token == root() != before
    assert {each.pid for each in found} == {running.pid}


def test_a_hub_elsewhere_is_rotated_there(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYWEB_HUB", "http://127.0.0.1:1")
    assert answer("rotate") == (1, "", "ipyweb: IPYWEB_HUB names a hub elsewhere; run `ipyweb rotate` on its machine\n")


def test_a_secret_that_cannot_be_kept_is_not_taken(hub: Connection, answer: Answer) -> None:
    kept = data_dir() / IDENTITY_FILE
    kept.unlink()
    kept.mkdir()
    failed, out, error = answer("rotate")
    assert (failed, out) == (1, "")
    assert "new tokens cannot be kept" in error
    assert connection.find() == hub
