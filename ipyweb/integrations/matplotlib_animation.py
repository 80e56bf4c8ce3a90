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

SECONDS = 3.0
"""How long ``plt.show()`` draws frames of one animation; the rest is left out, and said so."""

_FONT_LINK = re.compile(r"<link\b[^>]*font-awesome[^>]*>")
_ICON = re.compile(r'<i class="fa (fa-[\w -]+)"></i>')
_ICONS = {
    "fa-minus": "-",
    "fa-fast-backward": "⏮",
    "fa-step-backward": "⏪",
    "fa-play fa-flip-horizontal": "◀",
    "fa-pause": "⏸",
    "fa-play": "▶",
    "fa-step-forward": "⏩",
    "fa-fast-forward": "⏭",
    "fa-plus": "+",
}


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
            return _video(animations, seconds, Path(folder, "animation.m4v"))
        return _flip_book(animations, seconds, Path(folder, "animation.html"))


def _flip_book(animations: list[Any], seconds: float | None, path: Path) -> tuple[str, str | None]:
    from matplotlib.animation import HTMLWriter

    mode = "loop" if getattr(animations[0], "_repeat", False) else "once"
    writer = _limited(HTMLWriter, seconds)(fps=_fps(animations), embed_frames=True, default_mode=mode)
    said = _save(animations, writer, path)
    text = _FONT_LINK.sub("", path.read_text())
    return _ICON.sub(lambda match: _ICONS.get(match[1], "•"), text), said


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
    try:
        first.save(str(path), writer=writer, extra_anim=others)
    except _Enough:
        return f"the first {writer.frames} frames of the animation; ipyweb.display(animation) shows all"
    return None


def _fps(animations: list[Any]) -> float:
    return 1000.0 / (getattr(animations[0], "_interval", None) or 200)
