"""A picture as control sequences of a terminal: the kitty, iTerm2 and sixel protocols, or half blocks.

Pillow reads and scales it, and timg writes sixels; both come with the extra ``terminal`` and are imported on use. The
other formats are a few bytes around a PNG: sw.kovidgoyal.net/kitty/graphics-protocol (with its Unicode placeholders
where tmux is between) and iterm2.com/documentation-images.html; tmux's passthrough is in its FAQ.
"""

import io
import os
import secrets
import select
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import bidirectional, combining, decomposition

from .screen import TRUE_COLOUR, Protocol, Terminal, tmux

if TYPE_CHECKING:
    from PIL.Image import Image

INSTALL = "pictures in the terminal need Pillow and timg: python -m pip install pillow timg"
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""What Pillow may read; a picture is other people's bytes, and some of Pillow's formats start programs."""

MOST_PIXELS = 100_000_000
"""Of a picture that is read; as many as a figure's drawing may have."""

PROMPT_ROWS = 2
"""Rows that are left to the prompt below a picture."""

CHUNK = 4096
"""Bytes of base64 in one piece; kitty takes no more."""

TMUX_LIMIT = 1_000_000
"""Bytes of one control sequence that tmux takes, but for a little."""

HALF = (1, 2)
"""Pixels of a cell in half blocks."""

_PLACEHOLDER = "\U0010eeee"
_COMPOSING = {*map(chr, (*range(0x300, 0x305), *range(0x306, 0x30D), 0x30F, 0x311, 0x313, 0x314, 0x342, 0x653, 0x654))}
_STATUS_LINES = {"off": 0, "on": 1, "2": 2, "3": 3, "4": 4, "5": 5}


Piece = bytes | Callable[[], bytes]
"""Bytes to be written, or what makes them once those before are."""


class Undrawable(Exception):
    """The bytes are no picture, or one that is too large."""


class Area(NamedTuple):
    """Cells of a terminal that a picture may have."""

    columns: int
    rows: int


def require() -> None:
    """Make sure that the libraries are there.

    Raises:
        ImportError: one is not.
    """
    import PIL.Image  # noqa: F401
    import timg  # noqa: F401


def area(terminal: Terminal, columns: int | None = None, rows: int | None = None) -> Area:
    """The cells for a picture: what is asked for, and never more than the window less the prompt's rows."""
    rows_there = min(terminal.rows - PROMPT_ROWS, len(row_marks()))
    most = Area(terminal.columns, max(1, rows_there))
    return Area(min(columns or most.columns, most.columns), min(rows or most.rows, most.rows))


def draw(picture: bytes, terminal: Terminal, room: Area) -> list[Piece]:
    """What draws a picture below the cursor, and leaves that at the beginning of the line below it.

    It is scaled down to the room that there is, and never up; what is transparent becomes white.

    Args:
        picture: PNG, or another of `FORMATS`.
        terminal: one that takes pictures.
        room: cells that it may have.

    Raises:
        Undrawable: it is no picture, or too large a one.
        ImportError: a library is missing.
    """
    assert terminal.protocol is not None
    image = _fitted(_open(picture), _limit(terminal, room))
    return list(_DRAW[terminal.protocol](image, terminal))


def send(pieces: Iterable[Piece], descriptor: int) -> None:
    """Write what `draw` made.

    Args:
        descriptor: of the terminal.

    Raises:
        OSError: it is gone.
    """
    for piece in pieces:
        rest = memoryview(piece if isinstance(piece, bytes) else piece())
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:  # somebody else set it so
                select.select([], [descriptor], [])


def _limit(terminal: Terminal, room: Area) -> tuple[int, int]:
    """Pixels that a picture may have."""
    width, height = HALF if terminal.protocol == "blocks" else terminal.cell
    wide, high = room.columns * width, room.rows * height
    if terminal.protocol == "sixel":
        return min(wide, terminal.largest[0]), min(high, terminal.largest[1])
    return wide, high


def _open(picture: bytes) -> "Image":
    from PIL import Image, ImageOps

    try:
        opened = Image.open(io.BytesIO(picture), formats=FORMATS)
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError(f"{opened.width} x {opened.height} pixels are more than {MOST_PIXELS:,}")
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I"):  # 16 bits of grey
            image = image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
        return image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGBA")
    except Exception as error:  # Pillow raises anything for bytes that were made to be bad
        raise Undrawable(f"its picture cannot be read: {error}") from error


def _fitted(image: "Image", limit: tuple[int, int]) -> "Image":
    """The image within a limit in pixels, on white paper."""
    from PIL import Image

    scale = min(1.0, limit[0] / image.width, limit[1] / image.height)
    if scale < 1.0:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _png(image: "Image") -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return b64encode(stream.getvalue())


def _cells(image: "Image", terminal: Terminal) -> Area:
    """The cells that an image covers."""
    return Area(-(-image.width // terminal.cell[0]), -(-image.height // terminal.cell[1]))


# -- protocols --------------------------------------------------------------------------------------------------------


def _kitty(image: "Image", terminal: Terminal) -> Iterator[Piece]:
    cells = _cells(image, terminal)
    if not terminal.tmux:
        yield from _placed(b"".join(_pieces(b"a=T,f=100,q=2", _png(image))), cells, terminal)
        return
    # Its id is a colour's number, since tmux has 256 colours in any terminal, and above that a mark's.
    colour, mark = secrets.choice(range(16, 256)), secrets.choice(range(1, len(row_marks())))
    number = mark << 24 | colour
    wanted = f"a=T,U=1,f=100,q=2,i={number},c={cells.columns},r={cells.rows}".encode()
    yield b"".join(_passed(piece) for piece in _pieces(wanted, _png(image)))
    yield b"".join(_placeholders(colour, mark, cells))


def _pieces(keys: bytes, encoded: bytes) -> Iterator[bytes]:
    for start in range(0, len(encoded), CHUNK):
        more = b"m=1" if start + CHUNK < len(encoded) else b"m=0"
        first = keys + b"," if start == 0 else b""
        yield b"\x1b_G" + first + more + b";" + encoded[start : start + CHUNK] + b"\x1b\\"


def _placeholders(colour: int, mark: int, cells: Area) -> Iterator[bytes]:
    """Text that stands for an image: tmux moves and keeps it as it does with any other.

    Each cell has a mark for its row, and the first of a row further ones for column 0 and for the image; the others
    count on from there.
    """
    marks = row_marks()
    for row in marks[: cells.rows]:
        line = f"{_PLACEHOLDER}{row}{marks[0]}{marks[mark]}" + f"{_PLACEHOLDER}{row}" * (cells.columns - 1)
        yield f"\x1b[38;5;{colour}m{line}\x1b[39m\r\n".encode()


def row_marks() -> list[str]:
    """The first of the combining characters that number rows (kitty's ``rowcolumn-diacritics.txt``), in order.

    Those are the marks above a letter of Unicode 6.0, but for some that compose with letters. Above the end of this
    range later versions of Unicode have put in others.
    """
    marks = (chr(code) for code in range(0x300, 0x82E) if combining(chr(code)) == 230)
    return [
        each for each in marks if bidirectional(each) == "NSM" and not decomposition(each) and each not in _COMPOSING
    ]


def _iterm2(image: "Image", terminal: Terminal) -> Iterator[Piece]:
    cells, encoded = _cells(image, terminal), _png(image)
    keys = f"inline=1;width={cells.columns};height={cells.rows};preserveAspectRatio=1".encode()
    yield from _placed(b"\x1b]1337;File=" + keys + b":" + encoded + b"\x07", cells, terminal)


def _sixel(image: "Image", terminal: Terminal) -> Iterator[Piece]:
    yield from _placed(sixels(image, terminal.registers), _cells(image, terminal), terminal)


def sixels(image: "Image", registers: int = 256) -> bytes:
    """An image as sixels, with raster attributes (VT330/VT340 Programmer Reference Manual, volume 2, chapter 14).

    timg leaves out what is below the last whole band of six rows; the band is filled up for it, and what it draws of
    the rows that do not exist is taken out again.
    """
    from PIL import Image
    from timg import SixelMethod

    width, height = image.size
    missing = -height % 6
    filled = Image.new("RGB", (width, height + missing))
    filled.paste(image)
    filled.paste(image.crop((0, height - 1, width, height)).resize((width, 6)), (0, height))
    # The better of the two takes seconds for a photograph, where nobody sees the difference.
    is_photograph = filled.getcolors(1 << 14) is None
    method = Image.Quantize.FASTOCTREE if is_photograph else Image.Quantize.MEDIANCUT
    text: str = SixelMethod(filled.quantize(registers, method)).to_string()
    *bands, last = text.removeprefix("\x1bPq").removesuffix("-\x1b\\").split("-")
    there = (1 << (6 - missing)) - 1
    bands.append(last.translate({63 + dots: 63 + (dots & there) for dots in range(64)}))
    return f'\x1bP0;1q"1;1;{width};{height}{"-".join(bands)}\x1b\\'.encode("ascii")


def _blocks(image: "Image", terminal: Terminal) -> Iterator[Piece]:
    codes = _true_colours if terminal.colours >= TRUE_COLOUR else _256_colours
    yield "".join(_half_blocks(codes(image), *image.size)).encode()


def _half_blocks(codes: list[str], width: int, height: int) -> Iterator[str]:
    for top in range(0, height, 2):
        before = None
        for column in range(width):
            upper = codes[top * width + column]
            lower = codes[(top + 1) * width + column] if top + 1 < height else None
            if (upper, lower) != before:
                yield f"\x1b[38;{upper};48;{lower}m" if lower else f"\x1b[49;38;{upper}m"
                before = upper, lower
            yield "▀"
        yield "\x1b[0m\r\n"


def _true_colours(image: "Image") -> list[str]:
    pixels = iter(image.tobytes())
    return [f"2;{red};{green};{blue}" for red, green, blue in zip(pixels, pixels, pixels, strict=True)]


def _256_colours(image: "Image") -> list[str]:
    """Of xterm's colours the cube of 216 and the 24 greys, which nobody's theme changes."""
    from PIL import Image

    steps = (0, 95, 135, 175, 215, 255)
    cube = [step for red in steps for green in steps for blue in steps for step in (red, green, blue)]
    greys = [8 + 10 * step for step in range(24) for _ in range(3)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*cube, *greys, *greys[-3:] * 16])
    indexes = image.quantize(palette=palette, dither=Image.Dither.NONE).tobytes()
    return [f"5;{16 + min(index, 239)}" for index in indexes]


_DRAW: dict[Protocol, Callable[["Image", Terminal], Iterator[Piece]]] = {
    "kitty": _kitty,
    "iterm2": _iterm2,
    "sixel": _sixel,
    "blocks": _blocks,
}


# -- where it goes ----------------------------------------------------------------------------------------------------


def _placed(sequence: bytes, cells: Area, terminal: Terminal) -> Iterator[Piece]:
    """Make room first, since terminals differ in where they leave the cursor after a picture."""
    yield b"\r" + b"\n" * cells.rows + f"\x1b[{cells.rows}A\x1b7".encode()
    yield partial(_at_cursor_in_tmux, sequence) if terminal.tmux else sequence
    yield f"\x1b8\x1b[{cells.rows}B\r".encode()


def _at_cursor_in_tmux(sequence: bytes) -> bytes:
    """A picture that tmux does not know, drawn by the terminal around it where the pane's cursor is."""
    told = tmux("#{pane_left} #{pane_top} #{cursor_y} #{status} #{status-position}").split()
    if len(told) != 5:
        return _passed(sequence)
    left, top, row = map(int, told[:3])
    above = _STATUS_LINES.get(told[3], 0) if told[4] == "top" else 0
    return _passed(f"\x1b7\x1b[{above + top + row + 1};{left + 1}H".encode() + sequence + b"\x1b8")


def _passed(sequence: bytes) -> bytes:
    """A sequence in tmux's passthrough.

    Raises:
        Undrawable: tmux would drop it.
    """
    if len(sequence) > TMUX_LIMIT:
        raise Undrawable(f"its picture has {len(sequence):,} bytes, and tmux passes on no more than {TMUX_LIMIT:,}")
    return b"\x1bPtmux;" + sequence.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"
