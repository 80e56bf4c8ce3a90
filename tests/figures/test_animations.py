"""Animations play when their frames are drawn, which nobody waits for."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipyweb import connection

from ..conftest import wait_until
from .test_showing import data, outputs, stop_keeper

ANIMATION = """
import pathlib, time, ipyweb, matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation
figure, axes = plt.subplots(figsize=(1, 1))
(line,) = axes.plot([0, 1])
def step(number):
    while not pathlib.Path("go").exists():
        time.sleep(0.01)
    line.set_ydata([number, 1])
animation = FuncAnimation(figure, step, frames=5)
"""


@pytest.fixture(autouse=True)
def _end_keepers(private_environment: None) -> Iterator[None]:
    yield
    stop_keeper()


def script(code: str, directory: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end, and until nobody holds its pipes any more."""
    environ = {**os.environ, "MPLBACKEND": "module://ipyweb.integrations.matplotlib_backend", **environ}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environ, cwd=directory)
    assert done.returncode == 0, done.stderr
    return done


def played(hub: connection.Connection, count: int = 1) -> list[dict[str, Any]]:
    def found() -> list[dict[str, Any]]:
        playing = [each for each in outputs(hub) if "text/html" in each["mimetypes"]]
        return playing if len(playing) == count else []

    playing: list[dict[str, Any]] = wait_until(found, f"{count} animations")
    return playing


def frames(html: bytes) -> int:
    """How many pictures a flip-book has; a video is taken for one of all."""
    return 5 if b"<video" in html else html.count(b"data:image/png")


@pytest.mark.parametrize("show", ["plt.show()", "ipyweb.display(animation)"])
def test_the_program_ends_before_a_frame_is_drawn(hub: connection.Connection, tmp_path: Path, show: str) -> None:
    done = script(ANIMATION + show, tmp_path, IPYWEB_REPORT="0")
    assert (done.stdout, done.stderr) == ("", "")
    (still,) = outputs(hub)
    assert "text/html" not in still["mimetypes"]
    (tmp_path / "go").touch()
    (output,) = played(hub)
    assert (output["id"], output["version"], output["problems"]) == (still["id"], 1, [])
    assert output["mimetypes"][:2] == ["text/html", "image/png"]
    assert frames(data(hub, 1, "mime=text/html").body) == 5
    assert data(hub, 1, "mime=image/png&width=300").headers["x-ipyweb-rendered"] == "keeper"


def test_the_program_does_not_see_that_frames_were_drawn(hub: connection.Connection, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    assert script(f"{ANIMATION}plt.show(); print(*line.get_ydata())", tmp_path).stdout == "0 1\n"
    played(hub)


def test_an_animation_that_fails_says_so_with_its_picture(hub: connection.Connection, tmp_path: Path) -> None:
    script(f"{ANIMATION}step = animation._func = lambda number: 1 / 0\nplt.show()", tmp_path)
    said = wait_until(lambda: outputs(hub)[0]["problems"], "a problem")
    assert said == ["the animation could not be drawn: ZeroDivisionError: division by zero"]
    assert "image/png" in outputs(hub)[0]["mimetypes"]


def test_a_private_animation_touches_no_disk(hub: connection.Connection, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    script(f"{ANIMATION}plt.show()", tmp_path, IPYWEB_STORE="memory")
    (output,) = played(hub)
    assert output["private"]
    stored = [each for each in Path(os.environ["IPYWEB_DATA_DIR"]).rglob("*") if each.is_file()]
    assert not [each for each in stored if b"<video" in each.read_bytes() or b"data:image/png" in each.read_bytes()]


def test_where_a_picture_is_all_there_is_the_frames_are_drawn_at_once(
    hub: connection.Connection, tmp_path: Path, pictures_at_once: None
) -> None:
    (tmp_path / "go").touch()
    script(f"{ANIMATION}plt.show()", tmp_path)
    assert "text/html" in outputs(hub)[0]["mimetypes"]
