"""The store's thread: order, batches, failures, chores."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from ipyweb.hub import grams, schema, writer
from ipyweb.hub.retention import Limits
from ipyweb.hub.sqlite import SqliteStore
from ipyweb.hub.store import Batch, NotFound, Outcome, Store
from ipyweb.hub.writer import StoreThread

from .conftest import make_display, make_hello


def open_store(_: Store | None, **limits: Any) -> SqliteStore:
    return SqliteStore(schema.connect(None), None, Limits(**limits))


def run(
    body: Callable[[StoreThread, list[Batch]], Coroutine[Any, Any, None]],
    opener: Callable[[Store | None], SqliteStore] = open_store,
) -> list[Store]:
    """Run `body` with a thread and the batches that it told of; returns the stores that replaced damaged ones."""
    lost: list[Store] = []

    async def main() -> None:
        batches: list[Batch] = []
        thread = StoreThread(opener, batches.append, lost.append)
        await thread.start()
        try:
            await body(thread, batches)
        finally:
            await thread.close()

    asyncio.run(main())
    return lost


def test_jobs_run_in_order_off_the_loop_and_many_per_transaction() -> None:
    async def body(thread: StoreThread, batches: list[Batch]) -> None:
        seen: list[int] = []
        told: list[int] = []
        entered, gate = threading.Event(), threading.Event()
        thread.submit(lambda _: (entered.set(), gate.wait(10)), lambda _: None)
        assert entered.wait(10)  # or it would take the first of the others along
        for n in range(100):
            thread.submit(lambda _, n=n: seen.append(n), lambda _, n=n: told.append(n), size=10)
        assert thread.pending == 1000
        gate.set()
        assert await thread.call(lambda _: threading.current_thread().name) == "ipyweb-store"
        assert seen == told == list(range(100))
        assert thread.pending == 0
        assert max(len(batch.outcomes) for batch in batches) >= 100

    run(body)


def test_nothing_is_told_before_the_store_is_known() -> None:
    async def main() -> None:
        batches: list[Batch] = []
        thread = StoreThread(open_store, batches.append, lambda _: None)
        asyncio.get_running_loop().call_soon(time.sleep, 0.3)  # a busy loop hears of everything at once, later
        await thread.start()
        assert batches == []
        await thread.call(lambda _: None)
        assert batches
        await thread.close()

    asyncio.run(main())


def test_a_caller_gets_the_value_or_the_error() -> None:
    async def body(thread: StoreThread, batches: list[Batch]) -> None:
        with pytest.raises(NotFound):
            await thread.call(lambda store: store.output(5))
        with pytest.raises(ZeroDivisionError):
            await thread.call(lambda _: 1 / 0)
        assert await thread.call(lambda store: store.open_session(make_hello())) == 0

    run(body)


def test_outcomes_come_after_the_commit_and_after_the_changes() -> None:
    async def body(thread: StoreThread, batches: list[Batch]) -> None:
        await thread.call(lambda store: store.open_session(make_hello()))
        order: list[str] = []
        done = asyncio.Event()

        def told(outcome: Outcome) -> None:
            order.append("done")
            assert any(row.event == 2 for batch in batches for row in batch.changes.rows)
            done.set()

        thread.submit(lambda store: store.apply("a" * 32, make_display(1)), told)
        await done.wait()
        assert order == ["done"]

    run(body)


def test_a_store_that_cannot_be_opened_fails_the_start() -> None:
    def opener(_: Store | None) -> SqliteStore:
        raise OSError("no")

    async def body(thread: StoreThread, batches: list[Batch]) -> None:
        raise AssertionError

    with pytest.raises(OSError, match="no"):
        run(body, opener)


def test_damage_replaces_the_store_and_tells_the_callers() -> None:
    async def body(thread: StoreThread, batches: list[Batch]) -> None:
        def damaged(_: object) -> Any:
            raise schema.Damaged("seen by a test")

        def run_damaged(jobs: Any, run: Callable[[Any], Batch]) -> Batch:
            return damaged(None) if damaged in jobs else run(jobs)

        await thread.call(lambda store: setattr(store, "run", partial(run_damaged, run=store.run)))
        with pytest.raises(Exception, match="set aside"):
            await thread.call(damaged)
        assert await thread.call(lambda store: store.open_session(make_hello())) == 0

    assert len(run(body)) == 1


def test_words_are_indexed_when_the_store_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUIET_SECONDS", 0.02)
    monkeypatch.setattr(grams, "LEAVE", 0)

    def due(store: Any) -> int:
        return int(store.db.execute("SELECT count(*) FROM grams_due").fetchone()[0])

    async def body(thread: StoreThread, batches: list[Batch]) -> None:
        await thread.call(lambda store: store.open_session(make_hello()))
        for seq in range(1, 41):
            display = make_display(seq)
            await thread.call(lambda store, display=display: store.apply("a" * 32, display))
        for _ in range(500):
            if await thread.call(due) == 0:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("nothing was indexed")

    run(body)


def test_pruning_happens_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "TIDY_SECONDS", 0.02)

    async def body(thread: StoreThread, batches: list[Batch]) -> None:
        await thread.call(lambda store: store.open_session(make_hello()))
        for seq in range(1, 61):
            display = make_display(seq, {"text/plain": bytes([seq]) * 50_000})
            await thread.call(lambda store, display=display: store.apply("a" * 32, display))
        for _ in range(500):
            if (await thread.call(lambda store: store.figures())).outputs < 30:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("nothing was pruned")

    run(body, lambda _: open_store(None, max_bytes=2**20))
