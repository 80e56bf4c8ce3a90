"""``ipyweb demo``."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from ipyweb.cli import demo
from ipyweb.cli.exhibits import EXHIBITS, Exhibit

KINDS = {
    *("text/plain", "text/html", "text/markdown", "text/latex"),
    *("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "application/pdf"),
    *("application/json", "application/geo+json", "application/javascript", "application/vnd.plotly.v1+json"),
    *(
        f"application/vnd.{grammar}.v{version}{spelling}"
        for grammar in ("vega", "vegalite")
        for version in (5, 6)
        for spelling in (".json", "+json")
    ),
}
Answer = Callable[..., tuple[int, str, str]]


def test_there_is_an_exhibit_of_every_kind() -> None:
    mimes = {exhibit.mime for exhibit in EXHIBITS}
    assert mimes >= KINDS
    assert mimes - KINDS == {"application/vnd.example.molecule+json"}


def test_every_exhibit_arrives_as_its_kind(hub: object, ids: Callable[..., list[int]], answer: Answer) -> None:
    done = subprocess.run([sys.executable, "-m", "ipyweb", "demo"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("left out")) == (0, 0), done.stdout + done.stderr
    records = json.loads(answer("list", "--json")[1])
    assert [record["title"] for record in records] == [exhibit.title for exhibit in EXHIBITS]
    for record, exhibit in zip(records, EXHIBITS, strict=True):
        assert exhibit.mime in record["mimetypes"], exhibit.title
        assert not record["problems"], exhibit.title


def test_it_prints_what_it_did_and_the_link(hub: object, answer: Answer) -> None:
    done = subprocess.run([sys.executable, "-m", "ipyweb", "demo"], capture_output=True, text=True, check=True)
    assert all(exhibit.title in done.stdout for exhibit in EXHIBITS)
    assert answer("url")[1].strip() in done.stdout


def test_a_missing_library_is_named() -> None:
    exhibit = Exhibit("image/x", "A picture", lambda: None, ("no_such_library_at_all",))
    line = demo._line(demo._show(exhibit))
    assert "left out, install it: python -m pip install no_such_library_at_all" in line


def test_a_broken_library_does_not_end_the_tour() -> None:
    def broken() -> object:
        raise ImportError("libfoo.so.1: cannot open shared object file")

    shown = demo._show(Exhibit("image/x", "A picture", broken))
    assert demo._failed(shown)
    assert "failed: ImportError: libfoo.so.1" in demo._line(shown)


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.title)
def test_exhibits_need_no_network(exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("an exhibit asked for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert exhibit.make() is not None
