"""matplotlib's figures: which were shown, as which outputs, and whether they changed since.

Nothing here imports matplotlib (whoever has a figure has it) or IPython (a script that only plots pays for neither
formatters nor a shell).
"""

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from weakref import WeakKeyDictionary

from ..figures.owner import figure_of, is_a
from .output import Output
from .session import Shown, current

log = logging.getLogger("ipyweb")

BACKENDS = frozenset({"ipyweb", "module://ipyweb.integrations.matplotlib_backend"})
"""The names under which our backend is chosen."""

Listener = Callable[[Any, Output], None]
listeners: list[Listener] = []
"""Called with a figure and its output when the figure gets one."""


class Showing:
    """What became of one figure.

    Attributes:
        output: the newest output it got.
        session: the session that showed it; a forked child begins another.
        changed: whether something of it changed since it was drawn.
        watch: the `stale_callback` that sees changes.
        animated: whether its animations were drawn.
        figure: the id under which the figure keeper has it, if it has.
    """

    def __init__(self) -> None:
        self.output: Output | None = None
        self.session = ""
        self.changed = True
        self.watch: Callable[[Any, bool], None] | None = None
        self.animated = False
        self.figure: str | None = None
        self._drawing: int | None = None

    def follow(self, figure: Any) -> None:
        """See the changes of a figure, before whoever sees them already; the figure itself never forgets "stale"."""
        before = figure.stale_callback
        if before is not None and before is self.watch:
            return

        def changed(artist: Any, value: bool) -> None:
            self.changed = self.changed or self._drawing != threading.get_ident()
            if before is not None:
                before(artist, value)

        self.watch = figure.stale_callback = changed

    def is_current(self, figure: Any) -> bool:
        """Whether its output shows the figure as it is."""
        followed = self.watch is not None and figure.stale_callback is self.watch
        return followed and not self.changed and self.session == current().id

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """While it is entered, changes by this thread are those that drawing makes: tick labels, layout."""
        self._drawing = threading.get_ident()
        try:
            yield
        finally:
            self._drawing = None


_showings: "WeakKeyDictionary[Any, Showing]" = WeakKeyDictionary()


def follow(figure: Any) -> Showing:
    """What became of a figure, whose changes are seen from now on."""
    showing = _showings.setdefault(figure, Showing())
    showing.follow(figure)
    return showing


def show_figure(
    figure: Any,
    display_id: str | None = None,
    title: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    update: bool = False,
) -> Output:
    """Show a figure as it is now, as an output of its own unless this is an update.

    Args:
        figure: a matplotlib figure.
        display_id: names the output.
        title: shown with the output; the figure's own when left out.
        metadata: by MIME type.
        update: whether the output with this display id is changed.

    Returns:
        The output, which later changes of the figure update when it is shown by pyplot.
    """
    showing = follow(figure)
    showing.changed = False
    title = title or title_of(figure)
    with showing.drawing():
        shown = _show(figure, display_id, title, metadata, update)
    first = showing.output is None or showing.output.display_id != shown.display_id
    session = current()
    output = Output(session, shown.display_id, shown.mimetypes, title, shown.receipt)
    showing.output, showing.session, showing.figure = output, session.id, shown.figure
    if first:
        for listener in list(listeners):
            listener(figure, output)
    return output


def display(
    obj: Any, display_id: str | None, title: str | None, metadata: Mapping[str, Any] | None, update: bool
) -> Output | None:
    """Show an object of matplotlib, without IPython's formatters.

    Returns:
        The output; ``None`` for anything else, and where the user has other formatters for figures.
    """
    if "matplotlib.figure" not in sys.modules:
        return None
    from ..integrations.matplotlib import formatted_by_others

    if is_a(obj, "matplotlib.animation", "Animation"):
        from .animations import show_animation

        return show_animation(obj, display_id, title, update)
    figure = figure_of(obj)
    if figure is None or formatted_by_others(but_inline=True):
        return None
    return show_figure(figure, display_id, title, metadata, update)


def push(figure: Any) -> Output:
    """Show a figure, or update the output that it has, unless that shows it as it is already.

    Returns:
        Its output.
    """
    showing = _showings.get(figure)
    if showing is None or showing.output is None or showing.session != current().id:
        output = show_figure(figure)
    elif showing.is_current(figure):
        output = showing.output
    else:
        output = show_figure(figure, showing.output.display_id, update=True)
    return _animate(figure, showing) or output


def _animate(figure: Any, showing: Showing | None) -> Output | None:
    """Let an animated figure play, once."""
    if "matplotlib.animation" not in sys.modules or (showing is not None and showing.animated):
        return None
    from .animations import animate

    return animate(figure, _showings[figure])


def was_shown(figure: Any) -> bool:
    """Whether this process has shown the figure."""
    return figure in _showings


def mark_drawn(figure: Any) -> None:
    """Note that somebody else shows the figure as it is now."""
    showing = follow(figure)
    showing.changed, showing.session = False, current().id


def draw(figure: Any) -> bytes:
    """The figure as PNG, at its own size and resolution. Its canvas and all else of it stay as they are."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi)
    return buffer.getvalue()


def _show(
    figure: Any, display_id: str | None, title: str | None, metadata: Mapping[str, Any] | None, update: bool
) -> Shown:
    """Send a figure, which is drawn elsewhere; the only place that does."""
    from .figures import show_figure

    return show_figure(current(), figure, display_id=display_id, update=update, title=title, metadata=metadata)


def title_of(figure: Any) -> str | None:
    """The name that its author gave it: the figure's label, its title, or the title of its only axes."""
    for name in (_label, _suptitle, _only_title):
        try:
            text = name(figure)
        except Exception:  # a subclass of the user's own may lack anything
            continue
        if text:
            return str(text)
    return None


def _label(figure: Any) -> object:
    return figure.get_label()


def _suptitle(figure: Any) -> object:
    return figure.get_suptitle()


def _only_title(figure: Any) -> object:
    return figure.axes[0].get_title() if len(figure.axes) == 1 else None


# -- pyplot


def managers() -> list[Any]:
    """The managers of the figures that pyplot holds."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    return [] if helpers is None else list(helpers.Gcf.get_all_fig_managers())


def current_figure() -> Any:
    """The figure that pyplot's next command would change; ``None`` when there is none."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    manager = None if helpers is None else helpers.Gcf.get_active()
    return None if manager is None else manager.canvas.figure


def at_prompt() -> bool:
    """Whether somebody types commands, so that a figure stays current after it was shown."""
    return hasattr(sys, "ps1")


def show_all(block: bool | None = None) -> None:
    """``plt.show()``: show the figures that pyplot holds, and return at once.

    Args:
        block: as for ``plt.show``. Where it would have blocked until the windows are closed, in a script, pyplot lets
            go of the figures as if they had been.
    """
    shown = sorted(managers(), key=lambda manager: int(manager.num))
    for manager in shown:
        push(manager.canvas.figure)
    if _would_block(block) and not at_prompt():
        for manager in shown:
            close(manager)


def _would_block(block: bool | None) -> bool:
    import matplotlib

    pyplot = sys.modules.get("matplotlib.pyplot")
    in_pylab = hasattr(getattr(pyplot, "show", None), "_needmain")  # IPython's mark that it took care of windows
    return (not in_pylab and not matplotlib.is_interactive()) if block is None else block


def close(manager: Any) -> None:
    """Do what happens when somebody closes a window: whoever listens hears of it, and pyplot lets go of the figure."""
    from matplotlib._pylab_helpers import Gcf
    from matplotlib.backend_bases import CloseEvent

    canvas = manager.canvas
    CloseEvent("close_event", canvas)._process()  # type: ignore[attr-defined]
    Gcf.destroy(manager)
    canvas.figure.set_canvas(canvas)  # matplotlib gave it a plain one, which can neither draw nor be shown again


def end_of_cell(*_: object) -> None:
    """Show what the last command made or changed, where pyplot is interactive and the backend ours."""
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None or not matplotlib.is_interactive():
        return
    if dict.__getitem__(matplotlib.rcParams, "backend") not in BACKENDS:
        return
    for manager in managers():
        figure = manager.canvas.figure
        try:
            if was_shown(figure) or len(figure.get_children()) > 1:  # its background is a child
                push(figure)
        except Exception:
            log.debug("a figure could not be shown", exc_info=True)


def set_aside() -> Callable[[], None]:
    """Let pyplot begin without a figure, as in a notebook's cell.

    Returns:
        A function that shows and closes the figures made since, and gives pyplot those that it had.
    """
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is None:
        return show_captured
    aside = dict(helpers.Gcf.figs)
    helpers.Gcf.figs.clear()

    def put_back() -> None:
        try:
            show_captured()
        finally:
            helpers.Gcf.figs.clear()
            helpers.Gcf.figs.update(aside)

    return put_back


def show_captured() -> None:
    """Show the figures that pyplot holds, and close them, as a notebook does at the end of a cell."""
    if managers() and dict.__getitem__(sys.modules["matplotlib"].rcParams, "backend") in BACKENDS:
        for manager in managers():
            push(manager.canvas.figure)
            close(manager)


def follow_cells(shell: Any) -> Callable[[], None]:
    """Show figures at the end of each cell of an IPython shell.

    Returns:
        A function that ends this.
    """
    if end_of_cell not in shell.events.callbacks["post_execute"]:
        shell.events.register("post_execute", end_of_cell)

    def undo() -> None:
        if end_of_cell in shell.events.callbacks["post_execute"]:
            shell.events.unregister("post_execute", end_of_cell)

    return undo
