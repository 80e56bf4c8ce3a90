"""A batch job on a compute node: what it shows waits in the shared home for the login node's hub."""

import os
import subprocess
import sys
from pathlib import Path

from ipyweb import connection
from ipyweb.connection import request

from ..conftest import wait_until

JOB = """
import sys
from pathlib import Path
from ipyweb import cluster
cluster.is_network.__defaults__ = (Path(sys.argv[1]),)
import ipyweb
print(ipyweb.display("from the job").status)
"""


def job(tmp_path: Path, patience: float = 30) -> "subprocess.CompletedProcess[str]":
    """Run a job whose home is on a network file system."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 0:50 / {os.environ['IPYWEB_DATA_DIR']} rw - nfs4 server:/home rw\n")
    settings = Path(os.environ["XDG_CONFIG_HOME"], "ipyweb", "ipyweb_config.py")
    settings.parent.mkdir()
    settings.write_text(f"c.IPyWeb.flush_timeout = {patience}\n")
    return subprocess.run(
        [sys.executable, "-c", JOB, str(mounts)],
        capture_output=True,
        text=True,
        env={**os.environ, "SLURM_JOB_ID": "7"},
    )


def outputs(hub: connection.Connection) -> int:
    return len(request(hub, "GET", "api/outputs").json()["outputs"])


def test_a_job_starts_no_hub_and_the_next_one_has_what_it_showed(tmp_path: Path) -> None:
    done = job(tmp_path, patience=0.2)
    assert done.returncode == 0, done
    assert "the next hub takes them from the spool" in done.stderr
    assert connection.find() is None
    assert list(connection.data_dir().glob("spool/*.spool"))
    hub = connection.start()
    wait_until(lambda: outputs(hub) == 1, "the job's output")


def test_a_job_uses_the_hub_that_somebody_has_on_its_node(hub: connection.Connection, tmp_path: Path) -> None:
    assert job(tmp_path).stderr.startswith("ipyweb: 1 output stored")
    assert outputs(hub) == 1
