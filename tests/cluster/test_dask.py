"""A real cluster of Dask: processes of their own, which speak to the hub themselves."""

import json
import os
from pathlib import Path
from typing import Any

from ipyweb import connection

from ..conftest import wait_until
from .conftest import Run, outputs, sessions, text_of

CLUSTER = """
import json, os, signal, time
import ipyweb
from distributed import Client, LocalCluster

def show(number):
    ipyweb.display({"text/plain": f"job {number}"}, raw=True, title=f"job {number}", display_id="same for all")
    return number

def fail_once(marker):
    again = os.path.exists(marker)
    open(marker, "w").close()
    for part in "ab":
        ipyweb.display({"text/plain": f"{part}{int(again)}"}, raw=True, title=f"failing {part}")
    if not again:
        raise OSError("try again")

def die_once(marker):
    again = os.path.exists(marker)
    open(marker, "w").close()
    ipyweb.display({"text/plain": f"attempt {int(again)}"}, raw=True, title="dying").wait(60)
    if not again:
        os.kill(os.getpid(), signal.SIGKILL)

def plot():
    import matplotlib.pyplot as plt
    plt.figure(label="a plot")
    plt.plot([1, 3, 2])
    plt.show()

def count():
    from IPython.display import clear_output, display
    for number in range(3):
        clear_output(wait=True)
        display({"number": number})

def is_drawn(title):
    from ipyweb import connection
    found = connection.request(connection.find(), "GET", "api/outputs?limit=1000").json()["outputs"]
    return any(each["title"] == title and "image/png" in each["mimetypes"] for each in found)

if __name__ == "__main__":
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, **OPTIONS)
    with cluster, Client(cluster) as client:
        plugin = ipyweb.dask.Plugin()
        client.register_plugin(plugin)
        BODY
"""


def program(body: str, **options: object) -> str:
    return CLUSTER.replace("BODY", body.strip().replace("\n", "\n        ")).replace("OPTIONS", repr(options))


def by_title(title: str) -> list[dict[str, Any]]:
    return [each for each in outputs() if each["title"] == title]


TASKS = """
assert client.gather(client.map(show, range(4))) == [0, 1, 2, 3]
client.submit(plot).result()
while not is_drawn("a plot"):  # before its worker may be killed
    time.sleep(0.1)
client.submit(count).result()
client.submit(fail_once, os.path.abspath("failed"), retries=3).result()
client.submit(die_once, os.path.abspath("died")).result()
cluster.scale(3)
client.wait_for_workers(3)
while 2 not in cluster.workers:  # another one may have come back meanwhile
    time.sleep(0.1)
client.submit(show, 9, workers=[cluster.workers[2].worker_address]).result()
client.run(show, 10)
with open("found.json", "w") as file:
    json.dump({"environ": list(client.run(lambda: dict(os.environ)).values()), "plugin": repr(plugin._address)}, file)
"""


def test_tasks_show_where_they_run_and_try_again_in_the_same_outputs(
    run: Run, hub: connection.Connection, tmp_path: Path
) -> None:
    done = run(program(TASKS))
    for number in (0, 1, 2, 3, 9):
        (record,) = by_title(f"job {number}")
        task, session = record["source"]["task"], sessions()[record["session"]]
        assert (task["name"], task["id"].partition("-")[0]) == ("show", "show")
        assert session["place"] == {"system": "Dask", "worker": task["worker"]}
        assert f"train.py · {task['worker']} · " in session["title"]
        assert session["script"] is None
        if "still alive" not in done.stderr:  # else Dask has killed it
            wait_until(lambda: sessions()[record["session"]]["ended"], "the worker's goodbye")  # noqa: B023
    assert record["source"]["task"]["worker"] == "worker 2"  # which came after the plugin
    assert len(by_title("job 10")) == 3  # not in a task: in each worker the same display id
    assert "image/png" in by_title("a plot")[0]["mimetypes"]
    (counted,) = [each for each in outputs() if each["source"].get("task", {}).get("name") == "count"]
    assert text_of(counted) == "{'number': 2}"
    assert counted["version"] <= 3  # of updates that hurry, the last one counts
    for part in "ab":
        (failed,) = by_title(f"failing {part}")
        assert [text_of(failed, version) for version in (1, 2)] == [f"{part}0", f"{part}1"]
    (died,) = by_title("dying")
    assert [text_of(died, version) for version in (1, 2)] == ["attempt 0", "attempt 1"]
    # the one that was killed has not said that it ends; the hub waits some time for it to come back, then it is lost
    gone = [each for each in sessions().values() if each["place"] and not each["connected"]]
    assert [each for each in gone if each["lost"] or each["ended"] is None]
    assert len({each["project"] for each in outputs()}) == 1
    found = json.loads((tmp_path / "found.json").read_text())
    tokens = [hub.token, connection.scope_token(hub.token, "session")]
    assert not any(token in json.dumps(found) + done.stderr for token in tokens)


def test_workers_that_cannot_find_the_hub_are_told_where_it_is(run: Run, tmp_path: Path) -> None:
    elsewhere = {name: str(tmp_path / "elsewhere" / name) for name in ("IPYWEB_RUNTIME_DIR", "IPYWEB_DATA_DIR")}
    run(program("client.submit(show, 1).result()\nclient.submit(plot).result()", env=elsewhere))
    assert not os.path.exists(tmp_path / "elsewhere")  # no second hub, no keeper, nothing spooled
    assert len(by_title("job 1")) == 1
    (figure,) = by_title("a plot")
    assert figure["source"]["task"]["name"] == "plot"
    assert figure["figure"] is None  # drawn by the worker itself
    assert {"image/png", "image/svg+xml"} & {*figure["mimetypes"]}


def test_workers_in_the_programs_own_process_leave_its_session_alone(run: Run) -> None:
    run(program("client.submit(show, 1).result()\nipyweb.display({'text/plain': 'x'}, raw=True)", processes=False))
    first, second = outputs()
    assert first["session"] == second["session"]
    assert first["source"]["task"]["name"] == "show"
    assert "task" not in second["source"]
