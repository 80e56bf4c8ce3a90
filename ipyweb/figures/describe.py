"""What a figure says in words, and the data that it shows: for search, screen readers and coding agents.

Call it after the figure was drawn, when the labels of its ticks are known.
"""

import contextlib
import csv as tables
import io
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST = 4000
"""Characters of a description."""

MOST_AXES, MOST_WORDS = 20, 12
MAX_ROWS = 1_000_000


def describe(figure: "Figure") -> str:
    """Titles, labels, legends, ticks, annotations, artists and data ranges, one line each."""
    width, height = figure.get_size_inches()
    count = len(figure.axes)
    lines = [f"Figure of {width:g} x {height:g} in with {count} axes"]
    title, *labels = (getattr(figure, name, None) for name in ("_suptitle", "_supxlabel", "_supylabel"))
    lines += _line("title", [_text(title)])
    lines += _line("labels", map(_text, labels))
    lines += _line("text", [_text(each) for each in figure.texts if each not in (title, *labels)])
    for number, axes in enumerate(figure.axes[:MOST_AXES], 1):
        with contextlib.suppress(Exception):  # axes of a library's own kind
            lines += [f"{'Axes' if count == 1 else f'Axes {number}'}", *_axes(axes)]
    if count > MOST_AXES:
        lines.append(f"… and {count - MOST_AXES} axes more")
    text = "\n".join(lines)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _axes(axes: "Axes") -> list[str]:
    lines = _line("title", (axes.get_title(loc=place) for place in ("left", "center", "right")))
    for name in ("x", "y", "z"):
        if hasattr(axes, f"get_{name}lim"):
            lines += _axis(axes, name)
    lines += _line("legend", _legend(axes))
    lines += _line("text", map(_text, axes.texts))
    lines += _line("artists", _artists(axes))
    return ["  " + each for each in lines]


def _axis(axes: Any, name: str) -> list[str]:
    low, high = getattr(axes, f"get_{name}lim")()
    scale = getattr(axes, f"get_{name}scale", lambda: "linear")()
    label = getattr(axes, f"get_{name}label")()
    words = f"{name}: {label + ', ' if label else ''}{_number(low)} to {_number(high)}"
    lines = [words + (f", {scale}" if scale != "linear" else "")]
    ticks = [_text(each) for each in getattr(axes, f"get_{name}ticklabels")()]
    named = [each for each in ticks if each and not _is_number(each)]
    return lines + _line(f"{name} ticks", named)


def _legend(axes: "Axes") -> Iterator[str]:
    legend = axes.get_legend()
    if legend is not None:
        yield _text(legend.get_title())
        yield from map(_text, legend.get_texts())


def _artists(axes: "Axes") -> Iterator[str]:
    counts = Counter[str]()
    for artist in axes.get_children():
        if artist in (axes.patch, axes.title, axes.xaxis, axes.yaxis) or not artist.get_visible():
            continue
        found = _kind(artist, axes)
        if found:
            counts[found] += 1
    for words, count in counts.items():
        yield words if count == 1 else f"{count} x {words}"


def _kind(artist: Any, axes: "Axes") -> str:
    """What an artist is, and how much of it there is."""
    name = type(artist).__name__
    if name in ("Spine", "Text", "Annotation", "Legend") or artist in axes.texts:
        return ""
    with contextlib.suppress(Exception):
        if hasattr(artist, "get_xdata"):
            return f"line of {len(artist.get_xdata())} points{_named(artist)}{_range(artist.get_ydata())}"
        if name == "PathCollection":
            return f"scatter of {len(artist.get_offsets())} points{_named(artist)}"
        if artist in axes.images:
            rows, columns = artist.get_array().shape[:2]
            return f"image of {columns} x {rows}{_range(artist.get_array())}"
        if name == "QuadMesh":
            return f"mesh of {artist.get_array().size} cells{_range(artist.get_array())}"
    return name


def _named(artist: Any) -> str:
    label = str(artist.get_label() or "")
    return f" {label!r}" if label and not label.startswith("_") else ""


def _range(values: Any) -> str:
    import numpy

    try:
        numbers: Any = numpy.ma.masked_array(values, dtype=float).compressed()
        finite = numbers[numpy.isfinite(numbers)]
    except (TypeError, ValueError):
        return ""
    return f", {finite.min():.6g} to {finite.max():.6g}" if finite.size else ""


def _line(name: str, words: Iterable[str]) -> list[str]:
    found = [" ".join(each.split()) for each in words if each and each.strip()]
    more = f"; … {len(found) - MOST_WORDS} more" if len(found) > MOST_WORDS else ""
    return [f"{name}: {'; '.join(found[:MOST_WORDS])}{more}"] if found else []


def _text(artist: Any) -> str:
    return "" if artist is None else str(artist.get_text())


def _number(value: Any) -> str:
    with contextlib.suppress(TypeError, ValueError):
        return f"{float(value):.6g}" if math.isfinite(float(value)) else str(value)
    return str(value)


def _is_number(text: str) -> bool:
    plain = text.replace("\N{MINUS SIGN}", "-").replace("$", "").replace("\\mathdefault{", "").replace("}", "")
    try:
        float(plain)
    except ValueError:
        return plain.startswith("10^{")
    return True


# -- the data ---------------------------------------------------------------------------------------------------------


def csv(figure: "Figure") -> str:
    """The data that a figure shows: two columns for each line and scatter, one for each image's rows of values.

    Raises:
        ValueError: it shows none that could be told.
    """
    columns: list[tuple[str, list[Any]]] = []
    for number, axes in enumerate(figure.axes, 1):
        prefix = f"{axes.get_title() or f'axes {number}'}: " if len(figure.axes) > 1 else ""
        for name, values in _columns(axes):
            columns.append((prefix + name, values[:MAX_ROWS]))
    if not columns:
        raise ValueError("this figure has no lines, points, bars or images whose data could be told")
    stream = io.StringIO()
    writer = tables.writer(stream, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    writer.writerows(zip_longest(*(values for _, values in columns), fillvalue=""))
    return stream.getvalue()


def _columns(axes: "Axes") -> Iterator[tuple[str, list[Any]]]:
    x, y = axes.get_xlabel() or "x", axes.get_ylabel() or "y"
    for number, line in enumerate(axes.get_lines(), 1):
        name = _name(line, "line", number)
        yield f"{name} {x}", _values(line.get_xdata(orig=True))
        yield f"{name} {y}", _values(line.get_ydata(orig=True))
    for number, collection in enumerate(axes.collections, 1):
        yield from _collection(collection, _name(collection, "points", number), x, y)
    for number, container in enumerate(_bar_containers(axes), 1):
        name = _name(container, "bars", number)
        places, ends = _places(container), _ends(container)
        flat = container.orientation == "horizontal"
        yield f"{name} {x}", ends if flat else places
        yield f"{name} {y}", places if flat else ends
    for number, image in enumerate(axes.images, 1):
        yield from _image(image, f"image {number}")


def _bar_containers(axes: "Axes") -> list[Any]:
    return [each for each in axes.containers if hasattr(each, "patches") and len(each.patches)]


def _ends(container: Any) -> list[float]:
    """Where its bars end, along the axis of their values."""
    if container.orientation == "horizontal":
        return [each.get_x() + each.get_width() for each in container.patches]
    return [each.get_y() + each.get_height() for each in container.patches]


def _places(container: Any) -> list[float]:
    """Where its bars stand."""
    if container.orientation == "horizontal":
        return [each.get_y() + each.get_height() / 2 for each in container.patches]
    return [each.get_x() + each.get_width() / 2 for each in container.patches]


def _collection(collection: Any, name: str, x: str, y: str) -> Iterator[tuple[str, list[Any]]]:
    if type(collection).__name__ == "PathCollection":
        offsets = collection.get_offsets()
        yield f"{name} {x}", _values(offsets[:, 0])
        yield f"{name} {y}", _values(offsets[:, 1])
    array = collection.get_array()
    if array is not None:
        yield f"{name} value", _values(array.ravel())


def _image(image: Any, name: str) -> Iterator[tuple[str, list[Any]]]:
    array = image.get_array()
    if array is not None and array.ndim == 2:
        for column in range(min(array.shape[1], 10_000)):
            yield f"{name} column {column}", _values(array[:, column])


def _name(artist: Any, kind: str, number: int) -> str:
    label = str(artist.get_label() or "")
    return label if label and not label.startswith("_") else f"{kind} {number}"


def _values(values: Any) -> list[Any]:
    convert: Callable[[], list[Any]] | None = getattr(values, "tolist", None)
    found = list(values) if convert is None else convert()
    return ["" if each is None else each for each in found]
