"""What specifications and documents say in words."""

import json

import pytest

from ipyweb.cli.words import LONGEST, describe

PLOTLY = "application/vnd.plotly.v1+json"
VEGALITE = "application/vnd.vegalite.v6.json"


def said(mime: str, spec: object) -> list[str]:
    return (describe(mime, json.dumps(spec).encode()) or "").splitlines()


def test_plotly_tells_titles_traces_and_ranges() -> None:
    typed = {"dtype": "f8", "bdata": "AAAAAAAA8D8AAAAAAAAAQA=="}
    traces = [
        {"type": "scatter", "name": "<b>loss</b>", "x": [1, 2, None], "y": typed},
        {"type": "bar", "x": ["a", "b"], "y": [3, 4]},
        {"type": "heatmap", "z": [[1, 2], [3, 4.5]]},
        {},
    ]
    layout = {"title": {"text": "Training"}, "xaxis": {"title": "step"}, "annotations": [{"text": "here"}]}
    assert said(PLOTLY, {"data": traces, "layout": layout}) == [
        "Plotly figure with 4 traces",
        "title: Training",
        "xaxis: step",
        "annotations: here",
        "scatter 'loss': x 3 values, 1 missing, 1 to 2; y 2 values, 1 to 2",
        "bar: x 2 values, 2 different: a, b; y 2 values, 3 to 4",
        "heatmap: z 4 values, 1 to 4.5",
        "scatter: no data of its own",
    ]


def test_vega_tells_marks_encodings_and_data() -> None:
    rows = [{"k": "a", "y": 3}, {"k": "b", "y": None}]
    bars = {"mark": {"type": "bar"}, "encoding": {"x": {"field": "k", "title": "kind"}, "y": {"aggregate": "count"}}}
    spec = {"title": ["Two", "lines"], "datasets": {"d": rows}, "hconcat": [bars, {"layer": [{"mark": "rule"}]}]}
    assert said(VEGALITE, spec) == [
        "Vega-Lite chart",
        "title: Two lines",
        "bar: x k (kind); y count()",
        "rule: no encoding",
        "data of 2 rows: k 2 values, 2 different: a, b; y 2 values, 1 missing, 3 to 3",
    ]
    vega = {"marks": [{"type": "symbol"}], "axes": [{"title": "time"}], "data": [{"values": [{"t": 1}]}]}
    assert said("application/vnd.vega.v5+json", vega) == [
        "Vega chart",
        "marks: symbol",
        "axes: time",
        "data of 1 rows: t 1 value, 1 to 1",
    ]


def test_html_tells_what_stands_between_its_tags() -> None:
    html = b"<style>p {}</style><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2 &lt; 3</td></tr></table><p>end"
    assert describe("text/html", html) == "a\tb\n1\t2 < 3\nend"
    assert describe("text/plain", b"x" * 9000) == "x" * (LONGEST - 1) + "…"
    assert describe("image/png", b"") is None


@pytest.mark.parametrize(
    "spec",
    [
        [1],
        5,
        None,
        {"data": 5},
        {"data": [1]},
        {"data": [{"y": {"dtype": "?", "bdata": "A"}}]},
        {"layer": [1], "data": {}},
    ],
)
def test_a_specification_that_is_none_tells_nothing_or_little(spec: object) -> None:
    for mime in (PLOTLY, VEGALITE, "application/vnd.vega.v6.json"):
        assert len(said(mime, spec)) <= 2


def test_what_is_no_json_or_nested_too_deeply_tells_nothing() -> None:
    assert describe(PLOTLY, b"{") is None
    assert describe(PLOTLY, b'{"data": ' + b"[" * 100_000) is None
    assert describe(PLOTLY, json.dumps({"data": [{"y": [1, float("nan")]}]}).encode()) is not None
