"""Links to give away: what they open, what they do not, and that they end."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado.web import RequestHandler
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ipyweb.comms import Message
from ipyweb.connection import proof, request
from ipyweb.hub import routes, sharing, sockets
from ipyweb.hub.auth import Keys
from ipyweb.hub.sharing import Grant, Only

from ..conftest import wait_until
from .conftest import PNG, SHOWN, Keeper, Live, Pane, raw_request
from .test_comms import Peer, opened, source, update
from .test_routes import example

ROOT, DAY = "5e" * 32, 86400.0
METHODS = ("get", "head", "post", "put", "patch", "delete")
LOOKS = {
    ("GET", "/api/state"),
    ("GET", "/api/outputs"),
    ("GET", "/api/outputs/1"),
    ("GET", "/api/outputs/1/versions"),
    ("GET", "/api/outputs/1/data"),
    ("HEAD", "/api/outputs/1/data"),
    ("GET", "/api/export"),
    ("GET", "/ws/reach"),
    ("GET", "/ws/pane"),
    ("POST", "/poll"),  # each channel of a line then asks what the socket asks that it stands for
    *((method, "/poll/" + "A" * 22) for method in ("GET", "POST", "DELETE")),
}
"""What a link to one output opens that only looks."""

LOOKS_AT_ALL = LOOKS | {
    ("GET", "/api/sessions"),
    ("GET", "/api/runs"),
    ("GET", "/api/runs/" + "0" * 32),
    ("GET", "/api/settings"),
    ("GET", "/ws/comms/pane"),
}
CHANGES = LOOKS | {
    ("PATCH", "/api/outputs/1"),
    ("POST", "/api/outputs/1/network"),
    ("POST", "/api/outputs/1/restore"),
    ("POST", "/api/restore"),
    ("POST", "/api/clear"),
    ("DELETE", "/api/outputs/1"),
}


# -- tokens -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def keys() -> Keys:
    return Keys(ROOT, "hub1")


GRANTS = [
    Grant("viewer", None, 4e9),
    Grant("pane", Only(17), 4e9),
    Grant("viewer", Only(0, "löss/1", sharing.digest("/home/me/project")), 4e9),
]


@pytest.mark.parametrize("grant", GRANTS)
def test_a_token_says_what_it_opens_and_no_path(keys: Keys, grant: Grant) -> None:
    token = keys.share(grant)
    assert keys.grant(token) == grant
    assert "/home" not in str(sharing.read(token.rpartition(".")[0]))
    assert keys.grant(token) != Keys("6f" * 32, "hub1").grant(token) is None


def test_a_changed_token_opens_nothing(keys: Keys) -> None:
    token = keys.share(Grant("viewer", Only(17), 4e9))
    claims, _, signature = token.rpartition(".")
    better = sharing.claims(Grant("pane", None, 5e9))
    picture = keys.picture_url(Grant("viewer", Only(17), 4e9)).split("/")[1]
    for other in (
        f"{better}.{signature}",
        f"{claims}.{picture}",
        f"{claims}.",
        claims,
        f"{token}x",
        f"1{token}",
        token[2:],
    ):
        assert keys.grant(other) is None, other
    for at in range(len(token)):
        assert keys.grant(token[:at] + chr(ord(token[at]) ^ 1) + token[at + 1 :]) is None, at


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        {"scope": "admin", "exp": 4000000000},
        {"scope": "session", "exp": 4000000000},
        {"scope": "viewer"},
        {"scope": "viewer", "exp": "never"},
        {"scope": "viewer", "exp": 4e9},
        {"scope": "viewer", "exp": True},
        {"scope": "viewer", "exp": 4000000000, "output": -1},
        {"scope": "viewer", "exp": 4000000000, "output": "17"},
        {"scope": "viewer", "exp": 4000000000, "display_id": "x"},
        {"scope": "viewer", "exp": 4000000000, "display_id": "x", "project": "/p"},
        {"scope": "viewer", "exp": 4000000000, "project": "0" * 64},
        {"scope": "viewer", "exp": 4000000000, "output": 1, "display_id": "x", "project": "0" * 64},
        {"scope": "viewer", "exp": 4000000000, "more": 1},
        {"scope": ["viewer"], "exp": 4000000000},
    ],
)
def test_claims_of_another_form_open_nothing_even_signed(keys: Keys, said: Any) -> None:
    claims = f"1.{sharing._encode(json.dumps(said).encode())}"
    assert keys.grant(f"{claims}.{sharing.signature(ROOT.encode(), sharing.TOKEN, claims)}") is None


@pytest.mark.parametrize("claims", ["1.", "1.!", "1.é", "2.e30", "1." + "A" * 4000, "1.AAAA", "1." + "W1tb" * 300, ""])
def test_rubbish_is_no_claim(claims: str) -> None:
    assert sharing.read(claims) is None


def test_a_token_ends_in_time(keys: Keys) -> None:
    assert keys.grant(keys.share(Grant("viewer", None, time.time() + 60))) is not None
    assert keys.grant(keys.share(Grant("viewer", None, time.time() - 1))) is None


def test_the_hub_proves_that_it_knows_a_link_but_none_that_is_over(keys: Keys) -> None:
    nonce, host = "ab" * 16, "127.0.0.1:20000"
    token = keys.share(Grant("viewer", None, time.time() + 60))
    proofs = keys.proofs(nonce, host, 20000, token.rpartition(".")[0])
    assert proofs["shared"] == proof(token, nonce, "hub1", host, 20000)
    over = sharing.claims(Grant("viewer", None, time.time() - 1))
    for claims in ("", over, "nonsense"):
        assert "shared" not in keys.proofs(nonce, host, 20000, claims)


# -- routes -----------------------------------------------------------------------------------------------------------

Share = Callable[..., str]


@pytest.fixture
def shared(live: Live) -> Iterator[Live]:
    """A hub with output 1, of which there are two versions, and output 2 of another session, project and display id."""
    session = live.session()
    session.welcome()
    session.display(display_id="loss", title="First")
    session.display(display_id="loss", kind="update_display_data")
    session.acked()
    other = live.session(project="/home/me/classified", title="classified.py", argv=["classified.py"])
    other.welcome()
    other.display(display_id="classified", title="classified", parts={"text/plain": b"classified words"})
    other.acked()
    live.classified = other  # type: ignore[attr-defined]
    yield live
    for each in (session, other):
        each.close()


@pytest.fixture
def share(live: Live) -> Share:
    """Make a link; gives its token."""

    def share(**asked: Any) -> str:
        response = live.request("POST", "/api/shares", {"seconds": 3600, **asked})
        assert response.status == 201, response
        return str(response.json()["token"])

    return share


class Narrow(Pane):
    """A pane that sees one output; what is not there any more is told with the event that it had."""

    def take(self, message: dict[str, Any]) -> None:
        self.event = 0
        super().take(message)


def ask(live: Live, token: str, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    return raw_request(live.port, method, path, data, {"Authorization": f"Bearer {token}"})


def admitted(live: Live, token: str) -> set[tuple[str, str]]:
    """The methods and private addresses that a token opens; those that delete come last."""
    walk = [
        (method.upper(), example(pattern))
        for method in METHODS
        for pattern, handler in routes.ROUTES
        if not handler.public and getattr(handler, method) is not getattr(RequestHandler, method)
    ]
    return {each for each in walk if ask(live, token, *each, {}).status != 403}


def test_a_link_that_looks_opens_what_looks(shared: Live, share: Share) -> None:
    assert admitted(shared, share()) == LOOKS_AT_ALL
    assert admitted(shared, share(output=1)) == LOOKS
    assert admitted(shared, share(display_id="loss", project="/home/me/project")) == LOOKS


def test_a_link_to_one_output_that_changes_opens_no_more_than_that(shared: Live, share: Share) -> None:
    assert admitted(shared, share(output=1, scope="pane")) == CHANGES
    own = admitted(shared, shared.token("pane"))
    assert admitted(shared, share(scope="pane")) == own - {("POST", "/api/codes")}


@pytest.mark.parametrize("scope", ["pane", "viewer"])
def test_a_link_that_ends_gets_no_code_for_one_that_does_not(shared: Live, share: Share, scope: str) -> None:
    answer = ask(shared, share(scope=scope), "POST", "/api/codes", {})
    assert (answer.status, answer.body) == (403, b"")


def test_a_link_to_one_output_tells_nothing_of_another(shared: Live, share: Share) -> None:
    for token in (share(output=1), share(output=1, scope="pane")):
        for _, address in sorted(each for each in LOOKS if each[0] == "GET" and not each[1].startswith("/ws")):
            for query in (
                "",
                "?q=classified",
                "?removed=all",
                "?project=/home/me/classified",
                "?ids=2",
                "?format=json&ids=1-2",
            ):
                answer = ask(shared, token, "GET", address + query)
                assert answer.status in (200, 404), (address, query)
                assert b"classified" not in answer.body, (address, query)
                assert shared.classified.id.encode() not in answer.body  # type: ignore[attr-defined]
                assert b"/home/me" not in answer.body, (address, query)
        for address in ("/api/outputs/2", "/api/outputs/2/versions", "/api/outputs/2/data"):
            assert ask(shared, token, "GET", address).status == 404
        (record,) = ask(shared, token, "GET", "/api/outputs").json()["outputs"]
        assert (record["id"], record["project"], record["source"]["file"]) == (1, "project", "train.py")
        assert not {"code", "argv", "cwd"} & record["source"].keys()
        assert len(ask(shared, token, "GET", "/api/outputs/1/versions").json()) == 2


def test_a_link_to_one_output_changes_no_other(shared: Live, share: Share) -> None:
    token = share(output=1, scope="pane")
    for method, path, body in (
        ("PATCH", "/api/outputs/2", {"title": "x"}),
        ("DELETE", "/api/outputs/2", None),
        ("DELETE", "/api/outputs/2?purge=1", None),
        ("POST", "/api/outputs/2/network", {"hosts": ["cdn.example.org"]}),
        ("POST", "/api/clear", {}),
        ("POST", "/api/clear", {"ids": []}),
        ("POST", "/api/clear", {"ids": [1, 2]}),
        ("POST", "/api/clear?purge=1", {"removed": True}),
        ("POST", "/api/restore", {"ids": [2]}),
    ):
        assert ask(shared, token, method, path, body).status == 404, (method, path)
    assert [each["title"] for each in shared.outputs()] == ["First", "classified"]
    assert ask(shared, token, "PATCH", "/api/outputs/1", {"title": "Mine"}).status == 200
    assert ask(shared, token, "POST", "/api/clear", {"ids": [1]}).json() == {"removed": [1]}
    assert ask(shared, share(), "GET", "/api/outputs/1").status == 404  # whoever looks sees no trash
    assert ask(shared, token, "POST", "/api/restore", {"ids": [1]}).json() == {"restored": [1]}


def test_a_pane_of_one_output_hears_of_it_alone(shared: Live, share: Share) -> None:
    since = shared.get("/api/state")["event"]
    pane = Narrow(shared.port, share(output=1), since)
    shared.request("PATCH", "/api/outputs/2", {"note": "classified"})
    shared.request("PATCH", "/api/outputs/1", {"note": "seen"})
    pane.until(lambda pane: pane.outputs)
    assert {number: row["note"] for number, row in pane.outputs.items()} == {1: "seen"}
    assert pane.sessions == {}
    assert "code" not in pane.outputs[1]["source"]
    shared.request("DELETE", "/api/outputs/1")
    pane.until(lambda pane: pane.outputs[1].get("purged"))
    pane.close()


def test_a_link_by_display_id_shows_the_newest_of_its_project(shared: Live, share: Share) -> None:
    token = share(display_id="loss", project="/home/me/project")
    pane = Narrow(shared.port, token, shared.get("/api/state")["event"])
    elsewhere, again = shared.session(project="/elsewhere"), shared.session()
    for session in (elsewhere, again):
        session.welcome()
        session.display(display_id="loss")
        session.acked()
    pane.until(lambda pane: 4 in pane.outputs)
    assert 3 not in pane.outputs
    assert pane.outputs[1]["purged"]
    assert [row["id"] for row in ask(shared, token, "GET", "/api/outputs").json()["outputs"]] == [4]
    assert [ask(shared, token, "GET", f"/api/outputs/{n}").status for n in (1, 2, 3, 4)] == [404, 404, 404, 200]
    shared.request("DELETE", "/api/outputs/4")
    pane.until(lambda pane: not pane.outputs[1].get("purged"))
    for each in (pane, elsewhere, again):
        each.close()


def test_who_only_looks_sees_widgets_and_says_nothing_to_them(shared: Live, share: Share) -> None:
    classified = shared.classified  # type: ignore[attr-defined]
    widget = source(shared, classified)
    widget.until("welcome")
    widget.say(opened("a", value=1))
    widget.say(Message({"type": "settle"}))
    widget.until("settled")
    said = []
    for value, token in enumerate((share(), shared.token("pane"))):
        peer = Peer(shared.port, "/ws/comms/pane", token, type="follow", protocol=1, session=classified.id)
        assert peer.until("comm_open").header["data"]["state"] == {"value": 1}
        peer.say(update("a", value=value))
        peer.say(Message({"type": "watch", "comm_id": f"w{value}"}))
        while (heard := widget.hear()).header.get("comms") != [f"w{value}"]:
            said.append(heard)
        peer.close()
        widget.until("watched")
    assert [each.header["data"]["state"] for each in said] == [{"value": 1}]
    widget.close()


def test_only_the_admin_makes_links_and_their_form_is_checked(shared: Live) -> None:
    for scope in ("session", "pane"):
        assert shared.request("POST", "/api/shares", {"seconds": 60}, scope=scope).status == 403
    for body in (
        {},
        {"seconds": 0},
        {"seconds": "1d"},
        {"seconds": 1e9},
        {"seconds": 60, "scope": "admin"},
        {"seconds": 60, "output": "1"},
        {"seconds": 60, "display_id": 1},
    ):
        assert shared.request("POST", "/api/shares", body).status == 400, body
    for body in ({"output": 77}, {"display_id": "loss", "project": "/elsewhere"}, {"display_id": "nothing"}):
        assert shared.request("POST", "/api/shares", {"seconds": 60, **body}).status == 404, body


def test_an_open_socket_is_closed_when_its_link_is_over(
    shared: Live, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "LOOK_SECONDS", 0.2)
    token = share(seconds=2)
    pane = Pane(shared.port, token, 0)
    assert pane.until_closed() == (4401, "this link has expired")
    assert ask(shared, token, "GET", "/api/state").status == 403
    with (
        pytest.raises(InvalidStatus),
        connect(
            f"ws://127.0.0.1:{shared.port}/ws/pane", additional_headers={"Authorization": f"Bearer {token}"}, proxy=None
        ),
    ):
        pass


def test_a_link_is_in_no_log(shared: Live, share: Share) -> None:
    token = share(output=1)
    url = shared.request("POST", "/api/shares", {"seconds": 60, "output": 1}).json()["picture"]
    assert raw_request(shared.port, "GET", f"/{url}").status == 200
    raw_request(shared.port, "POST", f"/{url}")
    raw_request(shared.port, "POST", f"/api/nothing/{token}")
    from ipyweb.connection import data_dir

    log = (data_dir() / "hub.log").read_text()
    assert token.rpartition(".")[2] not in log
    assert url.split("/")[1] not in log


# -- pictures ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def picture(shared: Live) -> str:
    """The address of output 1's picture."""
    made = shared.request("POST", "/api/shares", {"seconds": 60, "display_id": "loss", "project": "/home/me/project"})
    return f"/{made.json()['picture']}"


def test_a_pictures_address_always_answers_the_newest_version(shared: Live, picture: str) -> None:
    first = raw_request(shared.port, "GET", picture, headers={"Sec-Fetch-Site": "cross-site"})
    assert (first.status, first.headers["content-type"]) == (200, "image/png")
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    known = {"If-None-Match": first.headers["etag"]}
    again = raw_request(shared.port, "GET", picture, headers=known)
    assert (again.status, again.body) == (304, b"")
    session = shared.session()
    session.welcome()
    session.display(display_id="loss", parts={"image/png": PNG + b"newer"})
    session.acked()
    newest = raw_request(shared.port, "GET", picture, headers=known)
    assert (newest.status, newest.body) == (200, PNG + b"newer")
    session.close()


def test_a_figure_is_drawn_at_the_width_asked_for(shown: Live) -> None:
    url = "/" + shown.request("POST", "/api/shares", {"seconds": 60, "output": 1}).json()["picture"]
    keeper = Keeper(shown)
    drawing = keeper.answer(b"drawn at 300")
    answer = raw_request(shown.port, "GET", f"{url}?width=300")
    drawing.join()
    assert (answer.status, answer.body) == (200, b"drawn at 300")
    assert keeper.asked["wanted"]["width"] == [300, "px"]
    assert (
        raw_request(shown.port, "GET", f"{url}?width=300", headers={"If-None-Match": answer.headers["etag"]}).status
        == 304
    )
    assert raw_request(shown.port, "GET", f"{url}?width=300&style=text.usetex:True").status == 400
    assert SHOWN["id"] == keeper.asked["figure"]


def test_an_address_of_a_picture_opens_that_picture_alone(shared: Live, picture: str) -> None:
    _, s, signature, name = picture.split("/")
    other = shared.request("POST", "/api/shares", {"seconds": 60, "output": 2}).json()["picture"].split("/")[2]
    for path in (f"/{s}/{signature}/{other}", f"/{s}/{'A' * 43}/{name}", f"/{s}/{signature}/e30.png"):
        answer = raw_request(shared.port, "GET", path)
        assert (answer.status, answer.body) == (403, b"")
    claims = f"1.{name.removesuffix('.png')}"
    assert ask(shared, f"{claims}.{signature}", "GET", "/api/state").status == 403
    text = shared.request("POST", "/api/shares", {"seconds": 60, "output": 2}).json()["picture"]
    assert raw_request(shared.port, "GET", f"/{text}").status == 404
    shared.request("DELETE", "/api/outputs/1")
    assert raw_request(shared.port, "GET", picture).status == 404


def test_a_socket_that_was_told_to_go_is_not_heard_any_more(shared: Live, share: Share) -> None:
    """Whoever does not answer the close frame is not read any further, although the connection stays for a moment."""
    with socket.create_connection(("127.0.0.1", shared.port), timeout=180) as peer:
        peer.sendall(
            f"GET /ws/pane HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Authorization: Bearer {share()}\r\n\r\n".encode()
        )
        assert b" 101 " in peer.recv(65536)
        assert shared.request("POST", "/api/rotate", {}).status == 200
        seen = b""
        while b"\x11\x31" not in seen:  # the code of the close frame
            seen += peer.recv(65536)
        said = json.dumps({"type": "subscribe", "since": 0}).encode()
        peer.sendall(bytes([0x81, 0x80 | len(said), 0, 0, 0, 0]) + said)
        with_token = seen
        while piece := peer.recv(65536):
            with_token += piece
        assert b"changed" not in with_token


def test_a_request_that_waits_is_not_answered_once_its_token_has_ended(shared: Live, share: Share) -> None:
    answers: list[int] = []
    path, token = "/api/outputs?after=2&wait=50", share()
    asking = threading.Thread(target=lambda: answers.append(ask(shared, token, "GET", path).status))
    asking.start()
    wait_until(lambda: shared.get("/api/state")["waiting"], "the request")
    shared.request("POST", "/api/rotate", {})
    request(shared.connection, "POST", "api/outputs", {"data": {"text/plain": "newer"}})
    asking.join()
    assert answers == [403]
