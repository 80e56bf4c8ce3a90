"""What goes with an output: files of its library, load messages shown before, libraries of the user's own."""

import re
from pathlib import Path

import pytest

from ipyweb.protocol import asset_type, prelude_type
from ipyweb.session import companions as module
from ipyweb.session import doors
from ipyweb.session.companions import Companions, within
from ipyweb.session.session import Session
from ipyweb.session.shell import get_shell

from .conftest import Sent

CDN = "https://cdn.example.org/lib@1.2/"


@pytest.fixture
def companions(monkeypatch: pytest.MonkeyPatch) -> Companions:
    made = Companions()
    for user in (module, doors, __import__("ipyweb.session.session", fromlist=["companions"])):
        monkeypatch.setattr(user, "companions", made)
    return made


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    directory = tmp_path / "dist"
    (directory / "css").mkdir(parents=True)
    (directory / "lib.min.js").write_bytes(b"lib = 1")
    (directory / "css" / "a.css").write_bytes(b"a {}")
    (tmp_path / "secret").write_bytes(b"secret")
    return directory


def html(text: str) -> dict[str, bytes]:
    return {"text/html": text.encode()}


def test_html_of_our_own_goes_before_the_outputs_that_need_it(companions: Companions) -> None:
    companions.add_load("load", needed_by="draw")
    companions.keep({"text/html": "load it"})
    undo = companions.add_prelude("<style>", needed_by=r"draw\(")
    assert companions.of(html("<b>draw()</b>")) == {
        prelude_type(0, "text/html"): b"load it",
        prelude_type(1, "text/html"): b"<style>",
    }
    assert companions.of(html("<b>no such thing</b>")) == {}
    undo()
    assert list(companions.of(html("draw()"))) == [prelude_type(0, "text/html")]


def test_files_of_the_users_package_stand_for_their_urls(companions: Companions, dist: Path) -> None:
    companions.add_files(CDN, within(dist))
    text = f"<script src={CDN}lib.min.js></script><link href={CDN}css/a.css?v=1.2>{CDN}missing.js, {CDN}lib.min.js."
    assert companions.of(html(text)) == {
        asset_type(f"{CDN}lib.min.js"): b"lib = 1",
        asset_type(f"{CDN}css/a.css?v=1.2"): b"a {}",
    }
    assert companions.of({"text/plain": text.encode()}) == {}


def test_no_file_outside_of_the_package_is_taken(companions: Companions, dist: Path) -> None:
    companions.add_files(CDN, within(dist))
    assert companions.of(html(f"{CDN}../secret {CDN}css/../../secret")) == {}


def test_an_integration_takes_its_files_back(companions: Companions, dist: Path) -> None:
    undo = companions.add_files(f"{CDN}lib.js", dist / "lib.min.js")
    assert companions.of(html(f"{CDN}lib.js"))
    undo()
    assert companions.of(html(f"{CDN}lib.js")) == {}


def test_a_library_of_the_users_own_goes_with_its_mime_type(companions: Companions, dist: Path) -> None:
    undo = companions.add_library("application/x-plot+json", "plotly", dist / "lib.min.js")
    assert companions.of({"application/x-plot+json": b"{}"}) == {asset_type("plotly"): b"lib = 1"}
    assert companions.of(html("")) == {}
    undo()
    assert companions.of({"application/x-plot+json": b"{}"}) == {}


def test_load_messages_go_in_front_of_those_that_need_them(companions: Companions, dist: Path) -> None:
    companions.add_files(CDN, within(dist))
    companions.add_load("^<script>load|application/vnd.lib_load.v0\\+json", needed_by=r"Lib\.")
    first = f"<script>load('{CDN}lib.min.js')</script>"
    assert companions.keep({"text/html": first})
    assert companions.keep({"application/vnd.lib_load.v0+json": "x", "application/javascript": "more()"})
    assert companions.keep({"text/html": first}), "said twice, kept once"
    assert not companions.keep({"text/html": "<p>Lib.draw()</p>"})
    assert companions.of(html("Lib.draw()")) == {
        prelude_type(0, "application/javascript"): b"more()",
        prelude_type(1, "text/html"): first.encode(),
        asset_type(f"{CDN}lib.min.js"): b"lib = 1",
    }
    assert companions.of(html("<table>")) == {}
    assert companions.of(html("<!doctype html><script>Lib.draw()</script>")) == {}, "a page loads what it needs"


def test_a_load_message_is_not_shown_and_what_needs_it_brings_it(
    companions: Companions, session: Session, sent: Sent
) -> None:
    drop = companions.add_load("injectModule", needed_by="window._tables")
    shell = get_shell()
    undo = doors.stand_at(shell, lambda: session, terminal=False)
    try:
        shell.display_pub.publish({"text/html": "<script>injectModule()</script>"})
        shell.display_pub.publish({"text/html": "<script>window._tables()</script>"})
    finally:
        undo()
    (shown,) = sent.displays()
    assert re.search(rb"_tables", shown["text/html"])
    assert shown[prelude_type(0, "text/html")] == b"<script>injectModule()</script>"
    drop()
    assert companions.of(html("window._tables")) == {}
