"""Writes PNG files for the screen, quickly: no filters, and the least compression.

A figure is mostly of one colour, so what takes time is choosing a filter for each line, which PNG leaves to the writer.
Format: ISO/IEC 15948:2004, sections 5 (structure), 9 (filtering), 11.2.2 (IHDR), 11.3.5.3 (pHYs).
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRUECOLOUR, TRUECOLOUR_WITH_ALPHA = 2, 6


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
    channels = 3 if pixels[..., 3].min(initial=255) == 255 else 4
    lines = numpy.empty((height, 1 + width * channels), numpy.uint8)
    lines[:, 0] = 0  # no filter
    samples = lines[:, 1:].reshape(height, width, channels)
    for channel in range(channels):  # four times as fast as all at once
        samples[..., channel] = pixels[..., channel]
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    colours = TRUECOLOUR if channels == 3 else TRUECOLOUR_WITH_ALPHA
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    data = packer.compress(lines) + packer.flush()  # type: ignore[arg-type]
    per_metre = round(dpi / 0.0254)
    chunks = [
        _chunk(b"IHDR", header),
        _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        _chunk(b"IDAT", data),
        _chunk(b"IEND", b""),
    ]
    return SIGNATURE + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
