"""Other people's text: nothing in it steers the terminal."""

import pytest

from ipyweb.plaintext import harmless, of_html


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("plain\n\tü 漢 👩‍🔬", "plain\n\tü 漢 👩‍🔬"),
        ("a\x1b[2J\x1b[Hb", "ab"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]52;c;ZXZpbA==\x1b\\b", "ab"),
        ("a\x1bP1;1|x\x1b\\b", "ab"),
        ("a\x1b_Ga=T;AAAA\x1b\\b", "ab"),
        ("a\x1b[6nb\x1b[cb\x1b[21tb", "abbb"),
        ("a\x1bcb\x1b(0b", "abb"),
        ("a\x1b]0;never ends", "a0;never ends"),
        ("a\x1b", "a"),
        ("a\x1b[", "a"),
        ("a\x9b2Jb\x90q\x9cb", "a2Jbqb"),
        ("safe\rEVIL", "safe\nEVIL"),
        ("a\r\nb", "a\nb"),
        ("ab\x08\x08cd\x07\x7f", "abcd"),
        ("user\u202egnp.exe\u202c", "usergnp.exe"),
        ("a\u2028b\x85c", "a\nb\nc"),
        ("\ud800x", "x"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b\x1b[31m[2Jx", "[2Jx"),
    ],
)
def test_text_is_only_text(hostile: str, shown: str) -> None:
    assert harmless(hostile) == shown


def test_colours_may_stay_and_end_with_the_text() -> None:
    assert harmless("\x1b[1;31mred\x1b[2J", colours=True) == "\x1b[1;31mred\x1b[0m"
    assert harmless("plain\x1b[2J", colours=True) == "plain"
    assert harmless("\x1b[38;5;1\x1b[31mx", colours=True) == "38;5;1\x1b[31mx\x1b[0m"


def test_long_hostile_text_takes_no_longer_than_its_length() -> None:
    for text in ("\x1b]" * 100_000, "\x1b[" + "1;" * 500_000, "\x1bP" + "x" * 1_000_000, "\x1b[ " * 100_000):
        assert "\x1b" not in harmless(text)


def test_html_is_read() -> None:
    markup = "<h1>Title</h1><style>p {}</style><p>One\n  <b>two</b> &amp; &lt;three&gt;</p><script>four()</script>"
    table = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table><ul><li>x<li>y</ul>"
    assert of_html(markup + table) == "Title\nOne two & <three>\na  b\n1  2\nx\ny"
    assert of_html("<script>unclosed") == ""
    assert of_html("</style></script>a<br>b") == "a\nb"
    assert harmless(of_html("\x1b[2Jx")) == "x"
