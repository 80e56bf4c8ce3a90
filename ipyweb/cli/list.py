"""``ipyweb list``."""

import json
import shutil
from collections.abc import Iterable

from traitlets import Bool

from ..connection import Connection, request
from ..project import project_of
from .app import Command, started
from .outputs import Record, caption, lines, records, runs
from .text import local_time, size, table


class List(Command):
    """Show what there is, for people or for programs."""

    name = "list"
    description = """
        List the outputs of this project (the git work tree, else the directory), oldest first; a hub is started if
        there is none.
    """
    examples = """
        ipyweb list
        ipyweb list --all
        ipyweb list --runs
        ipyweb list --json | jq '.[-1].source'
    """

    json = Bool(False, help="Print one JSON array of output records.").tag(config=True)
    all = Bool(False, help="List the outputs of every project.").tag(config=True)
    runs = Bool(False, help="List runs of scripts instead of outputs.").tag(config=True)
    flags = {  # noqa: RUF012
        "json": ({"List": {"json": True}}, "Print one JSON array of output records."),
        "all": ({"List": {"all": True}}, "List the outputs of every project."),
        "runs": ({"List": {"runs": True}}, "List runs of scripts instead of outputs."),
    }

    def start(self) -> None:
        """Print them."""
        connection = started()
        project = None if self.all else project_of()
        if self.json:
            print(_array(map(json.dumps, runs(connection, project)) if self.runs else lines(connection, project)))
            return
        found = (runs if self.runs else records)(connection, project)
        if not found:
            what = "runs" if self.runs else "outputs"
            print(f"no {what} in {project}; --all lists every project" if project else f"no {what} yet")
        elif self.runs:
            print(_runs_as_table(found))
        else:
            print(_as_table(connection, found, with_project=self.all))


def _array(values: Iterable[str]) -> str:
    return "[" + ",\n ".join(values) + "]"


def _as_table(connection: Connection, found: list[Record], with_project: bool) -> str:
    sessions = {
        each["id"]: each["name"] or each["title"]
        for each in request(connection, "GET", "api/sessions").json()["sessions"]
    }
    head = ["ID", "UPDATED", "TYPE", "SIZE", *(["PROJECT"] if with_project else []), "SESSION", "TITLE"]
    rows = [
        [
            str(each["id"]),
            local_time(each["updated"]),
            each["mimetypes"][0] if each["mimetypes"] else "-",
            size(each["size"]),
            *([each["project"]] if with_project else []),
            sessions.get(each["session"], "-"),
            caption(each),
        ]
        for each in found
    ]
    return table(head, rows, shutil.get_terminal_size((120, 24)).columns, right=(0, 3))


def _runs_as_table(found: list[Record]) -> str:
    head = ["RUN", "STARTED", "OUTPUTS", "CHANGED", "NEW", "ID", "SCRIPT"]
    rows = [
        [
            str(each["number"]),
            local_time(each["started"]),
            *(str(each[name]) for name in ("outputs", "changed", "new")),
            each["id"][:8],
            each["script"].removeprefix(f"{each['project']}/"),
        ]
        for each in reversed(found)
    ]
    return table(head, rows, shutil.get_terminal_size((120, 24)).columns, right=(0, 2, 3, 4))
