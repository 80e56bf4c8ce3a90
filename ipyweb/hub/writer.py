"""The store's thread: everything that reads or writes the store runs here, many jobs per transaction.

The event loop never waits for the disk. Whoever submits a job hears of its outcome on the event loop, after the commit,
in the order of submission; all outcomes of one transaction arrive in one go.
"""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from .database import Damaged
from .store import Batch, Changes, Job, Outcome, Store, StoreLost

T = TypeVar("T")
Done = Callable[[Outcome], None]
MAX_JOBS = 256
MAX_BYTES = 8 * 2**20
TIDY_SECONDS = 1.0
FORGET_SECONDS = 600.0
QUIET_SECONDS = 0.2
"""Without a job for so long the store is idle, and makes searching quicker."""


log = logging.getLogger("ipyweb.hub.store")


class _Item(NamedTuple):
    job: Job
    done: Done
    size: int


class StoreThread:
    """Runs jobs on a store.

    Args:
        open_store: makes the store, on the thread; called again with the damaged one when that had to be set aside.
        on_batch: called on the event loop after each transaction, before its outcomes are told.
        on_lost: called on the event loop after a damaged store was replaced.

    Attributes:
        pending: bytes of jobs that wait, as told by their submitters.
    """

    def __init__(
        self,
        open_store: Callable[[Store | None], Store],
        on_batch: Callable[[Batch], None],
        on_lost: Callable[[Store], None],
    ) -> None:
        self.pending = 0
        self._open_store = open_store
        self._on_batch = on_batch
        self._on_lost = on_lost
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._main, name="ipyweb-store", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._look_due = False
        self._started: asyncio.Future[Store] | None = None
        self._begun = threading.Event()

    async def start(self) -> Store:
        """Open the store. Use the returned object only for attributes that never change.

        Raises:
            Exception: whatever opening it raises.
        """
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.create_future()
        self._thread.start()
        store = await self._started
        self._begun.set()
        return store

    def submit(self, job: Job, done: Done, size: int = 0) -> None:
        """Queue a job; `done` hears of its outcome on the event loop. `size` in bytes is for `pending`."""
        self.pending += size
        self._queue.put(_Item(job, done, size))

    async def call(self, job: Callable[[Store], T]) -> T:
        """Run a job and return its value, or raise what it raised."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome) -> None:
            if future.done():
                return
            if outcome.error is None:
                future.set_result(outcome.value)
            else:
                future.set_exception(outcome.error)

        self.submit(job, done)
        return await future

    async def close(self) -> None:
        """Finish what is queued and close the store."""
        self._queue.put(None)
        self._begun.set()
        while self._thread.is_alive():
            await asyncio.sleep(0.005)

    def _wake(self) -> None:
        """Let the store take notice of what others changed; from any thread."""
        if not self._look_due:
            self._look_due = True
            self._queue.put(_Item(self._look, _nobody, 0))

    def _look(self, store: Store) -> None:
        self._look_due = False
        store.look()

    # -- on the thread ------------------------------------------------------------------------------------------------

    def _main(self) -> None:
        try:
            store = self._open_store(None)
        except Exception as error:
            self._tell(self._fail_start, error)
            return
        self._tell(self._succeed_start, store)
        self._begun.wait()  # until then nobody could hear of what the first chores do
        store.watch(self._wake)
        due = forget_due = time.monotonic()
        index_due = due + QUIET_SECONDS
        while True:
            items, stop = self._take(max(0.0, min(due, index_due) - time.monotonic()))
            if items:
                store = self._run(store, items)
                due = min(due, time.monotonic() + TIDY_SECONDS)
                index_due = time.monotonic() + QUIET_SECONDS
            if stop:
                store.close()
                return
            if time.monotonic() >= due:
                store, more = self._chore(store, lambda store: store.tidy())
                due = time.monotonic() + (0 if more else FORGET_SECONDS)
                index_due = min(index_due, time.monotonic() + QUIET_SECONDS)
            if time.monotonic() >= index_due:
                store, more = self._chore(store, lambda store: store.index())
                index_due = time.monotonic() + (0 if more else FORGET_SECONDS)
            if time.monotonic() >= forget_due:
                store = self._forget(store)
                forget_due = time.monotonic() + FORGET_SECONDS

    def _take(self, timeout: float) -> tuple[list[_Item], bool]:
        """Everything that waits, up to the limits of one transaction; and whether to stop after it."""
        items: list[_Item] = []
        size = 0
        with contextlib.suppress(queue.Empty):
            item = self._queue.get(timeout=timeout) if timeout else self._queue.get_nowait()
            while item is not None:
                items.append(item)
                size += item.size
                if len(items) >= MAX_JOBS or size >= MAX_BYTES:
                    return items, False
                item = self._queue.get_nowait()
            return items, True
        return items, False

    def _run(self, store: Store, items: list[_Item]) -> Store:
        try:
            batch = store.run([item.job for item in items])
        except Damaged as error:
            store = self._replace(store, error)
            lost = StoreLost(f"the database was damaged ({error}) and set aside")
            batch = Batch([Outcome(None, lost) for _ in items], Changes(store.event, []))
        except Exception as error:
            log.exception("a transaction failed")
            batch = Batch([Outcome(None, error) for _ in items], Changes(store.event, []))
        self._tell(self._deliver, items, batch)
        return store

    def _chore(self, store: Store, step: Callable[[Store], bool]) -> tuple[Store, bool]:
        """One small step of a chore, and whether there is more to do."""
        found: list[bool] = []
        store = self._run(store, [_Item(lambda store: found.append(step(store)), _nobody, 0)])
        return store, any(found[-1:])

    def _forget(self, store: Store) -> Store:
        store = self._run(store, [_Item(lambda store: store.forget(), _nobody, 0)])
        try:
            store.guard_disk()
        except Exception as error:
            log.warning("the store's limits could not be fitted to the disk: %s", error)
        return store

    def _replace(self, store: Store, error: Exception) -> Store:
        log.error("the database is damaged: %s", error)
        store.close()
        fresh = self._open_store(store)
        self._tell(self._on_lost, fresh)
        return fresh

    def _tell(self, callback: Callable[..., None], *values: Any) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody is left to hear
            self._loop.call_soon_threadsafe(callback, *values)

    # -- on the event loop --------------------------------------------------------------------------------------------

    def _deliver(self, items: list[_Item], batch: Batch) -> None:
        self.pending -= sum(item.size for item in items)
        self._on_batch(batch)
        for item, outcome in zip(items, batch.outcomes, strict=True):
            item.done(outcome)

    def _succeed_start(self, store: Store) -> None:
        assert self._started is not None
        self._started.set_result(store)

    def _fail_start(self, error: Exception) -> None:
        assert self._started is not None
        self._started.set_exception(error)


def _nobody(outcome: Outcome) -> None:
    """Nobody waits for this outcome."""
    if outcome.error is not None:
        log.warning("a chore of the store failed: %s", outcome.error)
