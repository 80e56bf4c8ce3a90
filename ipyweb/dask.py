"""Outputs of Dask's workers in the pane: ``client.register_plugin(ipyweb.dask.Plugin())``."""

from asyncio import to_thread
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from .session.cluster import Address, Task, Undo, address, join
from .session.place import Place

_OVER = frozenset({"memory", "error", "released", "forgotten"})
_tasks: dict[tuple[str, str], Task] = {}
"""The attempts that run in this process, by the worker's id and the task's key."""


class Plugin(WorkerPlugin):
    """Lets what tasks display, and the figures that they show, appear in this program's pane.

    Workers speak to the hub themselves, not through the scheduler. A task that is tried again, on the same worker or
    another, updates the outputs that it made before. Each output says its task and worker. Registered again, by this
    program or another, it takes the place of the one before.

    Args:
        url: of the hub as workers on other machines reach it, such as the end of a tunnel there.

    Raises:
        HubUnreachable: there is no hub, and none could be started.
    """

    name = "ipyweb"

    def __init__(self, url: str | None = None) -> None:
        self._address = address(url)
        self._leave: Undo | None = None

    def __getstate__(self) -> Address:
        return self._address

    def __setstate__(self, state: Address) -> None:
        self._address, self._leave = state, None

    def setup(self, worker: Worker) -> None:
        """Dask calls it on each worker, also on those that come later."""
        self._worker = worker
        self._leave = join(self._address, _place(worker), _current_task)

    async def teardown(self, worker: Worker) -> None:
        """Dask calls it when the worker closes."""
        if self._leave is not None:
            await to_thread(self._leave)  # now: a nanny soon kills what does not end

    def transition(self, key: Any, start: str, finish: str, **kwargs: Any) -> None:
        """Dask calls it when a task begins, and when it is over."""
        if finish == "executing" and start != "long-running":
            _tasks[self._worker.id, str(key)] = _task(self._address.group, self._worker, key)
        elif finish in _OVER:
            _tasks.pop((self._worker.id, str(key)), None)


def _place(worker: Worker) -> Place:
    return {"system": "Dask", "worker": _name(worker)}


def _name(worker: Worker) -> str:
    """What people call it: its name, where that was not just made of its address."""
    name = str(worker.name)
    return name.rpartition("://")[2] if name == worker.address else f"worker {name}"


def _task(group: str, worker: Worker, key: Any) -> Task:
    from dask.utils import key_split

    return Task(group, str(key), str(key_split(key)), _name(worker))


def _current_task() -> Task | None:
    try:
        worker = get_worker()
        key = str(worker.get_current_task())
        return _tasks.get((worker.id, key))
    except (ValueError, KeyError, AttributeError):  # a thread of the user's own, or the worker itself
        return None
