"""What of an output is drawn in a terminal, and in which size."""

from typing import Any

import pytest

from ipyweb.graphics import Area
from ipyweb.inline import Picture, has_picture, is_bare, picture, text
from ipyweb.screen import Terminal

WINDOW = Terminal(100, 50, (8, 16), "kitty")
ROOM = Area(100, 48)
OWN = {"size": [400, 200], "dpi": 100, "default_size": False}
DEFAULT = {"size": [640, 480], "dpi": 100, "default_size": True}


def record(*mimetypes: str, **fields: Any) -> dict[str, Any]:
    return {"id": 1, "mimetypes": list(mimetypes), "kind": "text", "figure": None, **fields}


@pytest.mark.parametrize(
    ("figure", "cell", "room", "fill", "size"),
    [
        (OWN, (8, 16), ROOM, False, ("400", "200", "100")),
        (OWN, (16, 32), ROOM, False, ("800", "400", "200")),
        (OWN, (9, 16), Area(20, 48), False, ("180", "90", "100")),
        (OWN, (8, 16), Area(100, 6), False, ("192", "96", "100")),
        (OWN, (8, 16), ROOM, True, ("800", "400", "200")),
        (DEFAULT, (8, 16), ROOM, False, ("640", "480", "100")),
        (DEFAULT, (8, 16), Area(70, 20), False, ("560", "320", "100")),
        (DEFAULT, (8, 16), Area(10, 1), False, ("80", "50", "100")),
        (DEFAULT, (8, 16), Area(40, 48), True, ("320", "240", "100")),
    ],
)
def test_a_figure_is_as_large_as_made_or_as_there_is_room(
    figure: dict[str, Any], cell: tuple[int, int], room: Area, fill: bool, size: tuple[str, str, str]
) -> None:
    found = picture(record("text/plain", figure=figure), WINDOW._replace(cell=cell), room, fill)
    assert found is not None
    assert (found.query["width"], found.query["height"], found.query["dpi"]) == size


def test_the_first_raster_is_the_picture() -> None:
    assert picture(record("image/svg+xml", "image/jpeg", "image/png"), WINDOW, ROOM) == Picture("image/jpeg", {})
    assert picture(record("image/svg+xml", "text/plain"), WINDOW, ROOM) is None
    assert has_picture(record(figure=OWN))
    assert not has_picture(record(figure={**OWN, "failed": "no such function"}))


def test_the_text_is_what_people_read() -> None:
    assert text(record("text/html", "text/plain", kind="html")) == "text/plain"
    assert text(record("text/html", kind="html")) == "text/html"
    assert text(record("application/vnd.plotly.v1+json", "text/plain", kind="plotly")) is None
    assert text(record("image/png", "text/plain", kind="image")) == "text/plain"
    assert text(record("application/x-unknown", kind="other")) is None


def test_the_name_of_a_class_is_no_text() -> None:
    for words in ("<IPython.core.display.Image object>", "<a.B object at 0x7f00>", "<PIL.Image.Image image mode=RGB>"):
        assert is_bare(words)
    for words in ("<b>", "text", "<a.B object>\nmore", "Figure of 6 x 3 in"):
        assert not is_bare(words)
