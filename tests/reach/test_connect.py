"""``ipyweb connect``: the hub of another machine, through a real ssh."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pexpect
import psutil
import pytest

from ipyweb import __version__, connection
from ipyweb.connection import Connection, challenge, exchange, request

from ..conftest import HANGS, is_running, wait_until
from .conftest import PYTHON, Machine

BROWSER = """#!/bin/sh
cat "${1#file://}" >> {seen}
echo >> {seen}
"""


def _is_master(process: psutil.Process) -> bool:
    try:
        return "-M" in process.cmdline()
    except psutil.ZombieProcess:  # another ssh, which has just ended
        return False


class Connected:
    """A running ``ipyweb connect``."""

    def __init__(self, machine: Machine, directory: Path, *words: str, host: str = "far", setup: str = "") -> None:
        self.seen = directory / "opened"
        browser = directory / "browser"
        browser.write_text(BROWSER.replace("{seen}", str(self.seen)))
        browser.chmod(0o755)
        self._words: list[str] = []
        self._log = directory / "stderr"
        program = f"{setup}\nimport sys; from ipyweb.cli.app import main; sys.exit(main())"
        command = [sys.executable, "-c", program, "connect", "--ssh", machine.ssh, *words, host]
        desktop = {"IPYWEB_BROWSER": str(browser), "DISPLAY": ":0"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SSH_") and name != "CI"}
        with self._log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL, env={**kept, **desktop})

    @property
    def said(self) -> str:
        return self._log.read_text()

    def says(self, pattern: str, times: int = 1) -> "re.Match[str]":
        """Wait until it has said something."""

        def found() -> "re.Match[str] | None":
            matches = list(re.finditer(pattern, self.said))
            assert self.process.poll() is None or len(matches) >= times, self.said
            return matches[times - 1] if len(matches) >= times else None

        match: re.Match[str] = wait_until(found, f"{pattern!r} in {self.said!r}")
        return match

    def pane(self, count: int = 1) -> Connection:
        """What the pane that was opened last dials."""

        def address() -> str | None:
            opened = re.findall(r'location\.replace\("([^"]+)"\)', self.seen.read_text() if self.seen.exists() else "")
            return opened[count - 1] if len(opened) >= count else None

        link = urlsplit(wait_until(address, "a browser"))
        return Connection(f"http://{link.netloc}", "", parse_qs(link.fragment)["token"][0], local=False, scope="pane")

    @property
    def ssh(self) -> psutil.Process:
        """The ssh that holds the connection."""
        (found,) = filter(_is_master, psutil.Process(self.process.pid).children())
        return found

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(HANGS)


@contextlib.contextmanager
def connected(machine: Machine, directory: Path, *words: str, **options: Any) -> Iterator[Connected]:
    """Connect; no ssh may be left at the end."""
    running = Connected(machine, directory, *words, **options)
    try:
        yield running
        children = psutil.Process(running.process.pid).children(recursive=True)
        assert running.end() == 0, running.said
        assert not [each for each in children if is_running(each.pid)], running.said
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait()


def state(pane: Connection) -> dict[str, Any]:
    found: dict[str, Any] = request(challenge(pane), "GET", "api/state").json()
    return found


def hub_of(machine: Machine) -> Connection:
    found: Connection = wait_until(machine.hub, "the hub over there")
    return found


def test_it_starts_the_hub_over_there_opens_the_pane_and_keeps_it_whatever_breaks(far: Machine, tmp_path: Path) -> None:
    with connected(far, tmp_path) as running:
        pane = running.pane()
        hub = hub_of(far)
        assert state(pane)["pid"] == hub.pid
        assert exchange(pane.url, "GET", "").status == 200
        assert pane.port != hub.port  # which is taken, as this is the same machine
        assert pane.token == hub.token_for("pane")
        assert pane.token not in running.said  # which is no terminal

        listening = [each.laddr.ip for each in running.ssh.net_connections("inet") if each.status == "LISTEN"]
        assert listening == ["127.0.0.1"]

        running.ssh.kill()
        running.says("connected to far again")
        assert state(pane)["pid"] == hub.pid  # on the same port

        os.kill(hub.pid, signal.SIGKILL)
        running.says("it is back")
        assert state(pane)["pid"] != hub.pid
        assert running.said.count("shows far") == 1


def test_a_connection_that_is_killed_leaves_no_ssh_behind(far: Machine, tmp_path: Path) -> None:
    running = Connected(far, tmp_path)
    running.pane()
    children = psutil.Process(running.process.pid).children(recursive=True)
    ssh = running.ssh
    directory = Path(ssh.cmdline()[ssh.cmdline().index("-S") + 1]).parent
    assert directory.is_dir()
    running.end(signal.SIGKILL)
    wait_until(lambda: not [each for each in children if is_running(each.pid)], "the end of ssh")
    wait_until(lambda: not directory.exists(), "the end of its directory")


def test_no_token_stands_in_a_command_line_or_is_said(far: Machine, tmp_path: Path) -> None:
    with connected(far, tmp_path) as running:
        pane = running.pane()
        hub = hub_of(far)
        tokens = [hub.token, *(hub.token_for(scope) for scope in ("session", "pane"))]
        running.ssh.kill()
        seen = set()
        while "connected to far again" not in running.said:
            seen |= command_lines()
        state(pane)
        assert any("url --json" in line for line in seen)
        assert not [line for line in seen | command_lines() if any(token in line for token in tokens)]
        assert not any(token in running.said for token in tokens)


def command_lines() -> set[str]:
    """Those of all processes of the machine."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_where_sockets_are_not_forwarded_the_port_is(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "m", "AllowStreamLocalForwarding no")
    try:
        with connected(machine, tmp_path) as running:
            assert state(running.pane())["pid"] == hub_of(machine).pid
    finally:
        machine.end()


def test_a_lost_machine_is_waited_for_and_a_changed_host_key_ends_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "m")
    try:
        with connected(machine, tmp_path) as running:
            pane = running.pane()
            hub = hub_of(machine)
            machine.stop()
            running.ssh.kill()
            running.says("not yet: .*refused")
            machine.start()
            running.says("connected to far again")
            assert state(pane)["pid"] == hub.pid
        machine.trust("client_key.pub")
        ended = Connected(machine, tmp_path)
        assert ended.process.wait(HANGS) == 1
        assert "Host key verification failed" in ended.said
        assert ended.said.count("\n") == 1
    finally:
        machine.trust()
        machine.end()


def test_a_frozen_connection_is_found_out_after_sleep(far: Machine, tmp_path: Path) -> None:
    with connected(far, tmp_path, setup="from ipyweb.cli import tunnel; tunnel.ASLEEP = 1.0") as running:
        pane = running.pane()
        before = running.ssh.pid
        psutil.Process(before).suspend()
        os.kill(running.process.pid, signal.SIGSTOP)
        time.sleep(1.5)  # of which no process is told
        os.kill(running.process.pid, signal.SIGCONT)
        running.says("slept")
        running.says("connected to far again")
        assert not is_running(before)
        assert state(pane)["pid"] == hub_of(far).pid


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(far: Machine, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        ended = Connected(far, tmp_path, "--port", str(port))
        assert ended.process.wait(HANGS) == 1
        assert f"port {port} is taken" in ended.said


@pytest.mark.parametrize(
    ("words", "host", "reason"),
    [
        ([], "nowhere.invalid", "did not get through to nowhere.invalid: .*resolve"),
        (["--command", "~/none/ipyweb"], "far", "~/none/ipyweb was not found at far; install it"),
        (["--command", "false"], "far", "ipyweb at far did not say where its hub is: it ended with status 1"),
    ],
)
def test_what_cannot_be_is_one_line(far: Machine, tmp_path: Path, words: list[str], host: str, reason: str) -> None:
    ended = Connected(far, tmp_path, *words, host=host)
    assert ended.process.wait(HANGS) == 1
    assert re.search(reason, ended.said)
    assert ended.said.count("\n") == 1


def test_an_option_is_no_host(far: Machine, tmp_path: Path) -> None:
    ended = Connected(far, tmp_path, "--", host="-oProxyCommand=touch${IFS}x")
    assert ended.process.wait(HANGS) == 2


def test_ipyweb_is_found_in_the_login_shells_path_too_and_its_absence_said(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "m")
    elsewhere = tmp_path / "elsewhere"
    (machine.bin / "ipyweb").rename(machine.bin / "ipyweb.gone")
    try:
        ended = Connected(machine, tmp_path)
        assert ended.process.wait(HANGS) == 1
        assert "no ipyweb was found at far; install it there, or name its program: --command=" in ended.said
        elsewhere.mkdir()
        (machine.bin / "ipyweb.gone").rename(elsewhere / "ipyweb")
        machine.write_program("shell", f"echo welcome\nPATH={elsewhere}:$PATH exec sh")
        with connected(machine, tmp_path) as running:
            assert state(running.pane())["pid"] == hub_of(machine).pid
    finally:
        machine.end()


def test_another_version_is_said_and_served_and_another_protocol_refused(far: Machine, tmp_path: Path) -> None:
    try:
        far.install(version="0.0.7")
        with connected(far, tmp_path) as running:
            running.says(f"far has ipyweb 0.0.7, and this is {re.escape(__version__)}")
            assert state(running.pane())
        far.install(protocol=99, previous=98)
        ended = Connected(far, tmp_path)
        assert ended.process.wait(HANGS) == 1
        assert "speaks another protocol" in ended.said
    finally:
        far.install()


def test_a_terminal_is_asked_what_ssh_asks_once_and_shown_the_link(far: Machine, tmp_path: Path) -> None:
    key, known = far.directory / "locked_key", far.directory / "known_hosts"
    shutil.copy(far.directory / "client_key", key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(key)], check=True, stdin=subprocess.DEVNULL)
    known.unlink()
    words = ["-m", "ipyweb", "connect", "--ssh", f"{far.ssh} -o IdentityFile={key} -o IdentityAgent=none", "far"]
    words[-2] = words[-2].replace(f"{far.directory}/config", str(write_config_without_key(far)))
    try:
        with pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=HANGS, dimensions=(50, 400)) as terminal:
            terminal.expect("continue connecting")
            terminal.sendline("yes")
            terminal.expect("passphrase for key")
            terminal.sendline("secret")
            terminal.expect(r"(http://127\.0\.0\.1:\d+)/#token=(\w+) shows far; Ctrl-C ends the connection")
            pane = Connection(terminal.match[1], "", terminal.match[2], local=False, scope="pane")
            assert state(pane)["pid"] == hub_of(far).pid
            children = psutil.Process(terminal.pid).children(recursive=True)
            terminal.sendintr()
            terminal.expect(pexpect.EOF)
            assert "passphrase" not in terminal.before
            terminal.close()
            assert terminal.exitstatus == 0
            assert not [each for each in children if is_running(each.pid)]
    finally:
        far.trust()


def write_config_without_key(machine: Machine) -> Path:
    path = machine.directory / "config_without_key"
    lines = (machine.directory / "config").read_text().splitlines()
    path.write_text("\n".join(line for line in lines if "IdentityFile" not in line) + "\n")
    return path


def test_a_compute_node_is_reached_through_the_login_node(far: Machine, tmp_path: Path) -> None:
    with connected(far, tmp_path, "--node", "node17") as running:
        assert state(running.pane())["pid"] == hub_of(far).pid
        running.says("shows node17")


def test_sigterm_leaves_no_ssh_either(far: Machine, tmp_path: Path) -> None:
    running = Connected(far, tmp_path)
    running.pane()
    ssh = running.ssh
    assert running.end(signal.SIGTERM) == 0
    assert not is_running(ssh.pid)


SHOW = "import ipyweb; print(ipyweb.display('from there').wait().status)"


def test_reversed_scripts_over_there_display_here(hub: Connection, far: Machine, tmp_path: Path) -> None:
    with connected(far, tmp_path, "--reverse") as running:
        told = running.says("export (IPYWEB_HUB=.*)")[1]
        directory = Path(told.rpartition("=")[2]).parent
        assert directory.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
        assert (directory / "token").read_text() == hub.token_for("session")
        show = [*far.ssh.split(), "far", f'export {told}; {PYTHON} -c "{SHOW}"']
        assert subprocess.run(show, capture_output=True, text=True).stdout == "stored\n"
        running.ssh.kill()
        running.says("connected to far again")
        assert subprocess.run(show, capture_output=True, text=True).stdout == "stored\n"
        assert len(connection.request(hub, "GET", "api/outputs").json()["outputs"]) == 2
    wait_until(lambda: not directory.exists(), "the end of its directory")
