"""When a browser opens, how it gets the link, and what is printed instead."""

import json
import shlex
import stat
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ipyweb import browser
from ipyweb.browser import Surroundings, decide, link, notice, open_pane, redirect_page, tunnel_command
from ipyweb.connection import Connection, scope_token

DESKTOP = {"DISPLAY": ":0", "HOME": "/home/me"}
SSH = {"SSH_CONNECTION": "10.0.0.2 50000 10.0.0.1 22"}


def bare(environ: dict[str, str], **facts: Any) -> Surroundings:
    """A Linux with a terminal and every program, and nothing else in its environment."""
    usual = Surroundings(environ, "linux", True, False, False, which, lambda path: True)
    return usual._replace(**facts)


def where(environ: dict[str, str], **facts: Any) -> Surroundings:
    """The same with a desktop."""
    return bare({**DESKTOP, **environ}, **facts)


def which(name: str) -> str | None:
    return None if " " in name else f"/usr/bin/{name}"


# -- the rules --------------------------------------------------------------------------------------------------------

OPENS = [
    ("a Linux desktop", where({}), ("/usr/bin/xdg-open", "%s"), "file"),
    ("Wayland without X", bare({"WAYLAND_DISPLAY": "wayland-0"}), ("/usr/bin/xdg-open", "%s"), "file"),
    ("macOS leaves the focus", bare({}, platform="darwin"), ("/usr/bin/open", "-g", "%s"), "file"),
    (
        "XQuartz is no X11 forwarding",
        bare({"DISPLAY": "/private/tmp/launchd/org.xquartz:0"}, platform="darwin"),
        ("/usr/bin/open", "-g", "%s"),
        "file",
    ),
    (
        "WSL takes the Windows browser, by a code",
        bare({}, wsl=True, reads_files=lambda path: False),
        ("/usr/bin/wslview", "%s"),
        "code",
    ),
    (
        "WSL without wslu",
        bare({}, wsl=True, which=lambda name: "/mnt/c/rundll32.exe" if name == "rundll32.exe" else None),
        ("/mnt/c/rundll32.exe", "url.dll,FileProtocolHandler", "%s"),
        "file",
    ),
    ("a snap gets a code", where({}, reads_files=lambda path: False), ("/usr/bin/xdg-open", "%s"), "code"),
    ("BROWSER before the system's", where({"BROWSER": "firefox"}), ("/usr/bin/firefox", "%s"), "file"),
    (
        "BROWSER may be a list; text browsers are passed over",
        where({"BROWSER": "w3m:firefox --new-window %s"}),
        ("/usr/bin/firefox", "--new-window", "%s"),
        "file",
    ),
    (
        "IPYWEB_BROWSER before BROWSER",
        where({"IPYWEB_BROWSER": "chromium --app=%s", "BROWSER": "firefox"}),
        ("/usr/bin/chromium", "--app=%s"),
        "file",
    ),
    ("a command needs no display", bare({"IPYWEB_BROWSER": "opener"}), ("/usr/bin/opener", "%s"), "file"),
    (
        "a command of ipyweb's own leads out of a container",
        bare({"IPYWEB_BROWSER": "opener"}, container=True),
        ("/usr/bin/opener", "%s"),
        "file",
    ),
    ("CI=false is no CI", where({"CI": "false"}), ("/usr/bin/xdg-open", "%s"), "file"),
]


@pytest.mark.parametrize(("around", "command", "handover"), [row[1:] for row in OPENS], ids=[row[0] for row in OPENS])
def test_a_browser_opens(around: Surroundings, command: tuple[str, ...], handover: str) -> None:
    decision = decide(around)
    assert (decision.command, decision.handover, decision.reason) == (command, handover, "")


NEVER = [
    ("IPYWEB_BROWSER=none", where({"IPYWEB_BROWSER": "none", "BROWSER": "firefox"}), "switched off"),
    ("BROWSER=none", where({"BROWSER": "none"}), "switched off"),
    ("SSH_CONNECTION", where(SSH), "over SSH"),
    ("SSH with X11 forwarding", where({**SSH, "DISPLAY": "localhost:10.0"}), "over SSH"),
    ("X11 forwarding after sudo", where({"DISPLAY": "localhost:11.0"}), "over SSH"),
    ("SSH_TTY alone", where({"SSH_TTY": "/dev/pts/3"}), "over SSH"),
    ("SSH and a command", where({**SSH, "IPYWEB_BROWSER": "firefox"}), "over SSH"),
    ("SSH on macOS", bare(SSH, platform="darwin"), "over SSH"),
    ("SSH into WSL", bare(SSH, wsl=True), "over SSH"),
    ("CI", where({"CI": "true"}), "in CI"),
    ("CI and a command", where({"GITHUB_ACTIONS": "true", "IPYWEB_BROWSER": "firefox"}), "in CI"),
    ("Slurm", where({"SLURM_JOB_ID": "12"}), "in a batch job"),
    ("PBS", where({"PBS_JOBID": "12.node"}), "in a batch job"),
    ("a container by its files", where({}, container=True), "in a container"),
    ("a container by its environment", where({"container": "podman"}), "in a container"),
    ("a container and BROWSER", where({"BROWSER": "firefox"}, container=True), "in a container"),
    ("Kubernetes", where({"KUBERNETES_SERVICE_HOST": "10.1.0.1"}), "in a container"),
    ("no terminal", where({}, terminal=False), "no terminal"),
    ("no terminal, a command", where({"IPYWEB_BROWSER": "firefox"}, terminal=False), "no terminal"),
    ("no display", bare({}), "no graphical display"),
    ("no browser", where({}, which=lambda name: None), "no browser found"),
    ("a missing command", where({"IPYWEB_BROWSER": "nosuch"}, which=lambda name: None), "no browser found"),
    ("only text browsers", where({"BROWSER": "lynx:w3m"}), "no browser found"),
    ("an unreadable command", where({"IPYWEB_BROWSER": "a 'b"}, which=lambda name: None), "no browser found"),
]


@pytest.mark.parametrize(("around", "reason"), [row[1:] for row in NEVER], ids=[row[0] for row in NEVER])
def test_no_browser_opens(around: Surroundings, reason: str) -> None:
    decision = decide(around)
    assert decision.command == ()
    assert decision.reason.startswith(reason)


def test_who_asks_by_a_command_needs_no_terminal() -> None:
    assert decide(where({}, terminal=False), asked=True).command == ("/usr/bin/xdg-open", "%s")


def test_asking_does_not_open_a_browser_over_ssh() -> None:
    assert decide(where(SSH), asked=True).reason == "over SSH"


def test_a_path_with_spaces_needs_no_quotes() -> None:
    path = "/Applications/My Browser"
    around = where({"IPYWEB_BROWSER": path}, which=lambda name: name if name == path else None)
    assert decide(around).command == (path, "%s")


# -- which browsers read a private file -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "reads"),
    [
        ("/snap/bin/firefox", False),
        ("/var/lib/flatpak/exports/bin/org.mozilla.firefox", False),
        ("/usr/bin/flatpak", False),
        ("/mnt/c/Program Files/Firefox/firefox.exe", False),
        ("/usr/bin/wslview", False),
        ("/opt/google/chrome/chrome", True),
    ],
)
def test_confined_browsers_are_known_by_their_path(path: str, reads: bool) -> None:
    assert browser._reads_files(path) is reads


def test_a_script_that_starts_a_snap_cannot_read_the_file(tmp_path: Path) -> None:
    script = tmp_path / "firefox"
    script.write_text('#!/bin/sh\nexec /snap/bin/firefox "$@"\n')
    assert not browser._reads_files(str(script))


@pytest.mark.parametrize(
    ("browser_file", "html_file", "folder", "reads"),
    [
        ("firefox.desktop", "firefox.desktop", "share", True),
        ("firefox.desktop", "", "share", True),
        ("firefox.desktop", "code.desktop", "share", False),
        ("firefox_firefox.desktop", "firefox_firefox.desktop", "share", False),
        ("org.mozilla.firefox.desktop", "org.mozilla.firefox.desktop", "flatpak/exports/share", False),
        ("", "", "share", True),
    ],
)
def test_the_default_browser_is_looked_up(
    browser_file: str,
    html_file: str,
    folder: str,
    reads: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    applications = tmp_path / folder / "applications"
    applications.mkdir(parents=True)
    (applications / (browser_file or "none")).touch()
    monkeypatch.setenv("XDG_DATA_DIRS", str(applications.parent))
    monkeypatch.setattr(browser, "_ask", lambda name, *rest: browser_file if name == "xdg-settings" else html_file)
    assert browser._reads_files("/usr/bin/xdg-open") is reads


# -- links and notices ------------------------------------------------------------------------------------------------

ROOT = "r" * 64
HUB = Connection("http://127.0.0.1:23456", "hub", ROOT)


def test_a_link_carries_the_panes_token_never_the_root() -> None:
    address = link(HUB, "/home/me/my project&co", 17)
    token = scope_token(ROOT, "pane")
    assert address == f"http://127.0.0.1:23456/#token={token}&project=%2Fhome%2Fme%2Fmy%20project%26co&o=17"
    assert ROOT not in address


def test_a_link_to_a_hub_elsewhere_carries_no_token() -> None:
    assert link(HUB._replace(local=False)) == "http://127.0.0.1:23456/#"


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (SSH, "ssh -L 23456:127.0.0.1:23456 me@node7"),
        ({"SSH_CONNECTION": "a 1 b 2222"}, "ssh -L 23456:127.0.0.1:23456 me@node7 -p 2222"),
        ({}, "ssh -L 23456:127.0.0.1:23456 me@node7"),
    ],
)
def test_the_tunnel_line_is_ready_made(environ: dict[str, str], line: str) -> None:
    assert tunnel_command(23456, environ, "me@node7") == line


def test_over_ssh_the_notice_has_link_and_tunnel() -> None:
    text = notice("http://127.0.0.1:23456/#token=x", 23456, "over SSH", where(SSH), "me@node7")
    assert "http://127.0.0.1:23456/#token=x" in text
    assert "ssh -L 23456:127.0.0.1:23456 me@node7" in text


def test_from_a_compute_node_the_tunnel_goes_through_the_login_node() -> None:
    job = where({**SSH, "SLURM_JOB_ID": "12", "SLURM_SUBMIT_HOST": "login1"})
    text = notice("http://127.0.0.1:23456/#token=x", 23456, "over SSH", job, "me@node7")
    assert "ssh -J login1 -L 23456:127.0.0.1:23456 me@node7" in text


def test_in_a_container_the_notice_says_how_to_reach_the_hosts_pane() -> None:
    text = notice("http://127.0.0.1:1/#token=x", 1, "in a container", where({}, container=True), "me@node7")
    assert "-v RUNTIME_DIR:/run/ipyweb" in text


def test_on_the_machine_itself_the_notice_has_no_tunnel() -> None:
    assert "ssh" not in notice("http://127.0.0.1:23456/#token=x", 23456, "in CI", where({}), "me@node7")


def test_no_secret_is_printed_where_stderr_is_no_terminal() -> None:
    assert notice("http://127.0.0.1:23456/#token=x", 23456, "over SSH", where(SSH, terminal=False), "me@node7") == ""


def test_a_redirect_page_cannot_be_broken_out_of() -> None:
    page = redirect_page('http://127.0.0.1:1/#project="</script><script>alert(1)</script>')
    assert page.count("<script>") == 1
    assert page.count("</script>") == 1
    assert '"</script>' not in page.replace("\\u003c", "").split("<noscript>")[1]


# -- opening ----------------------------------------------------------------------------------------------------------


class FakeHub(ThreadingHTTPServer):
    """As much of a hub as opening a browser needs, with a record of what was asked of it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state: dict[str, Any] = {"frontends": 0, "opened": False}
        self.knows_opened = True
        self.calls: list[str] = []

    @property
    def connection(self) -> Connection:
        return Connection(f"http://127.0.0.1:{self.server_port}", "hub", ROOT)


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub

    def do_GET(self) -> None:
        self._answer(200, self.server.state)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append(self.path)
        if self.path == "/api/codes":
            self._answer(200, {"code": "onlyonce"})
        elif self.server.knows_opened:
            first, self.server.state["opened"] = not self.server.state["opened"], True
            self._answer(200, {"opened": True, "first": first})
        else:
            self._answer(404, {"error": "no such route"})

    def _answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    server = FakeHub()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file into which the fake browser writes its arguments, and the runtime directory beside it."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("IPYWEB_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "record"


def desktop(record: Path, **facts: Any) -> Surroundings:
    """A desktop whose browser writes down how it was called."""
    script = "import os, sys; open(sys.argv[1], 'w').write(sys.argv[3]); os.rename(*sys.argv[1:3])"
    command = shlex.join([sys.executable, "-c", script, f"{record}.new", str(record), "%s"])
    return where({"IPYWEB_BROWSER": command}, which=lambda name: name if name == sys.executable else None, **facts)


def called_with(record: Path) -> str:
    deadline = time.monotonic() + 180
    while not record.exists():
        assert time.monotonic() < deadline, "the browser was never called"
        time.sleep(0.01)
    return record.read_text()


def test_the_browser_gets_a_private_file_and_no_token(hub: FakeHub, record: Path) -> None:
    assert open_pane(hub.connection, project="/p", around=desktop(record)).opened
    address = called_with(record)
    path = Path(address.removeprefix("file://"))
    assert scope_token(ROOT, "pane") not in address
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"#token={scope_token(ROOT, 'pane')}&project=%2Fp" in path.read_text()


def test_a_confined_browser_gets_a_single_use_code(hub: FakeHub, record: Path) -> None:
    assert open_pane(hub.connection, output=3, around=desktop(record, reads_files=lambda path: False)).opened
    assert called_with(record) == f"{hub.connection.url}/#code=onlyonce&o=3"
    assert not list(record.with_name("run").iterdir())


def test_it_opens_once_in_a_hubs_life(hub: FakeHub, record: Path) -> None:
    assert open_pane(hub.connection, around=desktop(record)).opened
    again = open_pane(hub.connection, around=desktop(record))
    assert not again.opened
    assert "it was opened before" in again.reason
    assert link(hub.connection) in again.notice


def test_who_asks_gets_it_again(hub: FakeHub, record: Path) -> None:
    hub.state.update(opened=True, frontends=2)
    assert open_pane(hub.connection, asked=True, around=desktop(record)).opened
    assert called_with(record)


def test_it_never_opens_while_a_pane_is_connected(hub: FakeHub, record: Path) -> None:
    hub.state["frontends"] = 1
    outcome = open_pane(hub.connection, around=desktop(record))
    assert (outcome.opened, outcome.notice) == (False, "")
    assert hub.calls == []


def test_what_does_not_open_does_not_count_as_opened(hub: FakeHub) -> None:
    outcome = open_pane(hub.connection, around=where(SSH))
    assert not outcome.opened
    assert "ssh -L" in outcome.notice
    assert not hub.state["opened"]


def test_the_configuration_can_forbid_it(hub: FakeHub, record: Path) -> None:
    outcome = open_pane(hub.connection, allowed=False, around=desktop(record))
    assert not outcome.opened
    assert link(hub.connection) in outcome.notice


def test_a_hub_that_does_not_count_is_tolerated(hub: FakeHub, record: Path) -> None:
    hub.knows_opened = False
    assert open_pane(hub.connection, around=desktop(record)).opened


def test_a_browser_that_cannot_be_started_leaves_the_link(hub: FakeHub, record: Path) -> None:
    around = where({"IPYWEB_BROWSER": "/nowhere/browser"}, which=lambda name: name)
    outcome = open_pane(hub.connection, around=around)
    assert outcome.reason == "/nowhere/browser could not be started"
    assert link(hub.connection) in outcome.notice


def test_old_redirect_files_are_removed(hub: FakeHub, record: Path) -> None:
    import os

    old, young = (record.with_name("run") / f"open-{name}.html" for name in ("old", "young"))
    old.touch()
    young.touch()
    os.utime(old, (1, 1))
    open_pane(hub.connection, around=desktop(record))
    assert not old.exists()
    assert young.exists()


# -- behind a proxy ---------------------------------------------------------------------------------------------------

CODE_SERVER = {"VSCODE_PROXY_URI": "https://ide.example.org/proxy/{{port}}/"}


def test_a_link_begins_with_the_address_of_the_proxy_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = Connection("http://127.0.0.1:8765", "h", "0" * 64)
    assert link(connection).startswith("http://127.0.0.1:8765/#")
    monkeypatch.setenv("VSCODE_PROXY_URI", CODE_SERVER["VSCODE_PROXY_URI"])
    assert link(connection).startswith("https://ide.example.org/proxy/8765/#")
    configured = connection._replace(proxy="https://lab.example.org/plots/")  # which the user has written
    assert link(configured).startswith("https://lab.example.org/plots/#")
    elsewhere = connection._replace(local=False)  # this machine's proxy does not lead there
    assert link(elsewhere).startswith("http://127.0.0.1:8765/#")
    monkeypatch.setattr("ipyweb.browser.is_mounted", lambda: True)  # nor to the hub of a container's host
    assert link(connection).startswith("http://127.0.0.1:8765/#")


def test_a_browser_at_the_other_end_of_a_proxy_gets_a_code_and_no_file() -> None:
    assert decide(bare({**CODE_SERVER, "BROWSER": "helpers/browser.sh"})).handover == "code"
