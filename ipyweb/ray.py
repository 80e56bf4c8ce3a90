"""Outputs of Ray's tasks and actors in the pane, by a hook that each worker process calls when it starts.

::

    ray.init(runtime_env={"worker_process_setup_hook": ipyweb.ray.Setup()})
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import ray

from .session.cluster import Address, Task, address, join
from .session.place import Place

MOST_TASKS = 256
"""Attempts that are remembered; one process runs no more at once."""


class Setup:
    """Lets what tasks and actors display, and the figures that they show, appear in this program's pane.

    Workers speak to the hub themselves. A task that is tried again updates the outputs that it made before. A display
    id that an actor chooses names the same output in all its calls. Each output says its task and worker.

    Args:
        url: of the hub as workers on other machines reach it, such as the end of a tunnel there.

    Raises:
        HubUnreachable: there is no hub, and none could be started.
    """

    def __init__(self, url: str | None = None) -> None:
        self.__name__ = "ipyweb.ray.Setup"  # which Ray shows as the hook's
        self._address = address(url)

    def __repr__(self) -> str:
        return f"<{self.__name__} {self._address.url}>"

    def __call__(self) -> None:
        """Ray calls it in each worker process."""
        _join(self._address)


def setup() -> None:
    """The hook where only its name can be given, ``"ipyweb.ray.setup"``: workers find the hub as any process does."""
    _join(None)


def _join(to: Address | None) -> None:
    context = ray.get_runtime_context()
    place: Place = {"system": "Ray", "worker": f"worker {context.get_worker_id()[:8]}"}
    group = f"{_cluster()} {context.get_job_id()}" if to is None else to.group
    join(to, place, _finder(group, place["worker"]))


def _cluster() -> str:
    """Names this life of the cluster: jobs and tasks have the same ids in each."""
    node = ray._private.worker._global_node
    return str(getattr(node, "session_name", None) or secrets.token_hex(16))


def _finder(group: str, worker: str) -> Callable[[], Task | None]:
    """Finds the task, or the call of an actor, that a thread is at work on."""
    tasks: OrderedDict[tuple[str, int], Task] = OrderedDict()

    def find() -> Task | None:
        try:
            attempt = _attempt()
            if attempt is None:
                return None
            if attempt not in tasks:
                context = ray.get_runtime_context()
                name = str(context.get_task_name())
                tasks[attempt] = Task(group, attempt[0], name, worker, owner=context.get_actor_id())
                while len(tasks) > MOST_TASKS:
                    tasks.popitem(last=False)
            return tasks[attempt]
        except Exception:  # Ray promises nothing of what is asked of it here
            return None

    return find


def _attempt() -> tuple[str, int] | None:
    """The running task's id, and how often it failed before; ``None`` in a thread of the user's own."""
    worker: Any = ray._private.worker.global_worker
    task = worker.current_task_id
    number = getattr(worker.core_worker, "get_current_task_attempt_number", int)()
    return None if task.is_nil() else (str(task.hex()), int(number))
