"""IPython's own display classes: what names a local file brings it along, as there is no server that has it.

The colours of ``Code`` are meant for an element of the notebook, and for a light page; it gets some for both.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

_VIDEO = "IPython.core.display.Video"
_CODE = "IPython.lib.display.Code"
_STYLES = {":root .highlight": "default", ":root[data-theme=dark] .highlight": "monokai"}
"""Pygments' styles by CSS selector."""


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Embed the files of videos, as audio is already, and give code its colours."""
    html = shell.display_formatter.formatters["text/html"]
    html.for_type(_VIDEO, _html)
    html.for_type(_CODE, _highlighted)

    def undo() -> None:
        html.pop(_VIDEO, None)
        html.pop(_CODE, None)

    return undo


def _html(video: Any) -> str:
    from IPython.display import Video

    path = video.filename or video.url
    if video.embed or not path or not Path(path).is_file():
        page: str = video._repr_html_()
    else:
        embedded = Video(
            path,
            embed=True,
            mimetype=video.mimetype,
            width=video.width,
            height=video.height,
            html_attributes=video.html_attributes,
        )
        page = embedded._repr_html_()
    return page


def _highlighted(code: Any) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter

    rules = "\n".join(
        HtmlFormatter(style=style, nobackground=True).get_style_defs(selector) for selector, style in _STYLES.items()
    )
    return f"<style>{rules}</style>{highlight(code.data, code._get_lexer(), HtmlFormatter())}"
