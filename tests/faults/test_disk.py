"""Disks that are full, locked, read-only, far away or damaged: said in the pane, and nothing stored is lost."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ipyweb import connection

from .conftest import (
    Scripts,
    chance,
    data_of,
    get,
    hubs,
    kill,
    kill_the_hub,
    outputs,
    spool_files,
    the_hub,
    titles,
    wait_for_titles,
    wait_until,
)

SHOW = """
import sys
import ipyweb
shown = [ipyweb.display({"image/png": b"%d" % n * 25_000}, raw=True, title=f"{sys.argv[1]}.{n}") for n in range(20)]
print("goes on", flush=True)
if sys.argv[2:] == ["wait"]:
    shown[-1].wait(120)
    print(shown[-1].status)
"""
SERVE = "from ipyweb.config import Hub; from ipyweb.hub.app import run; run(Hub(max_bytes=2**30), lambda state: None)"


def named(word: str) -> list[str]:
    """The titles of what `SHOW` displays."""
    return [f"{word}.{number}" for number in range(20)]


def notices() -> str:
    """What the hub tells every pane."""
    return "\n".join(get("api/state")["notices"])


class Namespaces:
    """Runs commands as root in a mount namespace of their own."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, mounts: str, *command: str) -> subprocess.Popen[bytes]:
        """Run a command after a shell has run `mounts`, with ``$DATA`` for the data directory."""
        shell = f'set -e; {mounts}; exec "$@"'
        environ = {**os.environ, "DATA": str(connection.data_dir())}
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", shell, "sh", *command],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture
def namespaces() -> Iterator[Namespaces]:
    """A starter of commands in mount namespaces; where those are not allowed, this test says nothing."""
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("mount namespaces need root")
    started = Namespaces()
    yield started
    started.close()


def hub_with(process: "subprocess.Popen[bytes]") -> Path:
    """Wait for a hub in a namespace, and return its data directory as seen from outside."""
    hub = the_hub()
    assert hub.pid == process.pid
    return Path(f"/proc/{hub.pid}/root{connection.data_dir()}")


def full_disk(directory: Path) -> Callable[[], None]:
    """Fill a disk to the last byte; returns what frees it."""
    path = directory / "fill"
    with path.open("wb", buffering=0) as file:
        for size in (2**16, 4096, 1):
            while True:
                try:
                    file.write(bytes(size))
                except OSError:
                    break
    return path.unlink


def check_refusal_and_recovery(scripts: Scripts, refuse: Callable[[], Callable[[], object]]) -> None:
    """What happens while nothing can be written, and once it can be again."""
    scripts.run(SHOW, "before")
    hub = the_hub()
    mend = refuse()
    script = scripts.start(SHOW, "held", "wait")
    wait_until(lambda: "not stored at present" in notices(), "the notice")
    assert titles() == named("before")
    assert data_of(outputs()[3], "image/png") == b"3" * 25_000
    assert script.poll() is None
    mend()
    done = scripts.finish(script, 120)
    assert done.out == "goes on\nstored\n", done
    assert "Traceback" not in done.err
    assert titles() == [*named("before"), *named("held")]
    assert [data_of(record, "image/png") for record in outputs()[20:]] == [b"%d" % n * 25_000 for n in range(20)]
    assert the_hub().pid == hub.pid
    wait_until(lambda: "not stored at present" not in notices(), "the notice to go")


def test_a_full_disk_holds_outputs_back_until_there_is_room_again(scripts: Scripts, namespaces: Namespaces) -> None:
    hub = namespaces.start("mount -t tmpfs -o size=16m,mode=0700 tmpfs $DATA", sys.executable, "-c", SERVE)
    data = hub_with(hub)
    check_refusal_and_recovery(scripts, lambda: full_disk(data))


def test_a_limit_on_the_size_of_files_holds_outputs_back(scripts: Scripts) -> None:
    connection.start()

    def refuse() -> Callable[[], object]:
        pid = the_hub().pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        return lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    check_refusal_and_recovery(scripts, refuse)


def test_a_database_locked_by_a_process_that_stands_still_holds_outputs_back(scripts: Scripts) -> None:
    def refuse() -> Callable[[], object]:
        script = scripts.start(
            """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
input()
""",
            str(connection.data_dir() / "outputs.sqlite"),
        )
        assert script.stdout is not None
        assert script.stdout.readline() == "locked\n"
        kill(script.pid, signal.SIGSTOP)
        return lambda: kill(script.pid)

    check_refusal_and_recovery(scripts, refuse)


def test_a_script_that_ends_while_the_disk_is_full_loses_nothing_that_finds_room_elsewhere(
    scripts: Scripts, namespaces: Namespaces
) -> None:
    hub = namespaces.start("mount -t tmpfs -o size=16m,mode=0700 tmpfs $DATA", sys.executable, "-c", SERVE)
    free = full_disk(hub_with(hub))
    done = scripts.run(SHOW, "a")  # its spool goes to the directory below the mount
    assert "Traceback" not in done.err
    assert len(spool_files()) == 1
    free()
    kill_the_hub()
    connection.start()
    wait_for_titles(named("a"))


def test_a_store_on_a_network_file_system_is_gone_round_with_a_notice(scripts: Scripts, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"1 0 8:1 / / rw - ext4 /dev/root rw\n2 1 0:50 / {connection.data_dir()} rw - nfs4 server:/home rw\n"
    )
    local = tmp_path / "local"
    local.mkdir()
    source = (
        "from pathlib import Path; from ipyweb.hub import disk; "
        f"disk.is_network.__defaults__ = (Path({str(mounts)!r}),); "
        f"disk.node_local.__defaults__ = ((Path({str(local)!r}),),); {SERVE}"
    )
    scripts.start(source)
    wait_until(lambda: connection.find(), "the hub")
    scripts.run(SHOW, "a")
    assert titles() == named("a")
    assert "nfs4" in notices()
    assert not list(connection.data_dir().glob("outputs.sqlite*"))
    assert len(list(local.rglob("outputs.sqlite"))) == 1
    assert all(path.stat().st_mode & 0o077 == 0 for path in local.rglob("*"))


def test_a_data_directory_that_cannot_be_written_means_memory_and_says_so(
    scripts: Scripts, namespaces: Namespaces
) -> None:
    mounts = "mount -t tmpfs -o size=1m,mode=0700 tmpfs $DATA; mount -o remount,ro $DATA"
    hub = namespaces.start(mounts, sys.executable, "-c", SERVE)
    hub_with(hub)
    scripts.run(SHOW, "a")
    assert titles() == named("a")
    assert "kept in memory only" in notices()
    assert get("api/state")["durable"] is False


def test_where_nothing_at_all_can_be_written_the_program_goes_on(namespaces: Namespaces, tmp_path: Path) -> None:
    mounts = "mount -t tmpfs -o size=1m,mode=0700 tmpfs $DATA; mount -o remount,ro $DATA"
    shutil.rmtree(connection.runtime_dir())
    os.environ["IPYWEB_RUNTIME_DIR"] = str(connection.data_dir() / "run" / "deep")
    script = tmp_path / "script.py"
    script.write_text(SHOW)
    out, err = namespaces.start(mounts, sys.executable, str(script), "a").communicate(timeout=180)
    assert out == b"goes on\n", err
    assert b"Traceback" not in err
    assert err.count(b"the program goes on") == 1


def test_a_damaged_database_is_set_aside_whole_with_a_notice(scripts: Scripts) -> None:
    random = chance()
    scripts.run(SHOW, "before")
    kill_the_hub()
    database = connection.data_dir() / "outputs.sqlite"
    with sqlite3.connect(database) as own:
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    own.close()
    content = bytearray(database.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 200] = random.randbytes(200)
    database.write_bytes(content)
    scripts.run(SHOW, "after")
    hub = the_hub()
    assert titles() == named("after")
    assert "was damaged" in notices()
    (aside,) = connection.data_dir().glob("damaged-*")
    assert (aside / "outputs.sqlite").read_bytes()[:4096] == bytes(content[:4096])
    time.sleep(1)
    assert [process.pid for process in hubs()] == [hub.pid]
    assert outputs()[0]["id"] > 20 or outputs()[0]["id"] == 1


def test_a_database_of_a_newer_schema_is_readable_and_what_is_new_waits_for_the_newer_hub(scripts: Scripts) -> None:
    scripts.run(SHOW, "before")
    kill_the_hub()
    database = connection.data_dir() / "outputs.sqlite"
    own = sqlite3.connect(database)
    (schema,) = own.execute("PRAGMA user_version").fetchone()
    own.execute("PRAGMA user_version = 99")
    own.close()
    done = scripts.run(SHOW, "after")
    assert "Traceback" not in done.err
    assert titles() == named("before")
    assert data_of(outputs()[3], "image/png") == b"3" * 25_000
    assert "newer ipyweb" in notices()
    assert len(spool_files()) == 1
    kill_the_hub()
    own = sqlite3.connect(database)
    own.execute(f"PRAGMA user_version = {schema}")
    own.close()
    connection.start()
    wait_for_titles([*named("before"), *named("after")])


def test_a_log_cut_anywhere_leaves_a_beginning_of_what_was_stored(scripts: Scripts, tmp_path: Path) -> None:
    random = chance()
    scripts.run(SHOW, "a")
    scripts.run(SHOW, "b")
    kill_the_hub()
    data = connection.data_dir()
    kept = tmp_path / "kept"
    shutil.copytree(data, kept)
    size = (kept / "outputs.sqlite-wal").stat().st_size
    whole = [*named("a"), *named("b")]
    for _ in range(8):
        shutil.rmtree(data)
        shutil.copytree(kept, data)
        cut = random.randrange(size)
        os.truncate(data / "outputs.sqlite-wal", cut)
        connection.start()
        found = titles()
        assert found == whole[: len(found)], cut
        for record in outputs():
            assert data_of(record, "image/png")
        assert not list(data.glob("damaged-*"))
        kill_the_hub()


def test_the_hub_does_not_grow_while_nothing_can_be_stored(scripts: Scripts, namespaces: Namespaces) -> None:
    process = namespaces.start("mount -t tmpfs -o size=16m,mode=0700 tmpfs $DATA", sys.executable, "-c", SERVE)
    full_disk(hub_with(process))
    hub = psutil.Process(process.pid)
    source = SHOW.replace("range(20)", "range(1000)")
    scripts.start(source, "a", "wait")
    wait_until(lambda: "not stored at present" in notices(), "the notice")
    before = hub.memory_info().rss
    time.sleep(6)
    print(f"hub: {before / 2**20:.1f} MiB when the disk was found full, {hub.memory_info().rss / 2**20:.1f} MiB later")
    assert hub.memory_info().rss < before + 40 * 2**20
    assert get("api/state")["outputs"] == 0
