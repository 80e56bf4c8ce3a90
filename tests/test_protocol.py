"""Frames: bytes in, bytes out."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyweb.errors import FrameError
from ipyweb.protocol import MAX_FRAME, by_richness, decode, encode, read_header

FRAMES = Path(__file__).parent / "frames"
GOLDEN = sorted(path for path in FRAMES.iterdir() if path.suffix in (".txt", ".bin"))
MALFORMED = sorted((FRAMES / "malformed").iterdir())

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
).filter(lambda value: "\\ud" not in json.dumps(value))


def load(path: Path) -> str | bytes:
    return path.read_bytes().decode() if path.suffix == ".txt" else path.read_bytes()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_frame_reads_as_it_says(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    message = decode(load(path))
    assert message.header == expected["header"]
    assert [buffer.hex() for buffer in message.buffers] == expected["buffers"]
    assert read_header(load(path)) == expected["header"]
    assert message.type == expected["header"]["type"]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_frame_is_written_alike(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    assert encode(expected["header"], [bytes.fromhex(each) for each in expected["buffers"]]) == load(path)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_a_malformed_frame_is_refused(path: Path) -> None:
    with pytest.raises(FrameError):
        decode(load(path))


@given(st.dictionaries(st.text(), json_values, max_size=4), st.lists(st.binary(max_size=64), max_size=4))
def test_a_message_survives_the_way(fields: dict[str, object], buffers: list[bytes]) -> None:
    header = {**fields, "type": "display_data"}
    header.pop("buffers", None)
    message = decode(encode(header, buffers))
    assert {name: value for name, value in message.header.items() if name != "buffers"} == header
    assert [bytes(buffer) for buffer in message.buffers] == buffers


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_other_bytes_are_read_or_refused_but_nothing_else(frame: bytes | str) -> None:
    with contextlib.suppress(FrameError):
        decode(frame)


def test_json_nested_too_deep_is_refused() -> None:
    with pytest.raises(FrameError):
        decode('{"type":"x","value":' + "[" * 100_000 + "]" * 100_000 + "}")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()], ids=["nan", "inf", "object"])
def test_a_header_that_json_cannot_express_is_refused(value: object) -> None:
    with pytest.raises(FrameError, match="JSON"):
        encode({"type": "x", "value": value})


@pytest.mark.parametrize("buffers", [[], [b"x"]])
def test_lone_surrogates_become_question_marks(buffers: list[bytes]) -> None:
    message = decode(encode({"type": "x", "file": "caf\udce9.py"}, buffers))
    assert message.header["file"] == "caf?.py"


def test_buffers_are_views_into_the_frame() -> None:
    frame = encode({"type": "x"}, [b"a" * MAX_FRAME])
    assert isinstance(frame, bytes)
    assert decode(frame).buffers[0].obj is frame


def test_the_richest_mime_type_comes_first() -> None:
    ordered = json.loads((FRAMES / "richness.json").read_text())
    assert by_richness(reversed(ordered)) == ordered
