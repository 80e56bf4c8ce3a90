"""Routes that need no token: the shell and its assets, the challenge, the exchange of a code.

What is served at a capability address needs none either: the address itself is the permission.
"""

from .. import __version__
from ..protocol import PREVIOUS, PROTOCOL
from .base import Handler
from .data import BytesHandler
from .static import Asset, frame_csp, shell_csp

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


class Challenge(Handler):
    """``/hello``: proves that this hub knows the secret, for the address dialled."""

    public = True

    async def get(self) -> None:
        nonce = self.get_query_argument("nonce", "")
        try:
            proofs = self.hub.keys.proofs(nonce, self.host, self.hub.port)
        except ValueError as error:
            self.refuse(400, str(error))
        self.send_json(
            {
                "hub": self.hub.keys.hub,
                "protocol": PROTOCOL,
                "previous": PREVIOUS,
                "version": __version__,
                "port": self.hub.port,
                "proofs": proofs,
            }
        )


class Exchange(Handler):
    """``/exchange``: a single-use code for the pane's token."""

    public = True

    async def post(self) -> None:
        code = self.json_body().get("code")
        if isinstance(code, str) and self.hub.codes.redeem(code):
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
