"""The example notebooks of ipywidgets, in a kernel and by ``ipyweb run``: both show the same MIME bundles.

Each runs up to its first error, if it has one: then both have to stop there. A value that has nothing but plain text is
left out on both sides, since it is not shown here, as under ``python``; and so is what a widget's bundle has besides
for where nothing is alive any more.
"""

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from fetch import fetch
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from private import private_hub

from ipyweb import connection
from ipyweb.protocol import WIDGET_VIEW

REQUIREMENT, FOLDER = "ipywidgets==7.7.5", "docs/source/examples"
RANDOM = re.compile(r"\b[0-9a-f]{32}\b|\b0x[0-9a-f]+\b|<ipython-input-[^>]+>")
"""What is another one each time: ids, addresses, names of cells."""

CAPTURED = re.compile(r"Output\(.*", re.DOTALL)
"""What an ``Output`` has captured: a kernel leaves it to its front end, here the widget itself has it."""

EXPECTED = {"Variable Inspector.ipynb": "it asks the shell for its kernel, and here there is none"}
"""Notebooks that cannot show the same, with the reason."""

Bundle = Mapping[str, Any]


class Run:
    """What a notebook showed.

    Args:
        bundles: one after the other.
        error: name of the error that ended it, if one did.
    """

    def __init__(self, bundles: Sequence[Bundle], error: str) -> None:
        self.shown = [_comparable(each) for each in bundles if set(each) != {"text/plain"}]
        self.error = error


def _comparable(bundle: Bundle) -> dict[str, str]:
    comparable = {mime: _normalised(value) for mime, value in bundle.items()}
    if WIDGET_VIEW in comparable:
        comparable.pop("text/html", None)
        comparable["text/plain"] = CAPTURED.sub("Output(…", comparable["text/plain"])
    return comparable


def _normalised(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return RANDOM.sub("…", text).strip()


def in_kernel(path: Path) -> Run:
    """Run a notebook as JupyterLab does."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.pop("outputs", None)  # of when it was saved
    where = {"metadata": {"path": str(path.parent)}}
    error = ""
    try:
        asyncio.run(NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).async_execute())
    except CellExecutionError as raised:
        error = raised.ename
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return Run([output.data for output in outputs if "data" in output], error)


def in_pane(path: Path) -> Run:
    """Run a notebook by ``ipyweb run``."""
    hub = connection.start()
    last = max((each["id"] for each in _outputs(hub)), default=0)
    command = [sys.executable, "-m", "ipyweb", "run", path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=300)
    said = re.findall(r"^(\w+(?:\.\w+)*)(?::.*)?$", done.stderr, re.MULTILINE) if done.returncode else [""]
    new = [each for each in _outputs(hub) if each["id"] > last]
    return Run([dict(_data(hub, each)) for each in new], said[-1].rpartition(".")[2])


def _outputs(hub: connection.Connection) -> list[dict[str, Any]]:
    found = connection.request(hub, "GET", "api/outputs?limit=1000").json()["outputs"]
    return sorted(found, key=lambda each: int(each["id"]))


def _data(hub: connection.Connection, output: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for mime in output["mimetypes"]:
        body = connection.request(hub, "GET", f"api/outputs/{output['id']}/data?mime={quote(mime)}").body
        yield mime, json.loads(body) if mime.endswith("json") else _text(mime, body)


def _text(mime: str, body: bytes) -> str:
    """Data as a notebook has it: pictures in base64."""
    return base64.b64encode(body).decode() if mime.startswith("image/") and "svg" not in mime else body.decode()


def differences(kernel: Run, pane: Run) -> list[str]:
    """In words what one showed and the other did not."""
    found = []
    if kernel.error != pane.error:
        found.append(f"ended by {kernel.error or 'nothing'} in a kernel, by {pane.error or 'nothing'} here")
    if len(kernel.shown) != len(pane.shown):
        found.append(f"{len(kernel.shown)} outputs in a kernel, {len(pane.shown)} here")
    for number, (theirs, ours) in enumerate(zip(kernel.shown, pane.shown, strict=False), 1):
        if theirs != ours:
            keys = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
            parts = (f"{key}: {theirs.get(key, 'none')[:200]!r} and {ours.get(key, 'none')[:200]!r}" for key in keys)
            found.append(f"output {number}: {'; '.join(parts)}")
    return found


def main(cache: Path, words: Sequence[str] = ()) -> int:
    """Run all notebooks both ways.

    Args:
        cache: folder that keeps what was fetched.
        words: parts of names; only such notebooks are run.

    Returns:
        Exit status, 0 when both showed the same.
    """
    folder = fetch(REQUIREMENT, cache, [FOLDER]) / FOLDER
    paths = [each for each in sorted(folder.glob("*.ipynb")) if all(word in each.name for word in words)]
    same = excused = 0
    with private_hub() as environment:
        os.environ.update(environment)
        for path in paths:
            kernel, pane = in_kernel(path), in_pane(path)
            found, reason = differences(kernel, pane), EXPECTED.get(path.name)
            same += not found
            excused += bool(found and reason)
            error = f", up to {kernel.error}" if kernel.error else ""
            print(f"{path.name}: {len(kernel.shown)} outputs{error}: {'differ' if found else 'the same'}", flush=True)
            for each in [*found, reason] if found and reason else found:
                print(f"  {each}", flush=True)
    print(f"{same} of {len(paths)} notebooks show the same, {excused} differ for a reason")
    return int(same + excused < len(paths))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
