"""`Output`: what a display call returns, and how an output of the history is taken in hand again."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import HubError, HubUnreachable
from .backlog import Receipt
from .session import Session, current

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..connection import Response

REPR_TIMEOUT = 0.2
ID_TIMEOUT = 5.0

_NOT_GUESSED = {".tex": "text/latex", ".md": "text/markdown", ".jpg": "image/jpeg", ".webp": "image/webp"}


class Output:
    """One thing shown.

    An ``Output`` is never itself displayed; its repr is one line, for people and for coding agents.
    """

    def __init__(
        self,
        session: Session,
        display_id: str | None,
        mimetypes: list[str],
        title: str | None = None,
        receipt: Receipt | None = None,
        id: int | None = None,  # noqa: A002
    ) -> None:
        self._session = session
        self._receipt = receipt
        self._id = id
        self._title = title
        self._mimetypes = mimetypes
        self.display_id = display_id

    @property
    def id(self) -> int | None:
        """The hub's id. Waits up to 5 seconds for it; ``None`` when none came."""
        return self._wait_id(ID_TIMEOUT)

    @property
    def receipt(self) -> Receipt:
        """What becomes of its newest message."""
        return self._receipt or Receipt()

    @property
    def mimetypes(self) -> list[str]:
        """The MIME types that it was shown with, the richest first."""
        return list(self._mimetypes)

    @property
    def status(self) -> Literal["queued", "stored", "failed"]:
        """``queued`` on its way, ``stored`` once the hub has committed it, ``failed`` when the hub refused it."""
        return "stored" if self._receipt is None else self._receipt.status

    @property
    def url(self) -> str | None:
        """Address of the pane with this output, carrying the pane's token; ``None`` when no hub took it."""
        from ..browser import link
        from ..connection import find

        number, hub = self.id, find()
        return None if number is None or hub is None else link(hub, self._session.project, number)

    def wait(self, timeout: float = 5) -> "Output":
        """Wait until the output is stored, or refused.

        Args:
            timeout: seconds.

        Returns:
            The output itself, whatever came.
        """
        if self._receipt is not None:
            self._session.client.backlog.wait_for(self._receipt, timeout)
        return self

    def update(self, obj: object, **options: Any) -> None:
        """Show something else in its place, as a new version.

        Args:
            obj: any object.
            options: ``title``, ``metadata``, ``include``, ``exclude`` and ``raw`` as for `ipyweb.display`.

        Raises:
            HubError: the output belongs to another session.
        """
        from .display import update_display

        if self._receipt is None or self.display_id is None:
            raise HubError(f"output {self._id} was made by another session; only that one can update it")
        shown = update_display(obj, display_id=self.display_id, **options)
        self._receipt, self._mimetypes = shown._receipt, shown._mimetypes

    def remove(self) -> None:
        """Put it into the trash, where it stays for some days.

        Raises:
            HubUnreachable: no hub took it, or none could be started.
        """
        self._request("DELETE")

    def data(self, mime: str, **size: Any) -> bytes:
        """One of its representations, as bytes. A matplotlib figure is drawn anew in the size and format asked for.

        Args:
            mime: one of its MIME types; of a figure also ``image/svg+xml``, ``application/pdf``, ``text/csv`` …
            size: of a figure, ``width`` and ``height`` (pixels, or lengths such as ``"8in"`` or ``"85mm"``), ``dpi``,
                ``style`` (the text of a style sheet of matplotlib) and ``transparent``.

        Raises:
            OutputNotFound: it has no such representation; the message lists those it has.
            HubError: the figure cannot be drawn so; the message says why.
            HubUnreachable: no hub took it, or none could be started.
        """
        from urllib.parse import quote, urlencode

        self._session.settle_figures()

        return self._request("GET", f"/data?{urlencode({'mime': mime, **size}, quote_via=quote)}").body

    def save(self, path: str | Path) -> Path:
        """Write the representation that the file's extension names.

        Args:
            path: of the file, such as ``"plot.png"``.

        Raises:
            ValueError: no MIME type belongs to the extension.
            OutputNotFound: it has no such representation.
            HubUnreachable: no hub took it, or none could be started.
        """
        from mimetypes import guess_type

        target = Path(path)
        mime = _NOT_GUESSED.get(target.suffix) or guess_type(target.name)[0]
        if mime is None:
            raise ValueError(f"expected a file name that ends in a format, such as plot.png; got {target.name!r}")
        target.write_bytes(self.data(mime))
        return target

    def figure(self) -> "Figure":
        """The matplotlib figure that it shows, alive again in this process, and unknown to pyplot.

        Raises:
            KeeperUnavailable: it shows none, or one of another environment, or it is not kept any more.
            HubUnreachable: no hub took it, or none could be started.
        """
        from .drawing import load_figure

        self._session.settle_figures()
        return load_figure(self._request("GET").json())

    def _request(self, method: str, suffix: str = "") -> "Response":
        from ..connection import request, start

        number = self.id
        if number is None:
            raise HubUnreachable(f"expected {self!r} to be stored at a hub; `ipyweb doctor` tells more")
        return request(start(), method, f"api/outputs/{number}{suffix}", timeout=150.0)

    def _wait_id(self, timeout: float) -> int | None:
        if self._id is None and self._receipt is not None:
            self.wait(timeout)
            self._id = self._receipt.output
        return self._id

    def __repr__(self) -> str:
        number = self._wait_id(REPR_TIMEOUT)
        title = repr(self._title) if self._title else None
        richest = self._mimetypes[0] if self._mimetypes else None
        if number is None and self.status == "queued":
            return _words("Output queued", title, richest)
        return _words("Output", number, title, richest, self._ending(number))

    def _ending(self, number: int | None) -> str:
        if self.status == "failed":
            return f"failed: {self._receipt.error if self._receipt else ''}"
        return f"{self.status} · ipyweb open {number}"


def _words(*words: object) -> str:
    return f"<{' '.join(str(word) for word in words if word is not None)}>"


def get(id: int) -> Output:  # noqa: A002 - the public name
    """An output of the history.

    Args:
        id: the hub's id of it.

    Raises:
        OutputNotFound: there is none; the message names ids that exist.
        HubUnreachable: no hub could be started.
    """
    from ..connection import request, start

    record: Mapping[str, Any] = request(start(), "GET", f"api/outputs/{int(id)}").json()
    return Output(current(), record["display_id"], list(record["mimetypes"]), record["title"], id=int(id))
