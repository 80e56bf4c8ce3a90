"""Several hubs on one store: who hears of what, whose a session is, and what happens while the database is away."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from ipyweb.config import Hub
from ipyweb.connection import exchange
from ipyweb.errors import HubError
from ipyweb.hub import hub as state
from ipyweb.hub import shared
from ipyweb.hub.app import rotate
from ipyweb.hub.identity import IDENTITY_FILE
from ipyweb.hub.messages import Blob, SessionChange
from ipyweb.hub.store import Filter, MovedAway, NotKept

from ..conftest import wait_until
from ..faults import kill, kill_several
from ..postgres_server import Cluster
from ..several import Hubs
from .conftest import Bare, Live, Pane, Session, Socket, free_port, make_hello

A = "a" * 32
Pair = tuple[Live, Live]


@pytest.fixture
def pair(postgresql: Cluster, start: Callable[..., Live], tmp_path: Path) -> Pair:
    """Two hubs with one store."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir(mode=0o700)
    one = start(store=postgresql.address, data_dir=str(tmp_path / "one"))
    shutil.copy(tmp_path / "one" / IDENTITY_FILE, tmp_path / "two")
    return one, start(store=postgresql.address, data_dir=str(tmp_path / "two"), port=free_port())


@pytest.fixture
def bares(postgresql: Cluster) -> Iterator[tuple[Bare, Bare]]:
    """Two bare stores in one database."""
    made = [Bare(shared.SharedStore(shared.Connection(postgresql.address), shared.Limits())) for _ in range(2)]
    yield made[0], made[1]
    for each in made:
        each.store.close()


def test_a_database_from_before_there_was_an_index_is_searched_at_once(postgresql: Cluster) -> None:
    def opened() -> Bare:
        return Bare(shared.SharedStore(shared.Connection(postgresql.address), shared.Limits()))

    bare = opened()
    bare.open()
    bare.display(1, title="an old one")
    bare.store.close()
    postgresql.execute(
        "DROP TABLE ipyweb.grams, ipyweb.grams_due",
        "CREATE INDEX texts_kind ON ipyweb.texts(kind)",
        "UPDATE ipyweb.meta SET value = 6 WHERE key = 'schema'",
    )
    again = opened()
    assert again.store.db.execute("SELECT output FROM grams_due").fetchall() == [(1,)]
    assert [row.id for row in again.store.outputs(Filter(q="old"), None, None, 9).outputs] == [1]
    again.store.close()


def test_what_is_displayed_at_one_hub_is_seen_at_a_pane_of_the_other(pair: Pair) -> None:
    one, two = pair
    assert one.token("pane") == two.token("pane")
    pane = two.pane()
    session = one.session()
    session.welcome()
    session.display({"image/png": b"picture", "text/plain": b"words"}, title="Shown")
    session.acked()
    pane.until(lambda pane: pane.outputs)
    (record,) = pane.outputs.values()
    assert record["title"] == "Shown"
    url = record["data"]["image/png"]["url"]
    assert two.request("GET", f"/{url}", scope=None).body == b"picture"
    assert one.request("GET", f"/{url}", scope=None).body == b"picture"
    assert pane.sessions[session.id]["connected"]
    assert two.get("/api/outputs?q=words")["total"] == 1
    two.request("DELETE", f"/api/outputs/{record['id']}")
    assert one.outputs()[0]["removed"]


def test_data_uploaded_at_one_hub_can_be_shown_at_the_other(pair: Pair) -> None:
    one, two = pair
    content = b"large" * 100_000
    sha256 = hashlib.sha256(content).hexdigest()
    assert one.request("PUT", f"/api/blobs/{sha256}", content).status == 201
    assert two.request("HEAD", f"/api/blobs/{sha256}").status == 200
    session = two.session()
    session.welcome()
    header = {"data": {"image/png": {"blob": sha256}}, "metadata": {}, "transient": {"display_id": "d"}}
    session.send({"type": "display_data", "seq": 1, "time": session.fields["started"], "content": header})
    session.acked(1)
    assert one.request("GET", f"/api/outputs/{one.outputs()[0]['id']}/data").body == content


def test_a_session_that_connects_to_the_other_hub_goes_on_there(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "ENDED_AFTER", 0.5)
    one, two = pair
    pane = one.pane()
    session = one.session()
    session.welcome()
    session.display()
    session.acked()
    again = Session(two.port, two.token("session"), key=session.key, **session.fields)
    assert again.welcome()["acked"] == 1
    session.display({"text/plain": b"never stored"}, seq=2)  # on the socket that it has left
    with pytest.raises(Exception, match="connected to another hub"):
        session.receive()
    session.close()
    again.display(seq=2, title="Second")
    again.acked()
    pane.until(lambda pane: len(pane.outputs) == 2)
    time.sleep(1)  # longer than a session without a socket lives
    assert two.get("/api/sessions")["sessions"][0]["connected"]
    record = one.get("/api/sessions")["sessions"][0]
    assert record["connected"]
    assert record["ended"] is None
    assert [record["title"] for record in one.outputs()] == [None, "Second"]
    again.close()
    pane.until(lambda pane: pane.sessions[session.id]["ended"])


def comms(live: Live, session: Session, side: str) -> Socket:
    """A socket of a session's comms that has introduced itself: of the session, or of a pane."""
    socket = Socket(live.port, f"/ws/comms/{side}", live.token("session" if side == "session" else "pane"))
    first = {"type": "hello", "key": session.key} if side == "session" else {"type": "follow"}
    socket.send({**first, "protocol": 1, "session": session.id})
    return socket


def welcomed(socket: Socket) -> Socket:
    """The socket, once its hub has answered; one that is sent away may be so before."""
    assert socket.receive()["type"] == "welcome"
    return socket


def is_sent_away(socket: Socket) -> bool:
    """Whether a socket is closed, to look for another hub."""
    try:
        while True:
            socket.receive()
    except ConnectionClosed as closed:
        return closed.rcvd is not None and closed.rcvd.code == state.TRY_LATER


def test_widgets_are_to_be_looked_for_at_the_hub_of_their_session(pair: Pair) -> None:
    one, two = pair
    session = one.session()
    session.welcome()
    for side in ("session", "pane"):
        assert is_sent_away(comms(two, session, side))
    here = [welcomed(comms(one, session, side)) for side in ("session", "pane")]
    session.display()
    session.acked()
    again = Session(two.port, two.token("session"), key=session.key, **session.fields)
    again.welcome()
    session.close()
    assert all(is_sent_away(socket) for socket in here)
    welcomed(comms(two, session, "session"))
    assert welcomed(comms(two, session, "pane")).receive()["type"] == "reset"


def test_a_pane_that_knows_more_than_this_hub_has_heard_is_not_sent_back(pair: Pair) -> None:
    one, two = pair
    session = one.session()
    session.welcome()
    for _ in range(20):
        session.display()
        session.acked()
        event = one.get("/api/outputs?limit=1")["event"]
        pane = two.pane(event)
        session.display()
        pane.until(lambda pane: pane.outputs)
        assert min(record["event"] for record in pane.outputs.values()) > event
        pane.close()
        session.acked()


def test_a_hub_with_another_secret_is_refused(pair: Pair, start: Callable[..., Live], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    with pytest.raises(HubError, match=r"belongs to hubs with another secret; copy identity\.json"):
        start(store=pair[0].settings["store"], data_dir=str(other), port=free_port())


def test_a_database_that_cannot_be_reached_at_the_start_is_said_in_one_line(
    start: Callable[..., Live], tmp_path: Path
) -> None:
    with pytest.raises(HubError, match="cannot be opened: ") as raised:
        start(store=f"postgresql:///postgres?host={tmp_path}")
    assert "\n" not in str(raised.value)


def test_a_database_that_is_restarted_costs_nothing(pair: Pair, postgresql: Cluster) -> None:
    one, two = pair
    session = one.session()
    session.welcome()
    session.display()
    session.acked()
    pane = two.pane()
    pane.until(lambda pane: pane.outputs)
    postgresql.stop()
    try:
        session.display(seq=2)
        nack = session.receive(30)
        assert (nack["type"], nack["reason"]) == ("nack", "storage_full")
        assert "cannot be reached" in nack["message"] or "interrupted" in nack["message"]
        assert one.request("GET", "/api/outputs").status == 507
    finally:
        postgresql.start()

    def taken() -> bool:
        session.display(seq=2, title="After")
        return bool(session.receive(30)["type"] == "ack")

    wait_until(taken, "the hub to have the database again")
    pane.until(lambda pane: len(pane.outputs) == 2, 60)
    assert any("not stored" in notice for notice in pane.notices)
    assert pane.notices[-1] == "Outputs are stored again."
    assert [record["title"] for record in two.outputs()] == [None, "After"]
    assert two.get("/api/sessions")["sessions"][0]["connected"]


def test_a_full_database_refuses_new_data_reads_on_and_recovers(pair: Pair, postgresql: Cluster) -> None:
    one, two = pair
    pane = two.pane()
    session = one.session()
    session.welcome()
    session.display()
    session.acked()
    with postgresql.full():
        session.display(seq=2)
        nack = session.receive()
        assert (nack["reason"], "no room" in nack["message"]) == ("storage_full", True)
        assert len(one.outputs()) == 1
    session.display(seq=2)
    session.acked(2)
    pane.until(lambda pane: len(pane.outputs) == 2)


def test_private_outputs_are_refused_and_nothing_of_them_is_stored(pair: Pair, postgresql: Cluster) -> None:
    session = pair[0].session(private=True, title="my-secret-title")
    session.welcome()
    session.display({"text/plain": b"my-secret"}, title="my-secret")
    nack = session.receive()
    assert (nack["type"], nack["reason"]) == ("nack", "not_kept")
    session.acked(1)  # it need not be sent again
    sha256 = hashlib.sha256(b"my-secret").hexdigest()
    answer = pair[0].request("PUT", f"/api/blobs/{sha256}", b"my-secret", {"X-Ipyweb-Session": session.id})
    assert answer.status == 413
    assert "memory" in answer.json()["error"]
    session.tell("session", {"private": False})
    session.display({"text/plain": b"public"}, title="Public")
    pair[1].pane().until(lambda pane: pane.outputs)
    assert [record["title"] for record in pair[1].outputs()] == ["Public"]
    dump = json.dumps(postgresql.execute("SELECT query_to_xml('SELECT * FROM ipyweb.outputs', true, true, '')::text"))
    assert "my-secret" not in dump
    assert postgresql.execute("SELECT count(*) FROM ipyweb.bytes WHERE bytes LIKE '%secret%'::bytea") == [(0,)]


def test_a_session_that_becomes_private_keeps_what_it_was(bares: tuple[Bare, Bare], postgresql: Cluster) -> None:
    one, _ = bares
    one.open(A)
    one.display(1)
    one.apply(SessionChange(2, {"private": True}))
    one.apply(SessionChange(3, {"name": "my-secret-name"}))
    with pytest.raises(NotKept):
        one.display(4, {"image/png": Blob("0" * 64)})
    assert postgresql.execute("SELECT name FROM ipyweb.sessions") == [(None,)]
    assert one.apply(SessionChange(4, {"private": False, "name": "public"})).acked == 4
    assert one.display(5).output == 2


def test_only_the_hub_that_a_session_connected_to_last_takes_its_messages(bares: tuple[Bare, Bare]) -> None:
    one, two = bares
    one.open(A)
    one.display(1)
    assert two.open(A) == 1
    two.display(2)
    with pytest.raises(MovedAway):
        one.display(3)
    one.call(lambda store: store.close_session(A))
    one.call(lambda store: store.end_session(A))
    assert two.store.session(A).connected
    assert one.open(A) == 2
    assert one.display(3).output == 3
    assert one.store.outputs(Filter(), None, None, 9).total == 3


def test_nobody_else_can_resume_a_session_at_another_hub(bares: tuple[Bare, Bare]) -> None:
    bares[0].open(A)
    with pytest.raises(Exception, match="another process"):
        bares[1].call(lambda store: store.open_session(make_hello(A, "c" * 64)))


def test_events_are_told_once_and_in_order_whoever_writes(bares: tuple[Bare, Bare]) -> None:
    one, two = bares
    for bare, session in ((one, A), (two, "b" * 32)):
        bare.open(session)
    for seq in range(1, 30):
        one.display(seq, session=A)
        two.display(seq, session="b" * 32, display_id="same")
        if seq % 5 == 0:
            one.call(lambda store: store.look())
    for bare in bares:
        bare.call(lambda store: store.look())
        events = [row.event for changes in bare.changes for row in changes.rows]
        assert events == sorted(set(events))
        assert events[-1] == bare.store.event == 60
        newest = {row.id: row.event for changes in bare.changes for row in changes.rows}
        assert newest == {row.id: row.event for row in bare.store.changes(0, 1000).rows}


def test_a_hub_that_was_away_for_long_is_told_to_read_by_itself(
    bares: tuple[Bare, Bare], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "MOST_ROWS", 5)
    one, two = bares
    one.open(A)
    for seq in range(1, 20):
        one.display(seq)
    two.call(lambda store: store.look())
    assert (two.changes[-1].rows, two.changes[-1].since) == ([], one.store.event)


def test_the_sessions_of_a_hub_that_dies_are_ended_by_the_others(
    postgresql: Cluster, start: Callable[..., Live], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(state, "ENDED_AFTER", 1.0)
    hubs = Hubs(postgresql.address, tmp_path, count=1)
    try:
        (tmp_path / "two").mkdir(mode=0o700)
        shutil.copy(tmp_path / "hub0" / "data" / IDENTITY_FILE, tmp_path / "two")
        two = start(store=postgresql.address, data_dir=str(tmp_path / "two"), port=free_port())
        sessions = [Session(hubs.ports[0], hubs.token("session")) for _ in range(2)]
        for session in sessions:
            session.welcome()
        pane = two.pane()
        pane.until(lambda pane: len(pane.sessions) == 2)
        hubs.kill(0)
        again = Session(two.port, two.token("session"), key=sessions[0].key, **sessions[0].fields)
        again.welcome()
        pane.until(lambda pane: pane.sessions[sessions[1].id]["ended"], 60)
        assert not pane.sessions[sessions[1].id]["connected"]
        assert pane.sessions[sessions[0].id]["connected"]
    finally:
        hubs.stop()


def test_either_hub_can_be_killed_while_a_script_displays(postgresql: Cluster, tmp_path: Path) -> None:
    kill.report(kill_several.run(postgresql.address, tmp_path, kills=3, displays=300))


def test_new_tokens_of_one_hub_are_those_of_all(
    pair: Pair, start: Callable[..., Live], postgresql: Cluster, tmp_path: Path
) -> None:
    one, two = pair
    (tmp_path / "late").mkdir(mode=0o700)
    shutil.copy(tmp_path / "one" / IDENTITY_FILE, tmp_path / "late")
    old = one.token("pane")
    panes = [Pane(each.port, old, 0) for each in pair]
    for hub in (one, two, one):
        before = _kept(tmp_path / "one")
        assert hub.request("POST", "/api/rotate", {}).status == 200
        places = tmp_path / "one", tmp_path / "two"
        wait_until(lambda b=before, p=places: b != _kept(p[0]) == _kept(p[1]), "both to have new tokens")  # type: ignore[misc]
        one.state["token"] = two.state["token"] = _kept(tmp_path / "one")
    assert [each.until_closed()[0] for each in panes] == [4401, 4401]
    for each in pair:
        assert exchange(each.state["url"], "GET", "api/state", headers={"Authorization": f"Bearer {old}"}).status == 403
    late = start(store=postgresql.address, data_dir=str(tmp_path / "late"), port=free_port())
    assert _kept(tmp_path / "late") == _kept(tmp_path / "one")
    assert exchange(late.state["url"], "GET", "api/state", headers={"Authorization": f"Bearer {old}"}).status == 403


def _kept(directory: Path) -> str:
    """The root secret in a data directory."""
    return str(json.loads((directory / IDENTITY_FILE).read_text())["token"])


def test_new_tokens_while_no_hub_runs_are_refused(pair: Pair, tmp_path: Path) -> None:
    before = _kept(tmp_path / "one")
    pair[0].stop()
    with pytest.raises(HubError, match="start one of them"):
        rotate(Hub(data_dir=str(tmp_path / "one")))
    assert _kept(tmp_path / "one") == before


def test_the_secret_is_not_in_the_database(pair: Pair, postgresql: Cluster) -> None:
    assert pair[0].request("POST", "/api/rotate", {}).status == 200
    (row,) = postgresql.execute("SELECT hub, proof FROM ipyweb.owner")
    assert row[0] == pair[0].state["hub"]
    assert pair[0].state["token"].encode() not in bytes(row[1])  # type: ignore[call-overload]
