"""A pytest plugin that writes the outcome of every test to the JSON file that ``OUTCOMES`` names."""

import json
import os
from pathlib import Path

import pytest

UNCOLLECTED = "uncollected"
_RANK = ("passed", "skipped", "failed", UNCOLLECTED)


class Outcomes:
    """Outcomes by test id; of a test's phases the worst counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.by_id: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report.nodeid, report.outcome)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note(report.nodeid, UNCOLLECTED)

    def _note(self, test: str, outcome: str) -> None:
        self.by_id[test] = max(self.by_id.get(test, "passed"), outcome, key=_RANK.index)

    def pytest_sessionfinish(self) -> None:
        self.path.write_text(json.dumps(self.by_id, indent=0, sort_keys=True))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Outcomes(Path(os.environ["OUTCOMES"])))
