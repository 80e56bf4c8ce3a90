"""Other processes are started in one piece, and copies of this one do what nobody waits for."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import psutil
import pytest

from ipyweb.forking import ask, begin, detach, whole

from .conftest import is_running, wait_until


def test_no_fork_comes_between_the_pipes_of_a_process_and_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    free: list[bool] = []

    class Looking(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            with ThreadPoolExecutor() as another:
                free.append(another.submit(whole.acquire, blocking=False).result())
            super().__init__(*args, **options)

    monkeypatch.setattr(subprocess, "Popen", Looking)
    with begin([sys.executable, "-c", ""]) as process:
        assert process.wait(60) == 0
    assert free  # by other threads of these tests, too
    assert not any(free)


def test_a_fork_that_began_before_its_watch_leaves_no_lock_behind() -> None:
    code = """
import os, threading
from ipyweb import forking
held = threading.Event()

def hold():
    with forking.whole:
        held.set()
        threading.Event().wait()

def watch_late():
    if not held.is_set():
        forking.watch_forks(lambda: print("a child", flush=True))
        threading.Thread(target=hold, daemon=True).start()
        held.wait()

os.register_at_fork(before=watch_late)
child = os.fork()
if not child:
    with forking.whole:
        os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=180)
    assert (done.stdout.split(), done.stderr) == (["a", "child", "7"], "")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("print('grün')", "grün\n"),
        ("import sys; print('no'); sys.exit(1)", None),
    ],
)
def test_a_process_is_asked(source: str, said: str | None) -> None:
    assert ask([sys.executable, "-X", "utf8", "-c", source], 60) == said


def test_who_takes_too_long_has_no_answer() -> None:
    assert ask([sys.executable, "-c", "import time; time.sleep(3600)"], 0.1) is None


def test_who_is_not_there_has_no_answer() -> None:
    assert ask(["/nonexistent"], 1) is None


def told(path: Path) -> list[str]:
    return wait_until(lambda: path.exists() and path.read_text(), "the copy").split()  # type: ignore[no-any-return]


def test_a_copy_of_the_process_works_on_its_own(tmp_path: Path) -> None:
    def work() -> None:
        (tmp_path / "part").write_text(f"{os.getpid()} {os.getppid()} {os.getsid(0)} {os.readlink('/proc/self/fd/1')}")
        (tmp_path / "part").rename(tmp_path / "said")

    assert detach(work, 60)
    pid, parent, session, stdout = told(tmp_path / "said")
    assert str(os.getpid()) not in (pid, parent)
    assert session != str(os.getsid(0))
    assert stdout == os.devnull
    assert psutil.STATUS_ZOMBIE not in [child.status() for child in psutil.Process().children()]


def test_a_copy_ends_whatever_it_does(tmp_path: Path) -> None:
    def fail() -> NoReturn:
        (tmp_path / "part").write_text(str(os.getpid()))
        (tmp_path / "part").rename(tmp_path / "said")
        raise KeyboardInterrupt

    def hang() -> None:
        (tmp_path / "part").write_text(str(os.getpid()))
        (tmp_path / "part").rename(tmp_path / "hung")
        while True:
            time.sleep(1)

    assert detach(fail, 60)
    assert detach(hang, 1)
    for each in ("said", "hung"):
        pid = int(told(tmp_path / each)[0])
        wait_until(lambda pid=pid: not is_running(pid), "its end")  # type: ignore[misc]


def test_where_there_are_no_forks_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not detach(lambda: None, 60)


@pytest.mark.parametrize("lock", ["drawing._turn()", "snapshot._unpickling", "Figure._render_lock"])
def test_a_figure_can_be_drawn_in_a_fork_of_a_process_that_draws(lock: str) -> None:
    code = f"""
import os, threading
from matplotlib.figure import Figure
import ipyweb
from ipyweb.figures import drawing, snapshot
held = threading.Event()

def hold():
    with {lock}:
        held.set()
        threading.Event().wait()

threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if not child:
    os._exit(7 if ipyweb.render(Figure()) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["7"], "")
