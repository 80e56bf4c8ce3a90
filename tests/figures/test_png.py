"""PNG files for the screen hold exactly the pixels that they were made of."""

import io

import numpy as np
import pytest
from PIL import Image

from ipyweb.figures.png import encode


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (300, 501)])
@pytest.mark.parametrize("opaque", [True, False])
def test_every_pixel_comes_back(shape: tuple[int, int], opaque: bool) -> None:
    height, width = shape
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    pixels[..., 3] = 255 if opaque else pixels[..., 3] // 2
    read = Image.open(io.BytesIO(encode(width, height, pixels.tobytes(), 300)))
    read.verify()
    read = Image.open(io.BytesIO(encode(width, height, pixels.tobytes(), 300)))
    assert read.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert read.mode == ("RGB" if opaque else "RGBA")
    assert np.array_equal(np.asarray(read.convert("RGBA")), pixels)


def test_what_goes_on_below_itself_takes_no_room() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (1, 800, 4), np.uint8)
    colours[..., 3] = 255
    assert len(encode(800, 600, colours.repeat(600, axis=0).tobytes(), 100)) < 8000
