"""What outputs tell of where they come from, as the hub keeps it."""

import json
from typing import Any

from .conftest import Live

GIT = {"commit": "c" * 40, "branch": "main", "dirty": None}


def source(**more: Any) -> dict[str, Any]:
    return {"file": "train.py", "line": 1, "cell": None, "code": None, **more}


def test_the_record_tells_commit_versions_and_seconds(live: Live) -> None:
    session = live.session()
    session.welcome()
    told = {"git": {**GIT, "dirty": True}, "versions": {"matplotlib": "3.10"}}
    session.display(source=source(**told), seconds=0.123456)
    session.acked()
    (record,) = live.outputs()
    assert record["source"]["git"] == told["git"]
    assert record["source"]["versions"] == told["versions"]
    assert record["seconds"] == 0.1235


def test_what_git_told_later_is_filled_in_at_the_next_display_or_the_end(live: Live) -> None:
    for ending in ("display", "bye"):
        session = live.session()
        session.welcome()
        session.display(source=source(git=GIT))
        session.display(source=source(git={**GIT, "commit": "d" * 40}))
        session.acked()
        pane = live.pane(live.get("/api/state")["event"])
        now = {**GIT, "dirty": True}
        if ending == "display":
            session.display(source=source(git=now))
        else:
            session.tell("bye", {"git": now})
        session.acked()
        first, other, *_ = [each for each in live.outputs() if each["session"] == session.id]
        assert first["source"]["git"] == now
        assert other["source"]["git"]["dirty"] is None
        pane.until(lambda pane, first=first: pane.outputs.get(first["id"]) == first)
        pane.close()
        session.close()


def test_a_figures_seconds_are_those_of_its_drawing(live: Live) -> None:
    session = live.session()
    session.welcome()
    figure = {"id": "f" * 32, "keeper": "0" * 16, "size": [640, 480], "dpi": 100.0, "default_size": True}
    session.display({"text/plain": b"<Figure>"}, figure=figure)
    session.seq += 1
    header = {"type": "drawn", "seq": session.seq, "figure": "f" * 32}
    session.send({**header, "content": {"data": {"image/png": {"buffer": 0}}, "seconds": 0.5}}, b"\x89PNG")
    session.acked()
    (record,) = live.outputs()
    assert (record["seconds"], record["figure"]["seconds"]) == (0.5, 0.5)


def test_nonsense_is_left_out(live: Live) -> None:
    session = live.session()
    session.welcome()
    session.display(source=source(git="main", versions=[1]), seconds=-1)
    session.display(source=source(git={"commit": 5, "dirty": "yes"}, versions={"a": {"b": 1}}), seconds=True)
    session.tell("bye", {"git": ["x"]})
    session.acked()
    first, second = live.outputs()
    assert (first["source"]["git"], first["source"]["versions"], first["seconds"]) == (None, {}, None)
    assert second["source"]["git"] == {"commit": "5", "branch": None, "dirty": None}
    assert json.dumps(second["source"]["versions"]) == '{"a": "{\'b\': 1}"}'
