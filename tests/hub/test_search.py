"""Searching: which outputs are found by which words, kinds and times."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipyweb.hub import grams, queries, schema, search, sql
from ipyweb.hub.messages import SessionChange
from ipyweb.hub.sqlite import SqliteStore
from ipyweb.hub.store import Filter, NotFound

from .conftest import BOTH, Bare, Live, make_display, make_old

FIGURE = {"id": "c" * 32, "keeper": "d" * 16, "size": [640, 480], "dpi": 100.0, "default_size": True}
A, B = "a" * 32, "b" * 32


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


PLOTLY = {"application/vnd.plotly.v1+json": b"{}"}


@BOTH
@pytest.mark.parametrize(
    ("q", "numbers"),
    [
        ("figure", [2]),
        ("FIG", [2]),
        ("figure dots", []),
        ("figure line", [2]),
        ("plotly", [3]),
        ("plotly dots", [3]),
        ("vega-lite", [4]),
        ("vega", [4]),
        ("markdown", [1, 5]),
    ],
)
def test_an_output_is_found_by_its_kind(bare: Bare, q: str, numbers: list[int]) -> None:
    bare.open()
    bare.display(1, title="of markdown")
    bare.display(2, {"image/png": b"\x89PNG"}, title="line", figure=json.dumps(FIGURE))
    bare.display(3, PLOTLY, title="dots")
    bare.display(4, {"application/vnd.vegalite.v6+json": b"{}"})
    bare.display(5, {"text/markdown": b"# Findings"})
    first = bare.store.next_id - 6
    assert found(bare, q) == [first + each for each in numbers]


@BOTH
def test_an_output_is_found_by_the_day_it_was_last_changed_on(bare: Bare, zone: Callable[[str], None]) -> None:
    zone("Asia/Tokyo")
    bare.open()
    bare.display(1, title="like 2026-11-29", time="2025-03-01T12:00:00.000000Z")
    bare.display(2, title="late", time="2026-11-28T15:00:00.000000Z")
    bare.display(3, title="last", time="2026-11-29T14:59:59.999999Z")
    bare.display(4, time="2026-11-29T15:00:00.000000Z", display_id="x")
    first = bare.store.next_id - 5
    asked = {
        "2026-11-29": [1, 2, 3],
        "2026-11-2": [1, 2, 3],
        "2026-11-29 late": [2],
        "2026-11-30": [4],
        "2026-1": [1, 2, 3, 4],
        "2025-": [1],
        "2026-02-3": [],
        "2026-13": [],
    }
    assert {q: found(bare, q) for q in asked} == {q: [first + each for each in ids] for q, ids in asked.items()}
    bare.display(5, time="2026-12-01T00:00:00.000000Z", display_id="x")
    assert found(bare, "2026-11-30") == []
    bare.call(lambda store: store.purge(first + 4))
    assert found(bare, "2026-12") == []


def test_today_and_yesterday_are_dates_too(bare: Bare) -> None:
    assert search.dates("today", date(2026, 3, 1)) == [date(2026, 3, 1)]
    assert search.dates("yesterday", date(2026, 3, 1)) == [date(2026, 2, 28)]
    bare.open()
    bare.display(1)
    assert found(bare, "today") + found(bare, "yesterday") == [1]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Lets this process be in another time zone."""

    def go(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield go
    monkeypatch.undo()
    time.tzset()


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


def test_a_store_from_before_there_was_an_index_is_searched_at_once_and_indexed_later(
    make_store: Callable[..., Bare], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = make_store()
    bare.open()
    for seq in range(1, 20):
        bare.display(seq, title=f"old {seq}")
    bare.store.close()
    make_old(tmp_path / "outputs.sqlite", 6)
    again = make_store()
    assert found(again, "old 19") == [19]
    assert counted(again, "grams_due") == 19
    monkeypatch.setattr(grams, "LEAVE", 0)
    index(again)
    assert counted(again, "grams_due") == 0
    assert found(again, "old 19") == [19]


@pytest.mark.parametrize("version", [3, 6])
def test_an_old_store_that_cannot_be_written_is_read_as_it_is(
    make_store: Callable[..., Bare], tmp_path: Path, version: int
) -> None:
    bare = make_store()
    bare.open()
    bare.display(1, title="kept")
    bare.store.close()
    make_old(tmp_path / "outputs.sqlite", version)
    connection = schema.connect(tmp_path / "outputs.sqlite", read_only=True)
    with closing(SqliteStore(connection, tmp_path, read_only="for a test")) as store:
        assert found(Bare(store), "kept", kinds=("text",)) == [1]
        assert not Bare(store).call(lambda store: store.index())


@BOTH
def test_the_index_forgets_what_was_purged(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    bare.open()
    for seq in range(1, 300):
        bare.display(seq)
    with monkeypatch.context() as patch:
        patch.setattr(grams, "LEAVE", 0)
        index(bare)
    assert counted(bare, "grams") > grams.PARTS
    for output_id in range(1, 300):
        bare.call(lambda store, output_id=output_id: store.purge(output_id))
    index(bare)
    assert counted(bare, "grams") == counted(bare, "grams_due") == 0


@BOTH
def test_a_step_of_the_index_that_is_cut_off_leaves_everything_to_be_found(
    bare: Bare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grams, "LEAVE", 0)
    bare.open()
    bare.display(1, title="zebra")

    def fails(store: Any) -> None:
        assert store.index()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bare.call(fails)
    assert counted(bare, "grams_due") == 1
    assert found(bare, "zebra") == [1]


@BOTH
def test_what_is_common_is_counted_up_to_a_limit(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "COUNTED", 5)
    bare.open()
    for seq in range(1, 10):
        bare.display(seq, title="odd" if seq % 2 else "even")
    page = bare.store.outputs(Filter(q="train"), None, None, 3)
    assert ([row.id for row in page.outputs], page.total, page.exact) == ([7, 8, 9], 5, False)
    page = bare.store.outputs(Filter(q="odd"), None, None, 3)
    assert ([row.id for row in page.outputs], page.total, page.exact) == ([5, 7, 9], 5, True)


WORDS = (
    "a",
    "ab",
    "abc",
    "bca",
    "aé",
    "é",
    "ß",
    "12",
    "123.5",
    "0x1f",
    "~~",
    "%",
    "_",
    "ab_",
    "node",
    "train.py",
    "old",
    "html",
    "tex",
    "2026-11-0",
    "2026-11-05",
)
texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join) | st.text("abé1 ", max_size=6)
words = st.lists(st.sampled_from(WORDS) | st.text("abcé1", min_size=1, max_size=4), max_size=3).map(" ".join)
quoted = st.builds('"{}"'.format, texts.filter(str.strip))
displayed = st.tuples(st.just("display"), st.integers(1, 12), texts)
changed = st.tuples(st.sampled_from(["remove", "purge", "index", "note"]), st.integers(1, 40), texts)
options = {
    "kinds": st.sampled_from([("text",), ("html", "text"), ("image",)]),
    "session": st.sampled_from([A, B]),
    "project": st.sampled_from(["/a", "/b"]),
    "removed": st.sampled_from([None, True]),
    "until": st.just("2026-11-05"),
}
ids = st.none() | st.integers(-1, 50)
asked = st.tuples(words | quoted, st.fixed_dictionaries({}, optional=options), ids, ids, st.integers(1, 6))


@BOTH
@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(displayed | changed | asked, max_size=25))
def test_whatever_is_indexed_a_search_finds_what_reading_everything_finds(bare: Bare, steps: list[Any]) -> None:
    bare.open(A, project="/a", title="old ß")
    bare.open(B, project="/b", host="node1", private=not bare.store.shared)
    for row in bare.store.outputs(Filter(removed=None), None, None, 10_000).outputs:  # of the example before
        bare.call(lambda store, row=row: store.purge(row.id))
    first = bare.store.next_id - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "COUNTED", 6)
        patch.setattr(search, "_CHUNKS", (2, 4))
        patch.setattr(grams, "LEAVE", 2)
        for step in steps:
            if len(step) == 5:
                q, more, after, before, limit = step
                after, before = (None if each is None else first + each for each in (after, before))
                compare(bare, Filter(q=q, **more), after, before, limit)
            else:
                change(bare, first, *step)
        index(bare)
        for q in ("a", "ab", "abc", "é", "train.py", "old 12", "nowhere"):
            compare(bare, Filter(q=q), None, None, 5)


def change(bare: Bare, first: int, what: str, number: int, text: str) -> None:
    acts: dict[str, Callable[[Any], Any]] = {
        "index": lambda store: store.index(),
        "remove": lambda store: store.remove([first + number]),
        "purge": lambda store: store.purge(first + number),
        "note": lambda store: store.edit(first + number, {"note": text}),
    }
    if what == "display":
        session = A if number % 3 else B
        data = {"text/html" if number % 2 else "text/plain": text.encode()}
        seq = bare.open(session, project="/a" if number % 3 else "/b") + 1
        time = f"2026-11-{number:02}T00:00:00.000000Z"
        bare.display(seq, data, session, display_id=f"{first} {number}", time=time)
    else:
        with suppress(NotFound):
            bare.call(acts[what])


def compare(bare: Bare, which: Filter, after: int | None, before: int | None, limit: int) -> None:
    """A search against reading everything."""
    rows = bare.store.outputs(which._replace(q=None), None, None, 10_000).outputs
    said = dict(bare.store.db.execute("SELECT output, text FROM texts").fetchall())
    sessions = bare.store.db.execute("SELECT id, title, name, host FROM sessions")
    names = {session: "\n".join(filter(None, names)).casefold() for session, *names in sessions}
    terms = search.terms(which.q or "")
    kinds = dict(bare.store.db.execute("SELECT output, kind FROM texts").fetchall())
    hits = [
        row.id
        for row in rows
        if all(
            term in said[row.id]
            or term in names[row.session]
            or kinds[row.id].startswith(term)
            or (term.startswith("2026-") and row.updated.startswith(term))
            for term in terms
        )
    ]
    page = bare.store.outputs(which, after, before, limit)
    if after is not None:
        expected = [each for each in hits if each > after][:limit]
    else:
        expected = [each for each in hits if before is None or each < before][-limit:]
    assert [row.id for row in page.outputs] == expected
    bounded = bool(terms) and len(hits) > queries.COUNTED
    assert (page.total, page.exact) == (queries.COUNTED if bounded else len(hits), not bounded)


def index(bare: Bare) -> None:
    while bare.call(lambda store: store.index()):
        pass


def counted(bare: Bare, table: str) -> int:
    return int(bare.store.db.execute(f"SELECT count(*) FROM {bare.store.db.main}.{table}").fetchone()[0])


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
