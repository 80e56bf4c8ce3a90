"""mpld3: D3 and mpld3's script come from the user's own package, and ``show`` starts no server.

Its drawings have black letters and no background, so they get one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..session.companions import companions
from . import chain, replace

_PAPER = "<style>svg.mpld3-figure { background: #fff }</style>"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Let figures bring their scripts with them."""
    import mpld3
    from mpld3 import _display, urls

    return chain(
        replace(mpld3, "show", _show),
        replace(_display, "show", _show),
        companions.add_prelude(_PAPER, needed_by=r"mpld3\.draw_figure"),
        companions.add_files(urls.D3_URL, Path(urls.D3_LOCAL)),
        companions.add_files(urls.MPLD3_URL, Path(urls.MPLD3_LOCAL)),
        companions.add_files(urls.MPLD3MIN_URL, Path(urls.MPLD3MIN_LOCAL)),
    )


def _show(fig: Any = None, *args: object, **options: object) -> None:
    import mpld3
    from IPython.display import display

    display(mpld3.display(fig))
