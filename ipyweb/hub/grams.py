"""An index of what outputs say: which of them may say some words. Whoever asks reads the texts of those to be sure.

It is a bit-sliced signature file. Every one, two and three neighbouring bytes of a text set some of the `SLOTS` bits of
its output, and a slice has one of these bits of all outputs. A row holds `SLICES` slices of a block of `OUTPUTS`
outputs, so that a search reads only the slices of its words. That takes 2 kB for each output, whatever it says.

Writing only notes that an output is due. It is put into the index when the store is idle, in steps of some
milliseconds; until then it counts as if it said everything. The last `LEAVE` stay due, since reading them is less work
than writing a block for each; what was deleted is taken out in any case.

Sets of outputs are numbers here: bit n stands for the output n. Other numbers of slots, of outputs in a block, or other
divisors need tables of another version, in which all outputs are due.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from .database import Database

OUTPUTS = 128
SLICES = 252
"""Slices of a row: with `OUTPUTS` bits each it just fits a page of SQLite."""

PARTS = 64
SLOTS = PARTS * SLICES
LEAVE = 256
COLUMNS = 2
"""What one step writes: bytes of each slice, with the bits of eight outputs each."""

MOST_SLICES = 8
"""Slices that are read for some terms. Each leaves out most of what the others let through."""

FEW = 200
"""So few outputs are read sooner than one more slice."""

_WIDTH = OUTPUTS // 8
_BLOCKS = 2**40
_SINGLES, _PAIRS, _TRIPLES = (251,), (16127, 8209), (16111, 16097)
"""What pieces of one, two and three bytes are divided by, as numbers; what is left is a slot. The second for pairs is
less than two spaces are: both would leave the same of smaller numbers."""

_ONE = ord("1")
_ONES = [tuple(at for at in reversed(range(8)) if byte >> at & 1) for byte in range(256)]


def note(db: Database, schema: str, output_id: int) -> None:
    """Note that the text of an output has changed or gone, inside the running transaction."""
    if schema == db.main:  # what is private is always read
        db.execute(f"INSERT INTO {schema}.grams_due(output) VALUES(?) ON CONFLICT(output) DO NOTHING", (output_id,))


def may_say(db: Database, terms: Sequence[str]) -> int:
    """The outputs that may say all of some terms, the rarest first: those that do, and some others."""
    words = [word for term in terms for word in term.encode().split()]
    share = max(2, MOST_SLICES // max(1, len(words)))
    slots = dict.fromkeys(slot for word in words for slot in _telling(word, share))
    if not slots:
        return of_rows(db, "SELECT output FROM texts")
    found = -1
    for slot in islice(slots, MOST_SLICES):
        found &= _slice(db, slot)
        if found.bit_count() < FEW:
            break
    return found | of_rows(db, "SELECT output FROM grams_due")


def of_ids(ids: Sequence[int]) -> int:
    """Some outputs as a number."""
    digits = bytearray(b"0") * (1 + max(ids, default=0))
    for output_id in ids:
        digits[output_id] = _ONE
    digits.reverse()
    return int(digits, 2)


def of_rows(db: Database, statement: str, values: Sequence[object] = ()) -> int:
    """The outputs whose ids a statement gives."""
    return of_ids([output_id for (output_id,) in db.execute(statement, values)])


def ascending(outputs: int, after: int) -> Iterator[int]:
    """The ids of outputs after one."""
    first = max(0, after + 1)
    found = (outputs >> first).to_bytes((outputs.bit_length() + 7) // 8, "little")
    return (first + at * 8 + bit for at, byte in enumerate(found) if byte for bit in reversed(_ONES[byte]))


def descending(outputs: int, before: int | None) -> Iterator[int]:
    """The ids of outputs before one, of all if none is given."""
    length = outputs.bit_length()
    last = length if before is None else max(0, min(before, length))
    found = (outputs & ((1 << last) - 1)).to_bytes((last + 7) // 8, "little")
    return (at * 8 + bit for at in reversed(range(len(found))) if found[at] for bit in _ONES[found[at]])


def step(db: Database) -> bool:
    """Put some of the outputs that are due into the index, inside a transaction; whether there may be more."""
    first = _first_due(db)
    if first is None:
        return False
    block = first // OUTPUTS
    columns = range(first // 8, min(first // 8 + COLUMNS, (block + 1) * _WIDTH))
    between = columns.start * 8, columns.stop * 8
    texts = db.execute(f"SELECT output, text FROM {db.main}.texts WHERE output >= ? AND output < ?", between).fetchall()
    _write(db, block, {each % _WIDTH: _column(text for text in texts if text[0] // 8 == each) for each in columns})
    db.execute(f"DELETE FROM {db.main}.grams_due WHERE output >= ? AND output < ?", between)
    return True


def _first_due(db: Database) -> int | None:
    (count,) = db.execute(f"SELECT count(*) FROM {db.main}.grams_due").fetchone()
    gone = f"WHERE NOT EXISTS (SELECT 1 FROM {db.main}.texts WHERE texts.output = due.output)"
    which = "" if count > LEAVE else gone
    found = db.execute(f"SELECT output FROM {db.main}.grams_due due {which} ORDER BY output LIMIT 1").fetchone()
    return None if found is None else int(found[0])


def _column(texts: Iterable[tuple[int, str]]) -> bytes:
    """One byte of each slice, with a bit for each of eight outputs."""
    found = 0
    for output_id, text in texts:
        signature = bytearray(SLOTS)
        for slot in _slots(b" ".join(set(text.encode().split()))):
            signature[slot] = 1
        found |= int.from_bytes(signature, "little") << output_id % 8
    return found.to_bytes(SLOTS, "little")


def _write(db: Database, block: int, columns: dict[int, bytes]) -> None:
    numbers = [part * _BLOCKS + block for part in range(PARTS)]
    statement = f"SELECT n, bits FROM {db.main}.grams WHERE n IN {db.ids}"
    rows = dict(db.execute(statement, (json.dumps(numbers),)).fetchall())
    for part, n in enumerate(numbers):
        bits = bytearray(rows.get(n, bytes(SLICES * _WIDTH)))
        for at, column in columns.items():
            bits[at::_WIDTH] = column[part * SLICES : (part + 1) * SLICES]
        rows[n] = bytes(bits)
    empty = [n for n, bits in rows.items() if not any(bits)]
    db.execute(f"DELETE FROM {db.main}.grams WHERE n IN {db.ids}", (json.dumps(empty),))
    db.executemany(
        f"INSERT INTO {db.main}.grams(n, bits) VALUES(?, ?) ON CONFLICT(n) DO UPDATE SET bits = excluded.bits",
        [(n, bits) for n, bits in rows.items() if any(bits)],
    )


def _slice(db: Database, slot: int) -> int:
    part, at = divmod(slot, SLICES)
    statement = "SELECT n, substr(bits, ?, ?) FROM grams WHERE n >= ? AND n < ?"
    rows = db.execute(statement, (at * _WIDTH + 1, _WIDTH, part * _BLOCKS, (part + 1) * _BLOCKS))
    return _joined([(n % _BLOCKS, bits) for n, bits in rows])


def _joined(pieces: list[tuple[int, bytes]]) -> int:
    """A number of pieces of the same length, each with its place."""
    if not pieces:
        return 0
    length = len(pieces[0][1])
    found = bytearray(length * (1 + max(at for at, _ in pieces)))
    for at, piece in pieces:
        found[at * length : (at + 1) * length] = piece
    return int.from_bytes(found, "little")


def _telling(word: bytes, most: int) -> list[int]:
    """Some slots of a word, those that leave out most: of longer pieces, from all over it."""
    slots = list(dict.fromkeys(_divided(_TRIPLES, _pieces(word, 3))))
    if len(slots) >= most:
        return [slots[at * len(slots) // most] for at in range(most)]
    shorter = _divided(_PAIRS, _pieces(word, 2)) if len(word) > 1 else _divided(_SINGLES, word)
    return list(dict.fromkeys((*slots, *shorter)))[:most]


def _slots(text: bytes) -> Iterator[int]:
    pieces = set(text), set(_pieces(text, 2)), _pieces(text, 3)
    return chain(*map(_divided, (_SINGLES, _PAIRS, _TRIPLES), pieces))


def _divided(divisors: Iterable[int], pieces: Iterable[int]) -> Iterator[int]:
    return chain(*(map(divisor.__rmod__, pieces) for divisor in divisors))


def _pieces(text: bytes, length: int) -> memoryview:
    """All pieces of a text of some bytes, as numbers."""
    count = max(0, len(text) - length + 1)
    numbers = bytearray(4 * count)
    for at in range(length):
        numbers[at::4] = text[at : at + count]
    return memoryview(numbers).cast("I")
