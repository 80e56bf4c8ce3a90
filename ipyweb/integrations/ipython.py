"""IPython's own display classes: what names a local file brings it along, as there is no server that has it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

_VIDEO = "IPython.core.display.Video"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Embed the files of videos; audio is embedded already."""
    html = shell.display_formatter.formatters["text/html"]
    html.for_type(_VIDEO, _html)

    def undo() -> None:
        html.pop(_VIDEO, None)

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
