"""IPython's own tests, run plain and again with ipyweb loaded into their shell: the outcomes must be the same.

Where outcomes differ, everything is run both ways once more, and the tests that differed each alone. One that differs
again, in the whole or alone, differs because of ipyweb; one that does not is flaky, and is named as such.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from fetch import fetch
from private import private_hub

HERE = Path(__file__).resolve().parent
OPTIONS = ("--quiet", "--quiet", "--tb=short", "--durations=0", "--durations-min=60", "-p", "no:cacheprovider")
MISSING = "missing"
Outcomes = dict[str, str]


class Suite:
    """IPython's tests, and the ways to run them.

    Args:
        folder: that holds them.
        environment: of the processes that run them.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def run(self, loaded: bool, only: Sequence[str] = ("tests",)) -> Outcomes:
        """One run of pytest.

        Args:
            loaded: whether ipyweb is loaded into the tests' shell.
            only: ids of the tests to run.

        Returns:
            The outcome of each test by its id.
        """
        plugins = ("-p", "outcomes", *(("-p", "loaded_extension") if loaded else ()))
        with TemporaryDirectory() as directory:
            copytree(self.folder, directory, dirs_exist_ok=True)
            path = Path(directory, "outcomes.json")
            subprocess.run(
                [sys.executable, "-m", "pytest", *OPTIONS, f"--rootdir={directory}", *plugins, *only],
                cwd=directory,
                env={**self.environment, "OUTCOMES": str(path), "PYTHONPATH": str(HERE)},
                stdin=subprocess.DEVNULL,
            )
            return dict(json.loads(path.read_text())) if path.exists() else {}

    def differing(self, only: Sequence[str] = ("tests",)) -> tuple[Outcomes, Outcomes, list[str]]:
        """Run plain, then loaded.

        Returns:
            The outcomes of both, and the ids of those that differ.
        """
        plain, loaded = self.run(False, only), self.run(True, only)
        different = [test for test in {**plain, **loaded} if plain.get(test, MISSING) != loaded.get(test, MISSING)]
        return plain, loaded, different

    def outputs(self) -> int:
        """How many outputs the hub has got from the tests."""
        command = [sys.executable, "-m", "ipyweb", "status", "--json"]
        done = subprocess.run(command, env=self.environment, check=True, capture_output=True)
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
        suite = Suite(folder, environment)
        plain, loaded, different = suite.differing()
        outputs = suite.outputs()
        again = suite.differing()[2] if different else []
        caused = [test for test in different if test in again or suite.differing([test])[2]]
    print()
    for name, outcomes in (("plain", plain), ("ipyweb loaded", loaded)):
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(Counter(outcomes.values()).items()))
        print(f"{name:14} {len(outcomes)} tests: {counts}")
    print(f"{outputs} outputs of these tests reached the hub")
    for test in different:
        verdict = "because of ipyweb" if test in caused else "flaky: not again, and not alone"
        print(f"  {test}: {plain.get(test, MISSING)} plain, {loaded.get(test, MISSING)} loaded: {verdict}")
    print("the outcomes differ" if caused else "the outcomes are the same")
    return int(bool(caused) or not plain or not outputs)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
