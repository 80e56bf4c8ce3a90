"""``ipyweb demo``."""

from importlib.util import find_spec
from typing import NamedTuple

from ..browser import link
from ..config import IPyWeb
from ..errors import HubUnreachable
from ..project import project_of
from ..session.display import display, flush
from ..session.output import Output
from ..session.session import current
from .app import Command, started
from .exhibits import EXHIBITS, Exhibit
from .text import cut

PATIENCE = 30.0
"""Seconds that the hub may take to store everything; a slow machine starts one in two."""

_IMPORTED_AS = {"pillow": "PIL"}


class Shown(NamedTuple):
    """What became of an exhibit: its output, or the reason why there is none."""

    exhibit: Exhibit
    output: Output | None = None
    reason: str = ""


class Demo(Command):
    """Use ipyweb as its users do."""

    name = "demo"
    description = """
        Show one real object of every kind in the pane, and print what was shown and the link. It needs no network;
        what needs a library that is not installed is left out, and the library named.
    """

    def start(self) -> None:
        """Show everything, wait until it is stored, and print a report.

        Raises:
            HubUnreachable: no hub took the outputs.
        """
        current("script", IPyWeb.instance(config=self.config))
        results = [_show(exhibit) for exhibit in EXHIBITS]
        if not flush(PATIENCE):
            raise HubUnreachable(f"no hub stored the outputs within {PATIENCE:g} s; `ipyweb doctor` tells more")
        for result in results:
            print(_line(result))
        self.exit_status = int(any(_failed(result) for result in results))
        print(f"\nThe pane: {link(started(), project_of())}")


def _show(exhibit: Exhibit) -> Shown:
    missing = [name for name in exhibit.needs if find_spec(_IMPORTED_AS.get(name, name)) is None]
    if missing:
        return Shown(exhibit, reason=f"left out, install it: python -m pip install {' '.join(missing)}")
    try:
        return Shown(exhibit, display(exhibit.make(), title=exhibit.title))
    except Exception as error:  # a library that is there and broken must not end the tour
        return Shown(exhibit, reason=f"failed: {type(error).__name__}: {error}")


def _failed(result: Shown) -> bool:
    return result.reason.startswith("failed") or (result.output is not None and result.output.status != "stored")


def _line(result: Shown) -> str:
    number = "" if result.output is None else result.output.id
    what = f"{number or '-':>5}  {result.exhibit.mime:38}  {result.exhibit.title}"
    return cut(f"{what}  ({result.reason})" if result.reason else what, 200)
