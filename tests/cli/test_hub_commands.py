"""``ipyweb serve``, ``status``, ``stop``, ``url`` and ``open``: the hub's life and its address."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from ipyweb import __version__, connection
from ipyweb.browser import link
from ipyweb.errors import HubError

from ..conftest import stop_hub

Answer = Callable[..., tuple[int, str, str]]


def test_status_as_json_has_the_fields_of_the_design(hub: connection.Connection, answer: Answer) -> None:
    status, out, _ = answer("status", "--json")
    state = json.loads(out)
    assert status == 0
    assert (state["running"], state["url"], state["port"]) == (True, hub.url, hub.port)
    assert (state["pid"], state["version"]) == (hub.pid, __version__)
    assert (state["outputs"], state["sessions"], state["frontends"]) == (0, 0, 0)
    assert state["bytes"] >= 0
    assert hub.token not in out


def test_status_for_people(hub: connection.Connection, publish: Callable[..., int], answer: Answer) -> None:
    publish()
    status, out, _ = answer("status")
    assert status == 0
    assert f"at {hub.url} (pid {hub.pid})" in out
    assert "1 output of 1 session" in out


def test_status_starts_no_hub(answer: Answer) -> None:
    assert answer("status", "--json") == (1, '{"running": false}\n', "")
    status, out, error = answer("status")
    assert (status, out) == (1, "")
    assert "no hub is running" in error
    assert connection.find() is None


def test_stop_waits_until_the_hub_is_gone(hub: connection.Connection, answer: Answer) -> None:
    assert answer("stop") == (0, f"hub stopped (pid {hub.pid})\n", "")
    assert connection.find() is None
    assert answer("stop") == (0, "no hub is running\n", "")


def test_url_is_the_link_and_nothing_else(hub: connection.Connection, answer: Answer, project: str) -> None:
    assert answer("url") == (0, link(hub, project) + "\n", "")


def test_url_gives_programs_elsewhere_a_token_that_opens_no_pane(
    hub: connection.Connection, answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a token"
    assert answer("url", "--token-file", str(file)) == (
        0,
        f"export IPYWEB_HUB={hub.url} IPYWEB_TOKEN_FILE='{file}'\n",
        "",
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv("IPYWEB_HUB", hub.url)
    monkeypatch.setenv("IPYWEB_TOKEN_FILE", str(file))
    code = "import ipyweb; print(ipyweb.display('from there').wait(60).status)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=180)
    assert done.stdout == "stored\n", done.stderr
    for path in ("api/codes", "api/shares", "api/rotate", "api/stop"):
        with pytest.raises(HubError):
            connection.request(connection.start(), "POST", path, {})
    monkeypatch.delenv("IPYWEB_HUB")


def test_a_token_that_cannot_be_written_is_a_failure(
    hub: connection.Connection, answer: Answer, tmp_path: Path
) -> None:
    status, out, err = answer("url", "--token-file", str(tmp_path / "none" / "token"))
    assert (status, out) == (1, "")
    assert "could not be written" in err


def test_url_starts_a_hub_with_the_same_link(hub: connection.Connection, answer: Answer) -> None:
    before = answer("url")
    answer("stop")
    assert answer("url") == before


def test_open_says_why_it_does_not_and_prints_no_secret(hub: connection.Connection, answer: Answer) -> None:
    status, out, error = answer("open")
    assert (status, out) == (1, "")
    assert "not opened: switched off" in error
    assert "token" not in error


def test_open_wants_an_output_that_exists(publish: Callable[..., int], answer: Answer) -> None:
    number = publish()
    status, _, error = answer("open", "999")
    assert status == 1
    assert f"there are {number}" in error


def test_open_shows_an_output_in_its_own_project(
    publish: Callable[..., int], answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = publish(project="/elsewhere")
    for name in ("CI", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IPYWEB_BROWSER", "true")
    assert answer("open", str(number)) == (0, "", "")
    (page,) = connection.runtime_dir().glob("open-*.html")
    assert f"&project=%2Felsewhere&o={number}" in page.read_text()


def test_open_prints_link_and_tunnel_over_ssh(hub: connection.Connection, project: str) -> None:
    environ = {**os.environ, "SSH_CONNECTION": "10.0.0.2 50000 10.0.0.1 22", "IPYWEB_BROWSER": "true", "COLUMNS": "400"}
    output, status = pexpect.run(f"{sys.executable} -m ipyweb open", env=environ, withexitstatus=True, encoding="utf-8")
    assert status == 0
    assert link(hub, project) in output
    assert f"ssh -L {hub.port}:127.0.0.1:{hub.port} " in output


def test_serve_runs_in_the_foreground_until_ctrl_c() -> None:
    with _serve() as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert re.search(r"hub at http://127\.0\.0\.1:\d+", line)
        assert "token" not in line
        found = connection.find()
        assert found is not None
        assert found.pid == process.pid
        process.send_signal(signal.SIGINT)
        assert process.wait(180) == 0
    assert connection.find() is None


def test_a_second_hub_is_refused(hub: connection.Connection) -> None:
    with _serve() as process:
        _, error = process.communicate(timeout=180)
    assert process.returncode == 1
    assert error.startswith("ipyweb: ")
    assert error.count("\n") == 1


def test_a_detached_hub_lets_go_of_its_pipe_and_tells_no_secret() -> None:
    with _serve("--detached") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert process.stdout.read() == ""  # the other end is closed, although the hub lives
        found = connection.find()
        assert found is not None
        assert told == {"url": found.url, "pid": found.pid}
        assert process.wait(180) == 0  # what was started has ended; the hub is nobody's child, and leaves no zombie
        assert found.pid != process.pid
        stop_hub()


def test_a_detached_hub_that_fails_says_why() -> None:
    directory = Path(os.environ["IPYWEB_RUNTIME_DIR"])
    directory.chmod(0o755)
    with _serve("--detached") as process:
        out, _ = process.communicate(timeout=180)
    assert str(directory) in json.loads(out)["error"]


def _serve(*words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "ipyweb", "serve", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_serve_and_status_tell_the_certificate(answer: Answer) -> None:
    with _serve("--ip", "127.0.0.1", "--certfile", "own") as process:
        assert process.stderr is not None
        assert re.search(r"hub at https://127\.0\.0\.1:\d+", process.stderr.readline())
        told = process.stderr.readline()
        found = connection.find()
        assert found is not None
        certificate = f"certificate {connection.fingerprint(found.certificate)}"
        assert certificate in told
        assert certificate in answer("status")[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(180) == 0
