"""What is private is on no disk, and what is secret is in no log, no argument and no spool."""

import base64
import contextlib
import os
import pty
import secrets
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from ipyweb import connection
from ipyweb.connection import scope_token

from .conftest import Scripts, get, kill_the_hub, outputs, spool_files, the_hub, titles, wait_until

PRIVATE = """
import sys
import ipyweb
marker = sys.stdin.readline().strip()
show = lambda title, size: ipyweb.display(
    {"text/html": marker + "x" * size, "image/png": marker.encode() * (1 + size // 32)},
    raw=True, title=f"{title} {marker}", metadata={"text/html": {"note": marker}},
).wait(60)
BEGIN
for size in (0, 100_000, 700_000):
    show("private", size)
ipyweb.display({"text/plain": marker}, raw=True, display_id="d").update({"text/plain": marker + "!"}, raw=True)
ipyweb.flush(60)
print("shown", flush=True)
sys.stdin.readline()
show("after the kill", 400_000)
print("shown", flush=True)
"""


def marks(marker: str) -> list[bytes]:
    """The marker as it may stand in a file: plain, and within base64 at each of the three offsets."""
    encoded = [base64.b64encode(b"\0" * offset + marker.encode())[4:-4] for offset in range(3)]
    return [marker.encode(), *encoded]


def check_files(marks: list[bytes]) -> None:
    """Look for marks in every file of the data and the runtime directory."""
    places = [connection.data_dir(), connection.runtime_dir(), Path(os.environ["IPYTHONDIR"])]
    for path in (path for place in places for path in place.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for mark in marks:
            assert mark not in content, f"{mark!r} is in {path}"


@pytest.mark.parametrize(
    ("begin", "environ"),
    [
        ("", {"IPYWEB_STORE": "memory"}),
        ("from ipyweb.session.session import current; current().make_private()", {}),
        (
            "ipyweb.display({'text/plain': 'public'}, raw=True, title='public').wait(60)\n"
            "from ipyweb.session.session import current; current().make_private()",
            {},
        ),
    ],
    ids=["IPYWEB_STORE=memory", "private from the beginning", "private later"],
)
def test_no_byte_of_a_private_output_reaches_a_disk_even_if_the_hub_is_killed(
    scripts: Scripts, begin: str, environ: dict[str, str]
) -> None:
    marker = secrets.token_hex(16)
    public = 1 if "public" in begin else 0
    script = scripts.start(PRIVATE.replace("BEGIN", begin), **environ)
    assert script.stdin is not None
    assert script.stdout is not None
    script.stdin.write(f"{marker}\n")
    script.stdin.flush()
    assert script.stdout.readline() == "shown\n"
    assert len(outputs()) == public + 4
    check_files(marks(marker))
    kill_the_hub()
    check_files(marks(marker))
    script.stdin.write("\n")
    script.stdin.flush()
    assert script.stdout.readline() == "shown\n"
    assert titles() == ["public"] * public + [f"after the kill {marker}"]
    check_files(marks(marker))
    done = scripts.finish(script)
    assert done.status == 0, done
    kill_the_hub()
    check_files(marks(marker))
    connection.start()
    assert titles() == ["public"] * public


def test_private_outputs_that_no_hub_takes_are_not_spooled(scripts: Scripts) -> None:
    marker = secrets.token_hex(16)
    script = scripts.start(
        f"import sys; sys.executable = '/bin/false'; marker = {marker!r}\n"
        "import ipyweb; ipyweb.display({'text/plain': marker}, raw=True, title=marker)",
        IPYWEB_STORE="memory",
    )
    done = scripts.finish(script)
    assert done.status == 0
    assert "they are private" in done.err
    assert spool_files() == []
    check_files(marks(marker))


def test_the_magic_makes_a_session_of_ipython_private(scripts: Scripts) -> None:
    marker = secrets.token_hex(16)
    commands = [
        "%load_ext ipyweb",
        "from IPython.display import HTML, display; import os",
        "display(HTML('public'))",
        "import ipyweb; ipyweb.flush(30)",
        "%ipyweb private",
        "display(HTML(os.environ['MARKER'] * 20_000))",
        "ipyweb.flush(30)",
    ]
    environ = {**os.environ, "MARKER": marker}
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", "\n".join(commands)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done
    assert [record["private"] for record in outputs()] == [False, True]
    check_files(marks(marker))
    kill_the_hub()
    check_files(marks(marker))


# -- secrets ----------------------------------------------------------------------------------------------------------


class Watch:
    """Collects the arguments of every process that runs meanwhile."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._going = True
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._going = False
        self._thread.join()

    def _look(self) -> None:
        while self._going:
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    self.seen.add("\0".join(process.cmdline()))


def in_a_terminal(*command: str) -> str:
    """What a command prints on a terminal."""
    parts: list[bytes] = []

    def read(descriptor: int) -> bytes:
        parts.append(os.read(descriptor, 65536))
        return parts[-1]

    saved = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)  # pty.spawn copies everything there
    try:
        assert pty.spawn(command, read, lambda _: b"") == 0
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)
    return b"".join(parts).decode()


def test_no_secret_is_in_a_log_an_argument_or_a_spool(scripts: Scripts) -> None:
    cli = (sys.executable, "-m", "ipyweb")
    show = "import ipyweb; [ipyweb.display({'image/png': b'x' * 500_000}, raw=True, title=str(n)) for n in range(3)]"
    printed: list[str] = []
    with Watch() as watch:
        done = scripts.run(show)
        printed += [done.out, done.err]
        tokens = {the_hub().token}
        for arguments in (("list", "--all"), ("get", "1", "-o", os.devnull), ("status", "--json"), ("doctor",)):
            each = subprocess.run([*cli, *arguments], capture_output=True, text=True, timeout=180)
            printed += [each.stdout, each.stderr]
        browser = str(connection.data_dir() / "browser")
        Path(browser).write_text("#!/bin/sh\nsleep 0.3\n")
        Path(browser).chmod(0o700)
        subprocess.run([*cli, "open"], env={**os.environ, "IPYWEB_BROWSER": browser}, capture_output=True, timeout=180)
        link = in_a_terminal(*cli, "url")
        kill_the_hub()
        printed.append(
            scripts.run(show.replace("import ipyweb", "import sys, ipyweb; sys.executable = '/bin/false'")).err
        )
        assert len(spool_files()) == 1
        spooled = spool_files()[0].read_bytes()
        connection.start()
        tokens.add(the_hub().token)
        wait_until(lambda: get("api/state")["outputs"] == 6, "the spool to be taken in")
        stopped = subprocess.run([*cli, "stop"], capture_output=True, text=True, timeout=180)
        printed.append(stopped.stdout + stopped.stderr)
    secret = {scope_token(token, scope) for token in tokens for scope in ("admin", "session", "pane")}
    assert any(each in link for each in secret), "the link was meant for a terminal, and there it is"
    logs = [path.read_text() for path in connection.data_dir().glob("hub.log*")]
    assert logs
    assert watch.seen
    for each in secret:
        assert not any(each in text for text in (*logs, *printed, *watch.seen))
        assert each.encode() not in spooled
    assert all(path.stat().st_mode & 0o077 == 0 for path in connection.runtime_dir().glob("open-*"))
