"""What comes again and again crosses a connection once."""

import hashlib

import pytest

from ipyweb.figures.channel import Repeated


def name(part: bytes) -> str:
    return hashlib.sha256(part).hexdigest()


def test_a_part_is_sent_once_and_is_there_every_time() -> None:
    here, there = Repeated(), Repeated()
    for data in (b"one", b"two", b"three"):
        sent = here.shorten(name(b"function"), [data, b"function"])
        assert sent[1] == (b"function" if data == b"one" else b"")
        assert there.restore(name(b"function"), sent) == [data, b"function"]


def test_both_ends_forget_the_same_parts() -> None:
    here, there = Repeated(), Repeated()
    parts = [str(number).encode() for number in range(Repeated.MOST + 5)]
    for part in [*parts, *parts[::-1], *parts[::3]]:
        assert there.restore(name(part), here.shorten(name(part), [b"data", part])) == [b"data", part]


@pytest.mark.parametrize("last", [b"", b"another"])
def test_a_part_that_is_not_what_its_name_says_is_refused(last: bytes) -> None:
    with pytest.raises(ValueError, match="not what its name says"):
        Repeated().restore(name(b"function"), [b"data", last])
