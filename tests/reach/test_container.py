"""In a container: namespaces of its own, where the host's hub is reached by its socket and by nothing else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ipyweb import connection
from ipyweb.private import write_private

from ..conftest import HANGS, stop_hub

SETUP = """
mount -t tmpfs tmpfs /run
mkdir /run/ipyweb
mount --bind "$1" /run/ipyweb
shift
exec "$@"
"""
KINDS = {
    "as the host's root": ["--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc"],
    "as root of a user namespace": ["--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--mount-proc"],
}
SHOW = """
import ipyweb
from matplotlib import pyplot as plt
plt.plot([1, 2])
print(ipyweb.display("from inside").wait().status, ipyweb.display(plt.gcf()).wait().status)
"""
Inside = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=KINDS)
def inside(request: pytest.FixtureRequest, tmp_path: Path) -> Inside:
    """Run Python in a container of one kind, into which a directory is mounted."""
    return container(request.param, tmp_path)


def container(kind: str, tmp_path: Path) -> Inside:
    unshare = ["unshare", *KINDS[kind]]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("this system forbids namespaces of this kind")
    home = tmp_path / "home"
    home.mkdir()

    def run(mounted: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith("IPYWEB_")}
        command = [*unshare, "sh", "-euc", SETUP, "sh", str(mounted), sys.executable, *words]
        return subprocess.run(command, capture_output=True, text=True, env={**kept, "HOME": str(home)}, timeout=HANGS)

    return run


def test_what_is_shown_inside_appears_at_the_hosts_hub(hub: connection.Connection, inside: Inside) -> None:
    done = inside(connection.runtime_dir(), "-c", SHOW)
    assert done.stdout == "stored stored\n", done
    listed = connection.request(hub, "GET", "api/outputs").json()["outputs"]
    assert sorted(mime for each in listed for mime in each["mimetypes"])[0] == "image/png"
    assert len(listed) == 2
    done = inside(connection.runtime_dir(), "-m", "ipyweb", "status", "--json")
    assert f'"pid": {hub.pid}' in done.stdout, done
    done = inside(connection.runtime_dir(), "-m", "ipyweb", "url")
    assert done.stdout.startswith(f"{hub.url}/#token="), done  # as it opens on the host


def test_no_hub_is_started_inside_and_one_line_says_what_to_do(
    hub: connection.Connection, inside: Inside, tmp_path: Path
) -> None:
    runtime = connection.runtime_dir()
    claimed = (runtime / connection.CONNECTION_FILE).read_bytes()
    stop_hub()
    for remains in (b"", claimed):  # stopped, and killed
        if remains:
            write_private(runtime / connection.CONNECTION_FILE, remains)
        done = inside(runtime, "-m", "ipyweb", "url")
        assert done.returncode == 1, done
        assert "start one on the host with `ipyweb open`" in done.stderr
        assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("home/.local/state/ipyweb/*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_inside_may_use_what_a_user_of_the_host_owns(hub: connection.Connection, tmp_path: Path) -> None:
    inside, runtime = container("as the host's root", tmp_path), connection.runtime_dir()
    owned = (runtime, runtime / connection.CONNECTION_FILE)
    for path in owned:
        os.chown(path, 4242, 4242)
    allowed = inside(runtime, "-m", "ipyweb", "list", "--all", "--json")
    runtime.chmod(0o755)
    refused = inside(runtime, "-m", "ipyweb", "list")
    runtime.chmod(0o700)
    for path in owned:
        os.chown(path, 0, 0)
    assert allowed.stdout.strip() == "[]", allowed
    assert "0700" in refused.stderr, refused
