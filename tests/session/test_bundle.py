"""Whatever libraries hand over becomes bytes, and what had to be changed is said."""

import base64
import datetime
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyweb.session.bundle import Limits, normalise

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.mark.parametrize(
    ("mime", "value", "stored"),
    [
        ("image/png", PNG, PNG),
        ("image/png", bytearray(PNG), PNG),
        ("image/png", memoryview(PNG), PNG),
        ("image/png", base64.b64encode(PNG).decode(), PNG),
        ("image/png", base64.encodebytes(PNG).decode(), PNG),
        ("application/pdf", base64.b64encode(b"%PDF").decode(), b"%PDF"),
        ("image/svg+xml", "<svg/>", b"<svg/>"),
        ("text/html", "<b>ü</b>", "<b>ü</b>".encode()),
        ("text/plain", ["a\n", "b"], b"a\nb"),
        ("application/json", {"a": [1, None]}, b'{"a":[1,null]}'),
        ("application/vnd.vegalite.v6.json", {"mark": "bar"}, b'{"mark":"bar"}'),
        ("application/vnd.plotly.v1+json", b'{"data":[]}', b'{"data":[]}'),
        ("application/vnd.bokehjs_exec.v0+json", "", b'""'),
    ],
)
def test_a_value_becomes_the_bytes_of_its_mime_type(mime: str, value: object, stored: bytes) -> None:
    bundle = normalise({mime: value})
    assert bundle.parts == {mime: stored}
    assert bundle.problems == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "expected the data to be a dict"),
        ("text", "expected the data to be a dict"),
        ({1: "x"}, "expected a MIME type"),
        ({"text/plain\r\nX-Evil: 1": "x"}, "expected a MIME type"),
        ({"image/png": 3}, "expected bytes or base64"),
        ({"image/png": "ä not base64"}, "image/png"),
        ({"text/html": 3}, "expected text, got int"),
        ({"text/plain": "a\ud800b"}, "lone surrogates"),
        ({"application/json": {"a": math.nan}}, "NaN"),
        ({"application/json": object()}, "is not JSON"),
    ],
)
def test_rubbish_is_shown_as_a_notice(data: object, said: str) -> None:
    bundle = normalise(data)
    assert said in " ".join(bundle.problems)
    assert bundle.parts
    assert all(isinstance(part, bytes) for part in bundle.parts.values())


def test_nan_becomes_null_and_the_rest_of_the_json_stays() -> None:
    bundle = normalise({"application/json": {"a": [1.5, math.nan, -math.inf], "when": datetime.date(2026, 11, 20)}})
    assert json.loads(bundle.parts["application/json"]) == {"a": [1.5, None, None], "when": "2026-11-20"}


def test_circular_json_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "circular" in " ".join(normalise({"application/json": loop}).problems)


def test_text_above_the_limit_is_cut_off_with_a_notice() -> None:
    bundle = normalise({"text/plain": "ä" * 1000}, limits=Limits(max_bytes=101))
    text = bundle.parts["text/plain"].decode()
    assert text.startswith("ä" * 50)
    assert "cut off" in text
    assert "max_repr_bytes" in bundle.problems[0]


def test_other_data_above_the_limit_is_left_out_with_a_notice() -> None:
    bundle = normalise({"text/html": "x" * 102, "text/plain": "short"}, limits=Limits(max_bytes=101))
    assert bundle.parts == {"text/plain": b"short"}
    assert "text/html of 102 bytes" in bundle.problems[0]


def test_when_nothing_is_left_the_notice_is_shown() -> None:
    bundle = normalise({"text/html": "x" * 102}, limits=Limits(max_bytes=101))
    assert b"left out" in bundle.parts["text/plain"]


def test_only_wanted_mime_types_are_sent() -> None:
    data = {"image/png": PNG, "image/jpeg": PNG, "text/plain": "x"}
    assert list(normalise(data, limits=Limits(include=["image/*"])).parts) == ["image/png", "image/jpeg"]
    assert list(normalise(data, limits=Limits(exclude=["image/*"])).parts) == ["text/plain"]


def test_the_richest_comes_first() -> None:
    assert list(normalise({"text/plain": "x", "text/html": "x"}).parts) == ["text/html", "text/plain"]


@pytest.mark.parametrize("metadata", [None, "x", 3, {"a": {1, 2}}, {"a": "x" * 100_000}, {1: math.inf}])
def test_any_metadata_is_taken(metadata: object) -> None:
    json.dumps(normalise({"text/plain": "x"}, metadata).metadata, allow_nan=False)


def test_an_error_whose_text_fails_is_still_named() -> None:
    class Evil(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    class Value:
        def __repr__(self) -> str:
            raise Evil

    assert "Evil" in normalise({"text/html": Value()}).problems[-1]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)
mimes = st.sampled_from(["text/plain", "text/html", "image/png", "application/json", "x/y"]) | st.text()


@given(st.dictionaries(mimes, anything, max_size=4) | anything, anything)
def test_nothing_makes_it_raise(data: object, metadata: object) -> None:
    bundle = normalise(data, metadata)
    assert all(isinstance(part, bytes) for part in bundle.parts.values())
    json.dumps(bundle.metadata, allow_nan=False)
