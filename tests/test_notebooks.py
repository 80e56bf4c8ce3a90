"""The notebooks run as they are: in Jupyter, and in a plain IPython without a kernel."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipyweb import connection

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@by_name
def test_a_notebook_runs_in_jupyter(path: Path, hub: connection.Connection) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=180).execute()
    assert shown(hub)
    assert any(cell.get("outputs") for cell in notebook.cells)


@by_name
def test_a_notebook_runs_without_a_kernel(path: Path, hub: connection.Connection, tmp_path: Path) -> None:
    script = tmp_path / f"{path.stem}.ipy"
    script.write_text("\n\n".join(cells(path)))
    subprocess.run([sys.executable, "-m", "IPython", str(script)], check=True, env=dict(os.environ), timeout=180)
    assert shown(hub)


def shown(hub: connection.Connection) -> int:
    return int(connection.request(hub, "GET", "api/outputs?limit=1").json()["total"])


def cells(path: Path) -> list[str]:
    """Source of a notebook's code cells."""
    notebook = json.loads(path.read_text())
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
