"""``ipyweb show`` on real pseudo-terminals and in a real tmux; what was written there is decoded to pixels again."""

import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from PIL import Image

from ..conftest import wait_until
from ..pictures import (
    ATTRIBUTES,
    CELL,
    KITTY,
    NAME,
    SIXEL_ATTRIBUTES,
    difference,
    of_blocks,
    of_iterm2,
    of_kitty,
    of_sixel,
    png,
    sample,
)
from ..test_graphics import unwrapped

Answer = Callable[..., tuple[int, str, str]]
Publish = Callable[..., int]
Decode = Callable[[bytes], Image.Image]

SHOW = [sys.executable, "-m", "ipyweb", "show"]
ASKED = b"\x1b[c"
FIGURE = """
import ipyweb
from matplotlib.figure import Figure
figure = Figure(figsize=(6, 3))
figure.subplots().plot([1, 3, 2])
ipyweb.display(figure)
"""


@pytest.fixture(autouse=True)
def terminal_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLORTERM", "NO_COLOR", "TERM_PROGRAM", "LC_TERMINAL", "TMUX", "TMUX_PANE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def on_terminal(*words: str, said: bytes = b"", size: tuple[int, int] = (24, 80)) -> tuple[int, bytes]:
    """Run the command on a terminal.

    Args:
        words: of the command line.
        said: what the terminal answers when it is asked.
        size: rows and columns.

    Returns:
        The exit status, and what was written after the questions.
    """
    process = pexpect.spawn(SHOW[0], [*SHOW[1:], *words], timeout=60, dimensions=size)
    process.delaybeforesend = None
    if said:
        process.expect_exact(ASKED)
        process.send(said)
    process.expect(pexpect.EOF)
    process.close()
    return int(process.exitstatus or 0), process.before


def publish_png(publish: Publish, image: Image.Image, **data: object) -> int:
    return publish({"image/png": base64.b64encode(png(image)).decode(), "text/plain": "<PIL.Image.Image>", **data})


@pytest.mark.parametrize(
    ("said", "decode", "most"),
    [
        (KITTY + ATTRIBUTES, of_kitty, 0),
        ((NAME % "iTerm2 3.5").encode() + ATTRIBUTES, of_iterm2, 0),
        (SIXEL_ATTRIBUTES, of_sixel, 5),
    ],
    ids=["kitty", "iterm2", "sixel"],
)
def test_the_terminal_gets_the_picture_that_was_stored(
    said: bytes, decode: Decode, most: int, publish: Publish
) -> None:
    image = sample(90, 70)
    publish_png(publish, image)
    status, written = on_terminal(said=said)
    assert status == 0
    assert difference(decode(written), image) <= most
    small = on_terminal("last", "--width", "3", said=said)[1]
    assert decode(small).width == 30


def test_a_terminal_that_takes_no_pictures_gets_half_blocks(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    image = sample(40, 30)
    number = publish_png(publish, image)
    status, written = on_terminal(str(number), said=ATTRIBUTES)
    assert status == 0
    assert difference(of_blocks(written.decode()), image) <= 48  # in 256 colours
    monkeypatch.setenv("COLORTERM", "truecolor")
    assert difference(of_blocks(on_terminal(said=ATTRIBUTES)[1].decode()), image) == 0
    tiny = of_blocks(on_terminal(said=ATTRIBUTES, size=(3, 10))[1].decode())
    assert (tiny.width <= 10, tiny.height) == (True, 2)


def test_a_figure_is_drawn_anew_for_the_window(hub: object, project: str, answer: Answer) -> None:
    subprocess.run([sys.executable, "-c", FIGURE], check=True)
    large = (CELL % (32, 16)).encode() + KITTY + ATTRIBUTES
    assert of_kitty(on_terminal(said=large, size=(60, 200))[1]).size == (1200, 600)  # cells twice as large as 8 by 16
    blocks = of_blocks(on_terminal("--protocol", "blocks", said=ATTRIBUTES, size=(30, 100))[1].decode())
    assert blocks.size == (100, 50)  # all of the width, since they show so little
    assert "line of 3 points" in answer("show")[1]  # what it says in words, where there is no terminal


HOSTILE = "one\x1b[2J\x1b]0;owned\x07 \x1b[31mtwo\x1b]52;c;ZXZpbA==\x07 three\r\x9b5n"


def test_text_is_printed_and_cannot_steer_the_terminal(publish: Publish, answer: Answer) -> None:
    publish({"text/plain": HOSTILE})
    assert answer("show") == (0, "one two three\n5n\n", "")
    assert on_terminal(said=ATTRIBUTES) == (0, b"one \x1b[31mtwo three\r\n5n\x1b[0m\r\n")


def test_no_colours_where_nobody_wants_them(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    publish({"text/plain": HOSTILE})
    monkeypatch.setenv("NO_COLOR", "1")
    assert on_terminal(said=ATTRIBUTES)[1] == b"one two three\r\n5n\r\n"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert on_terminal() == (0, b"one two three\r\n5n\r\n")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"text/markdown": "# Title", "text/plain": "<IPython.core.display.Markdown object>"}, "# Title\n"),
        ({"text/html": "<b>bold</b><p>x", "text/plain": "<IPython.core.display.HTML object>"}, "bold\nx\n"),
        ({"text/html": "<table>…</table>", "text/plain": "   a\n0  1"}, "   a\n0  1\n"),
        ({"text/html": "<b>bold</b>"}, "bold\n"),
        ({"text/latex": "$x$"}, "$x$\n"),
    ],
)
def test_markup_is_shown_as_its_text(data: dict[str, object], expected: str, publish: Publish, answer: Answer) -> None:
    publish(data)
    assert answer("show") == (0, expected, "")


def test_what_a_terminal_cannot_show_says_what_it_is(publish: Publish, answer: Answer) -> None:
    plot = publish({"application/vnd.plotly.v1+json": {"data": []}, "text/plain": "Figure({…})"})
    assert answer("show") == (
        1,
        "",
        f"ipyweb: output {plot} has application/vnd.plotly.v1+json, text/plain, which a terminal cannot show; "
        f"`ipyweb open {plot}` does\n",
    )
    drawing = publish({"image/svg+xml": "<svg/>"})
    assert answer("show", str(drawing))[0] == 1


def test_a_picture_without_a_terminal_names_the_command_that_writes_it(
    publish: Publish, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = publish_png(publish, sample())
    hint = f"`ipyweb get {number} -o FILE` writes it"
    assert answer("show") == (1, "", f"ipyweb: output {number} is a picture: stdout is no terminal; {hint}\n")
    monkeypatch.setenv("TERM", "dumb")
    assert on_terminal() == (1, f"ipyweb: output {number} is a picture: this terminal shows none; {hint}\r\n".encode())


def test_what_only_claims_to_be_a_picture_is_a_failure(publish: Publish) -> None:
    publish({"image/png": base64.b64encode(b"\x89PNG\r\n\x1a\nrubbish\x1b[2J").decode()})
    status, written = on_terminal(said=KITTY + ATTRIBUTES)
    assert status == 1
    assert b"its picture cannot be read" in written
    assert b"\x1b" not in written


def test_without_the_libraries_one_line_says_how_to_get_them(
    publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_png(publish, sample())
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "timg.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "without"), os.environ.get("PYTHONPATH", "")]))
    status, written = on_terminal(said=KITTY + ATTRIBUTES)
    assert status == 1
    assert b"python -m pip install pillow timg" in written


def test_wrong_usage(publish: Publish, answer: Answer) -> None:
    publish()
    for words in (["--protocol", "morse"], ["--width", "-3"], ["--width", "8in"], ["x"], ["1", "2"]):
        assert answer("show", *words)[0] == 2, words


def test_a_closed_stdout_is_a_failure(publish: Publish) -> None:
    publish()
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *SHOW], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "ipyweb: stdout is closed\n")


def test_a_terminal_gets_back_the_modes_it_had(publish: Publish) -> None:
    publish_png(publish, sample())
    process = pexpect.spawn("sh", ["-c", 'stty -g; "$@" >/dev/null 2>&1; "$@"; stty -g', "sh", *SHOW], timeout=60)
    process.expect(rb"([0-9a-f:]{20,})\r\n")
    before = process.match[1]
    process.expect_exact(ASKED)
    process.send(KITTY + ATTRIBUTES)
    process.expect_exact(before)
    process.close(force=True)


# -- tmux -------------------------------------------------------------------------------------------------------------


class Tmux:
    """A tmux with one pane, and a terminal of a given name that shows it."""

    def __init__(self, socket: Path, name: str) -> None:
        self._command = ["tmux", "-S", str(socket), "-f", os.devnull]
        self._name = name
        shell = "PS1='$ ' exec sh"
        self.terminal = pexpect.spawn("tmux", [*self._command[1:], "new", shell], timeout=60, dimensions=(30, 100))
        self.terminal.delaybeforesend = None
        self.until(b"\x1b[>q")
        self.terminal.send((NAME % name).encode() + b"\x1b[?62;22c")
        wait_until(lambda: name in self.run("display-message", "-p", "#{client_termtype}"), "the terminal's name")

    def run(self, *words: str) -> str:
        return subprocess.run([*self._command, *words], capture_output=True, text=True, check=False).stdout

    def type(self, words: str, number: int) -> None:
        """Have the shell run a command, and print ``ended NUMBER STATUS`` after it."""
        self.run("send-keys", f"{words}; echo ended {number} $?", "Enter")

    def until(self, wanted: bytes) -> bytes:
        """What the terminal gets up to and with `wanted`, after what it got before."""
        self.terminal.expect_exact(wanted)
        return bytes(self.terminal.before + wanted)

    def screen(self) -> str:
        return self.run("capture-pane", "-p", "-e")

    def end(self) -> None:
        self.run("kill-server")
        self.terminal.close(force=True)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[[str], Tmux]]:
    started: list[Tmux] = []

    def start(name: str) -> Tmux:
        started.append(Tmux(tmp_path / f"tmux{len(started)}", name))
        return started[-1]

    yield start
    for each in started:
        each.end()


COMMAND = " ".join(SHOW)


def test_tmux_passes_pictures_on_or_one_line_says_how_it_would(
    publish: Publish, tmux: Callable[[str], Tmux], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    image = sample(40, 30)
    publish_png(publish, image)
    window = tmux("kitty(0.32)")
    window.type(COMMAND, 1)
    wait_until(lambda: "ended 1 0" in window.screen(), "half blocks")
    assert "`tmux set -p allow-passthrough on` lets it" in window.screen()
    assert difference(of_blocks(window.screen()), image) <= 48
    window.run("set", "-p", "allow-passthrough", "on")
    window.type(f"clear; {COMMAND}", 2)
    written = window.until(b"ended 2 0")
    wait_until(lambda: window.screen().count("\U0010eeee") == 3, "placeholders")  # in cells of 16 by 32
    assert difference(of_kitty(written), image) == 0
    assert unwrapped(written) == b""


def test_tmux_draws_at_the_pane_what_it_passes_on(publish: Publish, tmux: Callable[[str], Tmux]) -> None:
    image = sample(40, 30)
    publish_png(publish, image)
    window = tmux("iTerm2 3.5")
    window.run("set", "-g", "status-position", "top")
    window.run("split-window", "-h", "PS1='$ ' exec sh")
    window.run("set", "-p", "allow-passthrough", "on")
    window.type(f"clear; {COMMAND}", 1)
    written = window.until(b"ended 1 0")
    assert difference(of_iterm2(written), image) == 0
    place = written[: written.index(b"\x1b]1337")].rpartition(b"\x1b[")[2]
    assert place == b"2;52H"  # below the status line; right of half of the columns and the border
