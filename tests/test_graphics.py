"""Pictures as control sequences: what a terminal shows of them is the picture."""

import io
import random
import re
import zlib

import pytest
from PIL import Image

from ipyweb import graphics
from ipyweb.graphics import Area, Undrawable, area, draw, row_marks
from ipyweb.screen import Protocol, Terminal

from .pictures import difference, of_blocks, of_iterm2, of_kitty, of_sixel, png, sample

WINDOW = Terminal(80, 24)


def written(
    image: Image.Image | bytes, protocol: Protocol, room: Area | None = None, terminal: Terminal = WINDOW
) -> bytes:
    terminal = terminal._replace(protocol=protocol)
    data = image if isinstance(image, bytes) else png(image)
    pieces = draw(data, terminal, room or area(terminal))
    return b"".join(piece if isinstance(piece, bytes) else piece() for piece in pieces)


def plain(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (200, 100, 0))


def test_kitty_and_iterm2_get_the_picture_as_it_is() -> None:
    image = sample(120, 100)
    assert difference(of_kitty(written(image, "kitty")), image) == 0
    assert difference(of_iterm2(written(image, "iterm2")), image) == 0


def test_a_large_picture_comes_to_kitty_in_pieces() -> None:
    noise = Image.effect_noise((300, 300), 80).convert("RGB")
    sequence = written(noise, "kitty")
    assert sequence.count(b"\x1b_G") > 10
    assert difference(of_kitty(sequence), noise) == 0


@pytest.mark.parametrize("height", [1, 5, 6, 7, 12, 20])
def test_sixels_have_every_row_and_no_more(height: int) -> None:
    image = sample(30, height)
    assert difference(of_sixel(written(image, "sixel")), image) <= 5  # sixels know shares of a hundred


def test_sixels_use_no_more_colours_than_the_terminal_has() -> None:
    few = WINDOW._replace(registers=16)
    sequence = written(sample(60, 60), "sixel", terminal=few)
    assert len(re.findall(rb"#\d+;2;", sequence)) <= 16
    assert of_sixel(sequence).size == (60, 60)


def test_sixels_of_a_photograph_are_near() -> None:
    photograph = sample(12, 8).resize((180, 120), Image.Resampling.BICUBIC)
    assert photograph.getcolors(1 << 14) is None
    assert difference(of_sixel(written(photograph, "sixel")), photograph) <= 64


def test_sixels_stay_within_what_the_terminal_draws() -> None:
    small = WINDOW._replace(largest=(50, 1000))
    assert of_sixel(written(sample(100, 60), "sixel", terminal=small)).size == (50, 30)


def test_half_blocks_show_two_pixels_in_a_cell() -> None:
    image = sample(30, 20)
    assert difference(of_blocks(written(image, "blocks").decode()), image) == 0
    uneven = of_blocks(written(sample(30, 19), "blocks").decode())
    assert uneven.size == (30, 20)
    assert difference(uneven.crop((0, 0, 30, 19)), sample(30, 19)) == 0


def test_half_blocks_in_256_colours_are_near() -> None:
    exact = Image.new("RGB", (4, 2))
    exact.putdata([(0, 0, 0), (255, 255, 255), (255, 0, 0), (95, 135, 175), (8, 8, 8), (238, 238, 238), (0, 0, 255)])
    few = WINDOW._replace(colours=256)
    assert difference(of_blocks(written(exact, "blocks", terminal=few).decode()), exact) == 0
    assert difference(of_blocks(written(sample(), "blocks", terminal=few).decode()), sample()) <= 48


@pytest.mark.parametrize("protocol", ["kitty", "iterm2", "sixel"])
def test_pictures_are_scaled_down_to_the_window_less_the_prompt_and_never_up(protocol: Protocol) -> None:
    decode = {"kitty": of_kitty, "iterm2": of_iterm2, "sixel": of_sixel}[protocol]
    assert decode(written(plain(1600, 200), protocol)).size == (800, 100)
    assert decode(written(plain(500, 880), protocol)).size == (250, 440)
    assert decode(written(plain(3, 3), protocol)).size == (3, 3)
    assert decode(written(plain(1600, 200), protocol, Area(40, 22))).size == (400, 50)


def test_tiny_windows_get_tiny_pictures() -> None:
    tiny = Terminal(10, 3)
    assert area(tiny) == Area(10, 1)
    assert of_kitty(written(plain(200, 200), "kitty", terminal=tiny)).size == (20, 20)
    assert of_blocks(written(plain(200, 200), "blocks", terminal=tiny).decode()).size == (2, 2)
    assert area(Terminal(1, 1)) == Area(1, 1)
    assert area(tiny, 200, 200) == Area(10, 1)


@pytest.mark.parametrize("protocol", ["kitty", "iterm2", "sixel"])
def test_room_is_made_before_a_picture_and_the_cursor_is_below_it(protocol: Protocol) -> None:
    sequence = written(sample(30, 50), protocol)  # three rows of 20 pixels
    assert sequence.startswith(b"\r\n\n\n\x1b[3A\x1b7")
    assert sequence.endswith(b"\x1b8\x1b[3B\r")


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert of_kitty(written(clear, "kitty")).getpixel((0, 0)) == (255, 255, 255)
    palette = clear.convert("RGB").quantize(2)
    palette.info["transparency"] = 0
    assert of_kitty(written(palette, "kitty")).convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_16_bits_of_grey_are_grey() -> None:
    grey = Image.new("I;16", (2, 2), 0x8040)
    assert of_kitty(written(grey, "kitty")).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("kind", ["GIF", "JPEG", "WEBP", "TIFF", "BMP"])
def test_other_formats_are_pictures_too(kind: str) -> None:
    stream = io.BytesIO()
    sample().save(stream, kind)
    assert of_kitty(written(stream.getvalue(), "kitty")).size == (30, 20)


def bomb() -> bytes:
    """A PNG of few bytes that claims to be 60000 pixels wide and high."""
    data = bytearray(png(sample()))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize(
    "data", [b"", b"no picture", png(sample())[:60], bomb(), b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Undrawable, match="cannot be read"):
        written(data, "kitty")


# -- through tmux -----------------------------------------------------------------------------------------------------

TMUX = WINDOW._replace(tmux=True)


def unwrapped(sequence: bytes) -> bytes:
    """What tmux passes on of a sequence."""
    passed = re.findall(rb"\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\", sequence)
    return b"".join(each.replace(b"\x1b\x1b", b"\x1b") for each in passed)


def test_kitty_behind_tmux_gets_the_picture_and_tmux_gets_text_that_stands_for_it() -> None:
    image = sample(45, 50)
    sequence = written(image, "kitty", terminal=TMUX)
    assert difference(of_kitty(unwrapped(sequence)), image) == 0
    assert b"U=1" in sequence
    assert b"c=5,r=3" in sequence
    text = sequence.rpartition(b"\x1b\\")[2].decode()
    lines = re.findall(r"\x1b\[38;5;(\d+)m((?:\U0010eeee[^\U0010eeee\x1b]+)+)\x1b\[39m\r\n", text)
    assert [line.count("\U0010eeee") for _, line in lines] == [5, 5, 5]
    marks = row_marks()
    assert [line[1] for _, line in lines] == marks[:3]
    assert {line[2] for _, line in lines} == {marks[0]}
    assert f"i={(marks.index(lines[0][1][3]) << 24) + int(lines[0][0])}," in sequence.decode()


def test_rows_are_numbered_as_kitty_numbers_them() -> None:
    codes = [ord(mark) for mark in row_marks()]
    assert codes[:12] == [0x305, 0x30D, 0x30E, 0x310, 0x312, 0x33D, 0x33E, 0x33F, 0x346, 0x34A, 0x34B, 0x34C]
    assert (codes[42], codes[80], codes[127], codes[-1]) == (0x59C, 0x6E4, 0x82C, 0x82D)
    assert len(codes) == 129


@pytest.mark.parametrize("protocol", ["iterm2", "sixel"])
def test_other_protocols_are_passed_on_with_the_place_on_the_screen(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphics, "tmux", lambda wanted: "40 12 5 2 top")
    passed = unwrapped(written(sample(), protocol, terminal=TMUX))
    assert passed.startswith(b"\x1b7\x1b[20;41H")
    assert passed.endswith(b"\x1b8")


def test_what_tmux_would_drop_is_refused() -> None:
    huge = Terminal(400, 100, tmux=True)
    noise = Image.frombytes("RGB", (700, 500), random.randbytes(700 * 500 * 3))
    with pytest.raises(Undrawable, match="tmux passes on no more"):
        written(noise, "iterm2", terminal=huge)
