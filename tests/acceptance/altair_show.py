"""Displays the charts of example scripts, all in this one process, and says what each should arrive as.

    python altair_show.py FOLDER EXPECTED

FOLDER holds the scripts; EXPECTED is the JSON file to write: by example either ``{"id", "spec"}`` or ``{"error"}``.
Nothing beyond this machine can be reached, so that the examples do the same everywhere.
"""

import ast
import json
import socket
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import altair

import ipyweb

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main(folder: Path, expected: Path) -> None:
    socket.getaddrinfo = offline(socket.getaddrinfo)
    warnings.simplefilter("ignore")  # examples of Altair 4 meet much that is deprecated
    charts = {path.stem: show(path) for path in sorted(folder.glob("[!_]*.py"))}
    assert ipyweb.flush(60), "the hub did not store the charts within a minute"
    expected.write_text(json.dumps(charts))


def offline(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """A resolver that knows this machine only."""

    def resolve_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in LOOPBACK:
            raise socket.gaierror(socket.EAI_NONAME, f"offline: {host}")
        return resolve(host, *args, **kwargs)

    return resolve_here


def show(path: Path) -> dict[str, Any]:
    """Run one example and display its chart."""
    try:
        chart = last_value(path)
        spec = chart.to_dict()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}".splitlines()[0][:120]}
    return {"id": ipyweb.display(chart, title=path.stem).id, "spec": spec}


def last_value(path: Path) -> altair.TopLevelMixin:
    """The value of an example's last expression, else its variable ``chart``."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    last = tree.body[-1]
    names: dict[str, Any] = {"__name__": "__main__", "__file__": str(path)}
    if isinstance(last, ast.Expr):
        tree.body[-1] = ast.copy_location(ast.Assign([ast.Name("chart", ast.Store())], last.value), last)
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), names)
    chart = names["chart"]
    if not isinstance(chart, altair.TopLevelMixin):
        raise TypeError(f"expected a chart, got {type(chart).__name__}")
    return chart


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
