"""``%ipyweb``: the pane at hand in a terminal."""

from collections.abc import Callable

from .. import connection as hubs
from ..errors import IpywebError
from . import display, pane
from .session import current


def ipyweb(line: str) -> None:
    """Reach the pane: ``%ipyweb [status | url | open [ID] | clear | session NAME | private | inline [on | off]]``.

    status   where the hub is and what it holds (also without an argument)
    url      the pane's address
    open     open the pane, or one output
    clear    put this session's outputs into the trash
    session  give this session a name
    private  keep what this session shows from now on in memory only
    inline   draw what this session shows in the terminal too, or no longer; tells how that stands without an argument
    """
    verb, _, argument = line.strip().partition(" ")
    command = COMMANDS.get(verb or "status")
    if command is None:
        print(f"expected one of {', '.join(COMMANDS)}; got {verb!r}")
        return
    try:
        command(argument.strip())
    except (IpywebError, ValueError) as error:
        print(f"ipyweb: {error}")


def _status(argument: str) -> None:
    hub = hubs.find()
    if hub is None:
        waiting = len(current().client.backlog)
        none = "no hub is running; it starts with the first output"
        print(f"no hub has answered yet; {waiting} messages wait for it" if waiting else none)
        return
    state = hubs.request(hub, "GET", "api/state").json()
    print(f"hub {state['version']} at {hub.url}: {state['outputs']} outputs, {state['frontends']} panes connected")


def _url(argument: str) -> None:
    print(pane.url())


def _open(argument: str) -> None:
    pane.open(int(argument) if argument else None)


def _clear(argument: str) -> None:
    removed = display.clear()
    print(f"{len(removed)} outputs are in the trash for some days")


def _session(argument: str) -> None:
    if not argument:
        raise ValueError("expected a name: %ipyweb session NAME")
    current().rename(argument)


def _private(argument: str) -> None:
    current().make_private()
    print("from now on this session's outputs stay in the hub's memory")


def _inline(argument: str) -> None:
    from . import inline

    if argument not in ("", "on", "off"):
        raise ValueError(f"expected %ipyweb inline on, or off, got {argument!r}")
    if argument == "off":
        inline.off()
    print(inline.on() if argument == "on" else inline.status())


COMMANDS: dict[str, Callable[[str], None]] = {
    "status": _status,
    "url": _url,
    "open": _open,
    "clear": _clear,
    "session": _session,
    "private": _private,
    "inline": _inline,
}
