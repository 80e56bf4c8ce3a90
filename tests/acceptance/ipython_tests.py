"""IPython's own tests, with ipyweb loaded into their shell."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from fetch import fetch
from private import private_hub
from suites import Suite


def outputs(environment: dict[str, str]) -> int:
    """How many outputs the hub has got from the tests."""
    command = [sys.executable, "-m", "ipyweb", "status", "--json"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    return int(json.loads(done.stdout)["outputs"])


def main(cache: Path) -> int:
    """Run the tests both ways.

    Args:
        cache: folder that keeps what was fetched.

    Returns:
        Exit status, 0 when all outcomes are the same.
    """
    requirement = f"ipython=={version('ipython')}"
    folder = fetch(requirement, cache, ["tests", "conftest.py", "pyproject.toml"])
    print(f"the tests of {requirement} on Python {sys.version.split()[0]}", flush=True)
    with private_hub() as environment:
        same = Suite("loaded_extension", environment, folder=folder).compare()
        shown = outputs(environment)
    print(f"{shown} outputs of these tests reached the hub")
    return int(not same or not shown)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
