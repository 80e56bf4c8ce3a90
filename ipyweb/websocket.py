"""WebSockets to a hub, as sessions and figure keepers open them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from websockets.sync.client import ClientConnection, connect

from .connection import UNIX_HOST, Connection
from .protocol import MAX_FRAME
from .unix import dial

OPENING = 10.0
"""Seconds that opening one may take."""


@contextlib.contextmanager
def open_websocket(connection: Connection, path: str) -> Iterator[ClientConnection]:
    """A WebSocket of a hub that was challenged, with the token of the scope ``session``.

    Args:
        connection: the hub.
        path: of the WebSocket, such as ``/ws/session``.

    Raises:
        OSError, TimeoutError, WebSocketException: it cannot be had.
    """
    token = connection.token_for("session")
    through = dial(Path(connection.socket), OPENING) if connection.socket else None
    if through is not None:
        through.settimeout(None)
    base = f"http://{UNIX_HOST}" if through else connection.url
    with connect(
        "ws" + base.removeprefix("http") + path,
        sock=through,
        ssl=connection.tls(),
        additional_headers={"Authorization": f"Bearer {token}", "X-Ipyweb-Token": token},
        open_timeout=OPENING,
        close_timeout=1,
        compression=None,
        proxy=None if connection.local or through else True,
        max_size=MAX_FRAME,
        ping_interval=None if connection.local else 20,
    ) as socket:
        yield socket
