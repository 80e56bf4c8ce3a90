"""Pictures of outputs that have none: Plotly, Vega and what else a browser draws.

Their libraries' own exporters make them where they are installed, else headless Chromium from the hub's report of the
output, which draws itself. The hub knows neither.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from ..connection import Connection, request
from .app import Failure
from .exporters import MAKERS, Request
from .outputs import Record

EXPORT_SECONDS = 90.0
"""How long making a picture may take."""

FORMATS = {"image/png": "png", "image/svg+xml": "svg"}
"""Formats that pictures are made in, by MIME type."""


class Kind(NamedTuple):
    """Outputs that can become pictures: a regular expression of MIME types, what they are, and what makes them."""

    pattern: str
    name: str
    makers: tuple[str, ...]
    advice: str


KINDS = (
    Kind(r"application/vnd\.plotly\.v1\+json", "a Plotly figure", ("kaleido", "chromium"), "kaleido"),
    Kind(r"application/vnd\.vega(lite)?\.v\d.*json", "a Vega chart", ("vl-convert", "chromium"), "vl-convert-python"),
    Kind(r"text/(html|markdown|latex)|image/svg\+xml|application/javascript", "a document", ("chromium",), ""),
)


def kind_of(record: Record) -> tuple[Kind, str] | None:
    """What kind of picture an output can become, and the MIME type that it is made of; ``None`` when none."""
    found = ((kind, mime) for mime in record["mimetypes"] for kind in KINDS if re.fullmatch(kind.pattern, mime))
    return next(found, None)


def draw(
    connection: Connection,
    record: Record,
    mime: str,
    width: float | None = None,
    height: float | None = None,
    scale: float = 1.0,
    fit: bool = False,
) -> bytes:
    """The picture of an output.

    Args:
        connection: a hub that was challenged.
        record: of an output that has a `kind_of`.
        mime: of `FORMATS`.
        width, height: pixels; the plot's own, or in proportion, where they are left out.
        scale: pixels of the picture per pixel of the layout.
        fit: whether a plot keeps its own layout and is scaled, where it could be laid out for the size.

    Raises:
        Failure: nothing here can make it; the text says why, and what to do.
    """
    found = kind_of(record)
    assert found is not None
    kind, shown = found
    reasons = []
    for name in kind.makers:
        if not MAKERS[name].exists():
            continue
        made = Request(name, shown, FORMATS[mime], width, height, scale, fit)
        try:
            return _made(made, _input(connection, record, made))
        except _NotMade as error:
            reasons.append(f"{MAKERS[name].name}: {error}")
    known = f"{kind.name}, which became no {FORMATS[mime].upper()} here"
    todo = " or ".join(filter(None, (kind.advice and f"python -m pip install {kind.advice}", "install Chromium")))
    raise Failure(f"output {record['id']} is {known}: {'; '.join(reasons) or todo}")


class _NotMade(Exception):
    """A maker did not make it; the text says why."""


def _input(connection: Connection, record: Record, made: Request) -> bytes:
    if made.maker == "chromium":
        return request(connection, "GET", f"api/export?format=html&ids={record['id']}", timeout=60.0).body
    return request(connection, "GET", f"api/outputs/{record['id']}/data?mime={quote(made.mime)}", timeout=60.0).body


def _made(made: Request, content: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="ipyweb-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        (directory / "request.json").write_text(json.dumps(made._asdict()))
        (directory / "input").write_bytes(content)
        reason = _run(directory)
        with contextlib.suppress(FileNotFoundError):
            return (directory / "output").read_bytes()
        raise _NotMade(reason)


def _run(directory: Path) -> str:
    """Let a process work on a directory; what it said at last."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ipyweb.cli.exporters", str(directory)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(directory), **_NO_NETWORK},
        start_new_session=True,
    )
    try:
        said = process.communicate(timeout=EXPORT_SECONDS)[1].decode(errors="replace").strip()
        return said.splitlines()[-1] if said else f"ended with status {process.returncode}"
    except subprocess.TimeoutExpired:
        return f"took more than {EXPORT_SECONDS:g} s"
    finally:
        _end_group(process)


_NO_NETWORK = {"CHOREO_PROXY_SERVER": "127.0.0.1:9"}
"""For the browser that kaleido starts."""


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process and what it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()
