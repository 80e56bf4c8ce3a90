"""Other processes are started in one piece."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ipyweb.forking import ask, begin, whole


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
    assert free == [False]


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
