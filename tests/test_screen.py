"""What a terminal takes, asked of a pseudo-terminal whose other end answers as real terminals do."""

import io
import os
import pty
import threading
from collections.abc import Callable, Iterator

import pytest

from ipyweb import screen
from ipyweb.screen import Terminal, look

from .pictures import ATTRIBUTES, CELL, KITTY, NAME, SIXEL_ATTRIBUTES

Ask = Callable[..., Terminal | None]
ASKED = b"\x1b[c"


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Looks at a terminal that gives an answer."""
    opened: list[int] = []

    def ask(answer: bytes, protocol: screen.Protocol | None = None, **environ: str) -> Terminal | None:
        outside, inside = pty.openpty()
        opened.append(outside)
        thread = threading.Thread(target=_answer, args=(outside, answer))
        with open(inside, "w") as stream:
            thread.start()
            found = look(stream, protocol, {"TERM": "xterm", **environ})
        thread.join(180)
        return found

    yield ask
    for each in opened:
        os.close(each)


def _answer(outside: int, answer: bytes) -> None:
    heard = b""
    try:
        while ASKED not in heard:
            heard += os.read(outside, 1000)
        os.write(outside, answer)
    except OSError:  # nothing was asked before the other end closed
        pass


@pytest.mark.parametrize(
    ("answer", "environ", "protocol"),
    [
        (KITTY + ATTRIBUTES, {}, "kitty"),
        ((NAME % "kitty(0.32.2)").encode() + KITTY + ATTRIBUTES, {}, "kitty"),
        ((NAME % "iTerm2 3.5.4").encode() + SIXEL_ATTRIBUTES, {}, "iterm2"),
        ((NAME % "WezTerm 20240203").encode() + SIXEL_ATTRIBUTES, {}, "iterm2"),
        ((NAME % "XTerm(379)").encode() + SIXEL_ATTRIBUTES, {}, "sixel"),
        ((NAME % "XTerm(379)").encode() + ATTRIBUTES, {"COLORTERM": "truecolor"}, "blocks"),
        (b"\x1b[?64;14c", {"COLORTERM": "truecolor"}, "blocks"),
        (ATTRIBUTES, {"TERM": "vt100"}, None),
        (ATTRIBUTES, {"TERM": "linux"}, None),
        (ATTRIBUTES, {"TERM": "screen-256color"}, "blocks"),
        (ATTRIBUTES, {"TERM": "unheard-of"}, None),
    ],
)
def test_a_terminal_says_what_it_takes(answer: bytes, environ: dict[str, str], protocol: str | None, ask: Ask) -> None:
    found = ask(answer, **environ)
    assert found is not None
    assert found.protocol == protocol


def test_it_says_its_cells_and_its_limits(ask: Ask) -> None:
    limits = b"\x1b[?1;0;16S\x1b[?2;0;1000;800S"
    found = ask((CELL % (17, 8)).encode() + limits + SIXEL_ATTRIBUTES)
    assert found == Terminal(80, 24, (8, 17), "sixel", 8, registers=16, largest=(1000, 800))


def test_nonsense_and_zeros_are_no_answers(ask: Ask) -> None:
    found = ask(b"\x1b[6;0;0t\x1b[?1;3;0S\x1b[?2;0;0;0S\x1b[?1;0;0S\x1bP>|\x1b\\" + ATTRIBUTES, COLORTERM="truecolor")
    assert found == Terminal(80, 24)


def test_somebody_may_know_better(ask: Ask) -> None:
    found = ask(ATTRIBUTES, "iterm2")
    assert found is not None
    assert found.protocol == "iterm2"


def test_a_silent_terminal_is_known_by_its_name(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "PATIENCE", 0.05)
    found = [ask(b"", **environ) for environ in ({"TERM": "xterm-kitty"}, {"LC_TERMINAL": "iTerm2"}, {"TERM": "foot"})]
    assert [each and each.protocol for each in found] == ["kitty", "iterm2", "sixel"]


def test_keys_that_wait_are_left_to_whoever_reads_them() -> None:
    outside, inside = pty.openpty()
    with open(inside, "r+b", buffering=0) as stream:
        os.write(outside, b"typed ahead\n")
        text = io.TextIOWrapper(stream)
        found = look(text, None, {"TERM": "xterm-kitty"})
        assert found is not None
        assert found.protocol == "kitty"
        assert os.read(inside, 100) == b"typed ahead\n"
    os.close(outside)


@pytest.mark.parametrize("environ", [{"TMUX": "/tmp/none,1,0"}, {"TERM": "tmux-256color"}, {"TERM": "screen"}])
def test_tmux_and_screen_are_not_asked_what_they_take_for_a_title(environ: dict[str, str]) -> None:
    outside, inside = pty.openpty()
    thread = threading.Thread(target=lambda: heard.append(os.read(outside, 1000)) or os.write(outside, ATTRIBUTES))
    heard: list[bytes] = []
    with open(inside, "w") as stream:
        thread.start()
        look(stream, None, {"TERM": "xterm", **environ})
    thread.join(180)
    os.close(outside)
    assert ASKED in heard[0]
    assert b"\x1b_" not in heard[0]


def test_dumb_terminals_are_not_asked(ask: Ask) -> None:
    for environ in ({"TERM": "dumb"}, {"TERM": ""}):
        found = ask(b"", **environ)
        assert found is not None
        assert (found.protocol, found.colours) == (None, 0)


def test_what_is_no_terminal_is_none() -> None:
    closed = io.StringIO()
    closed.close()
    assert [look(None), look(io.StringIO()), look(closed)] == [None, None, None]
    with open(os.devnull, "w") as stream:
        assert look(stream) is None


def test_a_window_is_measured_again() -> None:
    import fcntl
    import struct
    import termios

    outside, inside = pty.openpty()
    with open(inside, "w") as stream:
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 30, 300, 200))
        found = Terminal(80, 24, (8, 16), "kitty").measured(stream)
        assert found == Terminal(30, 10, (10, 20), "kitty")
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
        assert found.measured(stream) == Terminal(80, 24, (10, 20), "kitty")
    os.close(outside)
