"""The one base of everything that answers on the hub's port: deny by default, the same headers on every response.

`Guard.prepare` runs before any handler and before a body is read: Host, then Origin and Fetch metadata, then token,
then scope; through the Unix socket, the peer's user before all. A handler that names no scopes admits nobody. WebSocket
handlers have the same guard, so that a refusal comes before the upgrade.
"""

import asyncio
import json
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar
from urllib.parse import urlsplit

from tornado.web import HTTPError, RequestHandler, stream_request_body

from ..connection import GATE, Scope
from .door import is_ours
from .messages import BadMessage
from .sharing import Grant, Only
from .store import MissingBlob, NotFound, NotKept, TooLarge, Unavailable, WrongKey

if TYPE_CHECKING:
    from .context import Context

log = logging.getLogger("ipyweb.hub.http")
T = TypeVar("T")
MAX_JSON = 8 * 2**20
"""Largest request body in bytes, blobs apart."""

ANY: frozenset[Scope] = frozenset({"admin", "session", "pane"})
PRODUCERS: frozenset[Scope] = frozenset({"admin", "session"})
WATCHERS: frozenset[Scope] = frozenset({"admin", "pane"})
ADMIN: frozenset[Scope] = frozenset({"admin"})

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}
"""On every response, unless a handler has a reason for another value."""

_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?")
_FRAME_HOST = re.compile(r"[a-z0-9-]{1,63}\.localhost(?::[0-9]{1,5})?")
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (BadMessage, 400),
    (NotFound, 404),
    (WrongKey, 403),
    (MissingBlob, 409),
    (TooLarge, 413),
    (NotKept, 413),
    (Unavailable, 507),
)


class Refused(HTTPError):
    """An error whose text the caller may read."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status)
        self.text = text


class Guard(RequestHandler):
    """Who may come in.

    Attributes:
        scopes: scopes whose token admits; empty admits nobody.
        looked_at: whether viewers are admitted by GET and HEAD.
        narrow: whether links to a single output are admitted, since nothing of another one is told or done here.
        public: whether no token is needed at all.
        cross_site: whether pages of other sites may bring the browser here (documents, not data).
        frame_hosts: whether ``<label>.localhost`` may name this host.
    """

    scopes: ClassVar[frozenset[Scope]] = frozenset()
    looked_at: ClassVar[bool] = False
    narrow: ClassVar[bool] = False
    public: ClassVar[bool] = False
    cross_site: ClassVar[bool] = False
    frame_hosts: ClassVar[bool] = False
    hub: "Context"
    grant: Grant | None = None

    def initialize(self, context: "Context") -> None:
        self.hub = context

    def prepare(self) -> None:
        self._check_peer()
        self._check_host()
        self._check_origin()
        if self.public:
            return
        self.check_token()
        self.hub.touch()

    def check_token(self) -> None:
        """Let nobody in, or go on after a while, without a token that opens this.

        Raises:
            HTTPError: 403.
        """
        self.grant = None
        grant = self.hub.keys.grant(self.token())
        if grant is None or not self._admits(grant):
            raise HTTPError(403)
        self.grant = grant

    def _admits(self, grant: Grant) -> bool:
        return self.admits(grant, looks=self.request.method in ("GET", "HEAD"))

    @classmethod
    def admits(cls, grant: Grant, *, looks: bool) -> bool:
        """Whether a grant opens this.

        Args:
            grant: of whoever asks.
            looks: whether nothing is to be changed.
        """
        known = grant.scope in cls.scopes or (cls.looked_at and looks and grant.scope == "viewer")
        return known and (grant.only is None or cls.narrow)

    @property
    def scope(self) -> Scope | None:
        """What whoever asks may do."""
        return self.grant and self.grant.scope

    @property
    def only(self) -> Only | None:
        """The one output that there is for whoever asks."""
        return self.grant and self.grant.only

    def token(self) -> str | None:
        """The token that the request carries in a header."""
        bearer = self.request.headers.get_list("Authorization")
        own = self.request.headers.get_list("X-Ipyweb-Token")
        if len(bearer) > 1 or len(own) > 1:
            return None
        if own:  # a proxy in front may have put its own credentials into Authorization
            return own[0]
        kind, _, token = bearer[0].partition(" ") if bearer else ("", "", "")
        return token if kind == "Bearer" else None

    @property
    def host(self) -> str:
        """The Host header as it came."""
        return self.request.headers.get("Host", "")

    @property
    def listening_port(self) -> int:
        """The TCP port that the request came in by, 0 for the Unix socket."""
        return 0 if self._unix_socket() else self.hub.port

    def _unix_socket(self) -> socket.socket | None:
        peer: socket.socket | None = self.request.connection.stream.socket  # type: ignore[union-attr]
        return peer if peer is not None and peer.family.name == "AF_UNIX" else None

    @property
    def is_vouched(self) -> bool:
        """Whether a gate of this user has passed the request on, and so knows who asks and by which name."""
        codes = self.request.headers.get_list(GATE)
        through = self._unix_socket() is not None
        return through and len(codes) == 1 and self.hub.keys.is_voucher(codes[0], self.host)

    def _check_peer(self) -> None:
        peer = self._unix_socket()
        if peer is not None and not is_ours(peer):
            raise HTTPError(403)

    def _check_host(self) -> None:
        host = self.host
        name = host.rpartition(":")[0] if re.search(r":[0-9]+$", host) else host
        known = _LOOPBACK.fullmatch(host) or host in self.hub.allowed_hosts or name in self.hub.allowed_hosts
        if not known and not (self.frame_hosts and _FRAME_HOST.fullmatch(host)) and not self.is_vouched:
            raise HTTPError(403)

    def _check_origin(self) -> None:
        origin = self.request.headers.get("Origin")
        if origin is not None and not self.cross_site and origin not in self._origins():
            raise HTTPError(403)
        site = self.request.headers.get("Sec-Fetch-Site", "none")
        if site not in ("same-origin", "none") and not self.cross_site:
            raise HTTPError(403)

    def _origins(self) -> tuple[str, ...]:
        """Behind a TLS proxy named in the configuration, the browser's scheme is https while ours is http."""
        own = f"{self.request.protocol}://{self.host}"
        named = urlsplit(f"//{self.host}").hostname in self.hub.allowed_hosts or self.host in self.hub.allowed_hosts
        return (own, f"https://{self.host}") if named or self.is_vouched else (own,)

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def compute_etag(self) -> str | None:
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_status(status_code, HTTPStatus(status_code).phrase)  # never a reason made of what came in
        error = kwargs.get("exc_info", (None, None, None))[1]
        text = self._explanation(status_code, error) if self.scope or self.public else None
        if text is None or status_code == 403:
            self.clear_header("Content-Type")
            self.finish()
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps({"error": text}))

    def _explanation(self, status: int, error: BaseException | None) -> str | None:
        if isinstance(error, Refused):
            return error.text
        if isinstance(error, HTTPError):
            return f"{HTTPStatus(status).phrase.lower()}; see api/openapi.json for what there is"
        if any(isinstance(error, kind) for kind, _ in _STATUSES):
            return str(error)
        return "the hub failed on this request; hub.log says more"

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Tornado's own would log the request with its query and headers."""
        if isinstance(value, HTTPError) or any(isinstance(value, kind) for kind, _ in _STATUSES):
            return
        log.error("%s failed", type(self).__name__, exc_info=(typ, value, tb))

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        known = (status for kind, status in _STATUSES if isinstance(error, kind))
        super().send_error(next(known, status_code), **kwargs)

    def refuse(self, status: int, text: str) -> NoReturn:
        """End the request with an error that the caller may read."""
        raise Refused(status, text)


@stream_request_body
class Handler(Guard):
    """An HTTP route. Its body is read only after `prepare` admitted the request."""

    def initialize(self, context: "Context") -> None:
        super().initialize(context)
        self._body = bytearray()

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk

    async def while_wanted(self, work: Awaitable[T]) -> T:
        """Do what may take long, as long as whoever asked for it is there."""
        task = asyncio.ensure_future(work)
        self._abandon = task.cancel
        try:
            return await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            self.refuse(503, "nobody waits for this any more")

    def on_connection_close(self) -> None:
        """Whoever asked is gone, or wants something else by now."""
        super().on_connection_close()
        self._abandon()

    _abandon: Callable[[], object] = staticmethod(lambda: None)

    def json_body(self) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty one."""
        if not self._body:
            return {}
        try:
            body = json.loads(self._body)
        except (ValueError, RecursionError):
            self.refuse(400, "expected a JSON object as body")
        if not isinstance(body, dict):
            self.refuse(400, f"expected a JSON object as body, got {type(body).__name__}")
        return body

    def integer_argument(self, name: str, least: int = 0) -> int | None:
        """A query argument that is an integer."""
        text = self.get_query_argument(name, "")
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
            self.refuse(400, f"expected {name} to be an integer of at least {least}, got {text[:40]!r}")
        return int(text)

    def text_argument(self, name: str) -> str | None:
        """A query argument; ``None`` when it is missing or empty."""
        return self.get_query_argument(name, "") or None

    def send_json(self, value: str | Mapping[str, Any], status: int = 200) -> None:
        """Answer with JSON, given as an object or as text."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(value if isinstance(value, str) else json.dumps(value))


class Unknown(Handler):
    """Every address that is not registered: 403 without a token, 404 with one."""

    scopes = ANY

    def prepare(self) -> None:
        super().prepare()
        self.refuse(404, "there is nothing at this address; see api/openapi.json for what there is")
