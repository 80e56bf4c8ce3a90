"""``ipyweb list``."""

import json
import shutil

from traitlets import Bool

from ..connection import Connection, request
from ..project import project_of
from .app import Command, started
from .outputs import Record, records
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
        ipyweb list --json | jq '.[-1].source'
    """

    json = Bool(False, help="Print one JSON array of output records.").tag(config=True)
    all = Bool(False, help="List the outputs of every project.").tag(config=True)
    flags = {  # noqa: RUF012
        "json": ({"List": {"json": True}}, "Print one JSON array of output records."),
        "all": ({"List": {"all": True}}, "List the outputs of every project."),
    }

    def start(self) -> None:
        """Print them."""
        connection = started()
        project = None if self.all else project_of()
        found = records(connection, project)
        if self.json:
            print("[" + ",\n ".join(map(json.dumps, found)) + "]")
        elif found:
            print(_as_table(connection, found, with_project=self.all))
        else:
            print(f"no outputs in {project}; --all lists every project" if project else "no outputs yet")


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
            _caption(each),
        ]
        for each in found
    ]
    return table(head, rows, shutil.get_terminal_size((120, 24)).columns, right=(0, 3))


def _caption(record: Record) -> str:
    """The title, else the last line of the code that displayed it."""
    code = ((record["source"] or {}).get("code") or "").strip().splitlines()
    return record["title"] or (code[-1] if code else "")
