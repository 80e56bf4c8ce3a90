"""Workers of a cluster: how they reach the hub of the program that they work for, and the tasks that they are at.

Here is what `ipyweb.dask` and `ipyweb.ray` have in common. A worker speaks to the hub itself. On the program's own
machine it finds that by the connection file; elsewhere the program hands it an address, with a token that publishes and
does nothing else. The token stays in the memory of processes, and is in no environment variable, log or repr.
"""

import contextlib
import hashlib
import itertools
import re
import secrets
import sys
from collections.abc import Callable
from typing import NamedTuple

from .. import connection
from ..errors import ConnectionFileError
from .place import Place
from .session import Cell, Told, begun, current, end_session, work_for, work_for_nobody

Undo = Callable[[], None]
_OF_A_TASK = re.compile(r"task-[0-9a-f]{32}-")


class Task:
    """One attempt at a task. What a later one shows takes the places of what this one did, wherever it runs.

    Args:
        group: names the program's life for which tasks of the same id are the same.
        id: of the task, the same for each attempt.
        name: of the task, for people.
        worker: that it runs on, for people.
        owner: whose display ids the user chooses, where that is not the task: of an actor, say.

    Attributes:
        cell: what `clear_output` speaks of.
        record: what its outputs say of it.
    """

    def __init__(self, group: str, id: str, name: str, worker: str, owner: str | None = None) -> None:  # noqa: A002
        self.cell = Cell()
        self.record = {"name": name, "id": id, "worker": worker}
        self._numbers = itertools.count(1)
        self._scope = _scope(group, id)
        self._chosen = self._scope if owner is None else _scope(group, owner)

    def new_display_id(self) -> str:
        """A display id for the next output that the user gave none."""
        return f"{self._scope}{next(self._numbers)}"

    def display_id(self, given: str) -> str:
        """The display id that stands for one which the user chose. Other tasks may have chosen the same."""
        return given if _OF_A_TASK.match(given) else f"{self._chosen}{given}"


def _scope(*parts: str) -> str:
    return f"task-{hashlib.sha256(chr(0).join(parts).encode('utf-8', 'replace')).hexdigest()[:32]}-"


class Address(NamedTuple):
    """How a program's workers reach its hub, and what they tell there.

    Attributes:
        url: of the hub, as workers see it.
        hub: its id.
        token: opens the scope ``session``, and no more.
        session: of the program.
        group: see `Task`.
        project, program, private: those of the program.
    """

    url: str
    hub: str
    token: str
    session: str
    group: str
    project: str
    program: str
    private: bool

    def __repr__(self) -> str:
        return f"<Address {self.url}>"


def address(url: str | None = None) -> Address:
    """The address of this program's hub, for its workers. Starts the hub if there is none.

    Args:
        url: under which workers reach the hub, where that is not its own: the end of a tunnel, say.

    Raises:
        HubUnreachable: there is no hub, and none could be started.
    """
    hub, session = connection.start(), current()
    return Address(
        url=(url or hub.url).rstrip("/"),
        hub=hub.hub,
        token=connection.session_token(hub),
        session=session.id,
        group=secrets.token_hex(16),
        project=session.project,
        program=sys.argv[0] if sys.argv else "",
        private=session.private,
    )


_joined: set[object] = set()
_undos: list[Undo] = []


def join(to: Address | None, place: Place, find_task: Callable[[], Task | None]) -> Undo:
    """Let this process work for a program: what it displays goes to that one's hub, and its libraries are switched.

    Args:
        to: the program's hub; ``None`` for the one that this process finds.
        place: which worker this is.
        find_task: the task that the calling thread is at work on; it must not raise.

    Returns:
        A function that takes it back, and waits for the hub to have everything, as the end of a process does. Where
        several workers share a process, the last one does.
    """
    member = object()
    if not _joined:
        _begin(to, place, find_task)
    _joined.add(member)

    def leave() -> None:
        _joined.discard(member)
        while not _joined and _undos:
            _undos.pop()()

    return leave


def _begin(to: Address | None, place: Place, find_task: Callable[[], Task | None]) -> None:
    session = begun()
    if session is not None and to is not None and session.id == to.session:  # a worker in the program's own process
        work_for(Told(), find_task)
        _undos.append(work_for_nobody)
        return
    end_session()  # one that something displayed before has told another name
    told = Told(place) if to is None else Told(place, to.project, [to.program], to.private)
    work_for(told, find_task)
    _undos.append(work_for_nobody)
    if to is not None and not _is_near(to):
        connection.give(connection.Connection(to.url, to.hub, to.token, local=False))
        _undos.append(lambda: connection.give(None))
    from .install import switch_on

    _undos.extend((switch_on(), end_session))


def _is_near(to: Address) -> bool:
    """Whether this process finds the hub by itself."""
    with contextlib.suppress(ConnectionFileError, OSError):
        found = connection.remote() or connection.read_connection_file()
        return found is not None and found.hub in (to.hub, "")  # it is not known yet where the user named a hub
    return False
