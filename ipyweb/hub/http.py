"""The routes that need a token. What each does stands in `openapi`; who may call it, in its `scopes`."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .. import __version__
from ..errors import KeeperUnavailable
from ..protocol import JSON_LINES, PROTOCOL
from . import drawing, network, openapi, records
from .base import ADMIN, ANY, PRODUCERS, WATCHERS, Handler
from .data import BytesHandler, content_type_of
from .keepers import EnvironmentGone
from .messages import dumps, line
from .publish import published
from .search import KIND_NAMES
from .store import Comparison, Data, Filter, NotFound, OutputRow, RunRow, Selection, SessionRow, Store, timestamp

LIMIT, MOST = 200, 1000
PURGED_AT_ONCE = 50
_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True, "all": None}
_MAX_INTEGER = 2**63 - 1


class OutputsHandler(Handler):
    """What the handlers of outputs share."""

    def send_output(self, row: OutputRow, status: int = 200) -> None:
        """Answer with an output's record."""
        self.send_json(records.output(row, self.hub.keys), status)

    def output_id(self, text: str) -> int:
        """An id from the address; one that no database could hold is simply unknown."""
        return min(int(text), _MAX_INTEGER)


class State(Handler):
    """``/api/state``."""

    scopes = ANY

    async def get(self) -> None:
        figures, notices = await self.hub.call(lambda store: (store.figures(), list(store.notices)))
        state = self.hub.state
        self.send_json(
            {
                **self.hub.identity(),
                **figures._asdict(),
                "protocol": PROTOCOL,
                "version": __version__,
                "frontends": len(state.frontends),
                "opened": state.opened,
                "max_bytes": self.hub.store.max_bytes,
                "max_age": self.hub.store.max_age,
                "trash_days": self.hub.store.trash_days,
                "durable": self.hub.store.durable,
                "notices": list(dict.fromkeys([*notices, *state.notices])),
                "frame": self.hub.keys.frame_url(),
            }
        )


class Outputs(OutputsHandler):
    """``/api/outputs``."""

    scopes = ANY

    async def get(self) -> None:
        which = Filter(
            session=self.text_argument("session"),
            project=self.text_argument("project"),
            q=self.text_argument("q"),
            removed=self._removed(),
            kinds=self._kinds(),
            since=self._time("since"),
            until=self._time("until"),
            stack=self.text_argument("stack"),
        )
        after, before = self.integer_argument("after"), self.integer_argument("before")
        limit = min(self.integer_argument("limit", least=1) or LIMIT, MOST)
        page = await self.hub.call(lambda store: store.outputs(which, after, before, limit))
        rows = (records.output(row, self.hub.keys) for row in page.outputs)
        if self.request.headers.get("Accept") == JSON_LINES:
            self.set_header("Content-Type", JSON_LINES)
            self.finish("".join(f"{row}\n" for row in rows))
        else:
            self.send_json(f'{{"event":{page.event},"total":{page.total},"outputs":{records.array(rows)}}}')

    async def post(self) -> None:
        if self.scope not in PRODUCERS:
            self.refuse(403, "")
        hello, display = published(self.json_body())
        applied = await self.hub.call(lambda store: store.publish(hello, display))
        self.send_json({"id": applied.output, "display_id": display.display_id, "version": applied.version}, status=201)

    def _removed(self) -> bool | None:
        text = self.get_query_argument("removed", "").lower()
        if text not in _FLAGS:
            self.refuse(400, f"expected removed to be one of {', '.join(filter(None, _FLAGS))}, got {text[:40]!r}")
        return _FLAGS[text]

    def _kinds(self) -> tuple[str, ...]:
        kinds = tuple(filter(None, self.get_query_argument("kind", "").lower().split(",")))
        for kind in kinds:
            if kind not in KIND_NAMES:
                self.refuse(400, f"expected kind to be of {', '.join(KIND_NAMES)}, got {kind[:40]!r}")
        return kinds

    def _time(self, name: str) -> str | None:
        text = self.text_argument(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
            return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            self.refuse(400, f"expected {name} to be a date or time such as 2026-11-20T11:01:38Z, got {text[:40]!r}")


class Output(OutputsHandler):
    """``/api/outputs/ID``."""

    scopes = ANY

    async def get(self, number: str) -> None:
        self.send_output(await self.hub.call(lambda store: store.output(self.output_id(number))))

    async def patch(self, number: str) -> None:
        values = _edits(self, self.json_body())
        self.send_output(await self.hub.call(lambda store: store.edit(self.output_id(number), values)))

    async def delete(self, number: str) -> None:
        output = self.output_id(number)
        if self.get_query_argument("purge", "") in ("1", "true"):
            event = await self.hub.call(lambda store: store.purge(output))
            self.send_json({"id": output, "purged": True, "event": event})
        else:
            await self.hub.call(lambda store: store.remove([output]))
            self.send_output(await self.hub.call(lambda store: store.output(output)))


class Restore(OutputsHandler):
    """``/api/outputs/ID/restore``."""

    scopes = ANY

    async def post(self, number: str) -> None:
        self.send_output(await self.hub.call(lambda store: store.restore(self.output_id(number))))


class Versions(OutputsHandler):
    """``/api/outputs/ID/versions``."""

    scopes = ANY

    async def get(self, number: str) -> None:
        rows = await self.hub.call(lambda store: store.versions(self.output_id(number)))
        self.send_json(records.array(records.version(row, self.hub.keys) for row in rows))


class Network(OutputsHandler):
    """``/api/outputs/ID/network``."""

    scopes = WATCHERS  # not the process that made the output

    async def post(self, number: str) -> None:
        try:
            hosts = network.hosts_of(self.json_body().get("hosts"))
        except ValueError as error:
            self.refuse(400, str(error))
        row = await self.hub.call(lambda store: store.output(self.output_id(number)))
        self.send_json({"hosts": hosts, "frame": self.hub.keys.network_url(row.id, hosts)})


class OutputData(BytesHandler, OutputsHandler):
    """``/api/outputs/ID/data``."""

    scopes = ANY

    async def get(self, number: str) -> None:
        output, mimetype = self.output_id(number), self.text_argument("mime")
        version = self.integer_argument("version", least=1)
        wanted = drawing.wanted(self, mimetype)
        if wanted is not None:
            figure = await self.hub.call(lambda store: store.figure_of(output, version))
            if figure is not None and await self._draw(output, version, json.loads(figure), wanted):
                return
        data = await self.hub.call(lambda store: store.data(output, mimetype, version))
        if wanted is not None and drawing.is_sized(wanted):
            self.set_header("X-Ipyweb-Rendered", "stored")
        await self.send_bytes(data, content_type_of(data.mimetype))

    head = get

    async def _draw(self, output: int, version: int | None, figure: dict[str, Any], wanted: dict[str, Any]) -> bool:
        """Answer with a drawing by the keeper; false when stored data has to do."""
        mimetype = str(wanted["mime"])
        stored = await self.hub.call(lambda store: drawing.stored(store, output, version))
        if mimetype in stored and not drawing.is_sized(wanted) and mimetype != "image/svg+xml":
            return False
        drawn = asyncio.ensure_future(self.hub.keepers.render(figure, wanted))
        self._abandon = drawn.cancel
        try:
            content = await drawn
        except KeeperUnavailable as error:
            self.set_header("X-Ipyweb-Reason", drawing.header_text(error))
            if isinstance(error, EnvironmentGone):
                self.set_header("X-Ipyweb-Environment", "gone")
            if mimetype in stored:
                return False
            self.refuse(504, f"this figure cannot be drawn as {mimetype} now: {error}")
        except asyncio.CancelledError:
            if not drawn.cancelled():
                raise
            self.refuse(503, "nobody waits for this drawing any more")
        self.set_header("X-Ipyweb-Rendered", "keeper")
        await self.send_bytes(Data(mimetype, "", len(content), content), content_type_of(mimetype))
        return True

    def on_connection_close(self) -> None:
        """Whoever wanted the drawing wants another one by now."""
        super().on_connection_close()
        self._abandon()

    _abandon: Callable[[], object] = staticmethod(lambda: None)


class Clear(Handler):
    """``/api/clear``."""

    scopes = ANY

    async def post(self) -> None:
        which = self._selection(self.json_body())
        if self.get_query_argument("purge", "") not in ("1", "true"):
            self.send_json({"removed": await self.hub.call(lambda store: store.clear(which))})
            return
        purged: list[int] = await self.hub.call(lambda store: store.select(which))
        for start in range(0, len(purged), PURGED_AT_ONCE):  # so that messages never wait for long
            ids = purged[start : start + PURGED_AT_ONCE]
            await self.hub.call(partial(_purge_all, ids=ids))
        self.send_json({"purged": purged})

    def _selection(self, body: dict[str, Any]) -> Selection:
        older_than = body.get("older_than")
        if older_than is not None and (type(older_than) not in (int, float) or not 0 <= older_than < 1e10):
            self.refuse(400, f"expected older_than in seconds, got {str(older_than)[:40]!r}")
        if type(removed := body.get("removed", False)) is not bool:
            self.refuse(400, f"expected removed to be true or false, got {str(removed)[:40]!r}")
        project, session = (_optional_text(self, body, name) for name in ("project", "session"))
        ids = None if body.get("ids") is None else _ids(self, body)
        return Selection(ids, project, session, older_than, removed)


class RestoreAll(Handler):
    """``/api/restore``."""

    scopes = ANY

    async def post(self) -> None:
        ids = _ids(self, self.json_body())
        self.send_json({"restored": await self.hub.call(lambda store: store.restore_all(ids))})


class Sessions(Handler):
    """``/api/sessions``."""

    scopes = ANY

    async def get(self) -> None:
        project = self.text_argument("project")
        found = await self.hub.call(lambda store: store.sessions(project))
        rows = records.array(records.session(row) for row in found.rows if isinstance(row, SessionRow))
        self.send_json(f'{{"event":{found.event},"sessions":{rows}}}')


class Runs(Handler):
    """``/api/runs``."""

    scopes = ANY

    async def get(self) -> None:
        project, script = self.text_argument("project"), self.text_argument("script")
        limit = min(self.integer_argument("limit", least=1) or LIMIT, MOST)
        rows = await self.hub.call(lambda store: store.runs(project, script, limit))
        self.send_json({"runs": [records.run(row) for row in rows]})


class Run(Handler):
    """``/api/runs/ID``."""

    scopes = ANY

    async def get(self, session: str) -> None:
        other = self.text_argument("with")

        def read(store: Store) -> tuple[RunRow, RunRow | None, list[Comparison], list[OutputRow]]:
            run = store.run_of(session)
            before = store.run_of(other) if other else store.run_before(run)
            return run, before, store.compare(before and before.id, session), store.run_outputs(session)

        run, before, compared, outputs = await self.hub.call(read)
        told = {
            "run": records.run(run),
            "before": before and records.run(before),
            "stacks": [each._asdict() for each in compared],
        }
        rows = records.array(records.output(row, self.hub.keys) for row in outputs)
        self.send_json(f'{dumps(told)[:-1]},"outputs":{rows}}}')


class SettingsHandler(Handler):
    """``/api/settings``."""

    scopes = ANY

    async def get(self) -> None:
        self.send_json(await self.hub.in_background(self.hub.settings.read))


class CodesHandler(Handler):
    """``/api/codes``."""

    scopes = ADMIN

    async def post(self) -> None:
        self.send_json({"code": self.hub.codes.issue()})


class Opened(Handler):
    """``/api/opened``."""

    scopes = PRODUCERS

    async def post(self) -> None:
        self.json_body()
        state = self.hub.state
        first, state.opened = not state.opened, True
        self.send_json({"opened": True, "first": first})


class Stop(Handler):
    """``/api/stop``."""

    scopes = ADMIN

    async def post(self) -> None:
        handover = self.json_body().get("handover") is True
        self.send_json({"stopping": True})
        self.hub.stop(handover)


class Description(Handler):
    """``/api/openapi.json``."""

    public = True

    async def get(self) -> None:
        self.send_json(openapi.description())


def _edits(handler: Handler, body: dict[str, Any]) -> dict[str, Any]:
    """The changes that a PATCH asks for."""
    unknown = set(body) - {"title", "note", "pinned"}
    if unknown or not body:
        handler.refuse(400, f"expected title, note or pinned, got {', '.join(sorted(unknown))[:80] or 'nothing'}")
    values: dict[str, Any] = {
        name: line(_optional_text(handler, body, name)) for name in ("title", "note") if name in body
    }
    if "pinned" in body:
        if type(body["pinned"]) is not bool:
            handler.refuse(400, f"expected pinned to be true or false, got {str(body['pinned'])[:40]!r}")
        values["pinned"] = int(body["pinned"])
    return values


def _purge_all(store: Store, ids: list[int]) -> None:
    for output in ids:
        with contextlib.suppress(NotFound):  # somebody else purged it meanwhile
            store.purge(output)


def _ids(handler: Handler, body: dict[str, Any]) -> tuple[int, ...]:
    ids = body.get("ids")
    if not isinstance(ids, list) or not all(type(each) is int and 0 < each <= _MAX_INTEGER for each in ids):
        handler.refuse(400, f"expected ids, a list of ids of outputs, got {str(ids)[:60]!r}")
    return tuple(ids)


def _optional_text(handler: Handler, body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        handler.refuse(400, f"expected {name} to be text, got {type(value).__name__}")
    return value
