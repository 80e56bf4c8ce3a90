"""``ipyweb status``."""

import json
from typing import Any

from traitlets import Bool

from ..connection import Connection, connection_file, find, request
from .app import Command, running
from .text import size


class Status(Command):
    """Tell about the hub; never start one."""

    name = "status"
    description = "Tell whether the hub runs, where, and what it holds. Exit status 1 when none runs; none is started."
    json = Bool(False, help="Print one JSON object.").tag(config=True)
    flags = {"json": ({"Status": {"json": True}}, "Print one JSON object.")}  # noqa: RUF012

    def start(self) -> None:
        """Print it.

        Raises:
            HubUnreachable: no hub runs.
        """
        if self.json:
            connection = find()
            state = _state(connection) if connection else {}
            print(json.dumps({"running": connection is not None, **state}))
            self.exit_status = 0 if connection else 1
        else:
            print(_as_text(_state(running())))


def _state(connection: Connection) -> dict[str, Any]:
    return {**request(connection, "GET", "api/state").json(), "runtime_dir": str(connection_file().parent)}


def _as_text(state: dict[str, Any]) -> str:
    lines = [
        f"hub {state['version']} at {state.get('address', state['url'])} (pid {state['pid']})",
        *([f"certificate {state['fingerprint']}"] if state.get("fingerprint") else []),
        f"{_count(state['outputs'], 'output')} of {_count(state['sessions'], 'session')}, {size(state['bytes'])} of "
        f"{size(state['max_bytes'])}; {_count(state['frontends'], 'pane')} connected",
        *([f"{_count(state['trash'], 'output')} in the trash, {size(state['trash_bytes'])}"] if state["trash"] else []),
        f"runtime directory {state['runtime_dir']}",
        *(f"note: {text}" for text in state.get("notices", [])),
    ]
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
