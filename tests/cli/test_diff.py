"""Runs of real scripts, compared."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipyweb import connection
from ipyweb.cli.app import Failure
from ipyweb.cli.diff import find_run

Answer = Callable[..., tuple[int, str, str]]

SCRIPT = """
import ipyweb
from values import values
for value in values:
    ipyweb.display({"text/plain": str(value)}, raw=True)
"""


@pytest.fixture
def run(hub: connection.Connection, project: str) -> Callable[..., None]:
    """A function that runs a script, which shows some values."""

    def run(*values: object, script: str = "train.py") -> None:
        Path(project, script).write_text(SCRIPT)
        Path(project, "values.py").write_text(f"values = {values!r}\n")
        command = [sys.executable, "-B", "-m", "ipyweb", "run", script]
        subprocess.run(command, cwd=project, check=True, timeout=180)

    return run


def test_nothing_changed_is_status_0(run: Callable[..., None], answer: Answer) -> None:
    run("a", "b")
    run("a", "b")
    assert answer("diff") == (0, "run 1 of train.py → run 2 of train.py: 2 outputs\n", "")


def test_what_changed_is_listed_with_status_1(run: Callable[..., None], answer: Answer) -> None:
    run("a", "b")
    run("a", "c", "d")
    status, out, _ = answer("diff", "1", "2")
    first, _, *rows = out.splitlines()
    assert status == 1
    assert first == "run 1 of train.py → run 2 of train.py: 3 outputs, 1 changed, 1 new"
    assert [row.split()[:5] for row in rows] == [
        ["≠", "changed", "2", "4", "train.py:5"],
        ["+", "new", "-", "5", "train.py:5"],
    ]
    status, out, _ = answer("diff", "--json", "train.py:2", "train.py:1")
    assert status == 1
    assert [each["status"] for each in json.loads(out)["stacks"]] == ["same", "changed", "gone"]


def test_runs_are_listed_and_named_by_number_script_and_id(run: Callable[..., None], answer: Answer) -> None:
    run("a")
    run("a", script="other.py")
    run("b")
    head, *rows = answer("list", "--runs")[1].splitlines()
    assert head.split() == ["RUN", "STARTED", "OUTPUTS", "CHANGED", "NEW", "ID", "SCRIPT"]
    assert [(row.split()[0], Path(row.split()[-1]).name) for row in rows] == [
        ("1", "train.py"),
        ("1", "other.py"),
        ("2", "train.py"),
    ]
    for word in ("last", "2", "train.py", "train.py:2", rows[-1].split()[-2]):
        assert answer("diff", word)[1].startswith("run 1 of train.py → run 2 of train.py: 1 output, 1 changed")


def test_an_id_of_digits_alone_names_its_run_unless_that_number_has_one() -> None:
    known: list[dict[str, Any]] = [
        {"id": "20261201" + "0" * 24, "number": 2, "script": "/p/train.py"},
        {"id": "7" * 32, "number": 1, "script": "/p/train.py"},
    ]
    assert find_run("20261201", known) is known[0]
    assert find_run("7777", known) is known[1]
    assert find_run("1", known) is known[1]
    with pytest.raises(Failure, match=r"there is no run 20261202; there are train\.py:2, train\.py:1"):
        find_run("20261202", known)


def test_what_cannot_be_compared_is_explained(run: Callable[..., None], answer: Answer) -> None:
    assert answer("diff")[0::2] == (
        1,
        "ipyweb: there are no runs here yet; `ipyweb run SCRIPT` makes one, and --all looks at every project\n",
    )
    run("a")
    assert answer("diff")[0::2] == (
        1,
        "ipyweb: run 1 of train.py is the first one; there is none before it to compare it to\n",
    )
    assert answer("diff", "7")[0::2] == (1, "ipyweb: there is no run 7; there are train.py:1\n")
    assert answer("diff", "1", "2", "3")[0] == 2


LIBRARIES = """
import altair, bokeh.plotting, folium, great_tables, itables, pandas, plotly.express, ipyweb
frame = pandas.DataFrame({"a": [1, 2], "b": [3, 4]})
plotly.express.scatter(frame, x="a", y="b").show()
ipyweb.display(altair.Chart(frame).mark_point().encode(x="a", y="b"))
figure = bokeh.plotting.figure()
figure.line([1, 2], [1, 2])
bokeh.plotting.show(figure)
itables.init_notebook_mode()
ipyweb.display(frame, frame.style.highlight_max(), great_tables.GT(frame), folium.Map(), object())
"""


def test_what_libraries_make_at_random_is_no_change(hub: connection.Connection, project: str, answer: Answer) -> None:
    Path(project, "show.py").write_text(LIBRARIES)
    for _ in range(2):
        subprocess.run([sys.executable, "-m", "ipyweb", "run", "show.py"], cwd=project, check=True, timeout=180)
    assert answer("diff") == (0, "run 1 of show.py → run 2 of show.py: 8 outputs\n", "")


def test_figures_are_compared_when_they_are_drawn(hub: connection.Connection, project: str, answer: Answer) -> None:
    script = Path(project, "plot.py")
    for height in (1, 1, 2):
        script.write_text(f"import matplotlib.pyplot as plt\nplt.plot([0, {height}])\nplt.show()\n")
        subprocess.run([sys.executable, "-m", "ipyweb", "run", "plot.py"], cwd=project, check=True, timeout=180)
    assert answer("diff", "1", "2") == (0, "run 1 of plot.py → run 2 of plot.py: 1 output\n", "")
    assert answer("diff")[0] == 1
