"""Messages cross a connection with their parts as they are, and what comes again and again crosses it once."""

import hashlib
import os
import threading
from multiprocessing import Pipe

import pytest

from ipyweb.figures.channel import Repeated, receive, send


def test_parts_of_any_size_arrive_as_they_were_sent() -> None:
    here, there = Pipe()
    parts = [b"", b"a", memoryview(os.urandom(5_000_000)), bytearray(b"z" * 70_000)]
    sender = threading.Thread(target=send, args=(here, {"type": "put"}, parts))
    sender.start()
    header, received = receive(there)
    sender.join()
    assert header == {"type": "put", "parts": [0, 1, 5_000_000, 70_000]}
    assert received == parts


def test_a_peer_that_goes_in_the_middle_of_a_part_is_gone() -> None:
    here, there = Pipe()
    here.send_bytes(b'{"parts": [10]}')
    os.write(here.fileno(), b"half")
    here.close()
    with pytest.raises(EOFError):
        receive(there)


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
