"""Links to give away: what they open, and for how long, stands in their token, so that the hub keeps no list of them.

A token of format 1 is ASCII text of three parts::

    1.CLAIMS.SIGNATURE

``CLAIMS`` is a JSON object in base64url without padding (RFC 4648, section 5): ``scope`` (``pane`` or ``viewer``) and
``exp`` (seconds since 1970, as in RFC 7519); of a link to a single output also ``output`` (its id), or ``display_id``
and ``project`` (SHA-256 of the path of its project, so that the path is not given away). ``SIGNATURE`` is the
HMAC-SHA256 of ``1.CLAIMS``, keyed by what the root secret makes of the purpose, in base64url as well. A picture's
address has the same two parts, signed for another purpose. A new root secret ends all of them.
"""

import base64
import hashlib
import hmac
import json
import math
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from ..connection import Scope
from .export import source_of
from .messages import dumps
from .store import Filter, NotFound, OutputRow, Store

MAX_CLAIMS: Final = 2048
"""Characters of the longest claims that are looked at."""

LONGEST: Final = 366 * 86400
"""Seconds for which a link may be good."""

TOKEN, PICTURE = "token", "picture"
SHARED: Final[frozenset[Scope]] = frozenset({"pane", "viewer"})
"""What a link may open."""

_CLAIMS = re.compile(r"1\.[A-Za-z0-9_-]+")
_PAGE = 100
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Only(NamedTuple):
    """The one output that a link opens: by its id, or the newest with a display id in a project.

    Attributes:
        output: its id; 0 when it is named by its display id.
        display_id: and the SHA-256 of the path of its ``project``.
    """

    output: int = 0
    display_id: str = ""
    project: str = ""

    def find(self, store: Store) -> OutputRow:
        """The output as it is now.

        Raises:
            NotFound: there is none, or it lies in the trash.
        """
        row = next(self.candidates(store), None)
        if row is None or row.removed is not None:
            raise NotFound("what this link shows is not there")
        return told(row)

    def candidates(self, store: Store) -> Iterator[OutputRow]:
        """What the link may open, the first of them does; the others are older."""
        if self.output:
            with suppress(NotFound):
                yield store.output(self.output)
            return
        page = store.outputs(Filter(display_id=self.display_id), None, None, _PAGE).outputs
        while page:
            yield from (row for row in reversed(page) if digest(row.project) == self.project)
            page = store.outputs(Filter(display_id=self.display_id), None, page[0].id, _PAGE).outputs

    def concerns(self, output: int, display_id: str | None) -> bool:
        """Whether a change of an output may be one of what the link shows; without its display id that is not known."""
        return output == self.output if self.output else display_id in (None, self.display_id)


class Grant(NamedTuple):
    """What a token opens.

    Attributes:
        scope: what its holder may do.
        only: the one output that there is for its holder; ``None`` for all.
        expires: seconds since 1970; 0 never.
    """

    scope: Scope
    only: Only | None = None
    expires: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has expired."""
        return bool(self.expires) and time.time() >= self.expires

    @property
    def is_partial(self) -> bool:
        """Whether there are outputs that are not there for the holder."""
        return self.only is not None or self.scope == "viewer"

    @property
    def left(self) -> float:
        """Seconds until it expires."""
        return max(0.0, self.expires - time.time())

    def check(self, store: Store, output: int) -> None:
        """See that an output is there for the holder.

        Raises:
            NotFound: it is not.
        """
        if not self.is_partial:
            return
        row = next(self.only.candidates(store), None) if self.only is not None else store.output(output)
        if row is None or row.id != output or (row.removed is not None and self.scope == "viewer"):
            raise NotFound(f"there is no output {output}")


def digest(project: str) -> str:
    """How a link names a project."""
    return hashlib.sha256(project.encode()).hexdigest()


def told(row: OutputRow) -> OutputRow:
    """An output as a link to it alone tells it: without what an export leaves out, and without other outputs."""
    return row._replace(source=dumps(source_of(row, ())), project=PurePath(row.project).name, run=None)


def claims(grant: Grant) -> str:
    """What a token says, unsigned."""
    of = {} if grant.only is None else {name: value for name, value in grant.only._asdict().items() if value}
    text = json.dumps({"scope": grant.scope, "exp": math.ceil(grant.expires), **of}, separators=(",", ":"))
    return f"1.{_encode(text.encode())}"


def signature(root: bytes, purpose: str, said: str) -> str:
    """The signature of claims for a purpose: `TOKEN` or `PICTURE`."""
    key = hmac.digest(root, f"ipyweb share {purpose}".encode(), "sha256")
    return _encode(hmac.digest(key, said.encode(), "sha256"))


def read(said: str) -> Grant | None:
    """What claims say; ``None`` when they are none of ours. Whether they are true, their signature tells."""
    if len(said) > MAX_CLAIMS or not _CLAIMS.fullmatch(said):
        return None
    try:
        fields = json.loads(base64.urlsafe_b64decode(said[2:] + "=" * (-len(said[2:]) % 4)))
        return _grant(**fields)
    except (ValueError, TypeError, RecursionError):
        return None


def _grant(scope: str, exp: int, output: int = 0, display_id: str = "", project: str = "") -> Grant | None:
    texts = isinstance(display_id, str) and isinstance(project, str)
    if scope not in SHARED or type(exp) is not int or type(output) is not int or output < 0 or not texts:
        return None
    if bool(display_id) != bool(_DIGEST.fullmatch(project)) or (output and display_id):
        return None
    only = Only(output, display_id, project) if output or display_id else None
    return Grant("viewer" if scope == "viewer" else "pane", only, float(exp))


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def fields(grant: Grant) -> dict[str, Any]:
    """What the holder of a token is told of it."""
    return {"scope": grant.scope, "only": grant.only is not None, "expires": grant.expires or None}
