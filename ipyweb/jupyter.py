"""The pane in Jupyter: an entry of the launcher, through jupyter-server-proxy, which asks for Jupyter's login first.

`server` is found by jupyter-server-proxy. Run as a program, this module is the *gate* between that and the hub of the
same user, which is found or started at each request: each connection of jupyter-server-proxy carries one. The gate

- takes away what is Jupyter's own: its cookies and its ``Authorization``;
- vouches for the name by which the browser has come, which only Jupyter knows, with a code that only a holder of the
  root secret can make. Such a request the hub answers, and a page of the same origin that has no token is given one.

It listens on a Unix socket in a private directory, and speaks to the hub's.
"""

import asyncio
import contextlib
import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .connection import GATE, Connection, find, listening_socket, start, voucher
from .errors import HubUnreachable, IpywebError
from .unix import dial

LONGEST_HEAD: Final = 16 * 1024
"""Bytes of a request before its body."""

PATIENCE: Final = 30.0
"""Seconds for them."""

CHUNK: Final = 64 * 1024
ORPHAN_SECONDS: Final = 5.0
"""Seconds between looks whether the Jupyter server is still there."""

_HOST = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LINE = re.compile(r"[A-Z]+ /[!-~]* HTTP/1\.1")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_DROPPED = frozenset({"authorization", "proxy-authorization", "cookie", GATE.lower()})


def server() -> dict[str, Any]:
    """What jupyter-server-proxy has to know (its entry point group ``jupyter_serverproxy_servers``)."""
    return {
        # -P: the working directory is whatever the Jupyter server was started in
        "command": [sys.executable, "-P", "-m", "ipyweb.jupyter", "{unix_socket}"],
        "unix_socket": True,
        "timeout": 30,
        "launcher_entry": {
            "title": "ipyweb",
            "icon_path": str(Path(__file__).with_name("jupyter.svg")),
            "category": "Notebook",  # JupyterLab shows icons of this one and of "Console" only
        },
    }


class BadRequest(ValueError):
    """What came is no request that could be passed on."""


def passed_on(head: bytes, root: str) -> bytes:
    """The head of a request as the hub gets it.

    Args:
        head: up to its empty line, as it came.
        root: the hub's root secret.

    Raises:
        BadRequest: it is none, or names no host.
    """
    line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    if not _LINE.fullmatch(line):
        raise BadRequest("expected an HTTP/1.1 request")
    fields = list(_fields(lines))
    hosts = [value for name, value in fields if name.lower() == "host"]
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise BadRequest("expected one Host")
    upgraded = any(name.lower() == "upgrade" for name, _ in fields)
    kept = [(name, value) for name, value in fields if name.lower() not in {*_DROPPED, "connection"}]
    # one request for each connection, so that nothing can come behind it unseen
    kept += [("Connection", "Upgrade" if upgraded else "close"), (GATE, voucher(root, hosts[0]))]
    return "\r\n".join([line, *(f"{name}: {value}" for name, value in kept), "\r\n"]).encode("latin-1")


def _fields(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None or not found[2].isprintable():
            raise BadRequest("expected header fields")
        yield found[1], found[2]


async def serve(path: str) -> None:
    """Be the gate until the Jupyter server is gone.

    Args:
        path: of the socket to listen on.
    """
    parent = os.getppid()
    os.umask(0o177)
    gate = await asyncio.start_unix_server(_answer, path, limit=LONGEST_HEAD)
    os.umask(0o077)
    async with gate:
        while os.getppid() == parent:
            await asyncio.sleep(ORPHAN_SECONDS)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on one request, and its answer."""
    with contextlib.closing(writer), contextlib.suppress(ConnectionError):
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_at_once(head))
            theirs, ours = await _begin(head, body)
        except (BadRequest, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            _refuse(writer, "400 Bad Request", str(error) or "expected a request")
        except (IpywebError, OSError) as error:
            _refuse(writer, "502 Bad Gateway", f"ipyweb: {error}")
        else:
            await _splice((reader, ours), (theirs, writer))


def _at_once(head: bytes) -> int:
    """Bytes of a small body. They go with the head: what refuses a request with some of it unread breaks the answer."""
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    return length if length <= CHUNK else 0


async def _begin(head: bytes, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the hub, with a request begun on it."""
    hub, peer = await asyncio.get_running_loop().run_in_executor(None, _reach)
    peer.setblocking(False)
    theirs, ours = await asyncio.open_unix_connection(sock=peer)
    ours.write(passed_on(head, hub.token) + body)
    return theirs, ours


def _reach() -> tuple[Connection, socket.socket]:
    """This user's hub, proved, and started where there is none; and a connection to it.

    Raises:
        IpywebError: there is none to be had here.
        OSError: it is gone already.
    """
    hub = find() or start()
    path = listening_socket() if hub.local else ""
    if not path:
        raise HubUnreachable(f"the hub at {hub.url} has no socket on this machine; open it by its link")
    return hub, dial(Path(path), PATIENCE)


async def _splice(
    question: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    answer: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Copy both ways until the answer has ended, or whoever asked is gone."""
    asked, answered = copies = [asyncio.ensure_future(_copy(*way)) for way in (question, answer)]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        if asked.done() and not asked.result():  # the hub wants no more of it; it has answered
            await answered
    finally:
        for each in copies:
            each.cancel()
        for _, writer in (question, answer):
            writer.close()
        await asyncio.wait(copies)


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> bool:
    """Whether all was copied that there was."""
    try:
        while chunk := await source.read(CHUNK):
            to.write(chunk)
            await to.drain()
    except ConnectionError:
        return False
    return True


def _refuse(writer: asyncio.StreamWriter, status: str, words: str) -> None:
    body = f"{words}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
