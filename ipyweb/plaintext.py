"""Other people's text in a terminal: without what could steer it, and without markup. Standard library only."""

import re
from html.parser import HTMLParser

_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI …
    r"|\x1b[\]PX^_][^\x1b\x07\x9c]*(?:\x1b\\|\x07|\x9c)"  # OSC, DCS, SOS, PM, APC … up to their end
    r"|\x1b[ -/]*[0-~]?"
)
"""Control sequences (ECMA-48, sections 5.3 to 5.6)."""

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of text, and halves of characters."""

_RESET = "\x1b[0m"


def harmless(text: str, colours: bool = False) -> str:
    """Text that a terminal shows as text: no sequence in it moves the cursor, writes titles or asks anything.

    Args:
        colours: whether ANSI colours (SGR) stay; they end with the text.
    """
    lines = _LINE_ENDS.sub("\n", text)
    if not colours:
        return _without_controls(lines)
    between = [_without_controls(part) for part in _COLOURS.split(lines)]
    found = _COLOURS.findall(lines)
    if not found:
        return between[0]
    return "".join(part + colour for part, colour in zip(between, [*found, _RESET], strict=True))


def _without_controls(text: str) -> str:
    return _CONTROLS.sub("", _SEQUENCE.sub("", text))


_BLOCKS = {
    "br",
    "p",
    "div",
    "tr",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "table",
    "ul",
    "ol",
    "hr",
    "dt",
    "dd",
}
_CELLS = {"td", "th"}
_UNSEEN = {"script", "style", "head", "template", "svg"}


class _Reader(HTMLParser):
    """Collects what a reader of the page would read."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS | _CELLS:
            self.parts.append("\n" if tag in _BLOCKS else "  ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"\s+", " ", data))


def of_html(markup: str) -> str:
    """The words of HTML, a line for each block and row."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    lines = (line.strip() for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)
