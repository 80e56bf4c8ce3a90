"""Searching: which outputs are found by which words, kinds and times."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ipyweb.hub import search, sql
from ipyweb.hub.messages import SessionChange
from ipyweb.hub.store import Filter

from .conftest import Bare, Live, make_display, make_old

FIGURE = {"id": "c" * 32, "keeper": "d" * 16, "size": [640, 480], "dpi": 100.0, "default_size": True}
A = "a" * 32


def found(bare: Bare, q: str | None = None, **more: Any) -> list[int]:
    return [row.id for row in bare.store.outputs(Filter(q=q, **more), None, None, 1000).outputs]


@pytest.mark.parametrize(
    ("fields", "q"),
    [
        ({"title": "Residuals of Ångström"}, "ångström residuals"),
        ({"data": {"text/plain": b"loss   0.25\naccuracy 0.9"}}, "0.25 accuracy"),
        ({"data": {"text/html": b"<style>p{}</style><p>Sales in <b>Berlin</b></p>"}}, "berlin"),
        ({"data": {"text/markdown": b"# Findings"}}, "finding"),
        ({"data": {"application/vnd.plotly.v1+json": b'{"layout":{"title":{"text":"Caf\\u00e9s"}}}'}}, "cafés"),
        ({"source": {"file": "/p/train.py", "code": "plot(losses)"}}, "plot(loss"),
        ({"source": {"file": "/p/other.py", "code": None}}, "other.py"),
        ({"figure": json.dumps({**FIGURE, "description": "x axis: weeks"})}, "WEEKS"),
        ({"data": {"application/geo+json": b"{}"}}, "geo+json"),
        ({"title": "two words"}, '"two words"'),
    ],
)
def test_an_output_is_found_by_what_it_says_and_is_called(bare: Bare, fields: dict[str, Any], q: str) -> None:
    bare.open()
    bare.display(1)
    bare.display(2, **fields)
    assert found(bare, q) == [2]


def test_all_words_have_to_stand_somewhere_and_quotes_keep_them_together(bare: Bare) -> None:
    bare.open()
    bare.display(1, title="red apple", data={"text/plain": b"green pear"})
    bare.display(2, title="green apple")
    assert found(bare, "apple green") == [1, 2]
    assert found(bare, '"green apple"') == [2]
    assert found(bare, "apple pear") == [1]
    assert found(bare, "apple plum") == []


def test_markup_and_style_of_html_are_no_words(bare: Bare) -> None:
    bare.open()
    bare.display(1, {"text/html": b"<style>.wide{}</style><div class='tall'>text</div>"})
    assert found(bare, "wide") == found(bare, "tall") == []


def test_titles_at_the_end_of_large_json_are_found(bare: Bare) -> None:
    bare.open()
    figure = {"data": [{"x": list(range(100_000))}], "layout": {"title": {"text": "Depth"}}}
    bare.display(1, {"application/vnd.plotly.v1+json": json.dumps(figure).encode()})
    assert found(bare, "depth") == [1]


def test_what_changes_is_found_by_its_new_words_only(bare: Bare) -> None:
    bare.open()
    bare.display(1, {"text/plain": b"before"}, display_id="x")
    bare.display(2, {"text/plain": b"after"}, display_id="x")
    bare.call(lambda store: store.edit(1, {"note": "remarkable"}))
    assert found(bare, "before") == []
    assert found(bare, "after remarkable") == [1]


def test_a_session_is_found_by_its_name_of_now_and_its_host(bare: Bare) -> None:
    bare.open()
    bare.display(1)
    bare.apply(SessionChange(2, {"name": "Nightly"}))
    assert found(bare, "nightly") == found(bare, "node7 output") == [1]
    assert found(bare, "nightly nowhere") == []


def test_private_outputs_are_found_and_their_words_stay_in_memory(bare: Bare, tmp_path: Path) -> None:
    bare.open(private=True)
    bare.display(1, {"text/plain": b"secret-word"})
    assert found(bare, "secret-word") == [1]
    bare.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert b"secret-word" not in (tmp_path / "outputs.sqlite").read_bytes()


def test_purged_outputs_leave_no_words_behind(bare: Bare) -> None:
    bare.open()
    bare.display(1, {"text/plain": b"gone"})
    bare.call(lambda store: store.purge(1))
    assert bare.store.db.execute("SELECT count(*) FROM texts").fetchone() == (0,)


@pytest.mark.parametrize(
    ("mimetypes", "figure", "kind"),
    [
        (["image/png", "text/plain"], True, "figure"),
        (["image/svg+xml"], False, "image"),
        (["application/vnd.plotly.v1+json", "text/html"], False, "plotly"),
        (["application/vnd.vegalite.v5+json", "text/plain"], False, "vega"),
        (["application/vnd.vega.v5+json"], False, "vega"),
        (["text/html", "text/plain"], False, "html"),
        (["application/vnd.ipyweb.prelude; n=0; type=text/html", "text/html"], False, "html"),
        (["application/geo+json"], False, "json"),
        (["text/csv"], False, "text"),
        ([], False, "other"),
    ],
)
def test_the_kind_is_that_of_what_is_shown(mimetypes: list[str], figure: bool, kind: str) -> None:
    assert search.kind_of(mimetypes, figure=figure) == kind


def test_kinds_times_and_words_narrow_together_page_by_page(bare: Bare) -> None:
    bare.open()
    for seq in range(1, 10):
        data = {"image/png": b"\x89PNG"} if seq % 2 else {"text/plain": b"words"}
        bare.display(seq, data, title=f"number {seq}", time=f"2026-11-{seq:02}T00:00:00.000000Z")
    which = Filter(q="number", kinds=("image",), since="2026-11-03", until="2026-11-09")
    assert found(bare, "number", kinds=("image",), since="2026-11-03", until="2026-11-09") == [3, 5, 7]
    page = bare.store.outputs(which, None, None, 2)
    assert ([row.id for row in page.outputs], page.total) == ([5, 7], 3)
    assert [row.id for row in bare.store.outputs(which, None, 5, 2).outputs] == [3]
    assert [row.id for row in bare.store.outputs(which, 3, None, 1).outputs] == [5]


def test_a_store_from_before_there_was_search_is_indexed_when_it_is_opened(
    make_store: Callable[..., Bare], tmp_path: Path
) -> None:
    bare = make_store()
    bare.open()
    bare.display(1, {"text/plain": b"an old one"}, title="Titled")
    bare.display(2, {"text/plain": b"x" * 100_000})
    bare.store.close()
    make_old(tmp_path / "outputs.sqlite", 2)
    again = make_store()
    assert found(again, "titled old") == [1]
    again.open()
    again.display(3, title="titled too")
    assert found(again, "titled") == [1, 3]


def test_a_large_old_store_opens_at_once_and_is_indexed_step_by_step(
    make_store: Callable[..., Bare], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = make_store()
    bare.open()
    for seq in range(1, 8):
        bare.display(seq, title=f"old {seq}")
    bare.store.close()
    make_old(tmp_path / "outputs.sqlite", 2)
    monkeypatch.setattr(sql, "AT_OPENING", 3)
    monkeypatch.setattr(sql, "AT_ONCE", 2)
    again = make_store()
    assert found(again, "old") == [5, 6, 7]
    assert again.call(lambda store: store.tidy())
    assert found(again, "old") == [3, 4, 5, 6, 7]
    assert again.call(lambda store: store.tidy())
    assert not again.call(lambda store: store.tidy())
    assert found(again, "old") == [1, 2, 3, 4, 5, 6, 7]


def test_the_hub_searches_by_address(live: Live) -> None:
    session = live.session()
    session.welcome()
    session.display({"text/markdown": b"# Zebra"}, title="Stripes & dots")
    session.display({"text/plain": b"zebra"})
    session.acked()

    def ask(query: str) -> list[int]:
        return [each["id"] for each in live.get(f"/api/outputs?{query}")["outputs"]]

    assert ask(f"q={quote('stripes &')}") == [1]
    assert ask("q=zebra&kind=text,html") == [2]
    assert ask("q=zebra&since=2026-01-01&until=2200-01-01T00:00:00%2B02:00") == [1, 2]
    assert ask("since=2200-01-01") == []
    assert [each["kind"] for each in live.outputs()] == ["markdown", "text"]


@pytest.mark.parametrize("query", ["kind=zebra", "since=yesterday", "until=2026-13-01"])
def test_what_cannot_be_looked_for_is_refused_with_what_was_expected(live: Live, query: str) -> None:
    response = live.request("GET", f"/api/outputs?{query}")
    assert response.status == 400
    assert "expected" in response.json()["error"]


def test_a_display_is_taken_even_when_its_words_are_no_text(bare: Bare) -> None:
    bare.open()
    nonsense = b'{"title": "\xff\\ud800", "text": "\\q"}'
    bare.apply(make_display(1, {"application/json": nonsense, "text/plain": b"\xff\xfe"}))
    assert found(bare) == [1]
