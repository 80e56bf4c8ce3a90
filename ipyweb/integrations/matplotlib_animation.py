"""matplotlib's animations play in the pane: as a video where ffmpeg is there, else as a flip-book of pictures.

The flip-book is matplotlib's own ``to_jshtml``, whose buttons would get their icons from the internet.
"""

import base64
import re
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import replace

_STYLE = "<style>body { text-align: center } video, .animation img { max-width: 100%; height: auto }</style>"
_PLAY = """<script>
addEventListener("load", () => setTimeout(() => document.querySelector(".animation button[title=Play]").click()))
</script>"""
_FONT_LINK = re.compile(r"<link\b[^>]*font-awesome[^>]*>")
_ICON = re.compile(r'<i class="fa (fa-[\w -]+)"></i>')
_ICONS = {
    "fa-minus": "M3 7h10v2H3z",
    "fa-fast-backward": "M2 3h2v10H2zM9 3v10L4 8zM14 3v10L9 8z",
    "fa-step-backward": "M3 3h2v10H3zM12 3v10L5 8z",
    "fa-play fa-flip-horizontal": "M12 3v10L4 8z",
    "fa-pause": "M4 3h3v10H4zM9 3h3v10H9z",
    "fa-play": "M4 3v10l8-5z",
    "fa-step-forward": "M11 3h2v10h-2zM4 3v10l7-5z",
    "fa-fast-forward": "M12 3h2v10h-2zM7 3v10l5-5zM2 3v10l5-5z",
    "fa-plus": "M7 3h2v4h4v2H9v4H7V9H3V7h4z",
}
"""The shapes of the buttons' icons, in a square of 16."""


def animations_of(figure: Any) -> list[Any]:
    """The animations that would run in a figure's window: they listen for its end."""
    animation = sys.modules.get("matplotlib.animation")
    if animation is None:
        return []
    listeners = figure.canvas.callbacks.callbacks.get("close_event", {}).values()
    owners = (getattr(reference(), "__self__", None) for reference in listeners)
    return [owner for owner in owners if isinstance(owner, animation.Animation)]


def html(animations: list[Any], seconds: float | None = None) -> tuple[str, str | None]:
    """Draw the frames of one figure's animations.

    Args:
        animations: all those of the figure that run together.
        seconds: how long to draw at most; without limit when left out.

    Returns:
        HTML that plays them without the internet, and a line about frames that were left out, if any were.

    Raises:
        Exception: whatever the function of the animation raises.
    """
    from matplotlib.animation import FFMpegWriter

    with TemporaryDirectory() as folder:
        if FFMpegWriter.isAvailable():
            player, said = _video(animations, seconds, Path(folder, "animation.m4v"))
        else:
            player, said = _flip_book(animations, seconds, Path(folder, "animation.html"))
    return f"{_STYLE}{player}", said


def _flip_book(animations: list[Any], seconds: float | None, path: Path) -> tuple[str, str | None]:
    from matplotlib.animation import HTMLWriter

    mode = "loop" if getattr(animations[0], "_repeat", False) else "once"
    writer = _limited(HTMLWriter, seconds)(fps=_fps(animations), embed_frames=True, default_mode=mode)
    said = _save(animations, writer, path)
    text = _FONT_LINK.sub("", path.read_text())
    return f"{_ICON.sub(_icon, text)}{_PLAY}", said


def _icon(match: re.Match[str]) -> str:
    shape = _ICONS.get(match[1], "M6 6h4v4H6z")
    return f'<svg width="16" height="16" viewBox="0 0 16 16" fill="currentColor"><path d="{shape}"/></svg>'


def _video(animations: list[Any], seconds: float | None, path: Path) -> tuple[str, str | None]:
    from matplotlib import rcParams
    from matplotlib.animation import FFMpegWriter

    writer = _limited(FFMpegWriter, seconds)(codec="h264", bitrate=rcParams["animation.bitrate"], fps=_fps(animations))
    said = _save(animations, writer, path)
    width, height = writer.frame_size
    loop = " loop" if getattr(animations[0], "_repeat", False) else ""
    data = base64.b64encode(path.read_bytes()).decode()
    source = f'<source type="video/mp4" src="data:video/mp4;base64,{data}">'
    return f'<video width="{width}" height="{height}" controls autoplay muted{loop}>{source}</video>', said


class _Enough(Exception):
    """The time for drawing is over."""


def _limited(writer: Any, seconds: float | None) -> Any:
    """A writer that stops to draw frames after a time."""

    class Limited(writer):  # type: ignore[misc]
        frames = 0

        def setup(self, *args: Any, **kwargs: Any) -> None:
            super().setup(*args, **kwargs)
            self._end = None if seconds is None else time.monotonic() + seconds

        def grab_frame(self, **options: Any) -> None:
            super().grab_frame(**options)
            self.frames += 1
            if self._end is not None and time.monotonic() > self._end:
                raise _Enough

    return Limited


def _save(animations: list[Any], writer: Any, path: Path) -> str | None:
    first, *others = animations
    # After each step an animation draws its canvas, and then the writer draws the frame.
    undo = replace(first._fig.canvas, "draw_idle", lambda *args, **kwargs: None)
    try:
        first.save(str(path), writer=writer, extra_anim=others)
    except _Enough:
        return f"the first {writer.frames} frames of the animation; ipyweb.display(animation) shows all"
    finally:
        undo()
    return None


def _fps(animations: list[Any]) -> float:
    return 1000.0 / (getattr(animations[0], "_interval", None) or 200)
