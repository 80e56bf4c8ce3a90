"""What an output says in words: for coding agents, and whoever cannot see it.

A matplotlib figure has been described when it was drawn (see `figures.describe`). Of Plotly and Vega their
specification tells titles, labels, and what data there is in which ranges; of HTML what stands between the tags.
"""

import base64
import html
import json
import math
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

LONGEST = 4000
"""Characters of a text."""

MOST_TRACES, MOST_NAMES = 30, 12
MAX_DEPTH = 20

_TAGS = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_CELLS = re.compile(r"</t[dh]\s*>\s*<t[dh]\b[^>]*>", re.IGNORECASE)
_BLOCKS = re.compile(r"</?(?:p|div|tr|li|h\d|br|table|pre|section|ul|ol)\b[^>]*>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^>]*>")
_CODES = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d"}
"""Plotly's names of typed arrays, as `struct` has them."""

Spec = Mapping[str, Any]


def describe(mime: str, data: bytes) -> str | None:
    """What data of a MIME type says; ``None`` where that is not known."""
    found = next((say for pattern, say in _SAYERS if re.fullmatch(pattern, mime)), None)
    if found is None:
        return None
    try:
        text = found(data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None  # a specification that is none
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


# -- Plotly -----------------------------------------------------------------------------------------------------------


def _plotly(data: bytes) -> str:
    figure = json.loads(data)
    layout, traces = figure.get("layout") or {}, figure.get("data") or []
    lines = [f"Plotly figure with {len(traces)} trace{'' if len(traces) == 1 else 's'}"]
    lines += _line("title", [_title(layout)])
    lines += [f"{name}: {title}" for name, value in layout.items() if "axis" in name and (title := _title(value))]
    lines += _line("annotations", (each.get("text") for each in layout.get("annotations") or ()))
    lines += map(_trace, traces[:MOST_TRACES])
    if len(traces) > MOST_TRACES:
        lines.append(f"… and {len(traces) - MOST_TRACES} traces more")
    return "\n".join(lines)


def _title(of: Any) -> str:
    title = of.get("title") if isinstance(of, Mapping) else None
    return _plain(title.get("text") if isinstance(title, Mapping) else title)


def _trace(trace: Spec) -> str:
    name = f" {_plain(trace['name'])!r}" if trace.get("name") else ""
    arrays = {each: values for each in _ARRAYS if len(values := _values(trace.get(each))) > 0}
    ranges = (f"{each} {_range(values)}" for each, values in arrays.items())
    return f"{trace.get('type', 'scatter')}{name}: {'; '.join(ranges) or 'no data of its own'}"


_ARRAYS = ("x", "y", "z", "r", "theta", "lat", "lon", "open", "high", "low", "close", "values", "labels", "locations")


def _values(values: Any) -> Sequence[Any]:
    """The values of an array: a list, flattened, or a typed array in base64."""
    if isinstance(values, Mapping) and "bdata" in values:
        code = _CODES[values["dtype"]]
        raw = base64.b64decode(values["bdata"])
        return struct.unpack(f"<{len(raw) // struct.calcsize(code)}{code}", raw)
    return list(_flat(values)) if isinstance(values, list) else []


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for each in values:
        if isinstance(each, list):
            yield from _flat(each)
        else:
            yield each


# -- Vega -------------------------------------------------------------------------------------------------------------


def _vegalite(data: bytes) -> str:
    spec = json.loads(data)
    lines = ["Vega-Lite chart", *_line("title", [_title_of_vega(spec)]), *_view(spec, 0)]
    tables = {"data": (spec.get("data") or {}).get("values"), **(spec.get("datasets") or {})}
    for rows in tables.values():
        lines += _table(rows)
    return "\n".join(dict.fromkeys(lines))


def _view(spec: Spec, depth: int) -> Iterator[str]:
    """The marks and encodings of a view and of those in it."""
    mark = spec.get("mark")
    kind = mark.get("type") if isinstance(mark, Mapping) else mark
    channels = [_channel(name, value) for name, value in (spec.get("encoding") or {}).items()]
    if kind or channels:
        yield f"{kind or 'encoding'}: {'; '.join(filter(None, channels)) or 'no encoding'}"
    if depth < MAX_DEPTH:
        for name in ("layer", "hconcat", "vconcat", "concat"):
            for each in spec.get(name) or ():
                yield from _view(each, depth + 1)
        if isinstance(spec.get("spec"), Mapping):
            yield from _view(spec["spec"], depth + 1)


def _channel(name: str, value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    field, aggregate = value.get("field"), value.get("aggregate")
    what = f"{aggregate}({field or ''})" if isinstance(aggregate, str) else field
    title = value.get("title")
    return f"{name} {what or value.get('value')}{f' ({_plain(title)})' if title else ''}"


def _title_of_vega(spec: Spec) -> str:
    title = spec.get("title")
    title = title.get("text") if isinstance(title, Mapping) else title
    return _plain(" ".join(map(str, title)) if isinstance(title, list) else title)


def _vega(data: bytes) -> str:
    spec = json.loads(data)
    marks = [str(each.get("type")) for each in spec.get("marks") or ()]
    lines = ["Vega chart", *_line("title", [_title_of_vega(spec)]), *_line("marks", marks)]
    lines += _line("axes", (_plain(each.get("title")) for each in spec.get("axes") or ()))
    for each in spec.get("data") or ():
        lines += _table(each.get("values"))
    return "\n".join(lines)


def _table(rows: Any) -> list[str]:
    """What is in the columns of a table, given as a list of objects."""
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], Mapping):
        return []
    names = list(dict.fromkeys(name for row in rows for name in row))[:MOST_NAMES]
    columns = (f"{name} {_range([row.get(name) for row in rows])}" for name in names)
    return [f"data of {len(rows)} rows: {'; '.join(columns)}"]


# -- texts ------------------------------------------------------------------------------------------------------------


def _html(data: bytes) -> str:
    text = _CELLS.sub("\t", _TAGS.sub(" ", data[: 50 * LONGEST].decode("utf-8", "replace")))
    text = html.unescape(_ANY_TAG.sub("", _BLOCKS.sub("\n", text)))
    lines = (re.sub(r"[ \xa0]+", " ", line).strip(" ") for line in text.splitlines())
    return "\n".join(line for line in lines if line.strip())


def _text(data: bytes) -> str:
    return data[: 4 * LONGEST].decode("utf-8", "replace")


_SAYERS = (
    (r"application/vnd\.plotly\.v1\+json", _plotly),
    (r"application/vnd\.vegalite\.v\d.*json", _vegalite),
    (r"application/vnd\.vega\.v\d.*json", _vega),
    (r"text/html", _html),
    (r"text/.*|application/.*json", _text),
)


# -- numbers ----------------------------------------------------------------------------------------------------------


def _range(values: Sequence[Any]) -> str:
    """How many values there are, and from which to which, or which."""
    known = [each for each in values if each is not None]
    numbers = [each for each in known if isinstance(each, int | float) and not isinstance(each, bool)]
    missing = f", {len(values) - len(known)} missing" if len(known) < len(values) else ""
    count = f"{len(values)} value{'' if len(values) == 1 else 's'}"
    if numbers and len(numbers) == len(known):
        finite = [each for each in numbers if math.isfinite(each)]
        return f"{count}{missing}, {min(finite):.6g} to {max(finite):.6g}" if finite else f"{count}{missing}"
    names = list(dict.fromkeys(map(_plain, known)))
    shown = ", ".join(names[:MOST_NAMES]) if len(names) <= MOST_NAMES else f"{names[0]} … {names[-1]}"
    return f"{count}{missing}, {len(names)} different: {shown}" if names else f"{count}{missing}"


def _line(name: str, words: Iterable[Any]) -> list[str]:
    found = [text for each in words if (text := _plain(each))]
    return [f"{name}: {'; '.join(found[:MOST_NAMES])}"] if found else []


def _plain(value: Any) -> str:
    return "" if value is None else " ".join(_ANY_TAG.sub(" ", str(value)).split())[:200]
