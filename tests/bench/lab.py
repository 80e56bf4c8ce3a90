"""A notebook in JupyterLab for the benchmarks, with a kernel of the Python that runs them."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WITHIN = 120.0
"""Seconds in which Lab has to start."""

MISSING = """No JupyterLab to compare with. Install it here, by

    {python} -m pip install jupyterlab

or anywhere, such as by `pipx install jupyterlab`, with the directory of its `jupyter-lab` in PATH.
"""

OPTIONS = [
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    "--ServerApp.root_dir=.",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
RUN = """async () => {
    await jupyterapp.shell.currentWidget.sessionContext.ready;
    await jupyterapp.commands.execute("notebook:run-all-cells");
}"""


def find() -> str | None:
    """JupyterLab's program; where there is none, print what to install."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = shutil.which("jupyter-lab", path=places)
    if program is None:
        print(MISSING.format(python=sys.executable))
    return program


@contextlib.contextmanager
def notebook(program: str, shown: Any, code: str) -> Iterator[None]:
    """Show a notebook with one cell, which has run, in a page of a browser.

    Args:
        program: JupyterLab's.
        shown: the page.
        code: of the cell; it has to show something.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        place = Path(directory)
        write(place, code)
        process = subprocess.Popen(
            [program, *OPTIONS],
            cwd=place,
            env=environment(place),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            shown.goto(address(place / "runtime", process))
            run_cell(shown)
            yield
        finally:
            process.terminate()
            process.wait(30)


def write(place: Path, code: str) -> None:
    """The notebook, and what Lab has to know of the kernel."""
    kernel = place / "kernels" / "bench" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "bench", "language": "python"}))
    cell = {"id": "one", "cell_type": "code", "source": code, "metadata": {}, "outputs": [], "execution_count": None}
    about = {"kernelspec": {"name": "bench", "display_name": "bench"}}
    whole = {"cells": [cell], "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    (place / "bench.ipynb").write_text(json.dumps(whole))


def environment(place: Path) -> dict[str, str]:
    """Nothing of the user's settings, and the front ends of the widgets that the kernel has."""
    return {
        **os.environ,
        "JUPYTER_TOKEN": secrets.token_hex(16),
        "JUPYTER_PATH": os.pathsep.join([str(place), str(Path(sys.prefix, "share", "jupyter"))]),
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "JUPYTER_DATA_DIR": str(place / "data"),
        "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(place / "workspaces"),
    }


def address(runtime: Path, process: "subprocess.Popen[bytes]") -> str:
    """Of the notebook, when the server says that it runs.

    Raises:
        SystemExit: it ended, or takes too long.
    """
    end = time.monotonic() + WITHIN
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(StopIteration, ValueError, OSError):  # not there yet, half written, or not answering
            server = json.loads(next(runtime.glob("jpserver-*.json")).read_text())
            urllib.request.urlopen(f"{server['url']}api", timeout=5).close()
            return f"{server['url']}lab/tree/bench.ipynb?token={server['token']}"
        time.sleep(0.1)
    raise SystemExit("JupyterLab did not start; see what `jupyter-lab --no-browser` says")


def run_cell(shown: Any) -> None:
    """Run the cell of the notebook that a page shows, as soon as its kernel is there."""
    shown.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext", timeout=1e3 * WITHIN)
    shown.evaluate(RUN)
    shown.wait_for_selector(".jp-OutputArea-output")
