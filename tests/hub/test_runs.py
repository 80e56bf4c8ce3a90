"""Runs of scripts: what stacks on what, and what changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from ipyweb.hub.messages import Clear, Drawn
from ipyweb.hub.store import NotFound

from .conftest import Bare, Live, make_old

TRAIN = "/home/me/project/train.py"
FIGURE = {"keeper": "0" * 16, "size": [640, 480], "dpi": 100.0, "default_size": True}


class Script:
    """Executions of one script."""

    def __init__(self, bare: Bare, script: str = TRAIN, **fields: Any) -> None:
        self.bare, self.fields = bare, {"script": script, **fields}
        self.runs = 0

    def run(self, *shown: tuple[str, bytes], mimetype: str = "text/plain") -> str:
        """Display contents, each at a call site that its code names."""
        self.runs += 1
        session = f"{crc32(self.fields['script'].encode()):08x}{self.runs:024x}"
        self.bare.open(session, **self.fields)
        for seq, (code, content) in enumerate(shown, 1):
            source = {"file": "train.py", "line": 10 * self.runs + seq, "code": code}
            self.bare.display(seq, {mimetype: content}, session, source=source)
        return session


def standing(bare: Bare, output: int) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(bare.store.output(output).run or "null")
    return run


def statuses(bare: Bare, one: str, other: str) -> list[tuple[Any, ...]]:
    return [each[1:] for each in bare.store.compare(one, other)]


def test_outputs_of_the_same_call_site_stack_across_runs_though_lines_moved(bare: Bare) -> None:
    script = Script(bare)
    script.run(("show(a)", b"1"), ("show(b)", b"2"))
    script.run(("show(b)", b"2"), ("show(a)", b"changed"))
    assert [standing(bare, each)["previous"] for each in (1, 2, 3, 4)] == [None, None, 2, 1]
    assert [standing(bare, each)["changed"] for each in (1, 2, 3, 4)] == [None, None, False, True]
    assert standing(bare, 3)["stack"] == standing(bare, 2)["stack"] != standing(bare, 1)["stack"]
    assert {standing(bare, 3)["number"], standing(bare, 4)["number"]} == {2}
    assert standing(bare, 3)["script"] == TRAIN


def test_a_loop_stacks_its_first_on_the_first_and_its_second_on_the_second(bare: Bare) -> None:
    script = Script(bare)
    for _ in range(2):
        script.run(*[("show(x)", b"%d" % number) for number in range(3)])
    assert [standing(bare, each)["previous"] for each in (4, 5, 6)] == [1, 2, 3]
    assert not any(standing(bare, each)["changed"] for each in (4, 5, 6))


def test_places_within_a_run_are_counted_on_after_the_hub_was_restarted(make_store: Callable[..., Bare]) -> None:
    bare = make_store()
    session = Script(bare).run(("show(x)", b"1"))
    again = make_store()
    again.open(session, script=TRAIN)
    again.display(2, session=session, source={"file": "train.py", "line": 1, "code": "show(x)"})
    assert standing(again, 1)["stack"] != standing(again, 2)["stack"]
    assert standing(again, 2)["number"] == 1


def test_scripts_and_projects_stay_apart_and_other_sessions_have_no_runs(bare: Bare) -> None:
    Script(bare).run(("show(x)", b"1"))
    Script(bare, "/home/me/project/other.py").run(("show(x)", b"1"))
    Script(bare, TRAIN, project="/elsewhere").runs = 7
    bare.open("e" * 32)
    bare.display(1, session="e" * 32)
    assert [standing(bare, each)["previous"] for each in (1, 2)] == [None, None]
    assert standing(bare, 3) is None


def test_a_session_becomes_a_run_with_its_first_output(bare: Bare) -> None:
    script = Script(bare)
    script.run()
    script.run(("show(x)", b"1"))
    assert [run.number for run in bare.store.runs(None, None, 10)] == [1]


@pytest.mark.parametrize(
    ("mimetype", "one", "other", "same"),
    [
        ("text/plain", b"<A at 0x7f0a1b2c3d>", b"<A at 0x7fffffffff>", True),
        ("text/html", b"<div id='3f2504e0-4f89-11d3-9a0c-0305e82c3301'>", b"<div id='" + b"0" * 8 + b"'>", False),
        ("text/html", b"<style>#T_a1b2c {}</style>", b"<style>#T_c2b1a {}</style>", True),
        ("text/html", b"<div id='map_" + b"a" * 32 + b"'>", b"<div id='map_" + b"b" * 32 + b"'>", True),
        ("text/html", b'<div id="yorwcasnhl">#yorwcasnhl', b'<div id="feiefjtbbj">#feiefjtbbj', True),
        ("text/html", b"x" * 2**21, b"y" + b"x" * (2**21 - 1), False),
        ("image/png", b"\x89PNG 0x7f0a1b2c3d", b"\x89PNG 0x7fffffffff", False),
        ("application/json", b"[1]", b"[1]", True),
    ],
)
def test_what_only_chance_made_different_is_no_change(
    bare: Bare, mimetype: str, one: bytes, other: bytes, same: bool
) -> None:
    script = Script(bare)
    script.run(("show(x)", one), mimetype=mimetype)
    script.run(("show(x)", other), mimetype=mimetype)
    assert standing(bare, 2)["changed"] is not same


def drawn(bare: Bare, figure: int, picture: bytes | None) -> None:
    data = {} if picture is None else {"image/png": picture}
    said = {"failed": True} if picture is None else {}
    bare.call(lambda store: store.fill(Drawn(0, f"{figure:032x}", data, said)))


def test_whether_a_figure_changed_is_known_when_both_are_drawn_in_whatever_order(bare: Bare) -> None:
    for number in (1, 2):
        session = f"{number:032x}"
        bare.open(session, script=TRAIN)
        figure = json.dumps({"id": f"{number:032x}", **FIGURE})
        bare.display(1, session=session, figure=figure, source={"file": "train.py", "line": 1, "code": "plt.show()"})
    assert standing(bare, 2)["changed"] is None
    assert statuses(bare, f"{1:032x}", f"{2:032x}") == [(1, 2, "unknown")]
    drawn(bare, 2, b"\x89PNG 2")
    assert standing(bare, 2)["changed"] is None
    before = bare.store.event
    drawn(bare, 1, b"\x89PNG 2")
    assert standing(bare, 2)["changed"] is False
    assert {1, 2} <= {row.id for row in bare.store.changes(before, 10).rows}
    assert statuses(bare, f"{1:032x}", f"{2:032x}") == [(1, 2, "same")]


def test_an_updated_output_counts_by_what_it_shows_last(bare: Bare) -> None:
    script = Script(bare)
    script.run(("show(x)", b"1"))
    session = script.run(("show(x)", b"0"))
    assert standing(bare, 2)["changed"] is True
    bare.display(2, {"text/plain": b"1"}, session, display_id="d1", update=True)
    assert standing(bare, 2)["changed"] is False


def test_comparing_tells_what_is_new_and_what_is_gone(bare: Bare) -> None:
    script = Script(bare)
    one = script.run(("show(a)", b"1"), ("show(b)", b"1"), ("show(c)", b"1"))
    other = script.run(("show(a)", b"1"), ("show(c)", b"2"), ("show(d)", b"1"))
    assert statuses(bare, one, other) == [(1, 4, "same"), (3, 5, "changed"), (None, 6, "new"), (2, None, "gone")]
    run = bare.store.run_of(other)
    assert (run.number, run.outputs, run.changed, run.new) == (2, 3, 1, 1)
    before = bare.store.run_before(run)
    assert before is not None
    assert (before.id, before.number) == (one, 1)
    assert bare.store.run_before(before) is None
    with pytest.raises(NotFound):
        bare.store.run_of("f" * 32)


def test_removed_outputs_are_not_compared(bare: Bare) -> None:
    script = Script(bare)
    one = script.run(("show(a)", b"1"), ("show(b)", b"1"))
    bare.apply(Clear(3, ["d2"]), one)
    other = script.run(("show(a)", b"1"))
    assert statuses(bare, one, other) == [(1, 3, "same")]


def test_private_runs_stack_on_others_in_memory_only(bare: Bare, tmp_path: Path) -> None:
    Script(bare).run(("show(a)", b"1"))
    bare.open("d" * 32, script=TRAIN, private=True)
    bare.display(1, {"text/plain": b"1"}, "d" * 32, source={"file": "train.py", "line": 1, "code": "show(a)"})
    assert standing(bare, 2)["previous"] == 1
    assert standing(bare, 2)["changed"] is False
    assert bare.store.db.execute("SELECT count(*) FROM main.outputs").fetchone() == (1,)


def test_a_store_from_before_there_were_runs_is_taken_over(make_store: Callable[..., Bare], tmp_path: Path) -> None:
    bare = make_store()
    Script(bare).run(("show(a)", b"1"))
    bare.store.close()
    make_old(tmp_path / "outputs.sqlite", 4)
    again = make_store()
    assert standing(again, 1) is None
    script = Script(again)
    script.runs = 1
    script.run(("show(a)", b"1"))
    assert standing(again, 2)["number"] == 1


def test_the_hub_lists_and_compares_runs(live: Live) -> None:
    for number in (1, 2):
        session = live.session(id=f"{number:032x}", script=TRAIN, started=f"2026-11-20T11:0{number}:00.000000Z")
        session.welcome()
        source = {"file": "train.py", "line": number, "code": "show(a)"}
        session.display({"text/plain": b"%d" % number}, source=source)
        session.acked()
        session.close()
    found = live.get("/api/runs?project=/home/me/project")["runs"]
    assert [(run["number"], run["outputs"], run["changed"], run["new"]) for run in found] == [
        (2, 1, 1, 0),
        (1, 1, 0, 1),
    ]
    assert live.get("/api/runs?project=/nowhere")["runs"] == live.get("/api/runs?script=/nowhere")["runs"] == []
    compared = live.get(f"/api/runs/{2:032x}")
    assert compared["before"]["id"] == f"{1:032x}"
    assert [(each["before"], each["after"], each["status"]) for each in compared["stacks"]] == [(1, 2, "changed")]
    assert [each["run"]["changed"] for each in compared["outputs"]] == [True]
    assert live.get(f"/api/runs/{1:032x}")["before"] is None
    stack = compared["stacks"][0]["stack"]
    assert [each["id"] for each in live.get(f"/api/outputs?stack={stack}")["outputs"]] == [1, 2]
    assert live.get("/api/outputs?stack=none")["outputs"] == []
    assert live.get(f"/api/runs/{1:032x}?with={2:032x}")["before"]["number"] == 2
    assert live.request("GET", f"/api/runs/{9:032x}").status == 404
    record = next(each for each in live.get("/api/sessions")["sessions"] if each["id"] == f"{2:032x}")
    assert (record["script"], record["run"]) == (TRAIN, 2)
