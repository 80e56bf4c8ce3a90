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
    lines = [f"Figure of {width:g} x {height:g} in with {count} axes", *_words(figure)]
    for number, axes in enumerate(figure.axes[:MOST_AXES], 1):
        lines += _part("Axes" if count == 1 else f"Axes {number}", axes)
    if count > MOST_AXES:
        lines.append(f"… and {count - MOST_AXES} axes more")
    text = "\n".join(lines)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _words(figure: Any) -> list[str]:
    """What a figure says outside its axes, and each of its subfigures."""
    title, *labels = (getattr(figure, name, None) for name in ("_suptitle", "_supxlabel", "_supylabel"))
    lines = _line("title", [_text(title)])
    lines += _line("labels", map(_text, labels))
    lines += _legends(figure)
    lines += _line("text", [_text(each) for each in figure.texts if each not in (title, *labels)])
    for number, part in enumerate(figure.subfigs, 1):
        lines += _under(f"Subfigure {number}", _words(part))
    return lines


def _under(name: str, lines: list[str]) -> list[str]:
    return [name, *("  " + each for each in lines)] if lines else []


def _part(name: str, axes: Any) -> list[str]:
    with contextlib.suppress(Exception):  # axes of a library's own kind
        return _under(name, _axes(axes))
    return []


def _axes(axes: Any) -> list[str]:
    if _is_secondary(axes):
        return _axis(axes, axes._orientation)
    lines = _line("title", (axes.get_title(loc=place) for place in ("left", "center", "right")))
    for name in ("x", "y", "z"):
        if hasattr(axes, f"get_{name}lim"):
            lines += _axis(axes, name)
    lines += _legends(axes)
    lines += _line("text", map(_text, axes.texts))
    lines += _line("artists", _artists(axes))
    for each in axes.child_axes:
        lines += _part("secondary axis" if _is_secondary(each) else "inset", each)
    return lines


def _is_secondary(axes: Any) -> bool:
    return type(axes).__name__ == "SecondaryAxis"


def _axis(axes: Any, name: str) -> list[str]:
    low, high = getattr(axes, f"get_{name}lim")()
    scale = getattr(axes, f"get_{name}scale", lambda: "linear")()
    label = getattr(axes, f"get_{name}label")()
    words = f"{name}: {label + ', ' if label else ''}{_number(low)} to {_number(high)}"
    lines = [words + (f", {scale}" if scale != "linear" else "")]
    ticks = [_text(each) for each in getattr(axes, f"get_{name}ticklabels")()]
    named = [each for each in ticks if each and not _is_number(each)]
    return lines + _line(f"{name} ticks", named)


def _legends(owner: Any) -> list[str]:
    """Of a figure or of axes, which may have more than the one that they know as theirs."""
    found = [each for each in owner.get_children() if type(each).__name__ == "Legend"]
    words = ([_text(each.get_title()), *map(_text, each.get_texts())] for each in found)
    return [line for each in words for line in _line("legend", each)]


def _artists(axes: "Axes") -> Iterator[str]:
    counts = Counter[str]()
    bars = {id(bar): container for container in _bar_containers(axes) for bar in container.patches}
    for container in _bar_containers(axes):
        count = len(container.patches)
        yield f"{count} bar{'' if count == 1 else 's'}{_named(container)}{_range(_ends(container))}"
    for artist in axes.get_children():
        own = artist in (axes.patch, axes.title, axes.xaxis, axes.yaxis) or artist in axes.child_axes
        if own or id(artist) in bars or not artist.get_visible():
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
        if artist in axes.images:
            rows, columns = artist.get_array().shape[:2]
            return f"image of {columns} x {rows}{_range(artist.get_array())}"
        if name == "QuadMesh":
            return f"mesh of {artist.get_array().size} cells{_range(artist.get_array())}"
        if artist in axes.collections:
            what = f"scatter of {len(artist.get_offsets())} points" if name == "PathCollection" else name
            return f"{what}{_named(artist)}{_reach(artist, axes)}{_coded(artist)}"
        if name in ("Polygon", "StepPatch"):
            return f"{name}{_named(artist)}{_outline(artist, axes)}"
    return name


def _reach(collection: Any, axes: "Axes") -> str:
    """How far a collection reaches along y; of those in three dimensions only the projection could be asked."""
    if hasattr(axes, "get_zlim"):
        return ""
    return _range(collection.get_datalim(axes.transData).intervaly)


def _coded(collection: Any) -> str:
    """What its colours stand for."""
    found = _range(collection.get_array())
    return found and f", values{found.removeprefix(',')}"


def _outline(patch: Any, axes: "Axes") -> str:
    in_data = patch.get_data_transform().contains_branch(axes.transData)
    return _range(patch.get_path().vertices[:, 1]) if in_data else ""


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


def _named(artist: Any) -> str:
    label = str(artist.get_label() or "")
    return f" {label!r}" if label and not label.startswith("_") else ""


def _range(values: Any) -> str:
    import numpy

    if values is None:
        return ""
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
        columns += [(prefix + name, values[:MAX_ROWS]) for name, values in _with_insets(axes)]
    if not columns:
        raise ValueError("this figure has no lines, points, bars or images whose data could be told")
    stream = io.StringIO()
    writer = tables.writer(stream, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    writer.writerows(zip_longest(*(values for _, values in columns), fillvalue=""))
    return stream.getvalue()


def _with_insets(axes: Any) -> Iterator[tuple[str, list[Any]]]:
    yield from _columns(axes)
    for number, inset in enumerate((each for each in axes.child_axes if not _is_secondary(each)), 1):
        prefix = f"{inset.get_title() or f'inset {number}'}: "
        yield from ((prefix + name, values) for name, values in _with_insets(inset))


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
