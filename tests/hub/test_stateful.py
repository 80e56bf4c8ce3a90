"""The store against a model of it: whatever is done in whatever order, both say the same."""

import json
import shutil
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ipyweb.hub import schema
from ipyweb.hub.messages import Clear
from ipyweb.hub.postgres import Connection as Postgres
from ipyweb.hub.retention import Limits
from ipyweb.hub.shared import SharedStore
from ipyweb.hub.sqlite import SqliteStore
from ipyweb.hub.store import Filter, MovedAway, NotFound, OutputRow, Selection, Unavailable

from ..postgres_server import Cluster
from .conftest import Bare
from .test_sqlite import full
from .test_store import check

SESSIONS = ("a" * 32, "b" * 32)
MOST_VERSIONS = 3
LIMITS = Limits(max_versions=MOST_VERSIONS)
names = st.sampled_from(["x", "y", "z"])
sessions = st.sampled_from(SESSIONS)
contents = st.sampled_from([b"", b"1", b"2", b"3" * 100_000])


class StoreMachine(RuleBasedStateMachine):
    """A dictionary of outputs is the model."""

    @initialize()
    def begin(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        self.model: dict[int, dict[str, Any]] = {}
        self.next_id, self.seqs = 1, dict.fromkeys(SESSIONS, 0)
        self.bare: Bare | None = None
        self.restart()

    @rule()
    def restart(self) -> None:
        if self.bare is not None:
            self.bare.store.close()
        self.bare = self.open_store()
        for session in SESSIONS:
            assert self.bare.open(session) == self.seqs[session]

    def open_store(self) -> Bare:
        connection = schema.connect(self.directory / "outputs.sqlite")
        return Bare(SqliteStore(connection, self.directory, LIMITS, event=0))

    def full(self) -> AbstractContextManager[None]:
        assert self.bare is not None
        return full(self.bare)

    @rule(session=sessions, name=names, content=contents)
    def display(self, session: str, name: str, content: bytes) -> None:
        assert self.bare is not None
        self.seqs[session] += 1
        data = {"text/plain": content}
        applied = self.bare.display(self.seqs[session], data, session, display_id=name)
        found, number = self._note_display(session, name, content)
        assert applied == (self.seqs[session], found, number)

    @rule(session=sessions, content=contents)
    def replay(self, session: str, content: bytes) -> None:
        assert self.bare is not None
        if self.seqs[session]:
            assert self.bare.display(self.seqs[session], {"text/plain": content}, session).acked == self.seqs[session]

    @rule(session=sessions, name=names)
    def display_into_a_full_database(self, session: str, name: str) -> None:
        assert self.bare is not None
        if any(output["removed"] for output in self.model.values()):
            return  # the trash would make room
        with self.full():
            try:
                self.bare.display(self.seqs[session] + 1, {"text/plain": b"4" * 60_000}, session, display_id=name)
            except Unavailable:
                return
        self.seqs[session] += 1  # free pages were left
        self._note_display(session, name, b"4" * 60_000)

    def _note_display(self, session: str, name: str, content: bytes) -> tuple[int, int]:
        found = self._find(session, name)
        if found is None:
            found, self.next_id = self.next_id, self.next_id + 1
            self.model[found] = {"key": (session, name), "versions": {}, "pinned": 0}
        output = self.model[found]
        number = max(output["versions"], default=0) + 1
        output["versions"][number] = content
        output["removed"] = False
        while len(output["versions"]) > MOST_VERSIONS:
            del output["versions"][sorted(output["versions"])[1]]
        return found, number

    @rule(session=sessions, names=st.lists(names, max_size=2))
    def clear_output(self, session: str, names: list[str]) -> None:
        assert self.bare is not None
        self.seqs[session] += 1
        self.bare.apply(Clear(self.seqs[session], names), session)
        for name in names:
            if (found := self._find(session, name)) is not None:
                self.model[found]["removed"] = True

    @rule(output=st.integers(1, 8), pinned=st.integers(0, 1))
    def pin(self, output: int, pinned: int) -> None:
        if self._act(output, lambda store: store.edit(output, {"pinned": pinned})):
            self.model[output]["pinned"] = pinned

    @rule(output=st.integers(1, 8))
    def remove(self, output: int) -> None:
        if self._act(output, lambda store: store.remove([output])):
            self.model[output]["removed"] = True

    @rule(output=st.integers(1, 8))
    def restore(self, output: int) -> None:
        if self._act(output, lambda store: store.restore(output)):
            self.model[output]["removed"] = False

    @rule(output=st.integers(1, 8))
    def purge(self, output: int) -> None:
        if self._act(output, lambda store: store.purge(output)):
            del self.model[output]

    @rule(session=st.none() | sessions)
    def clear(self, session: str | None) -> None:
        assert self.bare is not None
        self.bare.call(lambda store: store.clear(Selection(session=session)))
        for output in self.model.values():
            if not output["pinned"] and session in (None, output["key"][0]):
                output["removed"] = True

    @invariant()
    def agrees(self) -> None:
        if getattr(self, "bare", None) is None:
            return
        assert self.bare is not None
        store = self.bare.store
        rows = {row.id: row for row in store.outputs(Filter(removed=None), None, None, 1000).outputs}
        assert rows.keys() == self.model.keys()
        for number, output in self.model.items():
            self._compare(rows[number], output)
        events = [row.event for row in store.changes(0, 1000).rows]
        assert events == sorted(set(events))
        assert all(event <= store.event for event in events)
        check(self.bare)

    def _compare(self, row: OutputRow, output: dict[str, Any]) -> None:
        assert self.bare is not None
        assert (row.session, row.display_id) == output["key"]
        assert (row.removed is not None, row.pinned) == (output["removed"], output["pinned"])
        kept = self.bare.store.versions(row.id)
        assert [version.version for version in kept] == sorted(output["versions"])
        assert [json.loads(version.data)["text/plain"]["size"] for version in kept] == [
            len(output["versions"][number]) for number in sorted(output["versions"])
        ]

    def _act(self, output: int, job: Any) -> bool:
        assert self.bare is not None
        try:
            self.bare.call(job)
        except NotFound:
            assert output not in self.model
            return False
        assert output in self.model
        return True

    def _find(self, session: str, name: str) -> int | None:
        return next((number for number, each in self.model.items() if each["key"] == (session, name)), None)

    def teardown(self) -> None:
        if getattr(self, "bare", None) is not None:
            assert self.bare is not None
            self.bare.store.close()
            shutil.rmtree(self.directory)


class SharedMachine(StoreMachine):
    """The same with two hubs on one store, of which now one and now the other does what is done."""

    server: ClassVar[Cluster]

    def begin(self) -> None:
        self.server.forget()
        self.other: Bare | None = None
        super().begin()
        self.other = self.open_store()

    begin = initialize()(begin)  # type: ignore[assignment]

    def open_store(self) -> Bare:
        return Bare(SharedStore(Postgres(self.server.address), LIMITS))

    def full(self) -> AbstractContextManager[None]:
        return self.server.full()

    @rule(seq=st.integers(1, 3))
    def move(self, seq: int) -> None:
        """The sessions connect to the other hub; what the one they left hears of them is refused."""
        assert self.bare is not None
        assert self.other is not None
        self.bare, self.other = self.other, self.bare
        for session in SESSIONS:
            assert self.bare.open(session) == self.seqs[session]
            with pytest.raises(MovedAway):
                self.other.display(self.seqs[session] + seq, session=session)

    @invariant()
    def both_were_told_everything_once_and_in_order(self) -> None:
        for bare in (getattr(self, "bare", None), getattr(self, "other", None)):
            if bare is None:
                continue
            bare.call(lambda store: store.look())
            told = [row for changes in bare.changes for row in changes.rows]
            assert [row.event for row in told] == sorted({row.event for row in told})
            newest = {row.id: row for row in told}
            for row in bare.store.changes(0, 1000).rows:
                before = newest.get(row.id, row)  # what came before this store was opened was not told
                assert before.event == row.event
                assert before == row or not isinstance(row, OutputRow)

    def teardown(self) -> None:
        if getattr(self, "other", None) is not None:
            assert self.other is not None
            self.other.store.close()
        super().teardown()


@pytest.fixture(scope="module", autouse=True)
def a_server(server: Cluster) -> None:
    """For `SharedMachine`, which gets no fixtures."""
    SharedMachine.server = server


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

TestShared = SharedMachine.TestCase
TestShared.settings = settings(TestStore.settings, max_examples=6)
