"""Figure keepers at the hub: what they draw fills outputs, and what is asked of them comes back."""

import asyncio
import base64
import json
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from ipyweb.errors import KeeperUnavailable
from ipyweb.hub import schema
from ipyweb.hub.keepers import MAX_REVIVALS, Keepers
from ipyweb.keepers import shelf_dir, write_record
from ipyweb.protocol import encode

from ..conftest import wait_until
from .conftest import (
    FIGURE,
    KEEPER,
    PNG,
    SHOWN,
    Bare,
    Keeper,
    Live,
    display_frame,
    hello_fields,
    make_display,
    make_old,
    write_spool,
)

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def test_what_is_drawn_fills_the_version_that_shows_the_figure(shown: Live) -> None:
    (before,) = shown.outputs()
    keeper = Keeper(shown)
    said = keeper.drawn({"image/png": PNG, "text/plain": b"Figure with words"}, description="words", seconds=0.5)
    assert said == {"type": "filled", "n": 1}
    (after,) = shown.outputs()
    assert after["version"] == before["version"] == 1
    assert after["event"] > before["event"]
    assert after["mimetypes"] == ["image/png", "text/plain"]
    assert after["figure"] == {**SHOWN, "dpi": 100.0, "description": "words", "seconds": 0.5}
    assert shown.request("GET", f"/api/outputs/{after['id']}/data?mime=image/png").body == PNG
    assert shown.request("GET", f"/api/outputs/{after['id']}/data?mime=text/plain").body == b"Figure with words"


def test_what_came_before_its_figure_is_refused_so_that_it_is_offered_again(live: Live) -> None:
    keeper = Keeper(live)
    assert keeper.drawn({"image/png": PNG})["reason"] == "unknown_figure"


def test_a_drawing_that_is_there_is_not_replaced(shown: Live) -> None:
    keeper = Keeper(shown)
    keeper.drawn({"image/png": PNG})
    assert keeper.drawn({"image/png": PNG[::-1], "image/svg+xml": SVG})["type"] == "filled"
    (output,) = shown.outputs()
    assert shown.request("GET", f"/api/outputs/{output['id']}/data?mime=image/png").body == PNG
    assert "image/svg+xml" in output["mimetypes"]


def test_a_picture_of_an_earlier_version_is_not_given_for_the_newest(live: Live) -> None:
    keeper, session = Keeper(live), live.session()
    session.welcome()
    session.display(parts={"text/plain": b"<Figure>"}, figure=SHOWN, display_id="loop")
    session.acked()
    keeper.drawn({"image/png": PNG})
    newer = {**SHOWN, "id": "e" * 32}
    session.display(parts={"text/plain": b"<Figure>"}, figure=newer, display_id="loop", kind="update_display_data")
    session.acked()
    assert live.outputs()[0]["mimetypes"] == ["image/png", "text/plain"]
    answering = keeper.answer(PNG[::-1])
    assert live.request("GET", "/api/outputs/1/data?mime=image/png").body == PNG[::-1]
    answering.join()
    assert keeper.asked["figure"] == newer["id"]


def test_a_keeper_is_told_of_what_was_deleted_for_good(shown: Live) -> None:
    keeper = Keeper(shown)
    shown.request("DELETE", "/api/outputs/1", scope="pane")
    shown.request("DELETE", "/api/outputs/1?purge=1", scope="pane")
    assert keeper.hear() == {"type": "forget", "figures": [FIGURE]}


def test_where_no_keeper_runs_its_snapshots_are_deleted(shown: Live) -> None:
    snapshots = [shelf_dir(KEEPER) / f"{figure}.figure" for figure in (FIGURE, "e" * 32)]
    for each in snapshots:
        each.touch()
    shown.request("DELETE", "/api/outputs/1?purge=1", scope="pane")
    wait_until(lambda: not snapshots[0].exists(), "the snapshot to go")
    assert snapshots[1].exists()


def test_an_animation_comes_before_its_still_picture(shown: Live) -> None:
    keeper = Keeper(shown)
    keeper.drawn({"image/png": PNG, "image/svg+xml": SVG})
    playing = shown.session(id="f" * 32)
    playing.welcome()
    content = {"data": {"text/html": {"buffer": 0}}, "problems": ["the first 3 frames"]}
    playing.send({"type": "drawn", "seq": 1, "figure": FIGURE, "content": content}, b"<video></video>")
    playing.acked()
    (output,) = shown.outputs()
    assert output["mimetypes"] == ["text/html", "image/png", "image/svg+xml", "text/plain"]
    assert (output["version"], output["problems"]) == (1, ["the first 3 frames"])


def test_a_session_may_fill_its_figure_itself(live: Live) -> None:
    session = live.session()
    session.welcome()
    session.display(parts={"text/plain": b"<Figure>"}, figure=SHOWN)
    session.acked()
    content = {"data": {"image/png": {"buffer": 0}}, "problems": ["drawn in the process"], "drawn": "process"}
    session.send({"type": "drawn", "seq": 2, "figure": FIGURE, "content": content}, PNG)
    session.acked()
    (output,) = live.outputs()
    assert output["version"] == 1
    assert output["problems"] == ["drawn in the process"]
    assert output["figure"]["drawn"] == "process"


def test_a_size_that_was_not_known_before_comes_with_the_drawing(shown: Live) -> None:
    Keeper(shown).drawn({"image/png": PNG}, size=[200, 100], dpi=50, default_size=False)
    (output,) = shown.outputs()
    assert output["figure"] == {**SHOWN, "size": [200, 100], "dpi": 50.0, "default_size": False}


def test_what_a_figure_says_in_words_is_found(shown: Live) -> None:
    Keeper(shown).drawn({"image/png": PNG}, description="Residuals of the Fit")
    assert len(shown.get("/api/outputs?q=residuals%20of")["outputs"]) == 1
    assert shown.get("/api/outputs?q=nothing%20of")["outputs"] == []


def test_a_size_is_asked_of_the_keeper(shown: Live) -> None:
    keeper = Keeper(shown)
    keeper.drawn({"image/png": PNG})
    thread = keeper.answer(b"drawing anew")
    answer = shown.request("GET", "/api/outputs/1/data?mime=image/png&width=8in&height=10cm&dpi=50")
    thread.join()
    assert answer.body == b"drawing anew"
    assert answer.headers["x-ipyweb-rendered"] == "keeper"
    assert answer.headers["content-type"] == "image/png"
    assert keeper.asked["figure"] == FIGURE
    wanted = keeper.asked["wanted"]
    assert (wanted["mime"], wanted["width"], wanted["dpi"]) == ("image/png", [8.0, "in"], 50.0)
    assert wanted["height"] == [pytest.approx(10 / 2.54), "in"]


def test_the_same_drawing_is_not_asked_for_twice(shown: Live) -> None:
    keeper = Keeper(shown)
    thread = keeper.answer(b"once")
    first = shown.request("GET", "/api/outputs/1/data?mime=application/pdf&width=300")
    thread.join()
    assert first.body == shown.request("GET", "/api/outputs/1/data?mime=application/pdf&width=300").body == b"once"


def test_without_a_keeper_the_stored_picture_has_to_do(shown: Live) -> None:
    keeper = Keeper(shown)
    keeper.drawn({"image/png": PNG})
    keeper.socket.close()
    answer = shown.request("GET", "/api/outputs/1/data?mime=image/png&width=300")
    assert answer.body == PNG
    assert answer.headers["x-ipyweb-rendered"] == "stored"
    assert "nothing is known of the environment" in answer.headers["x-ipyweb-reason"]
    assert answer.headers["x-ipyweb-environment"] == "gone"


def test_a_keeper_that_cannot_draw_a_figure_says_why_and_its_environment_is_not_gone(shown: Live) -> None:
    keeper = Keeper(shown)
    keeper.drawn({"image/png": PNG})
    thread = threading.Thread(
        target=lambda: keeper.say({"type": "rendered", "n": keeper.hear()["n"], "last": True, "error": "no ink"})
    )
    thread.start()
    answer = shown.request("GET", "/api/outputs/1/data?mime=image/png&width=300")
    thread.join()
    assert answer.body == PNG
    assert answer.headers["x-ipyweb-reason"] == "no ink"
    assert "x-ipyweb-environment" not in answer.headers


def test_without_keeper_and_picture_the_reason_is_told(shown: Live) -> None:
    answer = shown.request("GET", "/api/outputs/1/data?mime=application/pdf")
    assert answer.status == 504
    assert "nothing is known of the environment" in answer.json()["error"]


def test_a_keeper_that_goes_while_it_draws_ends_the_wait(shown: Live) -> None:
    keeper = Keeper(shown)
    thread = threading.Thread(target=lambda: (keeper.hear(), keeper.socket.close()))
    thread.start()
    answer = shown.request("GET", "/api/outputs/1/data?mime=application/pdf")
    thread.join()
    assert answer.status == 504
    assert "nothing is known of the environment" in answer.json()["error"]


def test_what_a_keeper_was_asked_is_asked_of_the_one_that_takes_its_place(shown: Live) -> None:
    first = Keeper(shown)

    def go_and_come() -> None:
        first.hear()
        second = Keeper(shown)
        second.say({"type": "rendered", "n": second.hear()["n"], "last": True}, b"%PDF")

    thread = threading.Thread(target=go_and_come)
    thread.start()
    answer = shown.request("GET", "/api/outputs/1/data?mime=application/pdf")
    thread.join()
    assert (answer.status, answer.body) == (200, b"%PDF")


@pytest.mark.parametrize("query", ["width=0", "width=8ft", "height=-1", "dpi=0", "dpi=fast", "width=1e9"])
def test_a_size_that_is_none_is_refused(shown: Live, query: str) -> None:
    assert shown.request("GET", f"/api/outputs/1/data?mime=image/png&{query}").status == 400


@pytest.mark.parametrize(
    "hello", [{"type": "hello", "protocol": 1, "keeper": "../x"}, {"type": "drawn"}, {"type": "hello", "protocol": 99}]
)
def test_a_keeper_that_introduces_itself_wrongly_is_sent_away(live: Live, hello: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {live.token('session')}"}
    with connect(f"ws://127.0.0.1:{live.port}/ws/keeper", additional_headers=headers) as socket:
        socket.send(json.dumps(hello))
        with pytest.raises(Exception, match="44"):
            socket.recv(timeout=120)


def test_a_pane_may_not_pretend_to_be_a_keeper(live: Live) -> None:
    headers = {"Authorization": f"Bearer {live.token('pane')}"}
    with pytest.raises(Exception, match="403"):
        connect(f"ws://127.0.0.1:{live.port}/ws/keeper", additional_headers=headers).__enter__()


@pytest.mark.parametrize("figure", ["x", {"id": FIGURE}, {"id": "../..", "keeper": KEEPER}])
def test_a_display_with_a_wrong_figure_is_refused(live: Live, figure: Any) -> None:
    session = live.session()
    session.welcome()
    session.display(figure=figure)
    assert session.receive()["reason"] == "bad_message"


def test_a_pickle_that_is_published_stays_bytes(live: Live) -> None:
    evil = base64.b64encode(b"cos\nabort\n.").decode()
    body = {"data": {"application/x-figure": evil}}
    number = live.request("POST", "/api/outputs", body).json()["id"]
    answer = live.request("GET", f"/api/outputs/{number}/data?mime=application/x-figure&width=30")
    assert answer.body == b"cos\nabort\n."


def test_figures_outlive_the_hub(make_store: Callable[..., Bare]) -> None:
    store = make_store()
    store.open()
    store.apply(make_display(1, figure=json.dumps(SHOWN)))
    again = make_store()
    assert json.loads(again.call(lambda each: each.output(1)).figure) == SHOWN


def test_a_store_of_the_version_before_figures_is_taken_over(make_store: Callable[..., Bare], tmp_path: Path) -> None:
    store = make_store()
    store.open()
    store.display(1)
    store.store.close()
    make_old(tmp_path / "outputs.sqlite", 1)
    read_only = schema.connect(tmp_path / "outputs.sqlite", read_only=True)
    assert read_only.execute("SELECT id, figure FROM outputs").fetchall() == [(1, None)]
    read_only.close()
    again = make_store()
    assert again.call(lambda each: each.output(1)).figure is None
    again.open()
    again.apply(make_display(2, figure=json.dumps(SHOWN)))
    assert json.loads(again.call(lambda each: each.output(2)).figure) == SHOWN


def test_a_figure_that_changes_faster_than_it_is_drawn_shows_the_latest_picture_there_is(live: Live) -> None:
    session, keeper = live.session(), Keeper(live)
    session.welcome()
    ids = [f"{number:032x}" for number in range(3)]
    for figure in ids:
        session.display(parts={"text/plain": b"<Figure>"}, figure={**SHOWN, "id": figure}, display_id="loop")
    session.acked()
    pictures = [PNG + bytes([number]) for number in range(3)]

    def shown_picture() -> bytes:
        (output,) = live.outputs()
        return live.request("GET", "/" + output["data"]["image/png"]["url"], scope=None).body

    for figure, picture in zip(ids, pictures, strict=True):
        keeper.drawn({"image/png": picture}, figure)
        assert shown_picture() == picture
    keeper.drawn({"image/png": PNG}, ids[0])
    assert shown_picture() == pictures[2]
    session.display(parts={"text/plain": b"<Figure>"}, figure={**SHOWN, "id": "e" * 32}, display_id="loop")
    session.acked()
    assert shown_picture() == pictures[2]


def test_a_keeper_hears_of_figures_that_an_earlier_one_did_not_draw(live: Live) -> None:
    session = live.session()
    session.welcome()
    ids = [f"{number:032x}" for number in range(5)]
    for figure in ids:
        session.display(parts={"text/plain": b"<Figure>"}, figure={**SHOWN, "id": figure})
    session.display(parts={"text/plain": b"<Figure>"}, figure={**SHOWN, "id": "e" * 32, "keeper": "f" * 16})
    session.acked()
    first = Keeper(live)
    assert first.undrawn() == [[figure, True] for figure in ids]
    first.drawn({"image/png": PNG}, ids[0])
    first.drawn({"text/plain": b"no ink"}, ids[1], failed=True)
    live.request("DELETE", "/api/outputs/3")
    first.socket.close()
    assert Keeper(live).undrawn() == [[ids[3], True], [ids[4], True]]


def test_a_keeper_that_dies_or_does_not_come_is_started_again_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[str] = []

    def start(environment: str) -> None:
        started.append(environment)
        raise KeeperUnavailable("no luck")

    async def starts() -> int:
        before = -1
        while before < (before := len(started)):
            await asyncio.sleep(0.2)
        return before

    async def scenario() -> None:
        registry = Keepers(start)
        registry.revive(KEEPER)
        assert await starts() == MAX_REVIVALS
        registry.revive(KEEPER)
        assert await starts() == MAX_REVIVALS
        registry.works(KEEPER)
        registry.revive(KEEPER)
        assert await starts() == 2 * MAX_REVIVALS

    monkeypatch.setattr("ipyweb.hub.keepers.REVIVAL_SECONDS", 0.0)
    asyncio.run(scenario())


def test_after_two_scripts_that_drew_for_themselves_a_keeper_awaits_the_third(live: Live, tmp_path: Path) -> None:
    started = tmp_path / "started"
    write_record(KEEPER, ["/bin/sh", "-c", f"echo once >> {started}"], {}, {})

    def script(*, draws: bool) -> None:
        session = live.session()
        session.welcome()
        figure = secrets.token_hex(16)
        session.display(parts={"text/plain": b"<Figure>"}, figure={**SHOWN, "id": figure})
        if draws:
            content = {"data": {"image/png": {"buffer": 0}}, "drawn": "process"}
            session.seq += 1
            session.send({"type": "drawn", "seq": session.seq, "figure": figure, "content": content}, PNG)
        session.tell("bye")
        session.acked()
        session.close()

    for draws in (True, False, False, True):
        script(draws=draws)
    wait_until(started.exists, "the keeper to be started")
    assert started.read_text() == "once\n"


@pytest.mark.parametrize("left", ["to an earlier hub", "on the spool"])
def test_figures_that_no_session_of_this_hub_has_left_bring_their_keeper(
    start: Callable[..., Live], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left: str
) -> None:
    monkeypatch.setattr("ipyweb.hub.keepers.COMES_WITHIN", 0.1)
    monkeypatch.setattr("ipyweb.hub.keepers.REVIVAL_SECONDS", 0.0)
    frame = display_frame(1, {"text/plain": b"<Figure>"}, figure=SHOWN)
    if left == "on the spool":
        identity = hello_fields()
        hello = encode({"type": "hello", "protocol": 1, "key": "ab" * 32, "session": identity})
        write_spool(f"{identity['id']}-1.spool", hello, encode(frame[0], frame[1:]))
    else:
        earlier = start()
        session = earlier.session()
        session.welcome()
        session.send(*frame)
        session.acked(1)
        earlier.stop()
    started = tmp_path / "started"
    write_record(KEEPER, ["/bin/sh", "-c", f"echo {KEEPER} >> {started}"], {}, {})
    start()
    wait_until(started.exists, "the keeper to be started")


def test_a_picture_after_a_failure_counts(shown: Live) -> None:
    keeper = Keeper(shown)
    keeper.drawn({"text/plain": b"no ink"}, failed=True)
    assert shown.outputs()[0]["figure"]["failed"]
    keeper.drawn({"image/png": PNG})
    assert "failed" not in shown.outputs()[0]["figure"]


def test_a_still_picture_that_comes_late_does_not_replace_the_animation(live: Live) -> None:
    session, keeper = live.session(), Keeper(live)
    session.welcome()
    session.display(parts={"text/plain": b"<Figure>"}, figure=SHOWN, display_id="film")
    playing = {"text/html": b"<video></video>", "image/png": PNG[::-1]}
    session.display(parts=playing, display_id="film", kind="update_display_data")
    session.acked()
    (before,) = live.outputs()
    said = keeper.drawn({"image/png": PNG, "image/svg+xml": SVG}, problems=["no ink"], description="still")
    assert said["type"] == "filled"
    assert live.outputs() == [before]
    assert before["figure"] is None
    assert live.request("GET", "/api/outputs/1/data?mime=text/html").body == b"<video></video>"
    assert live.request("GET", "/api/outputs/1/data?mime=image/png&width=30").body == PNG[::-1]
    assert live.request("GET", "/api/outputs/1/data?mime=image/png&version=1").body == PNG
