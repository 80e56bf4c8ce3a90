"""How numbers, times and other people's words look in a terminal."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

_UNITS = ("B", "kB", "MB", "GB", "TB")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def size(count: float) -> str:
    """A number of bytes, such as ``20.5 kB``; units are powers of 1000."""
    for unit in _UNITS:
        if count < 999.5 or unit == _UNITS[-1]:
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "B" or count >= 99.95 else f"{count:.1f} {unit}"


def local_time(stamp: str, now: datetime | None = None) -> str:
    """A time for people: the clock of today, else the date.

    Args:
        stamp: ISO 8601, UTC.
        now: the present, with a time zone; looked up when left out.
    """
    now = now or datetime.now(UTC).astimezone()
    time = datetime.fromisoformat(stamp).astimezone(now.tzinfo)
    return time.strftime("%H:%M:%S" if time.date() == now.date() else "%Y-%m-%d %H:%M")


def seconds(duration: str) -> float:
    """Seconds in a duration such as ``90s``, ``30m``, ``12h``, ``30d`` or ``2w``.

    Raises:
        ValueError: it is none.
    """
    number, unit = duration[:-1], duration[-1:]
    if unit not in _SECONDS or not number.replace(".", "", 1).isdecimal():
        raise ValueError(f"expected a duration such as 30d, 12h, 45m or 90s, got {duration!r}")
    return float(number) * _SECONDS[unit]


def plain(words: str) -> str:
    """Words on one line, without characters that could steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in words).strip()


def cut(words: str, width: int) -> str:
    """Words cut to `width` characters, with an ellipsis."""
    return words if len(words) <= width else words[: max(width - 1, 0)] + "…"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], width: int, right: Iterable[int] = ()) -> str:
    """Columns side by side.

    Args:
        head: the columns' names.
        rows: one text per column; control characters become spaces.
        width: of the terminal; the last column is cut to it.
        right: indexes of columns that are aligned to the right.
    """
    lines = [list(head), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    align = [str.rjust if column in set(right) else str.ljust for column in range(len(head))]
    joined = ("  ".join(f(cell, w) for f, cell, w in zip(align, line, widths, strict=True)) for line in lines)
    return "\n".join(cut(line.rstrip(), width) for line in joined)
