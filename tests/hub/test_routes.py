"""Every address of the hub, walked: who is let in, and what every response carries."""

import itertools
import re
import socket

import pytest

from ipyweb.hub import routes
from ipyweb.hub.base import Guard

from .conftest import Live

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PUBLIC = {"/", "/assets/", "/c/", "/s/", "/hello", "/exchange", "/api/openapi"}
EXAMPLES = {
    "([A-Za-z0-9_./-]+)": "index.js",
    "([0-9a-f]{32})": "0" * 32,
    "([0-9a-f]{64})": "0" * 64,
    "([a-z]{3,4})": "png",
    "([0-9]{1,18})": "1",
    "([A-Za-z0-9_-]{43})": "A" * 43,
    "([A-Za-z0-9_-]{22})": "A" * 22,
    "([A-Za-z0-9_-]{1,2048})": "e30",
}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def example(pattern: str) -> str:
    for expression, text in EXAMPLES.items():
        pattern = pattern.replace(expression, text)
    return re.sub(r"\\(.)", r"\1", pattern)


ADDRESSES = {example(pattern): handler for pattern, handler in routes.ROUTES}
PRIVATE = [address for address, handler in ADDRESSES.items() if not handler.public]


def test_exactly_the_known_addresses_are_public() -> None:
    public = {address for address, handler in ADDRESSES.items() if handler.public}
    assert all(any(address == known or address.startswith(known) for known in PUBLIC) for address in public)
    assert {address for address in public if address.startswith("/api")} == {"/api/openapi.json"}


def test_every_route_has_the_guard_and_names_its_scopes() -> None:
    for handler in ADDRESSES.values():
        assert issubclass(handler, Guard)
        assert handler.public or handler.scopes
    assert not Guard.public
    assert Guard.scopes == frozenset()


def test_without_a_token_every_private_route_is_an_empty_403_for_every_method(live: Live) -> None:
    for address, method in itertools.product([*PRIVATE, "/nothing", "/api", "/api/outputs/x"], METHODS):
        response = live.request(method, address, scope=None)
        assert (response.status, response.body) == (403, b""), (method, address)


def test_websockets_are_refused_before_the_upgrade(live: Live) -> None:
    for address in ("/ws/session", "/ws/pane"):
        response = live.request("GET", address, headers=UPGRADE, scope=None)
        assert (response.status, response.body) == (403, b"")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": ""},
        {"Authorization": "Bearer  {}"},
        {"Authorization": "Bearer {}\x00"},
        {"Authorization": "bearer {}"},
        {"Authorization": "Basic {}"},
        {"Authorization": "{}"},
        {"Authorization": "Bearer {0}{0}"},
        {"Authorization": "Bearer ö"},
        {"Authorization": "Bearer " + "0" * 64},
        {"X-Ipyweb-Token": ""},
        {"X-Ipyweb-Token": "x" * 64},
        {"Cookie": "token={}; ipyweb={}"},
        {"Sec-WebSocket-Protocol": "ipyweb.token.{}"},
        {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost", "Forwarded": "host=localhost"},
    ],
)
def test_wrong_tokens_open_nothing(live: Live, headers: dict[str, str]) -> None:
    filled = {name: value.replace("{}", live.token()).replace("{0}", live.token()) for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in filled.items())
    assert status_of(live.port, f"GET /api/state HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n") in (400, 403)


def test_two_authorizations_are_refused(live: Live) -> None:
    lines = f"Authorization: Bearer {live.token()}\r\n" * 2
    assert status_of(live.port, f"GET /api/state HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n") == 403


def test_our_own_header_counts_before_one_that_a_proxy_put_there(live: Live) -> None:
    headers = {"Authorization": "token of-jupyter", "X-Ipyweb-Token": live.token()}
    assert live.request("GET", "/api/state", headers=headers, scope=None).status == 200


def test_a_token_in_the_query_opens_nothing(live: Live) -> None:
    assert live.request("GET", f"/api/state?token={live.token()}", scope=None).status == 403


SCOPES = {
    ("GET", "/api/state"): {"admin", "session", "pane"},
    ("GET", "/api/outputs"): {"admin", "session", "pane"},
    ("POST", "/api/outputs"): {"admin", "session"},
    ("POST", "/api/codes"): {"admin", "pane"},
    ("POST", "/api/shares"): {"admin"},
    ("POST", "/api/hosts"): {"admin"},
    ("POST", "/api/opened"): {"admin", "session"},
    ("HEAD", "/api/blobs/" + "0" * 64): {"admin", "session"},
    ("PUT", "/api/blobs/" + "0" * 64): {"admin", "session"},
    ("DELETE", "/api/outputs/1"): {"admin", "session", "pane"},
    ("PATCH", "/api/outputs/1"): {"admin", "session", "pane"},
    ("POST", "/api/clear"): {"admin", "session", "pane"},
    ("GET", "/ws/session"): {"admin", "session"},
    ("GET", "/ws/pane"): {"admin", "pane"},
    ("GET", "/ws/reach"): {"admin", "pane"},
    ("POST", "/poll"): {"admin", "pane"},
    ("GET", "/poll/" + "A" * 22): {"admin", "pane"},
    ("POST", "/poll/" + "A" * 22): {"admin", "pane"},
    ("DELETE", "/poll/" + "A" * 22): {"admin", "pane"},
}


@pytest.mark.parametrize(("method", "address"), SCOPES)
def test_each_scope_opens_what_it_should_and_no_more(live: Live, method: str, address: str) -> None:
    admitted = {
        scope
        for scope in ("admin", "session", "pane")
        if live.request(method, address, scope=scope, body=b"{}").status != 403
    }
    assert admitted == SCOPES[method, address]


def test_only_the_admin_may_stop_the_hub(live: Live) -> None:
    for scope in ("session", "pane"):
        assert live.request("POST", "/api/stop", {}, scope=scope).status == 403
    assert live.get("/api/state")["pid"]


BAD_HOSTS = (
    "evil.com",
    "evil.com:{port}",
    "127.0.0.1.evil.com",
    "127.0.0.1.evil.com:{port}",
    "localhost.evil.com",
    "evil.com@127.0.0.1",
    "127.0.0.1@evil.com",
    "0x7f000001",
    "2130706433",
    "127.1",
    "0.0.0.0",
    "[::ffff:127.0.0.1]",
    "localhost.",
    "LOCALHOST.evil.com",
    "x.localhost",
    "127.0.0.1:80:80",
    "127.0.0.1:",
    "127.0.0.1:99999999",
    "",
)


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_foreign_host_is_refused_even_with_the_token(live: Live, host: str) -> None:
    host = host.format(port=live.port)
    forwarded = {"X-Forwarded-Host": "localhost", "Forwarded": "host=localhost"}
    for address in ("/api/state", "/", "/hello?nonce=" + "0" * 32, "/ws/pane"):
        assert live.request("GET", address, headers={"Host": host, **forwarded}).status in (400, 403), address


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:18792", "localhost", "localhost:1", "[::1]:20000"])
def test_loopback_names_are_answered_whatever_port_a_tunnel_has(live: Live, host: str) -> None:
    assert live.request("GET", "/api/state", headers={"Host": host}).status == 200


def test_a_name_from_the_configuration_is_answered(start) -> None:  # type: ignore[no-untyped-def]
    live = start(allowed_hosts=["hub.example.org"])
    assert live.request("GET", "/api/state", headers={"Host": "hub.example.org"}).status == 200
    assert live.request("GET", "/api/state", headers={"Host": "hub.example.org:8443"}).status == 200
    assert live.request("GET", "/api/state", headers={"Host": "x.hub.example.org"}).status == 403


def test_only_the_frame_document_is_served_on_hosts_of_its_own(live: Live) -> None:
    frame = "/" + live.get("/api/state")["frame"]
    host = {"Host": f"o17x.localhost:{live.port}"}
    assert live.request("GET", frame, headers=host, scope=None).status == 200
    for address in ("/", "/hello?nonce=" + "0" * 32, "/api/state", "/assets/x.js"):
        assert live.request("GET", address, headers=host).status == 403


@pytest.mark.parametrize("hosts", [0, 2])
def test_no_or_two_hosts_are_a_bad_request(live: Live, hosts: int) -> None:
    lines = "Host: 127.0.0.1\r\n" * hosts
    assert status_of(live.port, f"GET /hello?nonce={'0' * 32} HTTP/1.1\r\n{lines}\r\n") == 400


BAD_ORIGINS = (
    "http://evil.com",
    "null",
    "http://127.0.0.1:1",
    "http://127.0.0.1",
    "http://127.0.0.1:{port}.evil.com",
    "https://127.0.0.1:{port}",
    "http://localhost:{port}",
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port} ",
    "file://",
    "",
)


@pytest.mark.parametrize("origin", BAD_ORIGINS)
def test_a_foreign_origin_is_refused_even_with_the_token(live: Live, origin: str) -> None:
    origin = origin.format(port=live.port)
    if origin.endswith(" "):
        origin = origin.strip() + ",x"
    for address, method in (("/api/state", "GET"), ("/api/clear", "POST"), ("/hello?nonce=" + "0" * 32, "GET")):
        assert live.request(method, address, headers={"Origin": origin}, body=b"{}").status == 403
    for address in ("/ws/session", "/ws/pane"):
        assert live.request("GET", address, headers={**UPGRADE, "Origin": origin}).status == 403


def test_the_own_origin_is_welcome_over_http_and_websocket(live: Live) -> None:
    origin = {"Origin": f"http://127.0.0.1:{live.port}"}
    assert live.request("GET", "/api/state", headers=origin).status == 200
    status = status_of(
        live.port,
        f"GET /ws/pane HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\nOrigin: http://127.0.0.1:{live.port}\r\n"
        f"Sec-WebSocket-Protocol: ipyweb, ipyweb.token.{live.token('pane')}\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in UPGRADE.items())
        + "\r\n",
    )
    assert status == 101


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_requests_that_another_site_made_the_browser_send_are_refused(live: Live, site: str) -> None:
    assert live.request("GET", "/api/state", headers={"Sec-Fetch-Site": site}).status == 403
    assert live.request("GET", "/hello?nonce=" + "0" * 32, headers={"Sec-Fetch-Site": site}).status == 403


def test_no_response_sets_cookies_or_opens_to_other_origins_and_all_carry_the_security_headers(live: Live) -> None:
    addresses = [*ADDRESSES, "/nothing", "/" + live.get("/api/state")["frame"]]
    for address, method, scope in itertools.product(addresses, METHODS, ("admin", None)):
        if (address, method) in (("/api/stop", "POST"), ("/api/rotate", "POST")):
            continue
        headers = live.request(
            method, address, scope=scope, headers={"Origin": f"http://127.0.0.1:{live.port}"}
        ).headers
        assert headers["x-content-type-options"] == "nosniff", address
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] in ("same-origin", "cross-origin")
        assert "default-src 'none'" in headers["content-security-policy"]
        assert not {name for name in headers if name in ("set-cookie", "server") or name.startswith("access-control")}


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../../../etc/passwd",
        "/assets/..%2f..%2fidentity.json",
        "/assets/%2e%2e/identity.json",
        "/assets/..\\identity.json",
        "/assets//etc/passwd",
        "/assets-secret/x",
        "//etc/passwd",
        "/assets/%00",
        "/assets/%c0%ae%c0%ae/x",
        "/c/" + "0" * 32 + "/../identity.json",
        "/api/blobs/../../identity.json",
        "/api/blobs/" + "0" * 63 + "/",
        "/api/outputs/1/../../../identity.json",
        "/api/outputs/99999999999999999999",
        "/api/outputs/-1",
        "/api/outputs/__proto__",
        "/api/outputs/1%00",
    ],
)
def test_addresses_that_climb_out_find_nothing(live: Live, path: str) -> None:
    response = live.request("GET", path)
    assert response.status in (400, 403, 404)
    assert live.state["token"].encode() not in response.body


@pytest.mark.parametrize("target", ["//evil.com", "/\\evil.com", "///evil.com", "/%2f%2fevil.com", "/%09/evil.com"])
def test_nothing_ever_redirects(live: Live, target: str) -> None:
    for address in (target, f"/?next={target}", f"/api/state?next={target}"):
        response = live.request("GET", address)
        assert response.status in (200, 400, 403, 404)
        assert "location" not in response.headers


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: -1\r\n",
    ],
)
def test_ambiguous_bodies_are_refused(live: Live, head: str) -> None:
    request = f"POST /exchange HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n"
    assert status_of(live.port, request) in (0, 400)


def test_a_body_that_is_announced_too_large_is_not_read(live: Live) -> None:
    head = f"Host: 127.0.0.1\r\nContent-Length: {2**30}\r\nAuthorization: Bearer {live.token()}\r\n"
    assert status_of(live.port, f"POST /api/outputs HTTP/1.1\r\n{head}\r\n") in (0, 400, 413)


def test_a_body_is_not_read_before_the_token_was_seen(live: Live) -> None:
    head = "Host: 127.0.0.1\r\nContent-Length: 8000000\r\n"
    assert status_of(live.port, f"POST /api/outputs HTTP/1.1\r\n{head}\r\n") == 403


def test_multipart_is_never_parsed(live: Live) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="code"\r\n\r\n1\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert live.request("POST", "/api/clear", body, headers).status == 400


def test_line_breaks_in_what_is_stored_reach_no_header(live: Live) -> None:
    evil = 'x\r\nSet-Cookie: a=b"; filename=../../x'
    made = live.request("POST", "/api/outputs", {"data": {"text/plain": "hi"}, "title": evil, "display_id": "d"})
    assert made.status == 201
    assert "\n" not in live.outputs()[0]["title"]
    response = live.request("GET", f"/api/outputs/{made.json()['id']}/data?mime={evil.encode().hex()}")
    assert response.status == 404
    assert live.request("POST", "/api/outputs", {"data": {evil: "hi"}}).status == 400


def test_errors_say_what_to_do_only_to_those_with_a_token(live: Live) -> None:
    assert "error" in live.request("GET", "/api/outputs/77").json()
    assert live.request("GET", "/api/outputs/77", scope=None).body == b""


def test_long_headers_and_slow_ones_do_not_hold_others_up(live: Live) -> None:
    with socket.create_connection(("127.0.0.1", live.port)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        assert status_of(live.port, f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: {'x' * 20000}\r\n\r\n") in (0, 400, 431)
        assert live.get("/api/state")


def status_of(port: int, request: str) -> int:
    """The status of a request sent byte by byte as given; 0 when the connection was just closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=180) as peer:
        peer.sendall(request.encode("latin-1", "replace"))
        try:
            answer = peer.recv(65536)
        except ConnectionResetError:
            return 0
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0
