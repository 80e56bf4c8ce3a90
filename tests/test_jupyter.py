"""The gate between jupyter-server-proxy and the hub: what it passes on of a request."""

from pathlib import Path

import pytest

from ipyweb import jupyter
from ipyweb.connection import GATE, voucher
from ipyweb.jupyter import BadRequest, passed_on

ROOT = "5e" * 32


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def lines(request: bytes) -> list[str]:
    text = request.decode("latin-1")
    assert text.endswith("\r\n\r\n")
    return text[:-4].split("\r\n")


def test_what_is_jupyters_own_stays_with_jupyter() -> None:
    request = head(
        "POST /api/clear?x=1 HTTP/1.1",
        "Host: hub.example.org",
        "Cookie: username-hub=secret",
        "cookie: _xsrf=secret",
        "Authorization: token secret",
        "Proxy-Authorization: Basic secret",
        "X-Ipyweb-Gate: forged",
        "Connection: keep-alive, X-Ipyweb-Gate",
        "X-Ipyweb-Token: t",
        "Content-Length: 2",
    )
    assert lines(passed_on(request, ROOT)) == [
        "POST /api/clear?x=1 HTTP/1.1",
        "Host: hub.example.org",
        "X-Ipyweb-Token: t",
        "Content-Length: 2",
        "Connection: close",
        f"{GATE}: {voucher(ROOT, 'hub.example.org')}",
    ]


def test_a_websocket_stays_one() -> None:
    request = head("GET /ws/pane HTTP/1.1", "Host: h:8888", "Upgrade: websocket", "Connection: keep-alive, Upgrade")
    assert lines(passed_on(request, ROOT))[2:] == [
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"{GATE}: {voucher(ROOT, 'h:8888')}",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        head("GET / HTTP/1.0", "Host: h"),
        head("GET http://h/ HTTP/1.1", "Host: h"),
        head("GET / HTTP/1.1"),
        head("GET / HTTP/1.1", "Host: h", "Host: i"),
        head("GET / HTTP/1.1", "Host: "),
        head("GET / HTTP/1.1", "Host: h; script-src *"),
        head("GET / HTTP/1.1", "Host: h", " folded"),
        head("GET / HTTP/1.1", "Host: h", "No colon"),
        head("GET / HTTP/1.1", "Host: h", "X: a\nX-Ipyweb-Gate: b"),
        head("GET / HTTP/1.1", "Host: h", "X: a\rX-Ipyweb-Gate: b"),
        head("GET / HTTP/1.1", "Host: h", "X-Ipyweb-Gate : b"),
        head("rubbish"),
        head(""),
    ],
)
def test_what_is_no_plain_request_is_not_passed_on(wrong: bytes) -> None:
    with pytest.raises(BadRequest):
        passed_on(wrong, ROOT)


def test_a_voucher_is_for_one_name_and_one_secret() -> None:
    assert len({voucher(ROOT, "a"), voucher(ROOT, "b"), voucher("0" * 64, "a")}) == 3


def test_jupyter_finds_an_icon() -> None:
    assert Path(jupyter.server()["launcher_entry"]["icon_path"]).is_file()
