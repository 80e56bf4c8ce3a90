"""SymPy: formulas stay LaTeX when ``init_printing`` takes that away, as it does in a terminal."""

from collections.abc import Callable
from typing import Any

_PRINTABLE = "sympy.core._print_helpers.Printable"


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Give everything that SymPy prints a LaTeX representation."""
    latex = shell.display_formatter.formatters["text/latex"]
    latex.for_type(_PRINTABLE, _latex)

    def undo() -> None:
        latex.pop(_PRINTABLE, None)

    return undo


def _latex(expression: Any) -> str:
    from sympy import latex

    return f"$\\displaystyle {latex(expression)}$"
