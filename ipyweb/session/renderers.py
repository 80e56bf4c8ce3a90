"""Renderers that the user's own packages bring for MIME types which the pane does not know.

A package names them in the entry point group ``ipyweb.renderers``: the MIME type as the name, and as the value an
object that is the path of a JavaScript module, or a function that returns one, or its text::

    [project.entry-points."ipyweb.renderers"]
    "application/vnd.acme.chart+json" = "acme_charts:renderer"

The module exports ``render(el, bundle)``, which draws into an element inside the output's sandboxed frame, and may
return a promise, and a function that cleans up. ``bundle`` has the ``mime`` type, the data's ``bytes`` as a
``Uint8Array``, and the MIME type's ``metadata``. The module must bring all that it needs: the frame has no network. It
goes with each output of that type, stored once, and so is there when the package is gone.
"""

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..forking import whole
from ..protocol import is_known, renderer_type

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "ipyweb.renderers"
log = logging.getLogger("ipyweb")


def of(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The renderers that a bundle needs, by the MIME types of companions.

    Packages are looked for only when a bundle has a type that the pane does not know.
    """
    unknown = [mime for mime in parts if not is_known(mime)]
    if not unknown:
        return {}
    sources = {mime: _source(mime) for mime in unknown}
    return {renderer_type(mime): source for mime, source in sources.items() if source is not None}


@cache
def _source(mime: str) -> bytes | None:
    """The JavaScript module for a MIME type, if a package has one."""
    found = _entry_points().get(mime)
    if found is None:
        return None
    try:
        value = found.load()
        made = value() if callable(value) else value
        return Path(made).read_bytes() if isinstance(made, Path) else str(made).encode()
    except Exception as error:
        log.warning("ipyweb: the renderer of %s for %s cannot be used: %r", found.value, mime, error)
        return None


@cache
def _entry_points() -> dict[str, "EntryPoint"]:
    with whole:
        from importlib.metadata import entry_points
    return {each.name: each for each in entry_points(group=GROUP)}
