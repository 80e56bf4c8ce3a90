"""What the settings say of the keeper holds, and so does the command that draws figures anew."""

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil

from ipyweb import connection
from ipyweb.figures.easel import resident
from ipyweb.figures.keeper import Keeper, Kept

from ..conftest import wait_until
from .test_showing import SHOW, _end_keepers, data, drawn, picture, script

__all__ = ["_end_keepers"]
SETTLE = "o.wait(20); ipyweb.session.session.current().settle_figures(60)"
GIB = 2**30


def configure(**settings: Any) -> None:
    directory = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    directory.mkdir()
    lines = (f"c.IPyWeb.{name} = {value!r}\n" for name, value in settings.items())
    (directory / "ipyweb_config.py").write_text("".join(lines))


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
