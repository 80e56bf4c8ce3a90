"""What the hub keeps of ranks, workers and tasks: whose output a task is when tried again, who went without a word."""

import json
from typing import Any

import pytest

from ipyweb.hub import hub as hub_module

from .conftest import Live, Session, make_display, make_hello

PLACE = {"system": "Slurm", "rank": 3, "ranks": 64, "job": "1200.0"}
TASK = {"name": "train", "id": "train-3f2a", "worker": "worker 0"}


def source(**task: Any) -> dict[str, Any]:
    return {"file": "train.py", "line": 1, "cell": None, "code": None, "task": {**TASK, **task}}


def session(live: Live, **fields: Any) -> Session:
    made = live.session(**fields)
    made.welcome()
    return made


def test_a_place_is_in_the_records_of_session_and_outputs(live: Live) -> None:
    worker = session(live, place=PLACE)
    worker.display(source=source())
    worker.acked()
    (output,) = live.outputs()
    (record,) = live.get("/api/sessions")["sessions"]
    assert record["place"] == output["source"]["place"] == PLACE
    assert output["source"]["task"] == TASK
    assert len(live.get("/api/outputs?q=train-3f2a")["outputs"]) == 1


@pytest.mark.parametrize("place", [None, [], "rank 3", {}, {"rank": -1, "ranks": "4"}, {"rank": True, "other": "x"}])
def test_what_is_no_place_is_none(live: Live, place: Any) -> None:
    session(live, place=place)
    assert live.get("/api/sessions")["sessions"][0]["place"] is None


@pytest.mark.parametrize("task", [None, [], "train", {}, {"other": "x"}])
def test_what_is_no_task_is_left_out(live: Live, task: Any) -> None:
    worker = session(live)
    worker.display(source={"task": task})
    worker.acked()
    assert "task" not in live.outputs()[0]["source"]


def test_a_task_that_is_tried_again_elsewhere_goes_on_in_its_outputs(live: Live) -> None:
    first, second = session(live, place={"worker": "0"}), session(live, place={"worker": "1"})
    pane = live.pane()
    first.display({"text/plain": b"first"}, display_id="task-1", source=source())
    first.acked()
    second.display({"text/plain": b"second"}, display_id="task-1", source=source(worker="worker 1"))
    assert second.acked() == [[1, 1, 2]]
    (output,) = live.outputs()
    assert (output["session"], output["version"]) == (second.id, 2)
    assert output["source"]["task"]["worker"] == "worker 1"
    assert output["source"]["place"] == {"worker": "1"}
    pane.until(lambda pane: pane.outputs.get(1) == output)
    first.display({"text/plain": b"it was not dead"}, display_id="task-1", source=source())
    assert first.acked() == [[2, 1, 3]]
    assert (live.outputs()[0]["session"], len(live.get("/api/outputs/1/versions"))) == (first.id, 3)


def test_what_is_replayed_after_that_is_stored_once(live: Live) -> None:
    first, second = session(live), session(live)
    for each in (first, second):
        each.display(display_id="task-1", source=source())
        each.acked()
    first.close()
    again = Session(live.port, live.token("session"), key=first.key, **first.fields)
    again.welcome()
    again.display(seq=1, display_id="task-1", source=source())
    again.display(seq=2, display_id="other", source=source())
    assert again.acked(2)[0] == [1, 1, 1]
    assert [each["version"] for each in live.outputs()] == [2, 1]


def test_only_outputs_of_tasks_are_taken_over(live: Live) -> None:
    plain, task = session(live), session(live)
    plain.display(display_id="same")
    plain.acked()
    task.display(display_id="same", source=source())
    task.acked()
    session(live).display(display_id="same")
    plain.display(display_id="same", kind="update_display_data")
    plain.acked()
    assert {each["session"]: each["version"] for each in live.outputs()}.items() >= {plain.id: 2, task.id: 1}.items()


def test_private_and_other_outputs_of_a_task_stay_apart(bare: Any) -> None:
    bare.open("a" * 32)
    bare.open("c" * 32, private=True)
    for number in ("a", "c"):
        bare.display(1, session=number * 32, display_id="task-1", source=source())
    schemas = bare.store.db.execute("SELECT session, private FROM outputs ORDER BY private").fetchall()
    assert schemas == [("a" * 32, 0), ("c" * 32, 1)]


def test_who_goes_without_a_word_is_lost_until_it_comes_back(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "ENDED_AFTER", 0.05)
    pane = live.pane()
    killed, polite = session(live), session(live)
    polite.tell("bye")
    polite.acked()
    for each in (killed, polite):
        each.close()
    pane.until(lambda pane: all(pane.sessions.get(each.id, {}).get("ended") for each in (killed, polite)))
    assert [pane.sessions[each.id]["lost"] for each in (killed, polite)] == [True, False]
    Session(live.port, live.token("session"), key=killed.key, **killed.fields).welcome()
    pane.until(lambda pane: pane.sessions[killed.id]["connected"])
    assert (pane.sessions[killed.id]["lost"], pane.sessions[killed.id]["ended"]) == (False, None)


def test_exports_do_not_name_workers_unless_the_host_is_asked_for(live: Live) -> None:
    worker = session(live, place={"system": "Dask", "worker": "10.0.0.3:4567"})
    worker.display(source=source(worker="10.0.0.3:4567"))
    worker.acked()
    for include, named in (("", False), ("&include=host", True)):
        body = live.request("GET", f"/api/export?format=json{include}").body.decode()
        assert ("10.0.0.3" in body) is named
        assert json.loads(body)["outputs"][0]["source"]["task"]["name"] == "train"


def test_a_store_keeps_them(bare: Any) -> None:
    hello = make_hello(place=json.dumps(PLACE))
    bare.call(lambda store: store.open_session(hello))
    bare.apply(make_display(1, source=source()))
    assert json.loads(bare.store.output(1).source)["place"] == PLACE
