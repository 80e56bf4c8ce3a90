"""Workers of joblib and multiprocessing show what they display with nothing at all being done for it."""

import pytest

from .conftest import Run, outputs, sessions

JOBLIB = """
import ipyweb
from joblib import Parallel, delayed

def work(number):
    ipyweb.display({"text/plain": str(number)}, raw=True, title=f"job {number}")
    return number

if __name__ == "__main__":
    assert Parallel(n_jobs=2)(delayed(work)(number) for number in range(6)) == list(range(6))
"""

POOL = """
import multiprocessing
import ipyweb

def work(number):
    ipyweb.display({"text/plain": str(number)}, raw=True, title=f"job {number}")
    return number

if __name__ == "__main__":
    with multiprocessing.get_context("METHOD").Pool(2) as pool:  # whose end kills the workers
        assert pool.map(work, range(6)) == list(range(6))
"""


@pytest.mark.parametrize(
    ("source", "prefix"),
    [
        (JOBLIB, "LokyProcess-"),
        (POOL.replace("METHOD", "fork"), "ForkPoolWorker-"),
        (POOL.replace("METHOD", "spawn"), "SpawnPoolWorker-"),
        (POOL.replace("METHOD", "forkserver"), "ForkServerPoolWorker-"),
    ],
    ids=["joblib", "fork", "spawn", "forkserver"],
)
def test_workers_show_and_say_which_they_are(run: Run, source: str, prefix: str) -> None:
    done = run(source)
    found = outputs()
    assert sorted(each["title"] for each in found) == [f"job {number}" for number in range(6)], done
    of_workers = {name: session for name, session in sessions().items() if session["outputs"]}
    assert {each["session"] for each in found} == of_workers.keys()
    for session in of_workers.values():
        assert session["place"]["worker"].startswith(prefix)
        assert f" · {session['place']['worker']} · " in session["title"]
        assert session["script"] is None
        assert session["ended"] is not None, done
