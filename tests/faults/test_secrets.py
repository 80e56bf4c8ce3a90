"""Secrets stand in no log, no argument list and no spool file; private outputs nowhere on disk."""

import base64
import contextlib
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from ipyweb import connection
from ipyweb.connection import scope_token

from .conftest import Scripts, kill_the_hub, the_hub, titles

PRIVATE = """
import sys, ipyweb
marker = sys.stdin.readline().strip()
{before}
ipyweb.display({{"text/plain": marker, "image/png": marker.encode() * 40_000}}, raw=True, title=marker)
ipyweb.update_display({{"text/html": marker * 9000}}, raw=True, display_id="x")
assert ipyweb.flush(20)
print("stored", flush=True)
sys.stdin.readline()
"""


def files() -> list[Path]:
    roots = (connection.data_dir(), connection.runtime_dir())
    return [path for root in roots for path in root.rglob("*") if path.is_file()]


def assert_nowhere(text: str) -> None:
    wanted = [text.encode(), base64.b64encode(text.encode())[:-4]]
    for path in files():
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes()
            assert not any(each in content for each in wanted), path


def test_private_outputs_are_nowhere_on_disk_even_when_the_hub_is_killed(scripts: Scripts) -> None:
    scripts.run("import ipyweb; ipyweb.display(1, title='public')")
    for before, environ in (("", {"IPYWEB_STORE": "memory"}), ("ipyweb.session.session.current().make_private()", {})):
        marker = secrets.token_hex(16)
        imports = "import ipyweb.session.session" if before else ""
        process = scripts.start(PRIVATE.format(before=f"{imports}\n{before}"), **environ)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{marker}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "stored\n"
        assert marker in titles()
        assert_nowhere(marker)
        kill_the_hub()
        assert_nowhere(marker)
        process.kill()
        scripts.run("import ipyweb; ipyweb.display(1, title='next')")
        assert marker not in titles()
        assert_nowhere(marker)


def test_no_token_is_in_a_log_an_argument_or_a_spool_file(scripts: Scripts) -> None:
    arguments: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    arguments.add("\0".join(process.cmdline()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    said = ""
    try:
        for title in ("first", "second"):
            finished = scripts.run(f"import ipyweb; ipyweb.display(1, title={title!r}).wait(); print(ipyweb.get(1))")
            said += finished.out + finished.err
            for words in (
                ["list", "--all"],
                ["list", "--json", "--all"],
                ["get", "1"],
                ["status"],
                ["doctor"],
                ["open"],
            ):
                ran = subprocess.run(
                    [sys.executable, "-m", "ipyweb", *words], capture_output=True, text=True, timeout=60
                )
                said += ran.stdout + ran.stderr
            root = the_hub().token
            kill_the_hub()
        scripts.run(
            "import ipyweb, os; os.environ['IPYWEB_HUB'] = 'http://127.0.0.1:9'; ipyweb.display(1, title='spooled')",
            IPYWEB_TOKEN_FILE=os.devnull,
        )
    finally:
        done.set()
        watcher.join()
    tokens = [scope_token(root, scope) for scope in ("admin", "session", "pane")]
    assert not any(token in text for token in tokens for text in (said, *arguments))
    keepers = {"identity.json", "hub.json"}
    others = [path for path in files() if path.name not in keepers]
    assert any(path.name == "hub.log" for path in others)
    for path in others:
        content = path.read_bytes()
        assert not any(token.encode() in content for token in tokens), path
