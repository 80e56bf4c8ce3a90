"""The routes that need a token. What each does stands in `openapi`; who may call it, in its `scopes`."""

import contextlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from .. import __version__, proxies
from ..connection import Scope, fingerprint
from ..errors import ConnectionFileError
from ..protocol import JSON_LINES, PROTOCOL
from . import network, openapi, records, sharing
from .base import ADMIN, ANY, PRODUCERS, WATCHERS, Handler
from .figures import FigureHandler
from .messages import dumps, line
from .publish import published
from .search import KIND_NAMES
from .sharing import Grant, Only, told
from .store import Comparison, Filter, NotFound, OutputRow, Page, RunRow, Selection, SessionRow, Store, timestamp
from .waiting import MAX_WAITING, MOST_SECONDS, Concerns

T = TypeVar("T")
LIMIT, MOST = 200, 1000
PURGED_AT_ONCE = 50
MOST_HOSTS = 64
_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True, "all": None}
_MAX_INTEGER = 2**63 - 1


class OutputsHandler(Handler):
    """What the handlers of outputs share."""

    narrow = True

    def send_output(self, row: OutputRow, status: int = 200) -> None:
        """Answer with an output's record."""
        self.send_json(records.output(row if self.only is None else told(row), self.hub.keys), status)

    async def output_id(self, text: str) -> int:
        """An id from the address; one that no database could hold is simply unknown.

        Raises:
            NotFound: it is not there for whoever asks.
        """
        output = min(int(text), _MAX_INTEGER)
        await self.check_ids((output,))
        return output

    async def check_ids(self, ids: tuple[int, ...] | None) -> None:
        """See that outputs are there for whoever asks; all of them, that is ``None``, never are for a narrow link.

        Raises:
            NotFound: they are not.
        """
        assert self.grant is not None
        if self.grant.is_partial:
            check = self.grant.check
            await self.hub.call(lambda store: [check(store, each) for each in ids or (0,)])

    async def read(self, job: Callable[[Store], T], enough: Callable[[T], bool], concerns: Concerns) -> T:
        """Read from the store; where ``wait`` asks for it, again after each change, until it is enough."""
        seconds = self._seconds()
        if not seconds:
            return await self.hub.call(job)
        waiting = self.hub.state.waiting
        if len(waiting) >= MAX_WAITING:
            self.refuse(429, f"{MAX_WAITING} requests wait already; ask again without wait, or later")
        found = await self.while_wanted(waiting.until(lambda: self.hub.call(job), enough, concerns, seconds))
        self.check_token()  # it may have ended meanwhile
        return found

    def _seconds(self) -> float:
        text = self.get_query_argument("wait", "") or "0"
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
            self.refuse(400, f"expected wait to be a number of seconds, got {text[:40]!r}")
        return min(float(text), MOST_SECONDS)


class State(Handler):
    """``/api/state``."""

    scopes = ANY
    looked_at = narrow = True

    async def get(self) -> None:
        assert self.grant is not None
        if self.only is not None:
            self.send_json(self._narrow())
            return
        figures, notices = await self.hub.call(lambda store: (store.figures(), list(store.notices)))
        state = self.hub.state
        self.send_json(
            {
                **sharing.fields(self.grant),
                **self.hub.identity(),
                **figures._asdict(),
                "fingerprint": fingerprint(self.hub.certificate),
                "protocol": PROTOCOL,
                "version": __version__,
                "frontends": len(state.frontends),
                "waiting": len(state.waiting),
                "opened": state.opened,
                "max_bytes": self.hub.store.max_bytes,
                "max_age": self.hub.store.max_age,
                "trash_days": self.hub.store.trash_days,
                "durable": self.hub.store.durable,
                "notices": list(dict.fromkeys([*notices, *state.notices])),
                "frame": self.hub.keys.frame_url(),
            }
        )

    def _narrow(self) -> dict[str, Any]:
        """What is not about other outputs."""
        assert self.grant is not None
        return {
            **sharing.fields(self.grant),
            "hub": self.hub.keys.hub,
            "protocol": PROTOCOL,
            "version": __version__,
            "event": self.hub.state.event,
            "frame": self.hub.keys.frame_url(),
            "notices": [],
        }


class Outputs(OutputsHandler):
    """``/api/outputs``."""

    scopes = ANY
    looked_at = True

    async def get(self) -> None:
        if self.only is not None:
            await self._list_only(self.only)
            return
        which = Filter(
            session=self.text_argument("session"),
            project=self.text_argument("project"),
            q=self.text_argument("q"),
            removed=False if self.scope == "viewer" else self._removed(),
            kinds=self._kinds(),
            since=self._time("since"),
            until=self._time("until"),
            stack=self.text_argument("stack"),
        )
        after, before = self.integer_argument("after"), self.integer_argument("before")
        limit = min(self.integer_argument("limit", least=1) or LIMIT, MOST)
        if after is None and self._seconds():
            self.refuse(400, "expected after, the id of the newest output that is known, together with wait")
        page = await self.read(
            lambda store: store.outputs(which, after, before, limit),
            lambda page: bool(page.outputs),
            lambda row: isinstance(row, OutputRow) and row.id > (after or 0) and _is_within(row, which),
        )
        self._send(page)

    async def _list_only(self, only: Only) -> None:
        """What a link to one output lists and finds: this, whatever is looked for."""
        page = await self.hub.call(lambda store: Page(store.event, 1, [only.find(store)]))
        self._send(page)

    def _send(self, page: Page) -> None:
        rows = (records.output(row, self.hub.keys) for row in page.outputs)
        if self.request.headers.get("Accept") == JSON_LINES:
            self.set_header("Content-Type", JSON_LINES)
            self.finish("".join(f"{row}\n" for row in rows))
        else:
            self.send_json(
                f'{{"event":{page.event},"total":{page.total},"exact":{str(page.exact).lower()},'
                f'"outputs":{records.array(rows)}}}'
            )

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
    looked_at = True

    async def get(self, number: str) -> None:
        output, known = await self.output_id(number), self.integer_argument("event") or 0
        row = await self.read(
            lambda store: store.output(output),
            lambda row: row.event > known,
            lambda row: not isinstance(row, SessionRow) and row.id == output,
        )
        self.send_output(row)

    async def patch(self, number: str) -> None:
        output, values = await self.output_id(number), _edits(self, self.json_body())
        self.send_output(await self.hub.call(lambda store: store.edit(output, values)))

    async def delete(self, number: str) -> None:
        output = await self.output_id(number)
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
        output = await self.output_id(number)
        self.send_output(await self.hub.call(lambda store: store.restore(output)))


class Versions(OutputsHandler):
    """``/api/outputs/ID/versions``."""

    scopes = ANY
    looked_at = True

    async def get(self, number: str) -> None:
        output = await self.output_id(number)
        rows = await self.hub.call(lambda store: store.versions(output))
        self.send_json(records.array(records.version(row, self.hub.keys) for row in rows))


class Network(OutputsHandler):
    """``/api/outputs/ID/network``."""

    scopes = WATCHERS  # not the process that made the output

    async def post(self, number: str) -> None:
        try:
            hosts = network.hosts_of(self.json_body().get("hosts"))
        except ValueError as error:
            self.refuse(400, str(error))
        output = await self.output_id(number)
        row = await self.hub.call(lambda store: store.output(output))
        self.send_json({"hosts": hosts, "frame": self.hub.keys.network_url(row.id, hosts)})


class OutputData(FigureHandler, OutputsHandler):
    """``/api/outputs/ID/data``."""

    scopes = ANY
    looked_at = True

    async def get(self, number: str) -> None:
        output = await self.output_id(number)
        await self.send_data(output, self.integer_argument("version", least=1), self.text_argument("mime"))

    head = get


class Clear(OutputsHandler):
    """``/api/clear``."""

    scopes = ANY

    async def post(self) -> None:
        which = self._selection(self.json_body())
        await self.check_ids(which.ids)
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


class RestoreAll(OutputsHandler):
    """``/api/restore``."""

    scopes = ANY

    async def post(self) -> None:
        ids = _ids(self, self.json_body())
        await self.check_ids(ids)
        self.send_json({"restored": await self.hub.call(lambda store: store.restore_all(ids))})


class Sessions(Handler):
    """``/api/sessions``."""

    scopes = ANY
    looked_at = True

    async def get(self) -> None:
        project = self.text_argument("project")
        found = await self.hub.call(lambda store: store.sessions(project))
        rows = records.array(records.session(row) for row in found.rows if isinstance(row, SessionRow))
        self.send_json(f'{{"event":{found.event},"sessions":{rows}}}')


class Runs(Handler):
    """``/api/runs``."""

    scopes = ANY
    looked_at = True

    async def get(self) -> None:
        project, script = self.text_argument("project"), self.text_argument("script")
        limit = min(self.integer_argument("limit", least=1) or LIMIT, MOST)
        rows = await self.hub.call(lambda store: store.runs(project, script, limit))
        self.send_json({"runs": [records.run(row) for row in rows]})


class Run(Handler):
    """``/api/runs/ID``."""

    scopes = ANY
    looked_at = True

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
    looked_at = True

    async def get(self) -> None:
        self.send_json(await self.hub.in_background(self.hub.settings.read))


class CodesHandler(Handler):
    """``/api/codes``. Whoever has a pane's token may hand it on; not who has a link that ends, since it never would."""

    scopes = WATCHERS

    async def post(self) -> None:
        if self.grant is None or self.grant.expires:
            self.refuse(403, "")
        self.send_json({"code": self.hub.codes.issue()})


class Opened(Handler):
    """``/api/opened``."""

    scopes = PRODUCERS

    async def post(self) -> None:
        self.json_body()
        state = self.hub.state
        first, state.opened = not state.opened, True
        self.send_json({"opened": True, "first": first})


class Shares(Handler):
    """``/api/shares``."""

    scopes = ADMIN

    async def post(self) -> None:
        body = self.json_body()
        grant = Grant(self._scope(body), self._only(body), time.time() + self._seconds(body))
        row = None if grant.only is None else await self.hub.call(grant.only.find)
        self.send_json(
            {
                "token": self.hub.keys.share(grant),
                "url": self.hub.proxy.rstrip("/") or self.hub.address,
                "expires": round(grant.expires),
                "output": row and row.id,
                "picture": row and self.hub.keys.picture_url(grant),
            },
            201,
        )

    def _scope(self, body: dict[str, Any]) -> Scope:
        scope = body.get("scope", "viewer")
        if scope not in ("pane", "viewer"):
            self.refuse(400, f"expected scope to be pane or viewer, got {str(scope)[:40]!r}")
        return "pane" if scope == "pane" else "viewer"

    def _seconds(self, body: dict[str, Any]) -> float:
        seconds: Any = body.get("seconds")
        if type(seconds) not in (int, float) or not 1 <= seconds <= sharing.LONGEST:
            self.refuse(400, f"expected seconds from 1 to {sharing.LONGEST}, got {str(seconds)[:40]!r}")
        return float(seconds)

    def _only(self, body: dict[str, Any]) -> Only | None:
        display_id, project = (_optional_text(self, body, name) for name in ("display_id", "project"))
        if body.get("output") is not None:
            return Only(_ids(self, {"ids": [body["output"]]})[0])
        return Only(display_id=display_id, project=sharing.digest(project or "")) if display_id else None


class Hosts(Handler):
    """``/api/hosts``: a proxy of which the environment of another process of this user tells, and not the hub's own."""

    scopes = ADMIN

    async def post(self) -> None:
        body = self.json_body()
        address = proxies.filled(str(body.get("address", "")), self.hub.port)
        if not address:
            self.refuse(400, "expected address to be one such as https://ide.example.org/proxy/{port}/")
        if len(self.hub.allowed_hosts) >= MOST_HOSTS:
            self.refuse(409, f"this hub answers to {MOST_HOSTS} names already; `ipyweb stop` lets it forget them")
        self.hub.allowed_hosts.update(proxies.names(address))
        self.send_json({"address": address})


class Rotate(Handler):
    """``/api/rotate``."""

    scopes = ADMIN

    async def post(self) -> None:
        self.json_body()
        secret = self.hub.keys.tokens["admin"]
        renewed = await self.hub.call(lambda store: store.renew_secret(secret))
        try:
            self.hub.rotate(renewed)
        except (OSError, ConnectionFileError) as error:
            self.refuse(507, f"new tokens cannot be kept: {error}")
        self.send_json({"rotated": True})


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


def _is_within(row: OutputRow, which: Filter) -> bool:
    """Whether an output may be among those that a filter asks for, as far as its row tells."""
    return row.project == (which.project or row.project) and row.session == (which.session or row.session)


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
