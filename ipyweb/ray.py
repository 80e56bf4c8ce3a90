"""Outputs of Ray's tasks and actors in the pane, by a hook that each worker process calls when it starts.

::

    ray.init(runtime_env={"worker_process_setup_hook": ipyweb.ray.Setup()})
"""

import contextlib
import functools
import inspect
import secrets
from asyncio import to_thread
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import ray

from .session.cluster import Address, Task, address, join
from .session.place import Place
from .session.session import begun

SECURED_WITHIN = 5.0
"""Seconds that a task waits at its end for the hub to have what it displayed."""

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
    _secure_what_tasks_display()


def _secure_what_tasks_display() -> None:
    """Let tasks end when the hub has what they displayed: Ray kills workers once the program has all results.

    Ray looks a function up once in each worker, and keeps what it found.
    """
    manager: Any = ray._private.worker.global_worker.function_actor_manager
    found = getattr(manager, "get_execution_info", None)
    if found is None or hasattr(found, "__wrapped__"):
        return

    @functools.wraps(found)
    def get_execution_info(*args: Any, **keys: Any) -> Any:
        info = found(*args, **keys)
        return info._replace(function=_secured(info.function))

    manager.get_execution_info = get_execution_info


def _secured(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and what it displayed is secure when it is over."""

    @functools.wraps(function)
    def run(*args: Any, **keys: Any) -> Any:
        try:
            result = function(*args, **keys)
        except BaseException:
            _secure()
            raise
        if inspect.isgenerator(result):
            return _to_the_end(result)
        if inspect.iscoroutine(result):
            return _awaited(result)
        _secure()
        return result

    return run


def _to_the_end(parts: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    try:
        return (yield from parts)
    finally:
        _secure()


async def _awaited(result: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await result
    finally:
        await to_thread(_secure)


def _secure() -> None:
    session = begun()
    if session is not None:
        with contextlib.suppress(Exception):  # it is the task's result that counts
            session.client.secure(SECURED_WITHIN)


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
