"""The terminal that somebody looks at: how large it is, and which pictures it takes.

`look` asks the terminal itself, by control sequences that every terminal answers or ignores: the kitty protocol's
query (sw.kovidgoyal.net/kitty/graphics-protocol), and xterm's for its name, the size of its cells, its colour registers
and its device attributes, where 4 means sixel (invisible-island.net/xterm/ctlseqs). The last is answered by all, so
that nobody waits for those who know none of the others. Standard library only.
"""

import contextlib
import os
import re
import select
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import IO, Literal, NamedTuple

Protocol = Literal["kitty", "iterm2", "sixel", "blocks"]
PROTOCOLS: tuple[Protocol, ...] = ("kitty", "iterm2", "sixel", "blocks")

ASSUMED_CELL = (10, 20)
"""Pixels of a cell where nobody tells, those of a VT340."""

PATIENCE = 1.0
"""Seconds for a terminal to answer; one at the far end of a line takes a round trip."""

TRUE_COLOUR = 1 << 24

_KITTY_QUERY = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
"""Would you take this pixel? Within tmux and screen it would become the window's title."""

_QUERY = (
    b"\x1b[>q"  # XTVERSION: your name
    b"\x1b[16t"  # your cells in pixels
    b"\x1b[?1;1;0S\x1b[?2;1;0S"  # XTSMGRAPHICS: your colour registers, your largest sixel picture
    b"\x1b[c"  # DA1: your device attributes
)
_KITTY = re.compile(rb"\x1b_Gi=31;OK")
_NAME = re.compile(rb"\x1bP>\|([^\x1b]{1,100})")
_CELL = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_REGISTERS = re.compile(rb"\x1b\[\?1;0;(\d{1,9})S")
_LARGEST = re.compile(rb"\x1b\[\?2;0;(\d{1,9});(\d{1,9})S")
_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]{1,100})c")

_NAMES: tuple[tuple[str, Protocol], ...] = (
    ("kitty", "kitty"),
    ("ghostty", "kitty"),
    ("konsole", "kitty"),
    ("iterm", "iterm2"),
    ("wezterm", "iterm2"),
    ("mintty", "iterm2"),
    ("foot", "sixel"),
    ("mlterm", "sixel"),
    ("contour", "sixel"),
)
"""What terminals take, by what they call themselves."""


class Terminal(NamedTuple):
    """A terminal as it is now.

    Attributes:
        columns, rows: its cells.
        cell: width and height of a cell in pixels.
        protocol: how it takes pictures; ``None`` where it takes none, not even in half blocks.
        colours: how many colours text can have; 0 where none is known.
        registers: how many colours a sixel picture may have.
        largest: pixels that a sixel picture may have in width and height.
        tmux: whether pictures have to pass through tmux, which does not know them.
        hint: why a picture is not drawn better, and what to do; empty when there is nothing to say.
    """

    columns: int
    rows: int
    cell: tuple[int, int] = ASSUMED_CELL
    protocol: Protocol | None = "blocks"
    colours: int = TRUE_COLOUR
    registers: int = 256
    largest: tuple[int, int] = (10_000, 10_000)
    tmux: bool = False
    hint: str = ""

    def measured(self, stream: IO[str]) -> "Terminal":
        """The same terminal at the size that it has by now."""
        columns, rows, cell = _size(stream.fileno())
        return self._replace(columns=columns, rows=rows, cell=cell or self.cell)


class Answers(NamedTuple):
    """What a terminal said of itself; ``None`` and empty for what it did not."""

    kitty: bool = False
    name: str = ""
    cell: tuple[int, int] | None = None
    registers: int | None = None
    largest: tuple[int, int] | None = None
    sixel: bool = False

    @classmethod
    def of(cls, said: bytes) -> "Answers":
        """What is in the bytes that a terminal sent."""
        name, cell, registers = _NAME.search(said), _CELL.search(said), _REGISTERS.search(said)
        largest, attributes = _LARGEST.search(said), _ATTRIBUTES.search(said)
        return cls(
            kitty=_KITTY.search(said) is not None,
            name=name[1].decode("ascii", "replace") if name else "",
            cell=_pair(cell[2], cell[1]) if cell else None,
            registers=int(registers[1]) if registers else None,
            largest=_pair(largest[1], largest[2]) if largest else None,
            sixel=attributes is not None and b"4" in attributes[1].split(b";"),
        )


def look(
    stream: IO[str] | None, protocol: Protocol | None = None, environ: Mapping[str, str] = os.environ
) -> Terminal | None:
    """The terminal that `stream` writes to.

    What is typed while it is asked, which takes it a moment, may get lost; where keys wait already it is not asked.

    Args:
        stream: such as ``sys.stdout``, which is ``None`` where it is closed.
        protocol: what somebody knows it to take; the best of what it says when left out.

    Returns:
        ``None`` when there is no terminal.
    """
    try:
        if stream is None or not stream.isatty():
            return None
        descriptor = stream.fileno()
    except (OSError, ValueError):  # closed, or no file
        return None
    columns, rows, cell = _size(descriptor)
    if environ.get("TERM") in (None, "", "dumb"):
        return Terminal(columns, rows, protocol=protocol, colours=0)
    said = Answers.of(_ask(descriptor, _QUERY if _multiplexed(environ) else _KITTY_QUERY + _QUERY))
    colours = _colours(environ, said)
    found = Terminal(
        columns,
        rows,
        cell or said.cell or ASSUMED_CELL,
        protocol or _told(said, environ) or ("blocks" if colours >= 256 else None),
        colours,
        max(2, min(256, said.registers or 256)),
        said.largest or (10_000, 10_000),
    )
    return _through_tmux(found, said, protocol) if environ.get("TMUX") else found


def _multiplexed(environ: Mapping[str, str]) -> bool:
    """Whether tmux or screen is between, here or at the other end of a line."""
    return bool(environ.get("TMUX")) or environ.get("TERM", "").startswith(("tmux", "screen"))


def _told(said: Answers, environ: Mapping[str, str]) -> Protocol | None:
    """The best protocol of a terminal by what it says, or else by what it is called."""
    named = _named(said.name)
    if said.kitty or named == "kitty":
        return "kitty"
    if named or said.sixel:
        return named or "sixel"
    if said != Answers() or environ.get("TMUX"):  # whose variables are those of the terminal that it was started in
        return None
    return _named(" ".join(environ.get(each, "") for each in ("TERM", "TERM_PROGRAM", "LC_TERMINAL")))


def _named(name: str) -> Protocol | None:
    return next((protocol for word, protocol in _NAMES if word in name.lower()), None)


def _colours(environ: Mapping[str, str], said: Answers) -> int:
    """How many colours text can have, by the names that a terminal has, since none tells a number."""
    term = environ.get("TERM", "")
    if environ.get("COLORTERM") in ("truecolor", "24bit") or "direct" in term or _named(f"{said.name} {term}"):
        return TRUE_COLOUR
    if "256color" in term or said.name:  # what knows XTVERSION is younger than 256 colours
        return 256
    return 0 if term.startswith("vt") else 8


# -- tmux -------------------------------------------------------------------------------------------------------------


def _through_tmux(found: Terminal, said: Answers, protocol: Protocol | None) -> Terminal:
    """What can be done within tmux, which draws sixel pictures itself where it says so, and may pass others on."""
    if found.protocol == "blocks" and protocol:
        return found
    if said.sixel and found.protocol == "sixel":
        return found
    outer = protocol or _named(tmux("#{client_termtype} #{client_termname}"))
    if outer is None:
        return found
    if tmux("#{allow-passthrough}") in ("off", "0"):  # which tmux had not before 3.3, and always did
        hint = "tmux passes no pictures on to the terminal; `tmux set -p allow-passthrough on` lets it"
        return found._replace(protocol="blocks" if found.colours >= 256 else None, hint=hint)
    return found._replace(protocol=outer, tmux=True)


def tmux(wanted: str) -> str:
    """What tmux says of the pane that this process is in.

    Args:
        wanted: a format of tmux, such as ``#{pane_top}``.

    Returns:
        Empty when it says nothing.
    """
    command = ["tmux", "display-message", "-p", "-t", os.environ.get("TMUX_PANE", ""), wanted]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip()


# -- the line to the terminal -----------------------------------------------------------------------------------------


def _size(descriptor: int) -> tuple[int, int, tuple[int, int] | None]:
    """Columns, rows, and pixels of a cell if the terminal's driver knows them."""
    try:
        import fcntl
        import struct
        import termios

        packed = fcntl.ioctl(descriptor, termios.TIOCGWINSZ, b"\0" * 8)
        rows, columns, width, height = struct.unpack("HHHH", packed)
    except (ImportError, OSError):  # Windows, or no terminal any more
        with contextlib.suppress(OSError, ValueError):
            return *os.get_terminal_size(descriptor), None
        return 80, 24, None
    columns, rows = columns or 80, rows or 24
    cell = (width // columns, height // rows)
    return columns, rows, cell if all(cell) else None


def _pair(first: bytes, second: bytes) -> tuple[int, int] | None:
    return (int(first), int(second)) if int(first) and int(second) else None


def _ask(descriptor: int, query: bytes) -> bytes:
    """What the terminal answers to a query that ends with DA1; empty when it cannot be asked now."""
    try:
        with _unbuffered(descriptor) as line:
            if line is None or _waits(line, 0):
                return b""
            os.write(line, query)
            return _answer(line)
    except (ImportError, OSError):
        return b""


def _answer(line: int) -> bytes:
    said, end = b"", time.monotonic() + PATIENCE
    while not _ATTRIBUTES.search(said) and len(said) < 4096 and _waits(line, end - time.monotonic()):
        more = os.read(line, 1024)
        if not more:
            break
        said += more
    return said


def _waits(line: int, seconds: float) -> bool:
    return bool(select.select([line], [], [], max(0.0, seconds))[0])


@contextlib.contextmanager
def _unbuffered(descriptor: int) -> Iterator[int | None]:
    """A descriptor of the terminal that gives each byte at once and shows none; ``None`` in the background."""
    import termios

    line = os.open(os.ttyname(descriptor), os.O_RDWR | os.O_NOCTTY)
    try:
        if _in_background(line):  # where the system stops a process that touches the terminal
            yield None
            return
        before = termios.tcgetattr(line)
        modes = [*before]
        modes[3] &= ~(termios.ICANON | termios.ECHO)
        try:
            termios.tcsetattr(line, termios.TCSADRAIN, modes)
            yield line
        finally:
            termios.tcsetattr(line, termios.TCSADRAIN, before)
    finally:
        os.close(line)


def _in_background(line: int) -> bool:
    try:
        return os.tcgetpgrp(line) != os.getpgrp()
    except OSError:  # not this process's controlling terminal
        return False
