"""Another machine: an OpenSSH server on loopback, whose sessions have directories, and so a hub, of their own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipyweb import connection

from ..conftest import stop_hub, wait_until
from ..hub.conftest import free_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or "/usr/sbin/sshd"

PYTHON = f"PYTHONPATH={Path(__file__).parents[2]} {sys.executable}"
"""This Python, as a shell over there calls it: what it finds there by itself has no ipyweb."""


class Machine:
    """A machine that is reached by ssh.

    Attributes:
        ssh: the program that reaches it, as the option ``--ssh`` takes it; its name is ``far``.
        runtime, data: the directories of the account's hub.
        bin: where the account's programs are.
    """

    def __init__(self, directory: Path, options: str = "") -> None:
        self.directory = directory
        self.runtime, self.data, self.bin = (directory / name for name in ("run", "data", "bin"))
        for path in (self.runtime, self.data, self.bin):
            path.mkdir(mode=0o700, parents=True)
        self.port = free_port()
        self.install()
        self._keys()
        self._write_configurations(options)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.ssh = f"ssh -F {directory}/config"
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def install(self, **fields: str | int) -> None:
        """Install ipyweb over there, or what says some fields of ``ipyweb url --json`` differently."""
        pretend = "".join(f"""s/"{name}": [^,}}]*/"{name}": {json.dumps(value)}/;""" for name, value in fields.items())
        self.write_program("ipyweb", f"{PYTHON} -m ipyweb \"$@\" | sed '{pretend}'")
        self.write_program("python3", "exit 1  # it has no ipyweb")
        self.write_program("shell", "exec sh  # the login shell's profile says nothing")

    def write_program(self, name: str, text: str) -> None:
        """Put a program where the account finds it."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def _keys(self) -> None:
        for name in ("host_key", "client_key"):
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.directory / name)]
            subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
        shutil.copy(self.directory / "client_key.pub", self.directory / "authorized_keys")

    def trust(self, key: str = "host_key.pub") -> None:
        """Let the client know the machine by a key."""
        kind, text, *_ = (self.directory / key).read_text().split()
        (self.directory / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {kind} {text}\n")

    def _write_configurations(self, options: str) -> None:
        self.trust()
        environment = {
            "IPYWEB_RUNTIME_DIR": self.runtime,
            "IPYWEB_DATA_DIR": self.data,
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "SHELL": self.bin / "shell",
        }
        (self.directory / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self.directory}/host_key\n"
            f"AuthorizedKeysFile {self.directory}/authorized_keys\nPidFile none\nStrictModes no\nUsePAM no\n"
            f"PasswordAuthentication no\nKbdInteractiveAuthentication no\n{options}\n"
            f"SetEnv {' '.join(f'{name}={value}' for name, value in environment.items())}\n"
        )
        (self.directory / "config").write_text(
            f"Host far node17\n  HostName 127.0.0.1\n  Port {self.port}\n  IdentityFile {self.directory}/client_key\n"
            f"  IdentitiesOnly yes\n  UserKnownHostsFile {self.directory}/known_hosts\n  GlobalKnownHostsFile none\n"
        )

    def start(self) -> None:
        """Start the server."""
        command = [SSHD, "-D", "-e", "-f", str(self.directory / "sshd_config")]
        with (self.directory / "sshd.log").open("ab") as log:
            self._server = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL, stdout=log)
        wait_until(self._answers, "the server of ssh")

    def _answers(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, (self.directory / "sshd.log").read_text()
        words = [*self.ssh.split(), "-o", "BatchMode=yes", "far", "true"]
        return subprocess.run(words, capture_output=True).returncode == 0

    def stop(self) -> None:
        """Stop the server; connections that it has go on."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait()
            self._server = None

    def hub(self) -> connection.Connection | None:
        """The hub of the account."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("IPYWEB_RUNTIME_DIR", str(self.runtime))
            patch.setenv("IPYWEB_DATA_DIR", str(self.data))
            return connection.find()

    def end(self) -> None:
        """Stop everything."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("IPYWEB_RUNTIME_DIR", str(self.runtime))
            patch.setenv("IPYWEB_DATA_DIR", str(self.data))
            stop_hub()
        self.stop()


@pytest.fixture(scope="module")
def far() -> Iterator[Machine]:
    """A machine for all tests of a file."""
    with tempfile.TemporaryDirectory(prefix="far", dir="/tmp") as directory:
        machine = Machine(Path(directory))
        yield machine
        machine.end()
