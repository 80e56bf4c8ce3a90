"""Runs a script under Agg, where each ``plt.show()`` saves the figures that it would show, and lets go of them.

    MPLBACKEND=agg python gallery_agg.py SCRIPT FOLDER

FOLDER gets one PNG per figure, numbered in the order in which they were shown first.
"""

import runpy
import sys
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

script, folder = sys.argv[1], Path(sys.argv[2])
numbers: "WeakKeyDictionary[Figure, int]" = WeakKeyDictionary()
kept: list[Figure] = []  # so that no two figures get the same number


def save(figure: Figure) -> None:
    if figure not in numbers:
        numbers[figure] = len(numbers) + 1
        kept.append(figure)
    figure.savefig(folder / f"{numbers[figure]}.png", dpi=figure.dpi, bbox_inches=None)


def show(*args: Any, block: bool | None = None, **kwargs: Any) -> None:
    for number in plt.get_fignums():
        save(plt.figure(number))
    if block or (block is None and not plt.isinteractive()):
        plt.close("all")


plt.show = show
Figure.show = lambda figure, warn=True: save(figure)
sys.argv = [script]
sys.path[0] = str(Path(script).parent)
runpy.run_path(script, run_name="__main__")
