"""How numbers, times and words look in a terminal."""

from datetime import UTC, datetime

import pytest

from ipyweb.cli.text import cut, local_time, plain, seconds, size, table


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (20480, "20.5 kB"),
        (999_400, "999 kB"),
        (999_600, "1.0 MB"),
        (1 << 30, "1.1 GB"),
        (5e15, "5000 TB"),
    ],
)
def test_sizes_are_short(count: int, text: str) -> None:
    assert size(count) == text


def test_todays_times_have_no_date() -> None:
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert local_time("2026-11-20T11:01:38.123456Z", now) == "11:01:38"
    assert local_time("2026-11-19T11:01:38.123456Z", now) == "2026-11-19 11:01"


@pytest.mark.parametrize(
    ("words", "number"), [("30d", 2592000), ("12h", 43200), ("1.5m", 90), ("90s", 90), ("2w", 1209600)]
)
def test_durations_have_a_unit(words: str, number: float) -> None:
    assert seconds(words) == number


@pytest.mark.parametrize("words", ["", "30", "d", "3x", "-3d", "1.2.3d", "30 d"])
def test_what_is_no_duration_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 30d"):
        seconds(words)


def test_other_peoples_words_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[2Jb\nc") == "a [2Jb c"


def test_long_words_are_cut() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abc", 3) == "abc"


def test_a_table_has_columns_and_fits() -> None:
    assert table(["ID", "TITLE"], [["7", "short"], ["12", "much too long"]], 12, right=(0,)).splitlines() == [
        "ID  TITLE",
        " 7  short",
        "12  much to…",
    ]
