"""Who may do what: tokens and their scopes, proofs, capability addresses, single-use codes.

Secrets are compared as bytes in constant time. Nothing here does I/O.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from ..connection import Scope, proof, scope_token, voucher
from . import sharing
from .sharing import PICTURE, TOKEN, Grant

SCOPES: Final[tuple[Scope, ...]] = ("admin", "session", "pane")
OCTETS = "application/octet-stream"
RASTER = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/bmp": "bmp",
}
"""The only MIME types that a capability address serves as what they are; every other one is octets."""

_MIMETYPES = {extension: mimetype for mimetype, extension in RASTER.items()} | {"bin": OCTETS}
_NONCE = re.compile(r"[0-9a-fA-F]{16,128}")
CODE_SECONDS = 10.0
MAX_CODES = 64
MAX_FAILURES = 10
FAILURE_SECONDS = 60.0


class Keys:
    """Everything derived from the root secret of one hub.

    Args:
        root: the root secret, the token of the scope ``admin``.
        hub: the hub's id.
    """

    def __init__(self, root: str, hub: str) -> None:
        if len(root) < 64:
            raise ValueError(f"expected a root secret of at least 64 characters, got {len(root)}")
        self.hub = hub
        self.tokens: dict[Scope, str] = {scope: scope_token(root, scope) for scope in SCOPES}
        self._root = root.encode()
        self._encoded = [(token.encode(), scope) for scope, token in self.tokens.items()]

    def grant(self, token: str | None) -> Grant | None:
        """What a token opens, ``None`` if it opens nothing."""
        offered = (token or "").encode("utf-8", "surrogateescape")
        found: Scope | None = None
        for known, scope in self._encoded:  # no early end: always as long
            if hmac.compare_digest(known, offered):
                found = scope
        return self._shared(token or "") if found is None else Grant(found)

    def _shared(self, token: str) -> Grant | None:
        claims, _, signature = token.rpartition(".")
        return self._believed(TOKEN, claims, signature)

    def _believed(self, purpose: str, claims: str, signature: str) -> Grant | None:
        """What claims say, if the signature is ours and they still hold."""
        grant = sharing.read(claims)
        if grant is None or not _equal(self._signature(purpose, claims), signature):
            return None
        return None if grant.is_over else grant

    def _signature(self, purpose: str, claims: str) -> str:
        return sharing.signature(self._root, purpose, claims)

    def share(self, grant: Grant) -> str:
        """The token of a link to give away."""
        claims = sharing.claims(grant)
        return f"{claims}.{self._signature(TOKEN, claims)}"

    def picture_url(self, grant: Grant) -> str:
        """The relative capability address at which the newest picture of the only output of a grant is."""
        claims = sharing.claims(grant)
        return f"s/{self._signature(PICTURE, claims)}/{claims[2:]}.png"

    def picture(self, signature: str, claims: str) -> Grant | None:
        """What a picture's address opens, ``None`` if it opens nothing."""
        return self._believed(PICTURE, f"1.{claims}", signature)

    def proofs(self, nonce: str, host: str, port: int, claims: str = "") -> dict[str, str]:
        """The answers to a challenge, by scope; see `connection.proof`.

        Args:
            nonce: the challenge.
            host: the ``Host`` header of the request.
            port: the TCP port on which the hub listens.
            claims: those of a link's token, of which it proves the knowledge as ``shared``; nothing if they are over.

        Raises:
            ValueError: the nonce is not 16 to 128 hexadecimal digits.
        """
        if not _NONCE.fullmatch(nonce):
            raise ValueError("expected a nonce of 16 to 128 hexadecimal digits")
        tokens: dict[str, str] = dict(self.tokens)  # type: ignore[arg-type]
        grant = sharing.read(claims)
        if grant is not None and not grant.is_over:
            tokens["shared"] = f"{claims}.{self._signature(TOKEN, claims)}"
        return {name: proof(token, nonce, self.hub, host, port) for name, token in tokens.items()}

    def is_voucher(self, code: str, host: str) -> bool:
        """Whether a gate of this user stands behind a request's ``Host``; see `ipyweb.jupyter`."""
        return _equal(voucher(self._root.decode(), host), code)

    def blob_url(self, mimetype: str, sha256: str) -> str:
        """The relative capability address of stored bytes."""
        extension = RASTER.get(mimetype, "bin")
        return f"c/{self._blob_mac(extension, sha256)}/{sha256}.{extension}"

    def blob_type(self, mac: str, sha256: str, extension: str) -> str | None:
        """The Content-Type to serve at a capability address, ``None`` if it is not one of ours."""
        if extension not in _MIMETYPES or not _equal(self._blob_mac(extension, sha256), mac):
            return None
        return _MIMETYPES[extension]

    def frame_url(self) -> str:
        """The relative capability address of the frame document."""
        return f"c/{self._mac('frame')}/frame.html"

    def is_frame_mac(self, mac: str) -> bool:
        """Whether a capability is that of the frame document."""
        return _equal(self._mac("frame"), mac)

    def network_url(self, output: int, hosts: Sequence[str]) -> str:
        """The relative capability address of the frame document for one output that may reach some hosts."""
        names = ",".join(hosts)
        return f"c/{self._mac(_network(output, names))}/frame.html?output={output}&hosts={names}"

    def is_network_mac(self, mac: str, output: str, hosts: str) -> bool:
        """Whether a capability is that of the frame document for an output and hosts, as its query names them."""
        return _equal(self._mac(_network(output, hosts)), mac)

    def _blob_mac(self, extension: str, sha256: str) -> str:
        return self._mac(f"blob\n{_MIMETYPES[extension]}\n{sha256}")

    def _mac(self, text: str) -> str:
        return hmac.digest(self._root, text.encode(), "sha256").hex()[:32]


class Codes:
    """Single-use codes that are exchanged for a pane's token within `CODE_SECONDS`.

    Wrong guesses are counted; after `MAX_FAILURES` in a minute every further one is told to wait. A right code works
    all the same, so that nobody can lock the user out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._codes: dict[bytes, float] = {}
        self._failures: deque[float] = deque(maxlen=MAX_FAILURES)

    def issue(self) -> str:
        """A new code."""
        self._expire()
        while len(self._codes) >= MAX_CODES:
            del self._codes[next(iter(self._codes))]
        code = secrets.token_urlsafe(32)
        self._codes[_digest(code)] = self._clock() + CODE_SECONDS
        return code

    def redeem(self, code: str) -> bool:
        """Whether a code is valid; it never is again."""
        self._expire()
        if self._codes.pop(_digest(code), None) is not None:
            return True
        self._failures.append(self._clock())
        return False

    @property
    def exhausted(self) -> bool:
        """Whether too many wrong codes came in the last minute."""
        full = len(self._failures) == MAX_FAILURES
        return full and self._clock() - self._failures[0] < FAILURE_SECONDS

    def _expire(self) -> None:
        now = self._clock()
        for code in [code for code, until in self._codes.items() if until <= now]:
            del self._codes[code]


def _network(output: int | str, hosts: str) -> str:
    return f"network\n{output}\n{hosts}"


def _digest(code: str) -> bytes:
    """Codes are looked up by hash, so that the time of a look-up says nothing about them."""
    return hashlib.sha256(code.encode("utf-8", "surrogateescape")).digest()


def _equal(expected: str, offered: str) -> bool:
    return hmac.compare_digest(expected.encode(), offered.encode("utf-8", "surrogateescape"))
