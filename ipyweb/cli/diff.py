"""``ipyweb diff``."""

import json
import os
import shutil
import time
from pathlib import PurePath
from typing import Any

from traitlets import Bool

from ..connection import Connection, request
from ..project import project_of
from .app import Command, Failure, UsageError, started
from .outputs import caption, runs
from .text import table

DRAWN_WITHIN = 30.0
"""Seconds that figures which are being drawn are waited for."""

_LOOK_AGAIN = 0.2
_SIGNS = {"same": "=", "changed": "≠", "new": "+", "gone": "-", "unknown": "?"}


class Diff(Command):
    """Tell what changed between two runs of a script."""

    name = "diff"
    usage = "[RUN [RUN]]"
    arguments = (0, 2)
    description = """
        List what changed from one run of a script to another: outputs that look different, that are new, or gone.
        Exit status 1 if anything did.

        A run is `last`, a number (of the script that ran last), SCRIPT:NUMBER, or the beginning of its id; `ipyweb list
        --runs` shows them. One run, or script, is compared to the one before it; without any, the last run is.
    """
    examples = """
        ipyweb diff                 the last run and the one before
        ipyweb diff 6 7
        ipyweb diff train.py:3 train.py:7
    """

    json = Bool(False, help="Print one JSON object, as the hub's api/runs/ID answers.").tag(config=True)
    all = Bool(False, help="Look at every project.").tag(config=True)
    flags = {  # noqa: RUF012
        "json": ({"Diff": {"json": True}}, "Print one JSON object, as the hub's api/runs/ID answers."),
        "all": ({"Diff": {"all": True}}, "Look at every project."),
    }

    def start(self) -> None:
        """Print it.

        Raises:
            Failure: there is no such run, or none before it.
        """
        connection = started()
        known = runs(connection, None if self.all else project_of())
        words = list(self.extra_args) or ["last"]
        chosen = [find_run(word, known) for word in words]
        other = chosen[0]["id"] if len(chosen) == 2 else None
        compared = settled(connection, chosen[-1]["id"], other)
        if compared["before"] is None:
            raise Failure(f"{name_of(compared['run'])} is the first one; there is none before it to compare it to")
        if self.json:
            print(json.dumps(compared))
        else:
            print(_as_text(connection, compared))
        self.exit_status = int(any(each["status"] != "same" for each in compared["stacks"]))


def find_run(word: str, known: list[dict[str, Any]]) -> dict[str, Any]:
    """The run that a word names.

    Args:
        word: see the help of `Diff`.
        known: all runs, the newest first.

    Raises:
        UsageError: it cannot name one.
        Failure: there is no such run.
    """
    if not known:
        raise Failure("there are no runs here yet; `ipyweb run SCRIPT` makes one, and --all looks at every project")
    if word == "last":
        return known[0]
    # An id can be made of digits alone.
    found = _numbered(word, known) or [
        run for run in known if _names(word, run["script"]) or (len(word) >= 4 and run["id"].startswith(word))
    ]
    if not found:
        there = ", ".join(f"{PurePath(run['script']).name}:{run['number']}" for run in known[:8])
        raise Failure(f"there is no run {word}; there are {there}{' …' if len(known) > 8 else ''}")
    if len({run["script"] for run in found}) > 1:
        scripts = ", ".join(sorted({run["script"] for run in found}))
        raise UsageError(f"{word} could be of {scripts}; write more of the path")
    return found[0]


def _numbered(word: str, known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    script, _, number = word.rpartition(":")
    if not number.isdecimal():
        return []
    newest = known[0]["script"]
    return [
        run
        for run in known
        if run["number"] == int(number) and (_names(script, run["script"]) if script else run["script"] == newest)
    ]


def _names(word: str, script: str) -> bool:
    return (
        os.path.abspath(word) == script or PurePath(script).parts[-len(PurePath(word).parts) :] == PurePath(word).parts
    )


def settled(connection: Connection, run: str, other: str | None, timeout: float = DRAWN_WITHIN) -> dict[str, Any]:
    """What the hub says of two runs, once all of their figures are drawn, or have had time enough.

    Args:
        connection: a hub that was challenged.
        run: the later one's id.
        other: the earlier one's id; the one before when left out.
        timeout: seconds that figures get.
    """
    deadline = time.monotonic() + timeout
    query = f"?with={other}" if other else ""
    while True:
        compared: dict[str, Any] = request(connection, "GET", f"api/runs/{run}{query}", timeout=60.0).json()
        if time.monotonic() > deadline or all(each["status"] != "unknown" for each in compared["stacks"]):
            return compared
        time.sleep(_LOOK_AGAIN)


def name_of(run: dict[str, Any]) -> str:
    """A run as people call it."""
    return f"run {run['number']} of {PurePath(run['script']).name}"


def summary(compared: dict[str, Any]) -> str:
    """What there is and what changed, such as ``8 outputs, 2 changed``."""
    statuses = [each["status"] for each in compared["stacks"]]
    shown = len(statuses) - statuses.count("gone")
    parts = [f"{shown} output{'' if shown == 1 else 's'}"]
    names = {"changed": "changed", "new": "new", "gone": "gone", "unknown": "not drawn yet"}
    parts += [f"{statuses.count(each)} {text}" for each, text in names.items() if each in statuses]
    return ", ".join(parts)


def _as_text(connection: Connection, compared: dict[str, Any]) -> str:
    told = f"{name_of(compared['before'])} → {name_of(compared['run'])}: {summary(compared)}"
    records = {each["id"]: each for each in compared["outputs"]}
    rows = []
    for each in compared["stacks"]:
        if each["status"] == "same":
            continue
        output = each["after"] or each["before"]
        record = records.get(output) or request(connection, "GET", f"api/outputs/{output}").json()
        source = record["source"]
        place = f"{PurePath(source['file']).name}:{source['line']}" if source["file"] else "-"
        ids = [str(each[side] or "-") for side in ("before", "after")]
        rows.append([_SIGNS[each["status"]], each["status"], *ids, place, caption(record)])
    if not rows:
        return told
    head = ["", "STATUS", "BEFORE", "AFTER", "PLACE", "TITLE"]
    return f"{told}\n{table(head, rows, shutil.get_terminal_size((120, 24)).columns, right=(2, 3))}"
