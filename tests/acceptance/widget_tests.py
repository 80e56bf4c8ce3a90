"""ipywidgets' and anywidget's own tests, with ipyweb carrying all comms."""

import sys
from importlib.metadata import version
from pathlib import Path

from fetch import fetch
from private import private_hub
from suites import Suite

PLUGIN = "carried_comms"


def main(cache: Path) -> int:
    """Run the tests both ways.

    Args:
        cache: folder that keeps what was fetched.

    Returns:
        Exit status, 0 when all outcomes are the same.
    """
    anywidget = f"anywidget=={version('anywidget')}"
    folder = fetch(anywidget, cache, ["tests"])
    with private_hub() as environment:
        suites = {
            f"ipywidgets=={version('ipywidgets')}": Suite(PLUGIN, environment, ("--pyargs", "ipywidgets")),
            anywidget: Suite(PLUGIN, environment, folder=folder),
        }
        same = []
        for name, suite in suites.items():
            print(f"the tests of {name} on Python {sys.version.split()[0]}", flush=True)
            same.append(suite.compare())
    return int(not all(same))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
