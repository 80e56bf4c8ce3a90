"""``%ipyweb inline``: what IPython shows is drawn in its terminal, between commands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ..pictures import ATTRIBUTES, KITTY, difference, of_kitty, png, sample
from .conftest import PROMPT_BEGINS, PROMPT_ENDS, Terminal, plain

Start = Callable[..., Terminal]
ASKED = "\x1b[c"
ENDS = "m=0;"


def on(terminal: Terminal, said: bytes = KITTY + ATTRIBUTES) -> str:
    """Switch it on, and answer as the terminal does; returns what was printed."""
    terminal.send("%ipyweb inline on")
    terminal.process.expect_exact(ASKED)
    terminal.process.send(said.decode())
    return terminal.printed()


def drawn(terminal: Terminal) -> bytes:
    """Wait for a picture, and for the prompt below it; returns what was written up to there."""
    terminal.process.expect_exact(ENDS)
    before = terminal.process.before + ENDS
    terminal.process.expect_exact(PROMPT_BEGINS)
    return (before + terminal.process.before).encode()


@pytest.fixture
def picture(project: Path) -> str:
    """An expression that is a picture."""
    (project / "sample.png").write_bytes(png(sample(60, 50)))
    return "Image('sample.png')"


def test_what_is_shown_is_drawn_after_the_prompt_has_come(ipython: Terminal, picture: str) -> None:
    assert ipython.cell("%ipyweb inline").startswith("outputs are not drawn")
    assert on(ipython).endswith("outputs are drawn in this terminal too, by the protocol kitty")
    ipython.send(picture)
    ipython.process.expect_exact(PROMPT_BEGINS)
    ipython.process.send("half = 12")
    assert difference(of_kitty(drawn(ipython)), sample(60, 50)) == 0
    ipython.process.send("34\r")
    ipython.process.expect_exact(PROMPT_ENDS)
    ipython.printed()
    assert ipython.cell("half").endswith("1234")
    ipython.cell("import matplotlib.pyplot as plt")
    ipython.send("plt.plot([1, 2]);")
    assert of_kitty(drawn(ipython)).size == (800, 600)  # 640 by 480 as made, in cells of 10 by 20 for 8 by 16


def test_a_command_is_drawn_once_in_its_newest_version(ipython: Terminal, picture: str) -> None:
    on(ipython)
    ipython.send(f"for i in range(5): clear_output(wait=True); display({picture})")
    drawn(ipython)
    ipython.send(f"handle = display(HTML('<b>words</b>'), display_id=True); [handle.update({picture}) for _ in '123'];")
    drawn(ipython)
    ipython.send("display(Markdown('*marked*')); print('printed')")
    ipython.process.expect_exact("*marked*")
    assert "\x1b_G" not in ipython.process.before
    assert "printed" in plain(ipython.process.before)


def test_it_ends_with_off_and_with_the_extension(ipython: Terminal, picture: str) -> None:
    ipython.cell("before = dict(get_ipython().mime_renderers)")
    on(ipython)
    assert ipython.cell("%ipyweb inline off").startswith("outputs are not drawn")
    ipython.cell(picture)
    assert ipython.cell("ipyweb.flush(20)").endswith("True")
    on(ipython)
    ipython.send(picture)
    drawn(ipython)
    ipython.cell("%unload_ext ipyweb")
    assert ipython.cell("dict(get_ipython().mime_renderers) == before").endswith("True")
    assert "\x1b_G" not in ipython.cell("[each.name for each in __import__('threading').enumerate()]")
    assert "ipyweb-inline" not in plain(ipython.process.before)


def test_a_terminal_without_pictures_is_told_so(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "vt100")
    terminal = start()
    terminal.load()
    assert "takes no pictures, and has no colours" in on(terminal, ATTRIBUTES)
    assert "expected %ipyweb inline on, or off, got 'maybe'" in terminal.cell("%ipyweb inline maybe")
