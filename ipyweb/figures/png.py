"""Writes PNG files for the screen, quickly: one filter, and the least compression.

A figure is mostly of one colour, so what takes time is choosing a filter for each line, which PNG leaves to the writer.
Each line is written as its difference to the one above, which is nothing along frames, bars and fillings. The upper and
the lower half are compressed side by side.
Format: ISO/IEC 15948:2004, sections 5 (structure), 9 (filtering), 11.2.2 (IHDR), 11.3.5.3 (pHYs); RFC 1950 and 1951.
"""

import struct
import threading
import zlib
from typing import Any

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRUECOLOUR, TRUECOLOUR_WITH_ALPHA = 2, 6
_ZLIB = b"\x78\x01"
"""Header of a zlib stream: deflate with a window of 32 KiB, at the lowest level."""


def encode(width: int, height: int, rgba: bytes | memoryview, dpi: float) -> bytes:
    """A PNG file.

    Args:
        width: pixels of a line.
        height: number of lines.
        rgba: four bytes for each pixel, line by line, alpha not premultiplied.
        dpi: pixels per inch, for whoever prints it.
    """
    import numpy

    pixels = numpy.frombuffer(rgba, numpy.uint8).reshape(height, width, 4)
    is_opaque = pixels[..., 3].min(initial=255) == 255
    colours = TRUECOLOUR if is_opaque else TRUECOLOUR_WITH_ALPHA
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    per_metre = round(dpi / 0.0254)
    chunks = [
        _chunk(b"IHDR", header),
        _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        _chunk(b"IDAT", _compressed(pixels, channels=3 if is_opaque else 4)),
        _chunk(b"IEND", b""),
    ]
    return SIGNATURE + b"".join(chunks)


def _compressed(pixels: Any, channels: int) -> bytes:
    """A zlib stream of the lines: two series of deflate blocks, of which the first ends at a byte."""
    height = len(pixels)
    middle = height // 2
    second: list[tuple[Any, bytes]] = []

    def deflated(begin: int, end: int, mode: int) -> tuple[Any, bytes]:
        lines = _filtered(pixels[max(0, begin - 1) : end], channels)[min(begin, 1) :]
        return lines, _deflated(lines, mode)

    # no executor: those cannot be imported any more when a script ends
    beside = threading.Thread(target=lambda: second.append(deflated(middle, height, zlib.Z_FINISH)))
    try:
        beside.start()
    except RuntimeError:  # the interpreter is shutting down, and begins no threads
        beside.run()
    upper, begin = deflated(0, middle, zlib.Z_SYNC_FLUSH)
    if beside.ident is not None:
        beside.join()
    ((lower, end),) = second
    check = struct.pack(">I", zlib.adler32(lower, zlib.adler32(upper)))
    return b"".join([_ZLIB, begin, end, check])


def _filtered(pixels: Any, channels: int) -> Any:
    """The lines as PNG has them, with filter 2, up."""
    import numpy

    height, width, _ = pixels.shape
    lines = numpy.empty((height, 1 + width * channels), numpy.uint8)
    samples = lines[:, 1:].reshape(height, width, channels)
    for channel in range(channels):  # four times as fast as all at once
        samples[..., channel] = pixels[..., channel]
    up = lines.copy()
    up[1:] -= lines[:-1]
    up[:, 0] = 2
    return up


def _deflated(lines: Any, mode: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return packer.compress(lines) + packer.flush(mode)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
