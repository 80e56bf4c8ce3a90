"""Lengths on paper and screen, as people write them. Standard library only."""

import re

Length = tuple[float, str]
"""A number, and ``px`` or ``in``."""

_UNITS = {"": ("px", 1.0), "px": ("px", 1.0), "in": ("in", 1.0), "cm": ("in", 1 / 2.54), "mm": ("in", 1 / 25.4)}


def length(text: str | float) -> Length:
    """A length such as ``800``, ``800px``, ``8in``, ``21cm`` or ``85mm``.

    Raises:
        ValueError: it is none.
    """
    match = re.fullmatch(r"\s*([0-9]{0,9}\.?[0-9]{1,9})\s*(px|in|cm|mm|)\s*", str(text))
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"expected a length such as 800, 8in, 21cm or 85mm, got {str(text)[:40]!r}")
    unit, factor = _UNITS[match[2]]
    return float(match[1]) * factor, unit
