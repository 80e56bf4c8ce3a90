"""What the hub asks of a place that keeps outputs: the `Store` interface, its records and its errors.

Every method runs on the store's own thread, inside one transaction with its neighbours (see `writer`), and is seen by
others only after the commit. A store assigns output ids and event ids: one global counter without gaps, advanced by
every change of an output or a session; each row carries the event that last changed it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, Protocol

from .messages import Command, Display, Drawn, Hello

if TYPE_CHECKING:
    from .imports import Archive


class StoreError(Exception):
    """Base of what a store refuses, before it changed anything."""


class NotFound(StoreError):
    """There is no such output, version or data; the text says what there is."""


class WrongKey(StoreError):
    """A session is resumed with another key than it began with."""


class MissingBlob(StoreError):
    """A message refers to bytes that were not uploaded."""


class TooLarge(StoreError):
    """More bytes than the store may keep at all."""


class Unavailable(StoreError):
    """Nothing can be written now: disk full, quota reached, locked, or read-only. Trying again later may help."""


class Unreachable(Unavailable):
    """The database is away, so that nothing can be read either. Trying again later helps."""


class MovedAway(Unavailable):
    """A session speaks to a hub that it has left for another one of the same store."""


class NotKept(StoreError):
    """What is private cannot be kept by a store that several hubs share."""


class StoreLost(StoreError):
    """The database turned out to be damaged and was set aside; sessions have to introduce themselves again."""


def timestamp(moment: datetime) -> str:
    """ISO 8601 UTC with microseconds, as in every record."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class OutputRow(NamedTuple):
    """One output with its newest version. `source`, `metadata`, `problems`, `data` and `figure` are JSON texts.

    `figure` says which figure of which keeper the version shows; `None` when it shows none.
    `seconds` is how long making it took, as far as known.
    `run` is JSON text too: where the output stands in the run of a script; ``None`` in other sessions.
    `size` is in bytes; times are ISO 8601 UTC; `data` maps MIME type to ``{"sha256": …, "size": …}``.
    """

    id: int
    session: str
    display_id: str
    project: str
    title: str | None
    created: str
    updated: str
    version: int
    size: int
    pinned: int
    note: str | None
    removed: str | None
    private: int
    event: int
    source: str
    metadata: str
    problems: str
    data: str
    figure: str | None = None
    seconds: float | None = None
    run: str | None = None


class SessionRow(NamedTuple):
    """One session. `argv` is JSON text; `outputs` counts those not removed; `acked` is the highest seq committed.

    `script` is the file that it executes, if any, and `run` the how-manieth time that is, once it displayed something.
    `place` is JSON text: its rank, job or worker; ``None`` for what was launched alone. `lost` says that it went
    without a word.
    """

    id: str
    project: str
    title: str
    name: str | None
    kind: str
    host: str
    pid: int
    python: str
    argv: str
    cwd: str
    started: str
    ended: str | None
    connected: int
    private: int
    acked: int
    event: int
    script: str | None = None
    run: int | None = None
    place: str | None = None
    lost: int | None = None
    outputs: int = 0


class RunRow(NamedTuple):
    """One execution of a script: its session, and how many outputs there are, changed, and without a predecessor."""

    id: str
    project: str
    script: str
    number: int
    argv: str
    started: str
    ended: str | None
    connected: int
    outputs: int
    changed: int
    new: int


Status = Literal["same", "changed", "new", "gone", "unknown"]


class Comparison(NamedTuple):
    """One stack in two runs: the ids of its outputs. ``unknown`` when one of them is not drawn yet."""

    stack: str
    before: int | None
    after: int | None
    status: Status


class Tombstone(NamedTuple):
    """What is left of an output that was purged."""

    id: int
    event: int


class VersionRow(NamedTuple):
    """One version of an output. `data` is JSON text as in `OutputRow`."""

    version: int
    created: str
    size: int
    data: str
    figure: str | None = None


Row = OutputRow | SessionRow | Tombstone


class Changes(NamedTuple):
    """Rows in the order of their events.

    Attributes:
        event: the last one that they bring a reader up to.
        since: the event after which they are all that changed; ``None`` for that of the changes told before.
    """

    event: int
    rows: list[Row]
    since: int | None = None


class Applied(NamedTuple):
    """What became of a numbered message: the highest seq committed, and the output it made, if any."""

    acked: int
    output: int | None = None
    version: int | None = None


class Filter(NamedTuple):
    """Which outputs to list.

    Attributes:
        q: words that all stand somewhere in what the output says and is called (see `search`), whatever the case.
        kinds: of these kinds only, see `search.KIND_NAMES`.
        since, until: last changed not before, and before these times, as in records.
        removed: whether they are in the trash; ``None`` for both.
        stack: of one call site in all runs of its script.
        display_id: with this display id, of any session.
    """

    session: str | None = None
    project: str | None = None
    q: str | None = None
    removed: bool | None = False
    kinds: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    stack: str | None = None
    display_id: str | None = None


class Selection(NamedTuple):
    """Which outputs to clear: those named, or all of a project or session that are not pinned.

    Attributes:
        ids: the outputs; ``None`` for all that the rest describes.
        older_than: seconds since their last change.
        removed: those in the trash, instead of those that are not.
        pinned: pinned ones too.
    """

    ids: tuple[int, ...] | None = None
    project: str | None = None
    session: str | None = None
    older_than: float | None = None
    removed: bool = False
    pinned: bool = False


class Page(NamedTuple):
    """Outputs in ascending order of ids, how many there are in all, and the event of this snapshot.

    Of many outputs that say what is looked for, `total` counts the first 500 and is not `exact`.
    """

    event: int
    total: int
    outputs: list[OutputRow]
    exact: bool = True


class Data(NamedTuple):
    """Stored bytes: in memory, or an open file (so that deleting it does no harm). `size` in bytes."""

    mimetype: str
    sha256: str
    size: int
    content: bytes | BinaryIO


class Figures(NamedTuple):
    """What the store holds. `trash` counts outputs; `bytes` are all that it takes, `trash_bytes` those of the trash."""

    event: int
    outputs: int
    sessions: int
    trash: int
    private: int
    bytes: int
    trash_bytes: int


class Store(Protocol):
    """Where the hub keeps outputs. See the module's docstring for threads and transactions."""

    event: int
    next_id: int
    max_bytes: int
    max_age: float
    trash_days: float
    durable: bool
    shared: bool
    directory: Path | None
    notices: list[str]

    def run(self, jobs: "Sequence[Job]") -> "Batch":
        """Run jobs in one transaction. Raises `schema.Damaged`."""

    def close(self) -> None:
        """Close it; what was committed is safe."""

    def open_session(self, hello: Hello) -> int:
        """Begin or resume a session and return the highest seq committed. Raises `WrongKey`."""

    def knows(self, session: str, key: str) -> bool:
        """Whether a session was introduced with this key."""

    def close_session(self, session: str) -> None:
        """Note that a session's socket is gone."""

    def end_session(self, session: str) -> None:
        """Note that a session is over, if its socket did not come back."""

    def apply(self, session: str, command: Command) -> Applied:
        """Do what a numbered message asks, once. Raises `MissingBlob`, `TooLarge`, `Unavailable`."""

    def publish(self, hello: Hello, display: Display) -> Applied:
        """Take an output that comes without a session socket; `hello` names the session it is filed under."""

    def fill(self, drawn: Drawn) -> Applied:
        """Add what was drawn of a figure to the version that shows it. Raises `NotFound`, `MissingBlob`."""

    def keep_view(self, output_id: int, figure: str) -> Applied:
        """Show another figure, as JSON text, in an output's next version. Raises `NotFound`, `Unavailable`."""

    def keep_widgets(self, session: str, keep: Callable[[str], Mapping[str, bytes]]) -> None:
        """Store the last state of the widgets that a session's outputs show.

        Args:
            session: which is over.
            keep: by the id of a model, companions by MIME type; none when the model is not there.
        """

    def undrawn(self, keeper: str) -> list[tuple[str, bool]]:
        """The figures of a keeper of which outputs have no picture yet, and whether their session is connected."""

    def keepers_awaited(self) -> list[str]:
        """The keepers of figures without picture whose session is not connected, which so nobody else draws."""

    def outputs(self, which: Filter, after: int | None, before: int | None, limit: int) -> Page:
        """List outputs: the first `limit` after an id, the last ones before an id, else the newest."""

    def output(self, output_id: int) -> OutputRow:
        """One output. Raises `NotFound`."""

    def versions(self, output_id: int) -> list[VersionRow]:
        """The kept versions, oldest first. Raises `NotFound`."""

    def data(self, output_id: int, mimetype: str | None, version: int | None) -> Data:
        """The bytes of one representation, of the richest when no MIME type is given. Raises `NotFound`."""

    def figure_of(self, output_id: int, version: int | None) -> str | None:
        """Which figure a version shows, as JSON text. Raises `NotFound`."""

    def edit(self, output_id: int, values: Mapping[str, Any]) -> OutputRow:
        """Change `title`, `note` or `pinned`. Raises `NotFound`."""

    def remove(self, ids: Sequence[int]) -> list[int]:
        """Put outputs into the trash and return those that were not there yet."""

    def restore(self, output_id: int) -> OutputRow:
        """Take an output out of the trash. Raises `NotFound`."""

    def purge(self, output_id: int) -> int:
        """Delete an output for good and return the event of its tombstone. Raises `NotFound`."""

    def bytes_of(self, ids: Sequence[int]) -> int:
        """What the newest versions of some outputs take."""

    def session(self, session: str) -> SessionRow:
        """One session. Raises `NotFound`."""

    def take_in(self, archive: "Archive") -> dict[str, Any]:
        """Store the outputs of an archive, see `imports.take_in`. Raises `MissingBlob`."""

    def restore_all(self, ids: Sequence[int]) -> list[int]:
        """Take outputs out of the trash and return those that were there."""

    def select(self, which: Selection) -> list[int]:
        """The outputs that a selection names, ascending."""

    def clear(self, which: Selection) -> list[int]:
        """Put outputs into the trash and return those that were not there yet."""

    def sessions(self, project: str | None) -> Changes:
        """All sessions, of one project if given, by event."""

    def runs(self, project: str | None, script: str | None, limit: int) -> list[RunRow]:
        """The newest runs, of one project and script if given, the newest first."""

    def run_of(self, session: str) -> RunRow:
        """The run that a session is. Raises `NotFound`."""

    def run_before(self, row: RunRow) -> RunRow | None:
        """The run of the same script that came before."""

    def run_outputs(self, session: str) -> list[OutputRow]:
        """The outputs of a run that are not in the trash."""

    def compare(self, one: str | None, other: str) -> list[Comparison]:
        """What changed from one run to another, stack by stack; all is new when there is none."""

    def disconnect_lost(self) -> list[str]:
        """Note that the sessions of hubs that are gone have no socket, and return those that have not ended."""

    def watch(self, wake: Callable[[], None]) -> None:
        """Call `wake`, on any thread, whenever another hub has changed this store."""

    def is_elsewhere(self, session: str) -> bool:
        """Whether a session is connected to another hub of this store."""

    def renew_secret(self, secret: str) -> str:
        """A new root secret for all hubs of this store, in place of the one that this hub has."""

    def newest_secret(self, secret: str) -> str:
        """The root secret that all hubs of this store should have by now, going by one that they had."""

    def look(self) -> None:
        """Take notice of what other hubs have changed: it is among the changes of this transaction."""

    def changes(self, since: int, limit: int) -> Changes:
        """The first `limit` rows changed after event `since`."""

    def has_blob(self, sha256: str, session: str | None) -> bool:
        """Whether bytes are there for a session of that id (a private one's stay apart)."""

    def is_private(self, session: str | None) -> bool:
        """Whether bytes that a session uploads must not touch the disk."""

    def put_blob(self, sha256: str, content: bytes | Path, size: int, session: str | None) -> None:
        """Keep verified bytes, or take over the file that holds them. Raises `Unavailable`."""

    def blob(self, sha256: str) -> Data:
        """Stored bytes by their hash. Raises `NotFound`."""

    def figures(self) -> Figures:
        """What the store holds."""

    def tidy(self) -> bool:
        """One small step of pruning; returns whether there is more to do."""

    def index(self) -> bool:
        """One small step of what makes searching quick, for idle time; returns whether there may be more to do."""

    def forget(self) -> None:
        """Delete what only served readers that are long gone."""

    def guard_disk(self) -> None:
        """Fit the store's own limits to the disk. Runs outside of transactions."""


Job = Callable[[Store], Any]
"""What runs on the store's thread."""


class Outcome(NamedTuple):
    """What became of a job: its value, or what it raised."""

    value: Any
    error: Exception | None = None


class Left(NamedTuple):
    """A figure that no output shows any more: its keeper's environment id, and its own."""

    keeper: str
    figure: str


class Batch(NamedTuple):
    """What one transaction did. `refusal` says why nothing could be written, if so."""

    outcomes: list[Outcome]
    changes: Changes
    refusal: str | None = None
    left: Sequence[Left] = ()
