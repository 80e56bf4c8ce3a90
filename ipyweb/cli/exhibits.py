"""What ``ipyweb demo`` shows: a real object of every kind, each by its library's own protocol, without any network."""

import io
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Bundle = dict[str, object]


class Exhibit(NamedTuple):
    """One object to show.

    Attributes:
        mime: the MIME type that it is there for.
        title: shown with the output.
        make: makes the object.
        needs: the libraries that it takes, by the names under which they are installed and imported.
    """

    mime: str
    title: str
    make: Callable[[], object]
    needs: tuple[str, ...] = ()


class Repr:
    """An object with one representation, as a user's own class may have one.

    Args:
        bundle: what ``_repr_mimebundle_`` gives.
        text: what ``repr`` gives.
    """

    def __init__(self, bundle: Bundle, text: str) -> None:
        self._bundle = bundle
        self._text = text

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return {**self._bundle, "text/plain": self._text}

    def __repr__(self) -> str:
        return self._text


def _temperatures() -> list[float]:
    return [round(12 - 9 * math.cos((month + 0.5) * math.pi / 6), 1) for month in range(12)]


_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


# -- text and markup --------------------------------------------------------------------------------------------------


def coloured_text() -> object:
    """Text with the colours of a terminal (ECMA-48 escape sequences)."""
    bars = (
        f"{month}  \x1b[3{1 if value > 15 else 3 if value > 8 else 4}m{'█' * round(value)}\x1b[0m {value:4.1f} °C"
        for month, value in zip(_MONTHS, _temperatures(), strict=True)
    )
    return Repr({}, "\x1b[1mMean temperature\x1b[0m\n" + "\n".join(bars))


def table() -> object:
    """A styled data frame."""
    import pandas as pd

    frame = pd.DataFrame({"month": _MONTHS, "temperature": _temperatures(), "rain": [50, 41, 48, 38, 60, 62] * 2})
    return frame.set_index("month")


def page() -> object:
    """HTML with a style and a script of its own."""
    from IPython.display import HTML

    return HTML(
        "<style>button { font: inherit; padding: .4em 1em }</style>"
        "<p>This button's script runs in a frame of its own: <button>0</button></p>"
        "<script>const button = document.querySelector('button');"
        "button.onclick = () => { button.textContent = 1 + Number(button.textContent) };</script>"
    )


def markdown() -> object:
    """Markdown with a list, code and a formula."""
    from IPython.display import Markdown

    return Markdown(
        "## Notes\n\n- outputs outlive **script, hub and tab**\n- `ipyweb get last` fetches the newest\n\n"
        "```python\nimport ipyweb\nipyweb.display(obj)\n```\n\nand formulas: $e^{i\\pi} + 1 = 0$"
    )


def formula() -> object:
    """A symbolic expression, which knows its LaTeX."""
    import sympy

    x = sympy.Symbol("x")
    return sympy.Eq(sympy.Integral(sympy.exp(-(x**2)), (x, -sympy.oo, sympy.oo)), sympy.sqrt(sympy.pi))


def javascript() -> object:
    """A script that is given the output's ``element``."""
    from IPython.display import Javascript

    return Javascript("element.textContent = 'Drawn by a script in ' + element.tagName.toLowerCase();")


# -- pictures ---------------------------------------------------------------------------------------------------------


def figure() -> object:
    """A matplotlib figure."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(6, 3.5), layout="constrained")
    axes = drawn.subplots()
    axes.plot(_MONTHS, _temperatures(), marker="o")
    axes.set(title="Mean temperature", ylabel="°C")
    return drawn


def drawing() -> object:
    """The same figure as SVG."""
    from IPython.display import SVG

    return SVG(data=_saved("svg").decode())


def document() -> object:
    """The same figure as a PDF document."""
    return Repr({"application/pdf": _saved("pdf")}, "<a PDF of one page>")


def _saved(kind: str) -> bytes:
    drawn: Any = figure()
    buffer = io.BytesIO()
    drawn.savefig(buffer, format=kind)
    return buffer.getvalue()


def photo() -> object:
    """A JPEG picture."""
    return _picture("jpeg", [_gradient(0)])


def animation() -> object:
    """A GIF animation."""
    return _picture("gif", [_gradient(turn / 12) for turn in range(12)], save_all=True, duration=80, loop=0)


def webp() -> object:
    """A WebP picture."""
    return _picture("webp", [_gradient(0.5)])


def _picture(kind: str, images: list[Any], **options: object) -> object:
    from IPython.display import Image

    buffer = io.BytesIO()
    more = {"append_images": images[1:]} if len(images) > 1 else {}
    images[0].save(buffer, format=kind, **more, **options)
    return Image(data=buffer.getvalue(), format=kind)


def _gradient(turn: float) -> Any:
    """A colour wheel, turned by a part of a full turn."""
    from PIL import Image

    width, height = 256, 160
    hue = bytes(round(255 * ((column / width + turn) % 1)) for column in range(width)) * height
    value = bytes(round(255 * (1 - 0.7 * row / height)) for row in range(height) for _ in range(width))
    bands = [Image.frombytes("L", (width, height), band) for band in (hue, b"\xb4" * (width * height), value)]
    return Image.merge("HSV", bands).convert("RGB")


# -- data -------------------------------------------------------------------------------------------------------------


def tree() -> object:
    """JSON, as a tree."""
    from IPython.display import JSON

    return JSON({"run": 17, "loss": [0.9, 0.4, 0.2], "optimizer": {"name": "adam", "lr": 1e-3}, "done": True})


def places() -> object:
    """GeoJSON (RFC 7946)."""
    towers = {"Eiffel Tower": [2.2945, 48.8584], "Elizabeth Tower": [-0.1246, 51.5007]}
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Point", "coordinates": at}}
        for name, at in towers.items()
    ]
    return Repr({"application/geo+json": {"type": "FeatureCollection", "features": features}}, "<2 places>")


def unknown() -> object:
    """A MIME type that nobody knows, beside its plain text."""
    return Repr({"application/vnd.example.molecule+json": {"formula": "H2O"}}, "Molecule('H2O')")


# -- interactive plots ------------------------------------------------------------------------------------------------


def plotly() -> object:
    """A plotly figure."""
    import plotly.graph_objects as go

    return go.Figure(go.Bar(x=_MONTHS, y=_temperatures()), layout={"title": {"text": "Mean temperature"}})


def altair() -> object:
    """An Altair chart."""
    import altair as alt

    return alt.Chart({"values": _rows()}).mark_line(point=True).encode(x=alt.X("m:O", sort=None), y="t:Q")


def _rows() -> list[dict[str, object]]:
    return [{"m": month, "t": value} for month, value in zip(_MONTHS, _temperatures(), strict=True)]


def _vegalite(version: int) -> Bundle:
    return {
        "$schema": f"https://vega.github.io/schema/vega-lite/v{version}.json",
        "data": {"values": _rows()},
        "mark": "area",
        "encoding": {"x": {"field": "m", "type": "ordinal", "sort": None}, "y": {"field": "t", "type": "quantitative"}},
    }


def _vega(version: int) -> Bundle:
    bars = {
        "x": {"scale": "x", "field": "m"},
        "width": {"scale": "x", "band": 0.9},
        "y": {"scale": "y", "field": "t"},
        "y2": {"scale": "y", "value": 0},
    }
    return {
        "$schema": f"https://vega.github.io/schema/vega/v{version}.json",
        "width": 400,
        "height": 200,
        "padding": 5,
        "data": [{"name": "year", "values": _rows()}],
        "scales": [
            {"name": "x", "type": "band", "domain": {"data": "year", "field": "m"}, "range": "width"},
            {"name": "y", "domain": {"data": "year", "field": "t"}, "range": "height"},
        ],
        "axes": [{"orient": "bottom", "scale": "x"}, {"orient": "left", "scale": "y"}],
        "marks": [{"type": "rect", "from": {"data": "year"}, "encode": {"enter": bars}}],
    }


def _specifications() -> Iterator[Exhibit]:
    """Vega and Vega-Lite, both versions in both spellings."""
    for name, grammar, spec in (("Vega-Lite", "vegalite", _vegalite), ("Vega", "vega", _vega)):
        for version in (5, 6):
            for spelling in (".json", "+json"):
                mime = f"application/vnd.{grammar}.v{version}{spelling}"
                made = Repr({mime: spec(version)}, f"<{name} {version} specification>")
                yield Exhibit(mime, f"{name} {version}, {spelling}", lambda made=made: made)  # type: ignore[misc]


EXHIBITS: tuple[Exhibit, ...] = (
    Exhibit("text/plain", "Terminal colours", coloured_text),
    Exhibit("text/html", "A pandas data frame", table, ("pandas",)),
    Exhibit("text/html", "HTML with a script", page),
    Exhibit("text/markdown", "Markdown", markdown),
    Exhibit("text/latex", "A sympy formula", formula, ("sympy",)),
    Exhibit("image/png", "A matplotlib figure", figure, ("matplotlib",)),
    Exhibit("image/svg+xml", "A figure as SVG", drawing, ("matplotlib",)),
    Exhibit("application/pdf", "A figure as PDF", document, ("matplotlib",)),
    Exhibit("image/jpeg", "A JPEG picture", photo, ("pillow",)),
    Exhibit("image/gif", "A GIF animation", animation, ("pillow",)),
    Exhibit("image/webp", "A WebP picture", webp, ("pillow",)),
    Exhibit("application/json", "JSON", tree),
    Exhibit("application/geo+json", "Two towers", places),
    Exhibit("application/javascript", "JavaScript", javascript),
    Exhibit("application/vnd.example.molecule+json", "A MIME type that nobody knows", unknown),
    *_specifications(),
    Exhibit("application/vnd.vegalite.v6.json", "An Altair chart", altair, ("altair",)),
    Exhibit("application/vnd.plotly.v1+json", "A plotly figure", plotly, ("plotly",)),
)
"""In the order shown; the last one is what the pane stands on."""
