"""Another project's tests, run plain and again with a part of ipyweb in place: the outcomes must be the same.

Where outcomes differ, everything is run both ways once more, and the tests that differed each alone. One that differs
again, in the whole or alone, differs because of ipyweb; one that does not is flaky, and is named as such.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from outcomes import UNCOLLECTED

HERE = Path(__file__).resolve().parent
OPTIONS = ("--quiet", "--quiet", "--tb=short", "--durations=0", "--durations-min=60", "-p", "no:cacheprovider")
MISSING = "missing"
Outcomes = dict[str, str]


class Suite:
    """A project's tests, and the ways to run them.

    Args:
        plugin: of pytest, which puts ipyweb in place.
        environment: of the processes that run them.
        tests: what pytest is told to run, unless only some are wanted.
        folder: holds them, if they are not in an installed package.
    """

    def __init__(
        self, plugin: str, environment: dict[str, str], tests: Sequence[str] = ("tests",), folder: Path | None = None
    ) -> None:
        self._plugin = plugin
        self._environment = environment
        self._tests = tests
        self._folder = folder

    def run(self, loaded: bool, only: Sequence[str] = ()) -> Outcomes:
        """One run of pytest.

        Args:
            loaded: whether ipyweb is in place.
            only: ids of the tests to run; all when there are none.

        Returns:
            The outcome of each test by its id.
        """
        plugins = ("-p", "outcomes", *(("-p", self._plugin) if loaded else ()))
        with TemporaryDirectory() as directory:
            if self._folder is not None:
                copytree(self._folder, directory, dirs_exist_ok=True)
            path = Path(directory, "outcomes.json")
            subprocess.run(
                [sys.executable, "-m", "pytest", *OPTIONS, f"--rootdir={directory}", *plugins, *(only or self._tests)],
                cwd=directory,
                env={**self._environment, "OUTCOMES": str(path), "PYTHONPATH": str(HERE)},
                stdin=subprocess.DEVNULL,
            )
            return dict(json.loads(path.read_text())) if path.exists() else {}

    def compare(self) -> bool:
        """Run plain, then loaded, and print how the outcomes compare.

        Returns:
            Whether they are the same, there are any, and every file of them could be read.
        """
        plain, loaded, different = self._differing()
        again = self._differing()[2] if different else []
        caused = [test for test in different if test in again or self._differing([test])[2]]
        print()
        for name, outcomes in (("plain", plain), ("with ipyweb", loaded)):
            counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(Counter(outcomes.values()).items()))
            print(f"{name:14} {len(outcomes)} tests: {counts}")
        for test in different:
            verdict = "because of ipyweb" if test in caused else "flaky: not again, and not alone"
            print(f"  {test}: {plain.get(test, MISSING)} plain, {loaded.get(test, MISSING)} with ipyweb: {verdict}")
        print("the outcomes differ" if caused else "the outcomes are the same")
        unread = [test for test, outcome in plain.items() if outcome == UNCOLLECTED]
        if unread:
            print(f"these could not even be read; install what they import: {', '.join(unread)}")
        return not caused and not unread and bool(plain)

    def _differing(self, only: Sequence[str] = ()) -> tuple[Outcomes, Outcomes, list[str]]:
        plain, loaded = self.run(False, only), self.run(True, only)
        different = [test for test in {**plain, **loaded} if plain.get(test, MISSING) != loaded.get(test, MISSING)]
        return plain, loaded, different
