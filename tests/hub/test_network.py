"""The network of one output: what may be allowed, to whom, and that nobody can allow it to himself."""

import pytest

from ipyweb.hub.network import MOST_HOSTS, hosts_of, is_public
from ipyweb.hub.static import FRAME_CSP, frame_csp

from .conftest import Live

CDN, TILES = "cdn.example.org", "a.tiles.example.org"
NOT_ALLOWED = [
    "localhost",
    "127.0.0.1",
    "10.0.0.1",
    "0x7f.1",
    "[::1]",
    "intranet",
    "printer.local",
    "hub.localhost",
    "db.internal",
    "*.example.org",
    "*",
    "CDN.example.org",
    "cdn.example.org:8443",
    "https://cdn.example.org",
    "cdn.example.org/path",
    "cdn.example.org; script-src *",
    "cdn.example.org\n",
    "cdn.example.org.",
    "-a.example.org",
    "a..org",
    "",
    "a." * 130 + "org",
]


@pytest.mark.parametrize("host", NOT_ALLOWED)
def test_only_plain_names_of_the_internet_may_be_allowed(host: str) -> None:
    assert not is_public(host)
    with pytest.raises(ValueError, match="expected the names of hosts on the internet"):
        hosts_of([host])


@pytest.mark.parametrize("value", [None, "cdn.example.org", [], {}, [f"a{i}.org" for i in range(MOST_HOSTS + 1)]])
def test_what_is_no_short_list_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected a list"):
        hosts_of(value)


def test_hosts_are_named_once_and_in_order() -> None:
    assert hosts_of([CDN, TILES, CDN]) == (TILES, CDN)


def test_a_policy_is_widened_by_the_named_hosts_over_https_and_by_nothing_else() -> None:
    def directives(policy: str) -> dict[str, set[str]]:
        return {
            name: set(values.split()) for name, _, values in (each.strip().partition(" ") for each in policy.split(";"))
        }

    closed, wide = directives(FRAME_CSP), directives(frame_csp((CDN, TILES)))
    assert wide.keys() == closed.keys()
    added = {name: wide[name] - closed[name] for name in wide if wide[name] != closed[name]}
    loads = ("script-src", "style-src", "img-src", "media-src", "font-src", "connect-src")
    assert added == {each: {f"https://{CDN}", f"https://{TILES}"} for each in loads}
    assert all(closed[name] <= wide[name] for name in wide)


@pytest.fixture
def output(live: Live) -> int:
    return publish(live)


def publish(live: Live) -> int:
    return int(live.request("POST", "/api/outputs", {"data": {"text/html": "<p>"}, "project": "/p"}).json()["id"])


def policy(live: Live, address: str) -> tuple[int, str]:
    answer = live.request("GET", "/" + address, scope=None)
    return answer.status, answer.headers.get("content-security-policy", "")


def test_a_permission_is_an_address_of_the_frame_document_for_one_output_and_its_hosts(live: Live) -> None:
    one, other = publish(live), publish(live)
    given = live.request("POST", f"/api/outputs/{one}/network", {"hosts": [CDN]}).json()
    assert given["hosts"] == [CDN]
    status, widened = policy(live, given["frame"])
    assert status == 200
    assert widened == frame_csp((CDN,))
    assert policy(live, live.get("/api/state")["frame"]) == (200, FRAME_CSP)
    for forged in (
        given["frame"].replace(f"output={one}", f"output={other}"),
        given["frame"].replace(CDN, TILES),
        given["frame"] + f",{TILES}",
        given["frame"] + f"&hosts={TILES}",
        given["frame"].partition("&")[0],
        live.get("/api/state")["frame"] + f"?output={one}&hosts={CDN}",
    ):
        assert policy(live, forged)[0] == 403


def test_only_a_pane_and_its_owner_may_allow_it(live: Live, output: int) -> None:
    address, body = f"/api/outputs/{output}/network", {"hosts": [CDN]}
    assert live.request("POST", address, body, scope="session").status == 403
    assert live.request("POST", address, body, scope=None).status == 403
    assert live.request("POST", address, body, scope="pane").status == 200


def test_what_may_not_be_allowed_and_what_is_not_there_is_said(live: Live, output: int) -> None:
    assert live.request("POST", f"/api/outputs/{output}/network", {"hosts": ["localhost"]}).status == 400
    assert live.request("POST", "/api/outputs/999/network", {"hosts": [CDN]}).status == 404
