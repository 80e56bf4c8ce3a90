"""One connection of the system's ``ssh``, over which commands run and forwards come and go.

The user's own ssh decides everything: configuration, keys, agent, jump hosts, host keys, passwords. One authentication
serves for all (multiplexing, ``ControlMaster`` of ssh_config(5)), since a one-time password works once; the control
socket is our own, in a private directory, so that neither a connection of the user's nor one of ours ends the other.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

CONNECT_SECONDS = 15
"""Seconds for the far machine to take the connection."""

COMMAND_SECONDS = 60.0
"""Seconds for a command over there, and for the authentication where nobody is asked anything."""

LOOK = 0.02

_OPTIONS = {
    "ClearAllForwardings": "yes",  # of the configuration: a port of theirs that is taken is no reason to end
    "ConnectTimeout": str(CONNECT_SECONDS),
    "ControlPersist": "no",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "ServerAliveCountMax": "3",
    "ServerAliveInterval": "15",
    "StreamLocalBindUnlink": "yes",
}
# Ctrl-C in the terminal is for us: ssh keeps a signal ignored that it finds ignored, and we end it when we are done.
_DEAF = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
# Who is killed ends no ssh of its own: this hears which it has now, and ends that when it hears nothing more.
_GUARD = ("sh", "-c", 'trap "" INT HUP; while read -r heard; do pid=$heard; done; kill $pid; rm -rf "$1"', "sh")
_FATAL = ("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "Permission denied", "Bad owner")

Direction = Literal["-L", "-R"]


class SshFailed(Exception):
    """ssh could not do it.

    Attributes:
        final: whether trying again is of no use.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Answer(NamedTuple):
    """What a command over there said."""

    status: int
    out: str
    err: str


class Ssh:
    """A connection to one account.

    Args:
        program: ssh, with options of the user's.
        destination: ``[user@]host``, or what the user's configuration calls it.
        options: further ones.
        terminal: whether somebody is there to be asked for passwords and host keys.
    """

    def __init__(
        self, program: Sequence[str], destination: str, options: Sequence[str] = (), *, terminal: bool = True
    ) -> None:
        self.destination = destination
        self._program, self._options = list(program), list(options)
        self._terminal = terminal
        self._directory = Path(tempfile.mkdtemp(prefix="ipyweb-"))
        self._control = self._directory / "ssh"
        self._master: subprocess.Popen[bytes] | None = None
        self._guard = _guard(self._directory)
        self._words: list[str] = []
        self._shown = False
        self._fatal = False

    @property
    def alive(self) -> bool:
        """Whether the connection is there."""
        return self._master is not None and self._master.poll() is None

    @property
    def reason(self) -> str:
        """Why ssh ended, in its own words where it had any."""
        status = self._master.poll() if self._master is not None else None
        if status is not None and status < 0:
            return f"ssh was ended by signal {-status}"
        return self._words[-1] if self._words else "ssh ended"

    # -- the connection -----------------------------------------------------------------------------------------------

    def connect(self, *, shown: bool = True) -> None:
        """Connect and authenticate.

        Args:
            shown: whether ssh's own words go to stderr at once.

        Raises:
            SshFailed: it did not get through.
        """
        self.disconnect()
        self._words, self._shown, self._fatal = [], shown and self._terminal, False
        options = {**_OPTIONS, "BatchMode": "no" if self._terminal else "yes"}
        settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        command = [*_DEAF, *self._program, *self._options, *settings, "-T", "-x", "-N", "-M", "-S", str(self._control)]
        self._master = subprocess.Popen(
            [*command, self.destination], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self._tell_guard(str(self._master.pid))
        listener = threading.Thread(target=self._listen, args=(self._master,), name="ssh", daemon=True)
        listener.start()
        try:
            self._await_control(self._master, listener)
        except BaseException:
            self.disconnect()
            raise
        self._shown = False

    def _await_control(self, master: "subprocess.Popen[bytes]", listener: threading.Thread) -> None:
        """The control socket appears once the far machine has let us in."""
        deadline = time.monotonic() + (float("inf") if self._terminal else COMMAND_SECONDS)
        while not self._control.exists():
            if master.poll() is not None:
                listener.join(1.0)
                raise SshFailed(self.reason, final=self._fatal)
            if time.monotonic() > deadline:
                raise SshFailed(f"it did not let us in within {COMMAND_SECONDS:g} s")
            time.sleep(LOOK)

    def _listen(self, master: "subprocess.Popen[bytes]") -> None:
        assert master.stderr is not None
        with master.stderr:
            for line in master.stderr:
                text = line.decode(errors="replace").strip()
                if not text or text.startswith("channel "):  # of single connections through it, not of ssh itself
                    continue
                self._words = [*self._words[-20:], text]
                self._fatal = self._fatal or any(word in text for word in _FATAL)
                if self._shown:
                    print(text, file=sys.stderr)

    def disconnect(self) -> None:
        """End the connection, if there is one."""
        self._tell_guard("")
        if self._master is not None:
            self._master.terminate()
            try:
                self._master.wait(2.0)
            except subprocess.TimeoutExpired:
                self._master.kill()
                self._master.wait()
            self._master = None
        with contextlib.suppress(OSError):
            self._control.unlink()

    def close(self) -> None:
        """End it for good."""
        self.disconnect()
        shutil.rmtree(self._directory, ignore_errors=True)
        self._guard.kill()
        self._guard.communicate()

    def _tell_guard(self, pid: str) -> None:
        assert self._guard.stdin is not None
        with contextlib.suppress(OSError):  # somebody has ended it
            self._guard.stdin.write(f"{pid}\n".encode())
            self._guard.stdin.flush()

    # -- through it ---------------------------------------------------------------------------------------------------

    def run(self, command: str, given: bytes = b"") -> Answer:
        """Run a command over there, in the account's login shell.

        Args:
            command: a line of that shell.
            given: its stdin.

        Raises:
            SshFailed: the connection is gone, or it takes too long.
        """
        # Without its master, ssh would connect anew: it shall fail instead.
        alone = ("-o", "ProxyCommand=false", "-o", "BatchMode=yes")
        return self._do(self._through("-T", "-x", *alone, self.destination, command), given)

    def forward(self, direction: Direction, near: str, far: str) -> None:
        """Forward from an address that is listened on, to another one.

        Args:
            direction: as ssh's option of that name.
            near: where it is listened, here for ``-L`` and over there for ``-R``: ``host:port``, or a path.
            far: where it leads, at the other end.

        Raises:
            SshFailed: it cannot be had.
        """
        answer = self._do(self._through("-O", "forward", direction, f"{near}:{far}", self.destination))
        if answer.status:
            raise SshFailed(_last_line(answer.err) or "the forward was refused")

    def cancel(self, direction: Direction, near: str, far: str) -> None:
        """Undo `forward`."""
        with contextlib.suppress(SshFailed):
            self._do(self._through("-O", "cancel", direction, f"{near}:{far}", self.destination))

    def _through(self, *words: str) -> list[str]:
        # No configuration: its forwards would be asked for once more.
        return [*self._program, "-F", os.devnull, "-S", str(self._control), "-o", "ControlMaster=no", *words]

    def _do(self, command: Sequence[str], given: bytes = b"") -> Answer:
        try:
            done = subprocess.run(command, input=given, capture_output=True, timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise SshFailed(f"no answer within {COMMAND_SECONDS:g} s") from error
        if not self.alive:
            raise SshFailed(self.reason)
        return Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def _guard(directory: Path) -> "subprocess.Popen[bytes]":
    """A process that ends an ssh, of which it is told the process id, and removes its directory, once we are gone."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*_GUARD, str(directory)], stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
