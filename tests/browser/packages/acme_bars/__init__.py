"""Bars: an example of a package with a MIME type and a renderer of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

renderer = Path(__file__).with_name("bars.js")
"""What draws the MIME type in the pane."""


class Bars:
    """Bars of some heights."""

    def __init__(self, heights: Sequence[float], colour: str = "teal") -> None:
        self.heights = list(heights)
        self.colour = colour

    def __repr__(self) -> str:
        return f"Bars({self.heights})"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The bundle, and the metadata of its MIME type."""
        mime = "application/vnd.acme.bars+json"
        return {mime: {"heights": self.heights}, "text/plain": repr(self)}, {mime: {"colour": self.colour}}
