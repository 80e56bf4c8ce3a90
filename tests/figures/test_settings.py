"""What the settings say of the keeper holds, and so does the command that draws figures anew."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from ipyweb import connection
from ipyweb.figures.easel import resident
from ipyweb.figures.keeper import Keeper, Kept

from ..conftest import wait_until
from .conftest import ROOT
from .test_showing import LINE, SHOW, _end_keepers, data, drawn, outputs, picture, script

__all__ = ["_end_keepers"]
SETTLE = "o.wait(20); ipyweb.session.session.current().settle_figures(60)"
GIB = 2**30


def configure(**settings: Any) -> None:
    directory = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    directory.mkdir()
    lines = (f"c.IPyWeb.{name} = {value!r}\n" for name, value in settings.items())
    (directory / "ipyweb_config.py").write_text("".join(lines))


# -- the command ------------------------------------------------------------------------------------------------------


def get(directory: Path, *words: str) -> bytes:
    """What ``ipyweb get last`` writes."""
    command = ["get", "1", *words, "-o", "got"]
    script(f"import sys; from ipyweb.cli.app import main; sys.exit(main({command!r}))", directory)
    return (directory / "got").read_bytes()


def test_the_command_draws_a_figure_in_another_style_size_and_format(
    hub: connection.Connection, tmp_path: Path
) -> None:
    script(SHOW)
    drawn(hub)
    (tmp_path / "paper.mplstyle").write_text("figure.facecolor: red\nfont.size: 5\n")
    styled = picture(get(tmp_path, "--format", "png", "--style", "paper.mplstyle", "--width", "300"))
    assert (styled.size, styled.convert("RGB").getpixel((2, 2))) == ((300, 225), (255, 0, 0))
    assert picture(get(tmp_path, "--format", "png")).convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    pdf = get(tmp_path, "--style", "paper.mplstyle", "--width", "3.3in", "--format", "pdf")
    (box,) = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf)
    assert [float(each) for each in box] == pytest.approx([3.3 * 72, 3.3 * 72 * 0.75])


def test_the_command_gives_the_data_and_the_words_of_a_figure(hub: connection.Connection, tmp_path: Path) -> None:
    script(SHOW)
    drawn(hub)
    assert get(tmp_path, "--format", "csv").decode().splitlines() == ["line 1 x,line 1 y", "0.0,1", "1.0,3", "2.0,2"]
    assert "title: Tides" in get(tmp_path, "--format", "text").decode()


# -- memory -----------------------------------------------------------------------------------------------------------


class FakeEasel:
    def __init__(self, memory: int) -> None:
        self._memory = memory
        self.ended = False

    def memory(self) -> int:
        return self._memory

    def end(self) -> None:
        self.ended = True


def test_figures_that_were_not_drawn_for_longest_go_first_but_none_that_is_being_drawn() -> None:
    keeper: Any = Keeper.__new__(Keeper)
    easels = [FakeEasel(GIB) for _ in range(4)]
    figures = [Kept(str(n), easel=easel, memory=GIB, used=n, busy=n == 0) for n, easel in enumerate(easels)]  # type: ignore[arg-type]
    nothing = SimpleNamespace(memory=lambda: 0)
    keeper._lock, keeper._easels, keeper._copies, keeper._newest = threading.Lock(), nothing, nothing, {}
    keeper._figures = {each.id: each for each in figures}
    keeper._bound = resident(os.getpid()) + int(2.5 * GIB)
    keeper._weigh(figures[3])
    assert [each.ended for each in easels] == [False, True, False, False]
    assert list(keeper._figures) == ["0", "2", "3"]


def test_figures_for_which_there_is_no_memory_keep_their_pictures_and_are_drawn_again(
    hub: connection.Connection,
) -> None:
    configure(keeper_memory=1)
    script(f"{SHOW}\nfor n in range(3): a.set_title(f'Tides {{n}}'); o = ipyweb.display(f)\n{SETTLE}")
    found = drawn(hub, 4)
    assert all("drawn" not in each["figure"] for each in found)
    wait_until(lambda: not easels(), "the easels' end")
    for each in found:
        assert picture(data(hub, each["id"], "mime=image/png").body).size == (640, 480)
        answer = data(hub, each["id"], "mime=image/png&width=300")
        assert (picture(answer.body).size, answer.headers["x-ipyweb-rendered"]) == ((300, 225), "keeper")
    wait_until(lambda: not easels(), "the easels' end")


def easels() -> list[psutil.Process]:
    """Processes that hold a figure: children of a template of this test's keeper."""
    found = []
    for process in psutil.process_iter():
        try:
            if "ipyweb.figures.easel" in process.cmdline() and "ipyweb.figures.easel" in process.parent().cmdline():
                found += [process] if process.environ().get("IPYWEB_DATA_DIR") == os.environ["IPYWEB_DATA_DIR"] else []
        except (psutil.Error, AttributeError):
            continue
    return found


# -- the process ------------------------------------------------------------------------------------------------------


def test_the_keeper_is_started_by_the_command_and_with_the_environment_of_the_settings(
    hub: connection.Connection, tmp_path: Path
) -> None:
    command = tmp_path / "a keeper"
    command.write_text(
        f'#!/bin/sh\necho "$GREETING, $1" >> {tmp_path / "log"}\n'
        f'shift\nexec {sys.executable} -P -m ipyweb.figures.keeper "$@"\n'
    )
    command.chmod(0o755)
    configure(keeper_command=[str(command), "a word"], keeper_environment={"GREETING": "hello"})
    artist = (
        "import os\nclass Word(type(a.lines[0])):\n"
        "    def draw(self, renderer): self.axes.set_title(os.environ['GREETING'])\n"
        "a.add_artist(Word([0, 1], [0, 1]))\n"
    )
    script(f"{LINE}{artist}import ipyweb; o = ipyweb.display(f); {SETTLE}")
    (output,) = drawn(hub)
    assert (tmp_path / "log").read_text() == "hello, a word\n"
    assert "title: hello" in output["figure"]["description"]


# -- a breakpoint -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("show", ["ipyweb.display(f, title='here')", "plt.figure('here').text(0, 0, 'x'); plt.show()"])
def test_what_is_shown_at_a_breakpoint_arrives_there(hub: connection.Connection, tmp_path: Path, show: str) -> None:
    path = tmp_path / "stops.py"
    path.write_text(f"{LINE}import matplotlib.pyplot as plt\nimport ipyweb\nbreakpoint()\nprint('went on')\n")
    python_path = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH", "")]))
    program = subprocess.Popen(
        [sys.executable, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": python_path, "MPLBACKEND": "ipyweb"},
    )
    with program:
        assert program.stdin is not None
        program.stdin.write(f"{show}\n")
        program.stdin.flush()
        wait_until(lambda: bool(outputs(hub)) and bool(drawn(hub)), "the figure")
        assert program.poll() is None
        out, _ = program.communicate("continue\n", timeout=180)
    assert "went on" in out
    (output,) = drawn(hub)
    assert "image/png" in output["mimetypes"]
