"""Routes that need no token: the shell and its assets, the challenge, the exchange of a code.

What is served at a capability address needs none either: the address itself is the permission.
"""

import hashlib
import json

from .. import __version__
from ..protocol import PREVIOUS, PROTOCOL
from .auth import RASTER
from .base import Handler
from .data import BytesHandler
from .figures import FigureHandler
from .static import Asset, frame_csp, shell_csp
from .store import OutputRow

IMMUTABLE = "private, max-age=31536000, immutable"


class Shell(Handler):
    """``/``: the pane."""

    public = True
    cross_site = True  # a link in a mail, a redirect file: bringing the browser here is no secret

    async def get(self) -> None:
        self.set_header("Content-Security-Policy", shell_csp(self.host))
        self.set_header("Cache-Control", "no-cache")
        send_asset(self, self.hub.static.index)


class Assets(Handler):
    """``/assets/…``: hashed files of the built pane."""

    public = True

    async def get(self, path: str) -> None:
        asset = self.hub.static.asset(path)
        if asset is None:
            self.refuse(404, "there is no such asset; reload the page")
        self.set_header("Cache-Control", IMMUTABLE)
        send_asset(self, asset)


class FrameDocument(Handler):
    """``/c/MAC/frame.html``: the document in which outputs are drawn."""

    public = True
    cross_site = True  # on <random>.localhost the shell is another site
    frame_hosts = True

    async def get(self, mac: str) -> None:
        self.set_header("Content-Security-Policy", frame_csp(self._hosts(mac)))
        self.set_header("Cache-Control", IMMUTABLE)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.clear_header("Cross-Origin-Opener-Policy")
        send_asset(self, self.hub.static.frame)

    def _hosts(self, mac: str) -> tuple[str, ...]:
        """What the user allows to the output that the address names; it names none where nothing is allowed."""
        if not self.request.query:
            allowed, hosts = self.hub.keys.is_frame_mac(mac), ""
        else:
            output, hosts = (",".join(self.get_query_arguments(name)) for name in ("output", "hosts"))
            allowed = self.hub.keys.is_network_mac(mac, output, hosts)
        if not allowed:
            self.refuse(403, "")
        return tuple(hosts.split(",")) if hosts else ()


class CapabilityBytes(BytesHandler):
    """``/c/MAC/SHA256.EXT``: immutable bytes for panes."""

    public = True

    async def get(self, mac: str, sha256: str, extension: str) -> None:
        content_type = self.hub.keys.blob_type(mac, sha256, extension)
        if content_type is None:
            self.refuse(403, "")
        data = await self.hub.call(lambda store: store.blob(sha256))
        self.set_header("Cache-Control", IMMUTABLE)
        await self.send_bytes(data, content_type)

    head = get


class Picture(FigureHandler):
    """``/s/SIGNATURE/CLAIMS.png``: the picture of one output as it is now, for pages of others."""

    public = True
    cross_site = True

    async def get(self, signature: str, claims: str) -> None:
        grant = self.hub.keys.picture(signature, claims)
        if grant is None or grant.only is None:
            self.refuse(403, "")
        row = await self.hub.call(grant.only.find)
        mimetype = _raster(row)
        if mimetype is None:
            self.refuse(404, "what this link shows is no picture")
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        of = f"{row.id} {row.version} {row.data} {row.figure} {self.request.query}"
        self.set_header("ETag", f'"{hashlib.sha256(of.encode()).hexdigest()[:32]}"')
        if self.check_etag_header():
            self.set_status(304)
        else:
            await self.send_data(row.id, row.version, mimetype)

    head = get


def _raster(row: OutputRow) -> str | None:
    """The MIME type of an output's picture; `None` when it has none."""
    stored = json.loads(row.data)
    return next((each for each in RASTER if each in stored), None if row.figure is None else "image/png")


class Challenge(Handler):
    """``/hello``: proves that this hub knows the secret, for the address dialled."""

    public = True

    async def get(self) -> None:
        nonce = self.get_query_argument("nonce", "")
        try:
            claims = self.get_query_argument("claims", "")
            proofs = self.hub.keys.proofs(nonce, self.host, self.listening_port, claims)
        except ValueError as error:
            self.refuse(400, str(error))
        self.send_json(
            {
                "hub": self.hub.keys.hub,
                "protocol": PROTOCOL,
                "previous": PREVIOUS,
                "version": __version__,
                "port": self.listening_port,
                "url": self.hub.url,
                "proofs": proofs,
                "vouched": self.is_vouched,
            }
        )


class Exchange(Handler):
    """``/exchange``: a single-use code for the pane's token.

    Whom a gate vouches for needs no code, in a page of the same origin: there they have all that is the user's anyhow.
    """

    public = True

    async def post(self) -> None:
        code = self.json_body().get("code")
        own = self.is_vouched and "Origin" in self.request.headers  # which `prepare` has compared
        if (code is None and own) or (isinstance(code, str) and self.hub.codes.redeem(code)):
            self.send_json({"token": self.hub.keys.tokens["pane"]})
        elif self.hub.codes.exhausted:
            self.refuse(429, "too many wrong codes; wait a minute")
        else:
            self.refuse(403, "")


def send_asset(handler: Handler, asset: Asset) -> None:
    """Answer with a file of the built pane, compressed where the browser takes that."""
    handler.set_header("Content-Type", asset.content_type)
    handler.set_header("Vary", "Accept-Encoding")
    if asset.gzipped is not None and "gzip" in handler.request.headers.get("Accept-Encoding", ""):
        handler.set_header("Content-Encoding", "gzip")
        handler.finish(asset.gzipped)
    else:
        handler.finish(asset.content)
