"""The store in a SQL database, whichever it is. `Store` says what each method does."""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from ..protocol import WIDGET_VIEW, by_richness, is_companion
from . import grams, imports, queries, retention, runs, search
from .blobs import Blobs
from .database import Database
from .identity import new_token
from .imports import Archive
from .messages import MAX_PROBLEMS, Blob, Bye, Clear, Command, Display, Drawn, Hello, SessionChange, dumps
from .retention import Limits
from .sessions import Sessions
from .store import (
    Applied,
    Changes,
    Comparison,
    Data,
    Figures,
    Filter,
    NotFound,
    OutputRow,
    Page,
    RunRow,
    Selection,
    SessionRow,
    TooLarge,
    Unavailable,
    VersionRow,
    timestamp,
)
from .transactions import KnownSession

_EDITABLE = ("title", "note", "pinned")
AT_OPENING, AT_ONCE = 2000, 100
"""Outputs from before there was search that are indexed while nobody can ask yet, and in one step afterwards."""


class SqlStore(Sessions):
    """See `Store`. `SqliteStore` and `SharedStore` add what their databases need.

    Attributes:
        shared: whether other hubs may write too.
        expired: when nothing more was found to be too old.

    Args:
        connection: to the database.
        directory: where blob files go; ``None`` keeps everything in memory.
        limits: what is kept.
        notices: what users of the pane should know about this store.
        read_only: why nothing may be written, if so.
        event, next_id: lower bounds, so that numbers are never used twice after a damaged database was set aside.
        clock: the time, replaceable for tests.
    """

    shared = False

    def __init__(
        self,
        connection: Database,
        directory: Path | None,
        limits: Limits | None = None,
        *,
        notices: Sequence[str] = (),
        read_only: str | None = None,
        event: int = 0,
        next_id: int = 1,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        blobs = Blobs(connection, None if directory is None else directory / "blobs")
        refusal = Unavailable(read_only) if read_only else None
        super().__init__(connection, blobs, refusal, event, next_id, clock)
        self.directory = directory
        self.limits = limits or Limits()
        self.max_bytes = self.limits.max_bytes
        self.max_age = self.limits.max_age
        self.trash_days = self.limits.trash_days
        self.durable = directory is not None
        self.notices = list(notices)
        self.expired: datetime | None = None
        self.unindexed = read_only is None
        if self.unindexed:
            self.run([lambda _: self.catch_up(AT_OPENING)])

    def close(self) -> None:
        """Close the database; what was committed is safe."""
        self.db.close()

    # -- messages -----------------------------------------------------------------------------------------------------

    def apply(self, session: str, command: Command) -> Applied:
        known = self.get_session(session)
        if command.seq <= known.acked:
            return self._again(known, command.seq)
        if known.expected is not None and command.seq > known.expected:
            raise Unavailable(f"message {known.expected} of this session comes first")
        known.expected = command.seq
        self.require_writing()
        result = self._do(known, command)
        if not known.stored:
            self.save_session(known)
        self.seq_applied(known, command.seq)
        known.expected = command.seq + 1
        return result._replace(acked=command.seq)

    def _again(self, session: KnownSession, seq: int) -> Applied:
        """The answer to a message that was taken before."""
        statement = "SELECT output, version FROM versions WHERE session = ? AND seq = ?"
        found = self.db.execute(statement, (session.row.id, seq)).fetchone()
        return Applied(session.acked, *(found or ()))

    def _do(self, session: KnownSession, command: Command) -> Applied:
        match command:
            case Display():
                return self.display(session, command, command.seq)
            case Clear(display_ids=None):
                self.clear(Selection(session=session.row.id))
            case Clear(display_ids=list(display_ids)):
                self._clear(session, display_ids)
            case Drawn():
                with contextlib.suppress(NotFound):  # the version that showed it is gone already
                    return self.fill(command)
            case SessionChange(values=values):
                self._change_session(session, values)
            case Bye(git=git):
                self._tell_changes(session, git)
                self.set_session(session.row.id, ended=self.now(), connected=0, lost=0)
        return Applied(command.seq)

    def _tell_changes(self, session: KnownSession, git: Mapping[str, Any] | None) -> None:
        """Git told whether there are changes only after these outputs were displayed."""
        if git is None or git["dirty"] is None:
            return
        session.awaits_git = False
        schema = self.schema_of(session.row.private)
        statement = (
            f"SELECT id, source FROM {schema}.outputs WHERE session = ? "
            "AND json_extract(source, '$.git.commit') = ? AND json_type(source, '$.git.dirty') = 'null'"
        )
        for output_id, source in self.db.execute(statement, (session.row.id, git["commit"])).fetchall():
            self.db.execute(
                f"UPDATE {schema}.outputs SET source = ?, event = ? WHERE id = ?",
                (dumps({**json.loads(source), "git": git}), self.output_changed(output_id), output_id),
            )

    def _change_session(self, session: KnownSession, values: Mapping[str, Any]) -> None:
        changed = {name: value for name, value in values.items() if name == "name" or value is not None}
        session.row = session.row._replace(**{**changed, "private": int(changed.get("private", session.row.private))})
        self.save_session(session)

    def publish(self, hello: Hello, display: Display) -> Applied:
        self.require_writing()
        session = self.find_session(hello.id)
        if session is None:
            session = self.introduce(hello)
            session.row = session.row._replace(ended=self.now())
            self.save_session(session)
        applied = self.display(session, display, None)
        if not session.row.connected:
            self.known.pop(hello.id)
        return applied

    def display(self, session: KnownSession, display: Display, seq: int | None) -> Applied:
        """Make an output, or the next version of one. Raises `MissingBlob`, `TooLarge`, `NotKept`."""
        for content in display.data.values():
            self.blobs.check(content)
        inline = sum(len(each) for each in display.data.values() if not isinstance(each, Blob))
        if inline > self.limits.max_bytes:
            raise TooLarge(f"{inline} bytes are more than the store keeps in all ({self.limits.max_bytes})")
        schema = self.schema_of(session.row.private)
        stored = {mimetype: self.blobs.reference(schema, content) for mimetype, content in display.data.items()}
        data = dumps({mimetype: {"sha256": sha256, "size": size} for mimetype, (sha256, size) in stored.items()})
        size = sum(size for mimetype, (_, size) in stored.items() if not is_companion(mimetype))
        found = self.db.execute(
            f"SELECT id, version, source, title, data FROM {schema}.outputs WHERE session = ? AND display_id = ?",
            (session.row.id, display.display_id),
        ).fetchone() or self._take_over(session, display)
        write = self._insert if found is None else self._update
        output_id, version = write(session, display, data, size, found)
        self.db.execute(
            f"INSERT INTO {schema}.versions(output, version, session, seq, created, size, data, figure) "
            "VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            (output_id, version, session.row.id, seq, display.time, size, data, display.figure),
        )
        search.index(self, schema, output_id)
        runs.settle(self, schema, output_id)
        if session.awaits_git:
            self._tell_changes(session, display.source.get("git"))
        if found is not None:
            retention.drop_versions(self, schema, output_id)
        return Applied(0, output_id, version)

    def _take_over(self, session: KnownSession, display: Display) -> Any:
        """The output that another worker made for the same task before it was tried again; it is this session's now."""
        if "task" not in display.source:
            return None
        schema = self.schema_of(session.row.private)
        found = self.db.execute(
            f"SELECT id, version, source, title, data FROM {schema}.outputs "
            "WHERE display_id = ? AND json_type(source, '$.task') = 'object'",
            (display.display_id,),
        ).fetchone()
        if found is not None:
            self.db.execute(f"UPDATE {schema}.outputs SET session = ? WHERE id = ?", (session.row.id, found[0]))
        return found

    def _insert(self, session: KnownSession, display: Display, data: str, size: int, found: None) -> tuple[int, int]:
        output_id, self.next_id = self.next_id, self.next_id + 1
        git = display.source.get("git")
        session.awaits_git |= git is not None and git["dirty"] is None
        values = {
            "id": output_id,
            "session": session.row.id,
            "display_id": display.display_id,
            "project": session.row.project,
            "title": display.title,
            "created": display.time,
            "updated": display.time,
            "version": 1,
            "size": size,
            "private": session.row.private,
            "event": self.output_changed(output_id),
            "source": _source(session.row, display),
            "metadata": display.metadata,
            "problems": dumps(display.problems),
            "data": data,
            "figure": display.figure,
            "seconds": display.seconds,
            **runs.enter(self, session, display.source, output_id),
        }
        schema = self.schema_of(session.row.private)
        self.db.execute(
            f"INSERT INTO {schema}.outputs({', '.join(values)}) VALUES({', '.join('?' * len(values))})",
            tuple(values.values()),
        )
        return output_id, 1

    def _update(
        self,
        session: KnownSession,
        display: Display,
        data: str,
        size: int,
        found: tuple[int, int, str, str | None, str],
    ) -> tuple[int, int]:
        output_id, version, source, title, before = found
        if display.figure is not None:
            data = _with_picture(data, before)
        schema = self.schema_of(session.row.private)
        self.db.execute(
            f"UPDATE {schema}.outputs SET title = ?, updated = ?, version = ?, versions = versions + 1, "
            "size = ?, removed = NULL, event = ?, source = ?, metadata = ?, problems = ?, data = ?, figure = ?, "
            "seconds = ? WHERE id = ?",
            (
                title if display.title is None else display.title,
                display.time,
                version + 1,
                size,
                self.output_changed(output_id),
                source if display.update else _source(session.row, display),
                display.metadata,
                dumps(display.problems),
                data,
                display.figure,
                display.seconds,
                output_id,
            ),
        )
        return output_id, version + 1

    # -- figures ------------------------------------------------------------------------------------------------------

    def fill(self, drawn: Drawn) -> Applied:
        self.require_writing()
        schema, output_id, version, text, figure = self._version_of(drawn.figure)
        for content in drawn.data.values():
            self.blobs.check(content)
        data: dict[str, Any] = json.loads(text)
        replaced = []
        for mimetype, content in drawn.data.items():
            if mimetype in data and mimetype != "text/plain":  # it was drawn before, in the process itself, say
                continue
            if mimetype in data:
                replaced.append(data[mimetype]["sha256"])
            sha256, size = self.blobs.reference(schema, content)
            data[mimetype] = {"sha256": sha256, "size": size}
        self.blobs.release(schema, replaced)
        said = {**json.loads(figure), **drawn.said}
        if "image/png" in data:
            said.pop("failed", None)  # whoever failed, another succeeded
        values = {
            "data": dumps({mimetype: data[mimetype] for mimetype in _figure_order(data)}),
            "size": sum(each["size"] for each in data.values()),
            "figure": dumps(said),
        }
        assignments = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(
            f"UPDATE {schema}.versions SET {assignments} WHERE output = ? AND version = ?",
            (*values.values(), output_id, version),
        )
        self._fill_output(schema, output_id, version, values, drawn)
        return Applied(drawn.seq, output_id, version)

    def shows(self, figure: str) -> bool:
        """Whether any version of an output shows a figure."""
        try:
            return bool(self._version_of(figure))
        except NotFound:
            return False

    def _version_of(self, figure: str) -> tuple[str, int, int, str, str]:
        """Schema, output, version, data and figure of the version that shows a figure."""
        for schema in self.db.schemas:
            found = self.db.execute(
                f"SELECT output, version, data, figure FROM {schema}.versions "
                "WHERE figure IS NOT NULL AND json_extract(figure, '$.id') = ?",
                (figure,),
            ).fetchone()
            if found is not None:
                return (schema, *found)
        raise NotFound(f"no output shows the figure {figure}")

    def _fill_output(self, schema: str, output_id: int, version: int, values: dict[str, Any], drawn: Drawn) -> None:
        """Carry a filled version over to its output, if it is the newest."""
        row = self.output(output_id)
        if row.version != version and row.figure is None:
            return
        if row.version != version:
            newer = self.db.execute(
                f"SELECT data FROM {schema}.versions WHERE output = ? AND version = ?", (output_id, row.version)
            ).fetchone()
            if newer is None or "image/png" in json.loads(newer[0]):
                return
            values = {"data": _with_picture(row.data, values["data"])}  # for the time being
        problems = [*dict.fromkeys([*json.loads(row.problems), *drawn.problems])][:MAX_PROBLEMS]
        if "seconds" in drawn.said:
            values = {**values, "seconds": drawn.said["seconds"]}
        assignments = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(
            f"UPDATE {schema}.outputs SET {assignments}, problems = ?, event = ? WHERE id = ?",
            (*values.values(), dumps(problems), self.output_changed(output_id), output_id),
        )
        search.index(self, schema, output_id)
        runs.settle(self, schema, output_id)

    def keep_view(self, output_id: int, figure: str) -> Applied:
        self.require_writing()
        row = self.output(output_id)
        session = self.get_session(row.session)
        display = Display(
            seq=0,
            time=self.now(),
            display_id=row.display_id,
            title=None,
            data={"text/plain": b"<view of a figure>"},
            metadata=row.metadata,
            source={},
            problems=json.loads(row.problems),
            update=True,
            figure=figure,
        )
        applied = self.display(session, display, None)
        if not session.row.connected:
            self.known.pop(session.row.id, None)
        return applied

    def keep_widgets(self, session: str, keep: Callable[[str], Mapping[str, bytes]]) -> None:
        self.require_writing()
        for schema in self.db.schemas:
            found = self.db.execute(
                f"SELECT v.output, v.version, v.data, o.version FROM {schema}.versions v "
                f"JOIN {schema}.outputs o ON o.id = v.output "
                f"WHERE o.session = ? AND json_type(v.data, '$.\"{WIDGET_VIEW}\"') IS NOT NULL",
                (session,),
            ).fetchall()
            for output_id, version, text, newest in found:
                view = json.loads(self._bytes_of(output_id, WIDGET_VIEW, version))
                data = {**json.loads(text), **self._referenced(schema, keep(str(view.get("model_id"))))}
                values = dumps(data), sum(each["size"] for each in data.values())
                self.db.execute(
                    f"UPDATE {schema}.versions SET data = ?, size = ? WHERE output = ? AND version = ?",
                    (*values, output_id, version),
                )
                if version == newest:
                    self.db.execute(
                        f"UPDATE {schema}.outputs SET data = ?, size = ?, event = ? WHERE id = ?",
                        (*values, self.output_changed(output_id), output_id),
                    )

    def _bytes_of(self, output_id: int, mimetype: str, version: int) -> bytes:
        content = self.data(output_id, mimetype, version).content
        if isinstance(content, bytes):
            return content
        with content:
            return content.read()

    def _referenced(self, schema: str, parts: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        """Store data, and say where they are."""
        found = {mimetype: self.blobs.reference(schema, part) for mimetype, part in parts.items()}
        return {mimetype: {"sha256": sha256, "size": size} for mimetype, (sha256, size) in found.items()}

    def output_changed_in(self, schema: str, output_id: int) -> None:
        """Note a change of an output, and write its event."""
        event = self.output_changed(output_id)
        self.db.execute(f"UPDATE {schema}.outputs SET event = ? WHERE id = ?", (event, output_id))

    def figure_of(self, output_id: int, version: int | None) -> str | None:
        return queries.shown(self.db, output_id, version).figure

    def undrawn(self, keeper: str) -> list[tuple[str, bool]]:
        return queries.undrawn(self.db, keeper)

    def keepers_awaited(self) -> list[str]:
        return queries.keepers_awaited(self.db)

    # -- reading ------------------------------------------------------------------------------------------------------

    def outputs(self, which: Filter, after: int | None, before: int | None, limit: int) -> Page:
        return queries.outputs(self.db, self.event, which, after, before, limit)

    def output(self, output_id: int) -> OutputRow:
        return queries.output(self.db, output_id)

    def versions(self, output_id: int) -> list[VersionRow]:
        return queries.versions(self.db, output_id)

    def data(self, output_id: int, mimetype: str | None, version: int | None) -> Data:
        return queries.data(self.db, self.blobs, output_id, mimetype, version)

    def sessions(self, project: str | None) -> Changes:
        return queries.sessions(self.db, self.event, project)

    def runs(self, project: str | None, script: str | None, limit: int) -> list[RunRow]:
        return runs.runs(self.db, project, script, limit)

    def run_of(self, session: str) -> RunRow:
        return runs.run(self.db, session)

    def run_before(self, row: RunRow) -> RunRow | None:
        return runs.before(self.db, row)

    def run_outputs(self, session: str) -> list[OutputRow]:
        return runs.outputs(self.db, session)

    def compare(self, one: str | None, other: str) -> list[Comparison]:
        return runs.compare(self.db, one, other)

    def changes(self, since: int, limit: int) -> Changes:
        return queries.changes(self.db, self.event, since, limit)

    def figures(self) -> Figures:
        return queries.figures(self.db, self.event, sum(map(self.used_by, self.db.schemas)))

    # -- changing outputs ---------------------------------------------------------------------------------------------

    def edit(self, output_id: int, values: Mapping[str, Any]) -> OutputRow:
        row = self.output(output_id)
        self.require_writing()
        chosen = {name: values[name] for name in _EDITABLE if name in values}
        assignments = "".join(f"{name} = ?, " for name in chosen)
        self.db.execute(
            f"UPDATE {self.schema_of(row.private)}.outputs SET {assignments}event = ? WHERE id = ?",
            (*chosen.values(), self.output_changed(output_id), output_id),
        )
        search.index(self, self.schema_of(row.private), output_id)
        return self.output(output_id)

    def remove(self, ids: Sequence[int]) -> list[int]:
        self.require_writing()
        return [output_id for output_id in ids if self._set_removed(self.output(output_id), self.now())]

    def restore(self, output_id: int) -> OutputRow:
        row = self.output(output_id)
        self.require_writing()
        self._set_removed(row, None)
        return self.output(output_id)

    def purge(self, output_id: int) -> int:
        row = self.output(output_id)
        self.require_writing()
        return retention.purge(self, self.schema_of(row.private), output_id)

    def bytes_of(self, ids: Sequence[int]) -> int:
        statement = f"SELECT coalesce(sum(size), 0) FROM outputs WHERE id IN {self.db.ids}"
        (size,) = self.db.execute(statement, (json.dumps(ids),)).fetchone()
        return int(size)

    def session(self, session: str) -> SessionRow:
        found = queries.rows_of(self.db, [], [session])
        if not found:
            raise NotFound(f"there is no session {session}")
        return cast("SessionRow", found[0])

    def take_in(self, archive: Archive) -> dict[str, Any]:
        return imports.take_in(self, archive)

    def restore_all(self, ids: Sequence[int]) -> list[int]:
        self.require_writing()
        return [row.id for row in search.rows_with(self.db, ids) if self._set_removed(row, None)]

    def select(self, which: Selection) -> list[int]:
        before = None if which.older_than is None else timestamp(self.clock() - timedelta(seconds=which.older_than))
        conditions = {
            f"id IN {self.db.ids}": None if which.ids is None else json.dumps(which.ids),
            "project = ?": which.project,
            "session = ?": which.session,
            "updated < ?": before,
        }
        used = {text: value for text, value in conditions.items() if value is not None}
        state = "removed IS NOT NULL" if which.removed else "removed IS NULL"
        pinned = "1 = 1" if which.ids is not None or which.removed or which.pinned else "pinned = 0"
        return search.matching(self.db, " AND ".join((state, pinned, *used)), list(used.values()))

    def clear(self, which: Selection) -> list[int]:
        self.require_writing()
        return self._remove_rows(search.rows_with(self.db, self.select(which)))

    def _clear(self, session: KnownSession, display_ids: Sequence[str]) -> None:
        statement = f"SELECT {queries.OUTPUT} FROM outputs WHERE session = ? AND display_id = ?"
        for display_id in display_ids:
            self._remove_rows(map(OutputRow._make, self.db.execute(statement, (session.row.id, display_id)).fetchall()))

    def _remove_rows(self, rows: Iterable[OutputRow]) -> list[int]:
        now = self.now()
        return [row.id for row in rows if self._set_removed(row, now)]

    def _set_removed(self, row: OutputRow, removed: str | None) -> bool:
        """Put into the trash or take out of it; whether that changed anything."""
        if (row.removed is None) == (removed is None):
            return False
        self.db.execute(
            f"UPDATE {self.schema_of(row.private)}.outputs SET removed = ?, event = ? WHERE id = ?",
            (removed, self.output_changed(row.id), row.id),
        )
        return True

    # -- blobs --------------------------------------------------------------------------------------------------------

    def has_blob(self, sha256: str, session: str | None) -> bool:
        if not self.may_write():
            return bool(self.db.execute("SELECT 1 FROM data WHERE sha256 = ?", (bytes.fromhex(sha256),)).fetchone())
        return self.blobs.touch(sha256, self.db.schemas[-1:] if self.is_private(session) else self.db.schemas)

    def is_private(self, session: str | None) -> bool:
        found = self.find_session(session) if session else None
        return not self.durable or (found is not None and bool(found.row.private))

    def put_blob(self, sha256: str, content: bytes | Path, size: int, session: str | None) -> None:
        self.require_writing()
        if isinstance(content, Path):
            self.blobs.adopt(sha256, content, size)
        else:
            found = self.find_session(session) if session else None
            schema = self.schema_of(found is not None and found.row.private)
            self.blobs.store(schema, bytes.fromhex(sha256), content)

    def blob(self, sha256: str) -> Data:
        return Data("application/octet-stream", sha256, *self.blobs.open(sha256))

    # -- room ---------------------------------------------------------------------------------------------------------

    def make_room(self) -> None:
        retention.make_room(self)

    def tidy(self) -> bool:
        more = self.unindexed and self.catch_up(AT_ONCE)
        return retention.tidy(self) or more

    def catch_up(self, most: int) -> bool:
        """Index some more outputs from before there was search; whether any are left."""
        if self.may_write():
            self.unindexed = search.catch_up(self, most)
        return self.unindexed and self.refusal is None

    def index(self) -> bool:
        return self.may_write() and grams.step(self.db)

    def forget(self) -> None:
        retention.forget(self)

    def used_by(self, schema: str) -> int:
        """Bytes that the outputs of one schema take."""
        raise NotImplementedError

    def give_back(self) -> None:
        """Let others have room that is not used any more. Runs inside a transaction."""

    def guard_disk(self) -> None:
        """Nothing to do where the database looks after its disk itself."""

    def watch(self, wake: Callable[[], None]) -> None:
        """Nobody else changes a store that is not shared."""

    def is_elsewhere(self, session: str) -> bool:
        """There is no other hub."""
        return False

    def renew_secret(self, secret: str) -> str:
        """Only this hub has it."""
        return new_token()

    def newest_secret(self, secret: str) -> str:
        """Nobody else gives it a new one."""
        return secret

    def look(self) -> None:
        """What this hub has changed it has told already."""


def _source(session: SessionRow, display: Display) -> str:
    place = {"place": json.loads(session.place)} if session.place else {}
    return dumps({**display.source, **place, "argv": json.loads(session.argv), "cwd": session.cwd})


def _with_picture(data: str, before: str) -> str:
    """The data of a figure that is not drawn yet, shown with an earlier picture until it is."""
    picture = json.loads(before).get("image/png")
    return data if picture is None else dumps({"image/png": picture, **_without_picture(data)})


def _without_picture(data: str) -> dict[str, Any]:
    return {mimetype: reference for mimetype, reference in json.loads(data).items() if mimetype != "image/png"}


def _figure_order(mimetypes: Iterable[str]) -> list[str]:
    """MIME types of a figure: as what it plays, if it does, its picture, and the rest.

    The SVG is there for when nobody can draw the figure any more.
    """
    first = ["text/html", "image/png"]
    return sorted(by_richness(mimetypes), key=lambda mimetype: first.index(mimetype) if mimetype in first else 2)
