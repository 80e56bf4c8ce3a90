"""What the HTTP routes answer."""

import base64
import hashlib
import json
import os
import socket
from typing import Any

import pytest

from ipyweb.connection import data_dir
from ipyweb.hub.blobs import INLINE
from ipyweb.hub.data import content_type_of
from ipyweb.protocol import asset_type, renderer_type

from ..conftest import wait_until
from .conftest import PNG, Live


def publish(live: Live, data: dict[str, Any] | None = None, **fields: Any) -> int:
    response = live.request("POST", "/api/outputs", {"data": data or {"text/plain": "hi"}, **fields}, scope="session")
    assert response.status == 201, response
    return int(response.json()["id"])


def test_any_language_can_publish_a_mime_bundle(live: Live) -> None:
    number = publish(
        live,
        {
            "text/plain": "ö",
            "image/png": base64.b64encode(PNG).decode(),
            "application/json": {"a": [1]},
            "application/vnd.vega.v5+json": '{"marks": []}',
            "image/svg+xml": "<svg/>",
        },
        title="From R",
        project="/p",
        session="R 4.4",
        metadata={"image/png": {"width": 5}},
    )

    def data(mime: str) -> tuple[str, bytes]:
        response = live.request("GET", f"/api/outputs/{number}/data?mime={mime.replace('+', '%2B')}")
        return response.headers["content-type"], response.body

    assert data("text/plain") == ("text/plain; charset=utf-8", "ö".encode())
    assert data("image/png") == ("image/png", PNG)
    assert json.loads(data("application/json")[1]) == {"a": [1]}
    assert json.loads(data("application/vnd.vega.v5+json")[1]) == {"marks": []}
    assert data("image/svg+xml") == ("image/svg+xml; charset=utf-8", b"<svg/>")
    assert live.request("GET", f"/api/outputs/{number}/data").body == b'{"marks": []}'
    (record,) = live.outputs()
    assert (record["title"], record["project"], record["metadata"]) == ("From R", "/p", {"image/png": {"width": 5}})
    (session,) = live.get("/api/sessions")["sessions"]
    assert (session["title"], session["kind"], session["connected"]) == ("R 4.4", "http", False)


@pytest.mark.parametrize(
    "asset", [asset_type("https://cdn.example.org/lib.js?v=1"), asset_type("plotly+json"), renderer_type("a/b+json")]
)
def test_companions_are_stored_but_neither_listed_nor_counted_nor_shown(live: Live, asset: str) -> None:
    number = publish(live, {"text/plain": "hi", asset: base64.b64encode(b"lib = 1").decode()})
    record = live.get(f"/api/outputs/{number}")
    assert (record["mimetypes"], record["size"]) == (["text/plain"], 2)
    assert set(record["data"]) == {"text/plain", asset}
    assert live.request("GET", f"/{record['data'][asset]['url']}").body == b"lib = 1"
    assert live.request("GET", f"/api/outputs/{number}/data").body == b"hi"
    (version,) = live.get(f"/api/outputs/{number}/versions")
    assert (version["mimetypes"], version["size"]) == (["text/plain"], 2)


def test_publishing_under_a_display_id_again_makes_a_version(live: Live) -> None:
    for number in (1, 2, 3):
        assert publish(live, {"text/plain": str(number)}, display_id="loss") == 1
    versions = live.get("/api/outputs/1/versions")
    assert [version["version"] for version in versions] == [1, 2, 3]
    assert live.request("GET", "/api/outputs/1/data?version=2").body == b"2"
    assert versions[0]["mimetypes"] == ["text/plain"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        {"data": 5},
        {"data": {"nonsense": "x"}},
        {"data": {"image/png": "not base64!"}},
        {"data": {"image/png": 5}},
        {"data": {"text/plain": {"a": 1}}},
        {"data": {f"text/x{n}": "" for n in range(100)}},
        {"data": {"text/plain": "x"}, "display_id": "a\nb"},
    ],
)
def test_a_bundle_that_makes_no_sense_is_explained(live: Live, body: Any) -> None:
    response = live.request("POST", "/api/outputs", body)
    assert response.status == 400
    assert response.json()["error"].startswith("expected")
    assert live.outputs() == []


def test_an_output_can_be_renamed_annotated_pinned(live: Live) -> None:
    publish(live)
    record = live.request("PATCH", "/api/outputs/1", {"title": "T", "note": "N", "pinned": True}, scope="pane").json()
    assert (record["title"], record["note"], record["pinned"]) == ("T", "N", True)
    assert live.request("PATCH", "/api/outputs/1", {"title": None}).json()["title"] is None
    for body in ({}, {"id": 5}, {"pinned": 1}, {"title": 5}, {"data": {}}):
        assert live.request("PATCH", "/api/outputs/1", body).status == 400
    assert live.request("PATCH", "/api/outputs/9", {"title": "x"}).status == 404


def test_trash_restore_purge(live: Live) -> None:
    publish(live)
    assert live.request("DELETE", "/api/outputs/1", scope="pane").json()["removed"]
    assert live.get("/api/outputs")["total"] == 0
    assert live.get("/api/state")["trash"] == 1
    assert live.request("POST", "/api/outputs/1/restore", scope="pane").json()["removed"] is None
    assert live.request("DELETE", "/api/outputs/1?purge=1", scope="pane").json()["purged"]
    response = live.request("GET", "/api/outputs/1")
    assert response.status == 404
    assert "there are none" in response.json()["error"]


def test_an_unknown_id_is_answered_with_what_there_is(live: Live) -> None:
    publish(live)
    publish(live)
    assert "nearest are 2" in live.request("GET", "/api/outputs/99").json()["error"]
    assert "it has text/plain" in live.request("GET", "/api/outputs/1/data?mime=image/png").json()["error"]


def test_clear_is_bounded_by_project_session_and_age(live: Live) -> None:
    for project in ("/a", "/b", "/a"):
        publish(live, project=project)
    assert live.request("POST", "/api/clear", {"project": "/a", "older_than": 3600}).json() == {"removed": []}
    assert live.request("POST", "/api/clear", {"project": "/a"}).json() == {"removed": [1, 3]}
    assert live.request("POST", "/api/clear", {}).json() == {"removed": [2]}
    for body in ({"older_than": "x"}, {"older_than": -1}, {"older_than": True}, {"project": 5}, {"older_than": 1e99}):
        assert live.request("POST", "/api/clear", body).status == 400


def test_a_clearing_is_undone_as_one(live: Live) -> None:
    for number in range(4):
        publish(live, project="/p" if number else "/q")
    live.request("PATCH", "/api/outputs/2", {"pinned": True})
    removed = live.request("POST", "/api/clear", {"project": "/p"}).json()["removed"]
    assert removed == [3, 4]
    before = live.get("/api/state")["event"]
    assert live.request("POST", "/api/restore", {"ids": [*removed, 99]}).json() == {"restored": removed}
    assert live.get("/api/state")["event"] == before + 2
    assert live.request("POST", "/api/restore", {"ids": removed}).json() == {"restored": []}
    assert [row["removed"] for row in live.outputs()] == [None] * 4


def test_named_outputs_are_cleared_pinned_or_not(live: Live) -> None:
    for _ in range(3):
        publish(live)
    live.request("PATCH", "/api/outputs/2", {"pinned": True})
    assert live.request("POST", "/api/clear", {"ids": [2, 3]}).json() == {"removed": [2, 3]}
    for body in ({"ids": "2"}, {"ids": [True]}, {"ids": [0]}, {"removed": 1}):
        assert live.request("POST", "/api/clear", body).status == 400
    assert live.request("POST", "/api/restore", {}).status == 400


def test_emptying_the_trash_leaves_what_is_not_in_it_and_many_go_in_small_steps(live: Live) -> None:
    for _ in range(120):
        publish(live)
    kept = publish(live)
    removed = live.request("POST", "/api/clear", {"ids": list(range(1, 121))}).json()["removed"]
    state = live.get("/api/state")
    assert (state["trash"], state["trash_days"], state["max_age"]) == (120, 7.0, 90.0)
    assert 0 < state["trash_bytes"] < state["bytes"] < state["max_bytes"]
    assert live.request("POST", "/api/clear?purge=1", {"removed": True}).json() == {"purged": removed}
    assert [row["id"] for row in live.outputs()] == [kept]
    assert live.get("/api/state")["trash_bytes"] == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "after=-1", "before=1.5", "removed=maybe", f"after={10**30}"])
def test_a_wrong_query_is_explained(live: Live, query: str) -> None:
    response = live.request("GET", f"/api/outputs?{query}")
    assert response.status == 400
    assert "expected" in response.json()["error"]


def test_a_list_comes_as_lines_to_those_who_ask(live: Live) -> None:
    for title in ("two\nlines", "\u2028"):
        publish(live, title=title)
    body = live.request("GET", "/api/outputs", headers={"Accept": "application/x-ndjson"}).body.decode()
    assert [json.loads(line) for line in body.split("\n")[:-1]] == live.get("/api/outputs")["outputs"]


def test_lists_page_and_filter(live: Live) -> None:
    for number in range(1, 8):
        publish(live, title=f"Plot {number}", project="/p" if number % 2 else "/q")

    def ids(query: str) -> list[int]:
        return [output["id"] for output in live.get(f"/api/outputs?{query}")["outputs"]]

    assert ids("limit=3") == [5, 6, 7]
    assert ids("after=2&limit=2") == [3, 4]
    assert ids("before=4&limit=2") == [2, 3]
    assert ids("project=/q") == [2, 4, 6]
    assert ids("q=plot%203") == [3]
    assert live.get("/api/outputs?project=/q&limit=1")["total"] == 3


@pytest.mark.parametrize("size", [1000, INLINE * 20])
def test_ranges_of_small_and_large_data(live: Live, size: int) -> None:
    content = os.urandom(size)
    publish(live, {"image/png": base64.b64encode(content).decode()})
    url = "/" + live.outputs()[0]["data"]["image/png"]["url"]
    for address, scope in ((url, None), ("/api/outputs/1/data", "pane")):
        whole = live.request("GET", address, scope=scope)
        assert (whole.status, whole.body) == (200, content)
        assert whole.headers["accept-ranges"] == "bytes"
        for header, expected in {
            "bytes=0-9": content[:10],
            "bytes=10-": content[10:],
            "bytes=-7": content[-7:],
            "bytes=5-5": content[5:6],
            f"bytes={size - 1}-{size + 500}": content[-1:],
        }.items():
            part = live.request("GET", address, headers={"Range": header}, scope=scope)
            assert (part.status, part.body) == (206, expected)
            assert part.headers["content-range"].endswith(f"/{size}")
        assert live.request("GET", address, headers={"Range": f"bytes={size}-"}, scope=scope).status == 416
        assert live.request("GET", address, headers={"Range": "lines=1-2"}, scope=scope).body == content
        head = live.request("HEAD", address, scope=scope)
        assert (head.status, head.headers["content-length"], head.body) == (200, str(size), b"")


def test_capability_addresses_serve_rasters_as_such_and_all_else_as_octets(live: Live) -> None:
    publish(live, {"image/png": base64.b64encode(PNG).decode(), "text/html": "<script>", "image/svg+xml": "<svg/>"})
    data = live.outputs()[0]["data"]
    types = {
        mime: live.request("GET", "/" + each["url"], scope=None).headers["content-type"] for mime, each in data.items()
    }
    octets = "application/octet-stream"
    assert types == {"image/png": "image/png", "text/html": octets, "image/svg+xml": octets}
    response = live.request("GET", "/" + data["text/html"]["url"], scope=None)
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert response.headers["content-security-policy"].startswith("sandbox")
    for wrong in (
        data["text/html"]["url"].replace(".bin", ".png"),
        data["image/png"]["url"].replace(".png", ".bin"),
        "c/" + "0" * 32 + "/" + data["image/png"]["sha256"] + ".png",
    ):
        assert live.request("GET", "/" + wrong, scope=None).status == 403


def test_data_is_served_inert_even_when_opened_directly(live: Live) -> None:
    publish(live, {"text/html": "<script>alert(1)</script>"})
    response = live.request("GET", "/api/outputs/1/data")
    assert response.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("mimetype", "expected"),
    [
        ("text/plain", "text/plain; charset=utf-8"),
        ("application/geo+json", "application/geo+json; charset=utf-8"),
        ("image/png", "image/png"),
        ("text/x; evil\r\nX: 1", "application/octet-stream"),
        ("text/html; charset=utf-7", "application/octet-stream"),
    ],
)
def test_content_types_cannot_smuggle_anything(mimetype: str, expected: str) -> None:
    assert content_type_of(mimetype) == expected


def test_the_shell_has_a_strict_policy_for_the_host_it_was_asked_at(live: Live) -> None:
    response = live.request("GET", "/", headers={"Host": "localhost:18792", "Sec-Fetch-Site": "cross-site"}, scope=None)
    policy = response.headers["content-security-policy"]
    assert response.status == 200
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self' ws://localhost:18792 wss://localhost:18792",
        "frame-src 'self' http://*.localhost:18792",
        "frame-ancestors 'self'",
        "require-trusted-types-for 'script'",
    ):
        assert part in policy
    assert "unsafe-eval" not in policy


def test_the_frame_document_has_an_opaque_origin_and_names_no_address_of_ours(live: Live) -> None:
    response = live.request("GET", "/" + live.get("/api/state")["frame"], scope=None)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts allow-downloads allow-forms allow-modals allow-pointer-lock;")
    assert "allow-same-origin" not in policy
    assert "'self'" not in policy
    assert "http" not in policy
    assert live.request("GET", "/c/" + "0" * 32 + "/frame.html", scope=None).status == 403


@pytest.mark.parametrize("nonce", ["", "0" * 15, "0" * 129, "g" * 32, "0" * 32 + "\\n"])
def test_a_challenge_needs_a_nonce_in_form(live: Live, nonce: str) -> None:
    assert live.request("GET", f"/hello?nonce={nonce}", scope=None).status == 400


def test_a_code_is_good_for_one_exchange(live: Live) -> None:
    code = live.request("POST", "/api/codes").json()["code"]
    assert live.request("POST", "/exchange", {"code": code}, scope=None).json() == {"token": live.token("pane")}
    assert live.request("POST", "/exchange", {"code": code}, scope=None).status == 403


def test_only_the_first_who_asks_opens_a_browser(live: Live) -> None:
    answers = [live.request("POST", "/api/opened", {}, scope="session").json()["first"] for _ in range(3)]
    assert answers == [True, False, False]
    assert live.get("/api/state")["opened"] is True


def test_guessing_codes_is_slowed_down_but_locks_nobody_out(live: Live) -> None:
    statuses = [live.request("POST", "/exchange", {"code": str(n)}, scope=None).status for n in range(20)]
    assert statuses[0] == 403
    assert statuses[-1] == 429
    code = live.request("POST", "/api/codes").json()["code"]
    assert live.request("POST", "/exchange", {"code": code}, scope=None).status == 200
    for body in ({}, {"code": 5}, {"code": None}):
        assert live.request("POST", "/exchange", body, scope=None).status in (403, 429)


# -- blobs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, INLINE, 3 * 2**20 + 17])
def test_a_blob_is_uploaded_once(live: Live, size: int) -> None:
    content = os.urandom(size)
    address = "/api/blobs/" + hashlib.sha256(content).hexdigest()
    assert live.request("HEAD", address, scope="session").status == 404
    assert live.request("PUT", address, content, scope="session").status == 201
    assert live.request("HEAD", address, scope="session").status == 200
    assert live.request("PUT", address, content, scope="session").status == 200


def test_a_blob_with_another_hash_is_refused_and_leaves_nothing(live: Live) -> None:
    content = os.urandom(300_000)
    response = live.request("PUT", "/api/blobs/" + "0" * 64, content)
    assert response.status == 400
    assert "SHA-256" in response.json()["error"]
    assert live.request("HEAD", "/api/blobs/" + hashlib.sha256(content).hexdigest()).status == 404
    assert files(live) == []


def test_a_blob_needs_a_length_and_has_a_bound(start) -> None:  # type: ignore[no-untyped-def]
    live = start(max_blob_bytes=1000)
    address = "/api/blobs/" + hashlib.sha256(bytes(2000)).hexdigest()
    assert live.request("PUT", address, bytes(2000)).status == 413
    assert live.request("PUT", address, headers={"Transfer-Encoding": "chunked"}).status == 411


def test_the_blob_of_a_private_session_stays_in_memory(live: Live) -> None:
    session = live.session(private=True)
    session.welcome()
    content = os.urandom(300_000)
    sha256 = hashlib.sha256(content).hexdigest()
    headers = {"X-Ipyweb-Session": session.id}
    assert live.request("PUT", f"/api/blobs/{sha256}", content, headers).status == 201
    assert live.request("HEAD", f"/api/blobs/{sha256}", headers=headers).status == 200
    session.display({}, data={"image/png": {"blob": sha256, "size": len(content)}})
    session.acked()
    assert live.request("GET", "/api/outputs/1/data").body == content
    assert files(live) == []


def test_an_upload_that_breaks_off_leaves_nothing(live: Live) -> None:
    head = (
        f"PUT /api/blobs/{'0' * 64} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000000\r\n"
        f"Authorization: Bearer {live.token()}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", live.port)) as peer:
        peer.sendall(head.encode() + bytes(2_000_000))
        wait_until(lambda: files(live), "the upload to begin")
    wait_until(lambda: not files(live), "what arrived of it to be removed")


def files(live: Live) -> list[str]:
    return [str(path) for path in (data_dir() / "blobs").rglob("*") if path.is_file()]


# -- proxies ----------------------------------------------------------------------------------------------------------


def test_a_hub_answers_to_the_name_of_a_proxy_that_it_was_told_of(live: Live) -> None:
    host = {"Host": "ide.example.org", "Origin": "https://ide.example.org"}
    assert live.request("GET", "/api/state", headers=host).status == 403
    told = live.request("POST", "/api/hosts", {"address": "https://ide.example.org/proxy/{{port}}/"})
    assert told.json() == {"address": f"https://ide.example.org/proxy/{live.port}/"}
    assert live.request("GET", "/api/state", headers=host).status == 200
    assert live.request("GET", "/api/state", headers={**host, "Host": "other.example.org"}).status == 403
    assert live.request("GET", "/api/state", headers=host, scope=None).status == 403


@pytest.mark.parametrize("address", ["", "ide.example.org", "javascript:x", None, ["https://x"]])
def test_what_is_no_address_names_no_host(live: Live, address: object) -> None:
    assert live.request("POST", "/api/hosts", {"address": address}).status == 400


def test_the_number_of_names_is_bounded(live: Live) -> None:
    statuses = [
        live.request("POST", "/api/hosts", {"address": f"https://h{number}.example/"}).status for number in range(70)
    ]
    assert set(statuses) == {200, 409}
