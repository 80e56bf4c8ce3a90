"""What a terminal would show of the control sequences that were written to it, as pixels."""

import base64
import io
import re
from typing import NamedTuple

from PIL import Image

KITTY = b"\x1b_Gi=31;OK\x1b\\"
NAME = "\x1bP>|%s\x1b\\"
CELL = "\x1b[6;%d;%dt"
ATTRIBUTES = b"\x1b[?62;22c"
SIXEL_ATTRIBUTES = b"\x1b[?62;4;22c"
"""What terminals answer to our questions."""

_KITTY = re.compile(rb"\x1b_G([^;\x1b]*);([^\x1b]*)\x1b\\")
_ITERM2 = re.compile(rb"\x1b\]1337;File=([^:]*):([^\x07]*)\x07")
_SIXEL = re.compile(rb'\x1bP[\d;]*q"(\d+);(\d+);(\d+);(\d+)([^\x1b]*)\x1b\\')
_STEP = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])")
_COLOUR = re.compile(r"([34])8;(?:2;(\d+);(\d+);(\d+)|5;(\d+))|(49)|(0)")


def png(image: Image.Image) -> bytes:
    """An image as a PNG."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def sample(width: int = 30, height: int = 20) -> Image.Image:
    """A small image of which no two rows and no two columns are the same, in less than 256 colours."""
    image = Image.new("RGB", (width, height), (255, 255, 255))
    image.putdata([(x % 8 * 36, y % 8 * 36, 255 * (x > y)) for y in range(height) for x in range(width)])
    return image


def of_kitty(written: bytes) -> Image.Image:
    """The image that the kitty protocol carries."""
    pieces = _KITTY.findall(written)
    keys = [dict(pair.split(b"=") for pair in each.split(b",")) for each, _ in pieces]
    assert keys[0][b"f"] == b"100"
    assert [each[b"m"] for each in keys] == [b"1"] * (len(keys) - 1) + [b"0"]
    assert all(len(data) <= 4096 for _, data in pieces)
    return Image.open(io.BytesIO(base64.b64decode(b"".join(data for _, data in pieces))))


def of_iterm2(written: bytes) -> Image.Image:
    """The image that iTerm2's protocol carries."""
    ((keys, data),) = _ITERM2.findall(written)
    assert b"inline=1" in keys
    return Image.open(io.BytesIO(base64.b64decode(data)))


def of_sixel(written: bytes) -> Image.Image:
    """The image that sixels draw, on black."""
    ((_, _, width, height, body),) = _SIXEL.findall(written)
    drawing = _Sixels(int(width), int(height))
    for step in _STEP.finditer(body.decode()):
        drawing.take(step)
    return drawing.image


class _Sixels:
    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height))
        self._registers: dict[int, tuple[int, ...]] = {}
        self._colour: tuple[int, ...] = (0, 0, 0)
        self._x = self._y = 0

    def take(self, step: re.Match[str]) -> None:
        defined, *shares, chosen, times, repeated, once, move = step.groups()
        if defined:
            self._registers[int(defined)] = tuple(round(int(share) * 2.55) for share in shares)
        elif chosen:
            self._colour = self._registers[int(chosen)]
        elif move:
            self._x, self._y = 0, self._y + 6 * (move == "-")
        else:
            for _ in range(int(times or 1)):
                self._column(ord(repeated or once) - 63)

    def _column(self, dots: int) -> None:
        for row in range(6):
            if dots >> row & 1:
                self.image.putpixel((self._x, self._y + row), self._colour)  # raises where there is no such pixel
        self._x += 1


def of_blocks(written: str) -> Image.Image:
    """The image that half blocks show; the last row is black where a line has no lower half."""
    lines = [line for line in written.split("\n") if "▀" in line]
    rows = [_pixels(line) for line in lines]
    image = Image.new("RGB", (len(rows[0]), 2 * len(rows)))
    image.putdata([pair[half] for row in rows for half in (0, 1) for pair in row])
    return image


class _Pair(NamedTuple):
    upper: tuple[int, int, int]
    lower: tuple[int, int, int]


def _pixels(line: str) -> list[_Pair]:
    pair, found = _Pair((0, 0, 0), (0, 0, 0)), []
    for codes, blocks in re.findall(r"\x1b\[([\d;]*)m|(▀+)", line):
        if blocks:
            found += [pair] * len(blocks)
            continue
        for where, *rgb, index, _, _ in _COLOUR.findall(codes):
            if where:
                colour = _indexed(int(index)) if index else (int(rgb[0]), int(rgb[1]), int(rgb[2]))
                pair = pair._replace(**{"upper" if where == "3" else "lower": colour})
    return found


def _indexed(index: int) -> tuple[int, int, int]:
    """A colour of xterm's table of 256."""
    assert 16 <= index <= 255
    if index >= 232:
        grey = 8 + 10 * (index - 232)
        return grey, grey, grey
    steps = (0, 95, 135, 175, 215, 255)
    red, rest = divmod(index - 16, 36)
    return steps[red], steps[rest // 6], steps[rest % 6]


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of any two values of two images of one size, up to 255."""
    from PIL import ImageChops

    assert one.size == other.size
    extrema = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getextrema()
    return max(int(high) for _, high in extrema)  # type: ignore[misc, has-type]
