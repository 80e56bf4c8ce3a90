"""matplotlib's animations: a still figure at once, which plays as soon as its frames are drawn.

The frames are drawn in a process that outlives this one, so neither the program nor its end waits for them. Where there
can be none, they are drawn here.
"""

import contextlib
import logging
from multiprocessing.connection import Connection
from typing import Any

from .. import keepers
from ..errors import KeeperUnavailable
from ..figures.channel import dial, receive, send
from ..forking import detach
from .bundle import one_line
from .figures import environment, has_keeper, write_record
from .output import Output
from .pyplot import Showing, draw, follow, show_figure, title_of
from .session import Session, current

log = logging.getLogger("ipyweb")

SECONDS = 10.0
"""How long frames are drawn for ``plt.show()``; the rest is left out, and said so."""

SECONDS_HERE = 3.0
"""The same where the program waits for it."""

PATIENCE = 60
"""Seconds that the process may take besides, before the kernel ends it."""

LONGEST = 3600
"""Seconds that the process has to draw an animation of which all is wanted."""


def animate(figure: Any, showing: Showing) -> Output | None:
    """Let a figure that was shown play, if it is animated.

    Returns:
        Its output, if that had to be made anew.
    """
    from ..integrations.matplotlib_animation import animations_of

    animations = animations_of(figure)
    if not animations or showing.output is None or current().silence is not None:
        return None
    showing.animated = True
    if _draw_later(animations, showing.figure, SECONDS):
        return None
    return _draw_here(animations, SECONDS_HERE, showing.output.display_id, None, update=True)


def show_animation(animation: Any, display_id: str | None, title: str | None, update: bool) -> Output | None:
    """Show all frames of an animation.

    Args:
        animation: of matplotlib.
        display_id, title, update: as for `show_figure`.

    Returns:
        The output; ``None`` where nothing could be drawn, and nothing was shown.
    """
    figure = animation._fig
    if current().silence is not None:
        return show_figure(figure, display_id, title, update=update)
    if not has_keeper(current()):
        return _draw_here([animation], None, display_id, title, update)
    output = show_figure(figure, display_id, title, update=update)
    if _draw_later([animation], follow(figure).figure, None):
        return output
    return _draw_here([animation], None, output.display_id, title, update=True) or output


def _draw_later(animations: list[Any], figure: str | None, seconds: float | None) -> bool:
    """Draw the frames while the program goes on; whether that is possible.

    Args:
        animations: all those of one figure.
        figure: the id under which the hub knows it, if it does.
        seconds: how long to draw at most.
    """
    if figure is None:
        return False
    session = current()
    limit = LONGEST if seconds is None else int(seconds) + PATIENCE
    if not detach(lambda: _deliver(animations, figure, seconds, session), limit):
        return False
    for animation in animations:
        animation._draw_was_started = True  # or it would warn, when it is deleted, that it was never drawn
    return True


def _deliver(animations: list[Any], figure: str, seconds: float | None, session: Session) -> None:
    """In the process that outlives the program: draw, and give what was drawn to the keeper, which has the figure."""
    from ..integrations.matplotlib_animation import html

    parts: list[bytes] = []
    try:
        player, said = html(animations, seconds)
        parts.append(player.encode())
    except Exception as error:
        said = f"the animation could not be drawn: {type(error).__name__}: {one_line(error)}"
    header = {"type": "animation", "id": figure, "session": session.id, "problems": [said] if said else []}
    with _keeper(session) as peer:
        send(peer, header, parts)
        while receive(peer)[0]["type"] != "taken":
            pass


def _keeper(session: Session) -> Connection:
    name = environment()
    with contextlib.suppress(KeeperUnavailable):
        return dial(name)
    write_record(session)
    keepers.start(name)
    return dial(name)


def _draw_here(
    animations: list[Any], seconds: float | None, display_id: str | None, title: str | None, update: bool
) -> Output | None:
    from ..integrations.matplotlib_animation import html

    figure = animations[0]._fig
    showing = follow(figure)
    try:
        with showing.drawing():
            data: dict[str, Any] = {"image/png": draw(figure), "text/plain": repr(figure)}
            data["text/html"], said = html(animations, seconds)
    except Exception:
        log.warning("ipyweb: an animation could not be drawn", exc_info=True)
        return None
    title = title or title_of(figure)
    session = current()
    problems = [said] if said else []
    shown = session.publish(data, display_id=display_id, update=update, title=title, problems=problems)
    output = Output(session, shown.display_id, shown.mimetypes, title, shown.receipt)
    showing.output, showing.session, showing.figure = output, session.id, None
    return output
