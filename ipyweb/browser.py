"""When the pane's browser opens and when it must not, how it is handed the link, and what is printed instead.

`decide` is a pure function of the `Surroundings`; everything that looks at the system is in `look_around`, everything
that acts in `open_pane`. The link carries a token, and command lines are public on a shared machine: a browser gets a
private file that redirects, or, where it cannot read one, a code that works once and for ten seconds.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from . import proxies
from .cluster import in_job, login_node
from .connection import MOUNTED, Connection, is_mounted, request, runtime_dir
from .errors import HubError
from .forking import ask, begin
from .private import private_directory, write_private

REDIRECT_AGE = 60.0
"""Seconds after which a redirect file is no longer wanted by any browser."""

Handover = Literal["file", "code"]


class Surroundings(NamedTuple):
    """What the decision depends on.

    Attributes:
        environ: as ``os.environ``.
        platform: as ``sys.platform``.
        terminal: whether stderr is a terminal, that is, whether a person reads it.
        container: whether the system bears the marks of a container.
        wsl: whether this Linux runs under Windows.
        which: as ``shutil.which``.
        reads_files: whether the program at a path can read a private file of ours (snap and flatpak cannot).
    """

    environ: Mapping[str, str]
    platform: str
    terminal: bool
    container: bool
    wsl: bool
    which: Callable[[str], str | None]
    reads_files: Callable[[str], bool]


class Decision(NamedTuple):
    """What is to be done.

    Attributes:
        command: the browser's command, ``%s`` standing for the address; empty when none is to be opened.
        handover: how the browser gets the link.
        reason: why none is opened, in words that follow "not opened:".
    """

    command: tuple[str, ...]
    handover: Handover = "file"
    reason: str = ""


class Outcome(NamedTuple):
    """What was done.

    Attributes:
        opened: whether a browser was started.
        reason: why not, in words that follow "not opened:".
        notice: what to print on stderr, empty when there is nothing to say or nobody to read it.
    """

    opened: bool
    reason: str = ""
    notice: str = ""


# -- the rules --------------------------------------------------------------------------------------------------------

_SSH = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
_CI = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "JENKINS_URL", "TEAMCITY_VERSION", "TF_BUILD", "TRAVIS")
_CONTAINER = ("container", "KUBERNETES_SERVICE_HOST", "REMOTE_CONTAINERS", "DEVCONTAINER", "CODESPACES")
_TEXT_BROWSERS = ("lynx", "w3m", "links", "links2", "elinks", "www-browser", "browsh")
_LINUX_OPENERS = ("xdg-open", "gio open", "x-www-browser", "firefox", "chromium", "google-chrome")


def over_ssh(environ: Mapping[str, str]) -> bool:
    """Whether this is a session on a far machine; X11 forwarding, which survives ``sudo``, counts."""
    host, _, number = environ.get("DISPLAY", "").rpartition(":")
    screen = number.partition(".")[0]
    # sshd counts from 10 (X11DisplayOffset); a path is XQuartz, small numbers are X servers under Windows.
    forwarded = host != "" and not host.startswith("/") and screen.isdigit() and int(screen) >= 10
    return forwarded or _any_set(environ, _SSH)


def _switched_off(around: Surroundings) -> bool:
    return _wish(around.environ).lower() == "none"


def _in_container(around: Surroundings) -> bool:
    # A command set for ipyweb alone is the way out of the container that its user built.
    return not around.environ.get("IPYWEB_BROWSER") and (around.container or _any_set(around.environ, _CONTAINER))


def _no_display(around: Surroundings) -> bool:
    graphical = around.wsl or around.platform in ("darwin", "win32", "cygwin")
    return not (graphical or _wish(around.environ) or _any_set(around.environ, ("DISPLAY", "WAYLAND_DISPLAY")))


_NEVER: tuple[tuple[str, Callable[[Surroundings], bool]], ...] = (
    ("switched off by IPYWEB_BROWSER or BROWSER", _switched_off),
    ("over SSH", lambda around: over_ssh(around.environ)),
    ("in CI", lambda around: _any_set(around.environ, _CI)),
    ("in a batch job", lambda around: in_job(around.environ)),
    ("in a container", _in_container),
    ("no graphical display", _no_display),
)
"""The first rule that applies tells why no browser opens; the order puts first what says most."""


def decide(around: Surroundings, *, asked: bool = False) -> Decision:
    """Whether a browser is to be opened here, which one, and how it gets the link.

    Args:
        around: what the decision depends on.
        asked: somebody asked for it by a command; then it need not be a terminal where it was asked.
    """
    for reason, applies in _NEVER:
        if applies(around):
            return Decision((), reason=reason)
    if not (asked or around.terminal):
        return Decision((), reason="no terminal")
    command = _command(around)
    if not command:
        return Decision((), reason=f"no browser found (looked for {_wish(around.environ) or 'the system default'})")
    elsewhere = proxies.address(around.environ, 0)  # then the command opens a browser at the proxy's other end
    return Decision(command, handover="file" if around.reads_files(command[0]) and not elsewhere else "code")


def _wish(environ: Mapping[str, str]) -> str:
    return environ.get("IPYWEB_BROWSER") or environ.get("BROWSER") or ""


def _command(around: Surroundings) -> tuple[str, ...]:
    if own := around.environ.get("IPYWEB_BROWSER"):
        return _first([own], around)
    if listed := around.environ.get("BROWSER"):
        return _first(listed.split(os.pathsep), around)
    return _first(_openers(around), around)


def _openers(around: Surroundings) -> tuple[str, ...]:
    if around.platform == "darwin":
        return ("open -g",)  # -g leaves the focus where the user types
    if around.wsl or around.platform in ("win32", "cygwin"):
        return ("wslview", "rundll32.exe url.dll,FileProtocolHandler")
    return _LINUX_OPENERS


def _first(commands: Sequence[str], around: Surroundings) -> tuple[str, ...]:
    """The first command that exists, its program as a path, with ``%s`` where the address goes."""
    for command in commands:
        words = _words(command, around)
        program = around.which(words[0]) if words else None
        if program and Path(program).name not in _TEXT_BROWSERS:
            address = () if any("%s" in word for word in words) else ("%s",)
            return (program, *words[1:], *address)
    return ()


def _words(command: str, around: Surroundings) -> list[str]:
    import shlex

    if around.which(command):  # a path with spaces needs no quotes
        return [command]
    try:
        return shlex.split(command, posix=around.platform != "win32")
    except ValueError:
        return []


def _any_set(environ: Mapping[str, str], names: tuple[str, ...]) -> bool:
    return any(environ.get(name, "").lower() not in ("", "0", "false", "no") for name in names)


# -- the system -------------------------------------------------------------------------------------------------------


def look_around() -> Surroundings:
    """The surroundings of this process."""
    import shutil

    wsl = _is_wsl()
    return Surroundings(
        environ=os.environ,
        platform=sys.platform,
        terminal=is_terminal(sys.stderr),
        container=is_mounted() or any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))),
        wsl=wsl,
        which=_which_windows if wsl else shutil.which,
        reads_files=_reads_files,
    )


def is_terminal(stream: object) -> bool:
    """Whether somebody reads `stream`: it is open, and a terminal."""
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):  # None under pythonw, closed at exit
        return False


def _is_wsl() -> bool:
    try:
        return "microsoft" in Path("/proc/sys/kernel/osrelease").read_text().lower()
    except OSError:
        return False


def _which_windows(name: str) -> str | None:
    import shutil

    return shutil.which(name) or shutil.which(f"/mnt/c/Windows/System32/{name}")


def _reads_files(program: str) -> bool:
    """Whether `program` can read files in our private directory, which lies in a hidden one of the user's home."""
    path = Path(program)
    if path.name in ("xdg-open", "gio"):
        return _default_reads_files()
    if path.name == "wslview" or path.suffix == ".exe":
        return False
    if {"snap", "flatpak"} & {*path.parts, *path.resolve().parts}:
        return False
    return not _starts_sandboxed(path)


def _starts_sandboxed(path: Path) -> bool:
    """Whether `path` is a small script that only starts a snap or flatpak, as distributions install them."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return head.startswith(b"#!") and (b"/snap/bin/" in head or b"flatpak run" in head)


def _default_reads_files() -> bool:
    """The same of the system's default browser; false also where HTML files open in something else, such as an editor.

    Desktop files of snaps are called ``<snap>_<app>.desktop``, and flatpaks export theirs from a directory of their own
    (https://snapcraft.io/docs/desktop-menu-support, https://docs.flatpak.org/en/latest/conventions.html).
    """
    browser = _ask("xdg-settings", "get", "default-web-browser")
    if not browser:
        return True
    directories = os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
    homes = [Path.home() / ".local/share", *map(Path, filter(None, directories))]
    found = next((each for each in homes if (each / "applications" / browser).exists()), Path())
    sandboxed = "_" in browser or "flatpak" in found.parts or "snapd" in found.parts
    return not sandboxed and _ask("xdg-mime", "query", "default", "text/html") in ("", browser)


def _ask(*command: str) -> str:
    return (ask(command, 2.0) or "").strip()


def _place() -> str:
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a user id without an entry, as containers have
        user = "USER"
    return f"{user}@{socket.gethostname()}"


# -- links ------------------------------------------------------------------------------------------------------------


def link(
    connection: Connection, project: str | None = None, output: int | None = None, token: str | None = None
) -> str:
    """The pane's address, with the token of its scope in the fragment, which no server and no log ever sees.

    Args:
        connection: a hub that was challenged. Where we may hold no pane's token, the link carries none.
        project: the project whose outputs the pane shows first; everything when left out.
        output: id of the output to show.
        token: one to give away, in the place of the pane's.
    """
    if token is None and _opens_panes(connection):
        token = connection.token_for("pane")
    secret = {} if token is None else {"token": token}
    return _address(connection, secret, project, output)


def _opens_panes(connection: Connection) -> bool:
    return connection.local or connection.scope == "pane"


def _address(connection: Connection, secret: Mapping[str, str], project: str | None, output: int | None) -> str:
    fields: dict[str, Any] = {**secret, "project": project, "o": output}
    fragment = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in fields.items() if value is not None)
    return f"{_base(connection)}#{fragment}"


def _base(connection: Connection) -> str:
    """Where this process's user reaches a hub's pane, with a slash at the end."""
    return connection.proxy or _proxied(connection) or f"{connection.url}/"


def _proxied(connection: Connection) -> str:
    """The address behind the proxy that our environment tells of, unless the settings tell of another one."""
    ours = connection.local and not is_mounted()  # the host's hub is at none of a container's ports
    return proxies.address(os.environ, connection.port) if ours and not connection.proxy else ""


def introduce(connection: Connection) -> None:
    """Tell the hub of the proxy at which links of this process begin: it may have been started where there was none.

    Raises:
        HubUnreachable: the hub no longer answers.
        HubError: it said no.
    """
    if address := _proxied(connection):
        request(connection, "POST", "api/hosts", {"address": address})


def tunnel_command(port: int, environ: Mapping[str, str], place: str) -> str:
    """The ``ssh`` line that brings a hub's port to the machine where the user sits.

    Args:
        port: the hub's TCP port, kept at both ends so that the printed link works there as it is.
        environ: as ``os.environ``; the fourth field of ``SSH_CONNECTION`` is the port that sshd listens on.
        place: ``user@host`` of this process.
    """
    if login := login_node(environ):
        return f"ssh -J {login} -L {port}:127.0.0.1:{port} {place}"
    fields = environ.get("SSH_CONNECTION", "").split()
    extra = f" -p {fields[3]}" if len(fields) == 4 and fields[3] != "22" else ""
    return f"ssh -L {port}:127.0.0.1:{port} {place}{extra}"


def notice(address: str, port: int, reason: str, around: Surroundings, place: str) -> str:
    """What is printed where no browser opens: the link, and over SSH how to reach it.

    Returns:
        Empty where stderr is no terminal: the link is a secret, and logs are not.
    """
    if not around.terminal:
        return ""
    lines = [f"ipyweb: {address}", f"        not opened: {reason}"]
    if over_ssh(around.environ) or login_node(around.environ):
        lines[1] += f"; on your own machine first: {tunnel_command(port, around.environ, place)}"
    elif _in_container(around) and not is_mounted():
        lines[1] += f"; to show things in the host's pane, start it with -v RUNTIME_DIR:{MOUNTED} (README, Containers)"
    return "\n".join(lines)


# -- opening ----------------------------------------------------------------------------------------------------------


def open_pane(
    connection: Connection,
    *,
    project: str | None = None,
    output: int | None = None,
    asked: bool = False,
    allowed: bool = True,
    around: Surroundings | None = None,
) -> Outcome:
    """Open the pane in a browser, if that makes sense here and now.

    Unless it was `asked` for, this happens once in a hub's life, and never while a pane is connected.

    Args:
        connection: a hub that was challenged.
        project: the project that the pane shows first.
        output: id of the output to show.
        asked: somebody asked for it by a command.
        allowed: false where the configuration forbids it (``IPyWeb.open_browser``).
        around: the surroundings; looked up when left out.

    Raises:
        HubUnreachable: the hub no longer answers.
        HubError: it said no.
    """
    around = around or look_around()
    introduce(connection)
    if not asked and _state(connection).get("frontends"):
        return Outcome(False, "a pane is connected")
    decision = decide(around, asked=asked) if allowed else Decision((), reason="IPyWeb.open_browser is 'never'")
    if decision.command and not (_claim(connection) or asked):
        decision = Decision((), reason="it was opened before; `ipyweb open` opens it again")
    if decision.command and _launch(connection, decision, project, output):
        return Outcome(True)
    reason = decision.reason or f"{decision.command[0]} could not be started"
    address = link(connection, project, output)
    return Outcome(False, reason, notice(address, connection.port, reason, around, _place()))


def _state(connection: Connection) -> dict[str, Any]:
    state: dict[str, Any] = request(connection, "GET", "api/state", scope="session").json()
    return state


def _claim(connection: Connection) -> bool:
    """Tell the hub that a browser is about to open; whether nobody did so before."""
    if connection.scope == "pane":  # at the other end of a tunnel the hub itself opens none
        return True
    try:
        return bool(request(connection, "POST", "api/opened", {}, scope="session").json().get("first", True))
    except HubError as error:
        if error.status not in (404, 405):  # a hub of the previous version does not count
            raise
        return not _state(connection).get("opened")


def _launch(connection: Connection, decision: Decision, project: str | None, output: int | None) -> bool:
    import subprocess
    import threading

    hand_over = _by_file if decision.handover == "file" else _by_code
    address = hand_over(connection, project, output)
    command = [word.replace("%s", address) for word in decision.command]
    silent = subprocess.DEVNULL
    try:
        process = begin(command, stdin=silent, stdout=silent, stderr=silent, start_new_session=True)
    except OSError:
        return False
    threading.Thread(target=process.wait, name="ipyweb browser", daemon=True).start()
    return True


def _by_file(connection: Connection, project: str | None, output: int | None) -> str:
    import secrets

    directory = private_directory(runtime_dir())
    _drop_old(directory)
    path = directory / f"open-{secrets.token_hex(8)}.html"
    write_private(path, redirect_page(link(connection, project, output)).encode())
    return path.absolute().as_uri()


def _by_code(connection: Connection, project: str | None, output: int | None) -> str:
    if not _opens_panes(connection):
        return link(connection, project, output)
    code = request(connection, "POST", "api/codes", {}).json()["code"]
    return _address(connection, {"code": code}, project, output)


def _drop_old(directory: Path) -> None:
    import time

    for path in directory.glob("open-*.html"):
        try:
            if time.time() - path.stat().st_mtime > REDIRECT_AGE:
                path.unlink()
        except OSError:
            continue


def redirect_page(address: str) -> str:
    """An HTML page that goes to `address` at once, leaving no trace of itself in the tab's history."""
    import html
    import json

    script = json.dumps(address).replace("<", "\\u003c")
    return (
        '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>ipyweb</title>'
        f"<script>location.replace({script})</script>"
        f'<noscript><meta http-equiv="refresh" content="0; url={html.escape(address)}"></noscript>\n'
    )
