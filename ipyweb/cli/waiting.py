"""Waiting for what comes next, over breaks and new starts of the hub."""

import time
from collections.abc import Callable
from urllib.parse import urlencode

from ..connection import Connection, find, request
from ..errors import HubUnreachable
from .outputs import Record

AT_ONCE = 50.0
"""Seconds that one request waits at the hub, less than proxies allow."""

PACE = 0.5
"""Least seconds from one request to the next: a hub may be gone, or know no waiting and answer at once."""

ANSWER = 10.0
"""Seconds for an answer that the hub need not wait for."""


class Watch:
    """Waits at a hub until a time; one that stops meanwhile is waited for, but not started.

    Args:
        connection: a hub that was challenged.
        timeout: seconds; ``None`` waits for ever.
    """

    def __init__(self, connection: Connection, timeout: float | None) -> None:
        self._connection: Connection | None = connection
        self._deadline = None if timeout is None else time.monotonic() + timeout

    @property
    def is_lost(self) -> bool:
        """Whether no hub answered when one was asked last."""
        return self._connection is None

    def newest(self) -> int:
        """The id of the newest output, 0 before the first."""
        found = self._ask("api/outputs?limit=1&removed=all", 0, lambda answer: True)
        return int(found["outputs"][-1]["id"]) if found and found["outputs"] else 0

    def output(self, after: int, project: str | None) -> Record | None:
        """The first output with a greater id than `after`; ``None`` when none came in time.

        Args:
            after: an output's id; 0 for any.
            project: an absolute path; ``None`` for all projects.
        """
        chosen = {"project": project} if project else {}
        path = f"api/outputs?{urlencode({'after': after, 'limit': 1, **chosen})}"
        found = self._ask(path, AT_ONCE, lambda answer: bool(answer["outputs"]))
        return found and found["outputs"][0]

    def version(self, record: Record, after: int) -> Record | None:
        """An output as soon as it has a newer version than `after`; ``None`` when none came in time.

        Raises:
            OutputNotFound: it was removed for good.
        """
        found: Record | None = record
        while found is not None and found["version"] <= after:
            found = self.change(found)
        return found

    def change(self, record: Record) -> Record | None:
        """An output's record as soon as it is another than this; ``None`` when it did not change in time.

        Raises:
            OutputNotFound: it was removed for good.
        """
        path, known = f"api/outputs/{record['id']}?event={record['event']}", record["event"]
        return self._ask(path, AT_ONCE, lambda answer: bool(answer["event"] > known))

    def _ask(self, path: str, patience: float, enough: Callable[[Record], bool]) -> Record | None:
        """Ask until the answer is enough; ``None`` when the time is up before.

        Args:
            path: of the request, with a query.
            patience: seconds that the hub may wait with its answer.
        """
        while True:
            began, wait = time.monotonic(), max(0.0, min(patience, self._left()))
            answer = self._once(f"{path}&wait={wait:.3f}", wait)
            if answer is not None and enough(answer):
                return answer
            if self._left() <= 0:
                return None
            time.sleep(max(0.0, min(began + PACE - time.monotonic(), self._left())))

    def _once(self, path: str, wait: float) -> Record | None:
        try:
            self._connection = self._connection or find()
            if self._connection is not None:
                answer: Record = request(self._connection, "GET", path, timeout=wait + ANSWER).json()
                return answer
        except HubUnreachable:
            self._connection = None
        return None

    def _left(self) -> float:
        return AT_ONCE if self._deadline is None else self._deadline - time.monotonic()
