"""The gallery of Altair 4.2.2, run on the installed Altair without a network: specifications and drawings.

An example passes when the hub stored the specification that ``chart.to_dict()`` makes, the browser fetched just that,
its frame became ready with a drawing that is not blank, and the console stayed free of errors. Data that an example
names by address cannot be had offline: then the chart is drawn without them, and a remark in the pane says so.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fetch import fetch
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator
from private import private_hub
from tabs import Watched, pane

from ipyweb import connection

GALLERY = "altair==4.2.2"
MIME = "application/vnd.vegalite.v6.json"
READY_WITHIN = 20_000
"""Milliseconds for one chart; the largest takes two seconds on two quiet cores."""

SHAPES = """frame => {
    const painted = ({ width, height }) => width + height > 0;
    const shapes = [...frame.querySelectorAll("svg.marks :is(path, line, rect, text, circle, image):not(.background)")];
    return shapes.filter(each => painted(each.getBoundingClientRect())).length;
}"""
"""How many shapes with an extent a drawing has, backgrounds excepted."""


@dataclass
class Example:
    """What became of one example."""

    name: str
    spec_equal: bool = False
    fetched: bool = False
    state: str = ""
    shapes: int = 0
    remarks: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        drawn = self.state == "ready" and (self.shapes > 0 or bool(self.remarks))
        return self.spec_equal and self.fetched and drawn and not self.errors

    def row(self) -> str:
        cells = ("yes" if self.spec_equal else "NO", "yes" if self.fetched else "NO", self.state, self.shapes)
        facts = "  ".join(f"{cell!s:7}" for cell in cells)
        said = "; ".join([*self.errors, *(remark.rpartition("/")[2] for remark in self.remarks)])
        return f"{'ok  ' if self.passed else 'FAIL'} {self.name:42} {facts}  {said}"


def main(cache: Path) -> int:
    """Run all examples.

    Args:
        cache: folder that keeps what was fetched.

    Returns:
        Exit status, 0 when every example that gives a chart passed and the network was left alone.
    """
    folder = fetch(GALLERY, cache, ["altair/examples"]) / "altair" / "examples"
    print(f"examples of {GALLERY} on Altair {version('altair')}", flush=True)
    with private_hub() as environment:
        expected = displayed(folder, environment)
        os.environ.update(environment)
        hub = connection.find()
        assert hub is not None, "the hub has stopped"
        shown = {name: each for name, each in expected.items() if "spec" in each}
        with pane(hub, READY_WITHIN) as watched:
            print(f"\n     {'example':42} {'spec':7}  {'fetched':7}  {'state':7}  {'shapes':7}")
            examples = [look(watched, hub, name, each) for name, each in shown.items()]
    for name, each in expected.items():
        if "error" in each:
            print(f"none {name:42} {each['error']}")
    passed = sum(example.passed for example in examples)
    print(f"\n{len(expected)} examples, {len(examples)} give a chart offline, {passed} passed")
    told = [example for example in examples if example.remarks]
    blank = [example.name for example in told if not example.shapes]
    print(f"{len(told)} name data by address, and say in a remark that these were not loaded")
    print(f"{len(blank)} of them have nothing to draw without: {' '.join(blank)}")
    print(f"requests beyond the hub: {watched.strangers or 'none'}")
    return passed < len(examples) or not examples or bool(watched.strangers)


def displayed(folder: Path, environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Display all charts from a process of their own; returns what each should arrive as."""
    path = Path(environment["HOME"], "expected.json")
    script = Path(__file__).with_name("altair_show.py")
    subprocess.run([sys.executable, str(script), str(folder), str(path)], env=environment, check=True)
    return dict(json.loads(path.read_text()))


def look(watched: Watched, hub: connection.Connection, name: str, expected: dict[str, Any]) -> Example:
    """Show one output in the pane and see what comes of it."""
    example = Example(name)
    record = connection.request(hub, "GET", f"api/outputs/{expected['id']}").json()
    stored = connection.request(hub, "GET", f"api/outputs/{expected['id']}/data?mime={quote(MIME, safe='')}").json()
    example.spec_equal = _canonical(stored) == _canonical(expected["spec"])
    article = watched.page.locator(f"[data-testid=stage] [data-output-id='{expected['id']}'][data-mime='{MIME}']")
    watched.page.evaluate(f"location.hash = '#o={expected['id']}'")
    try:
        article.and_(watched.page.locator("[data-state=ready], [data-state=error]")).wait_for()
        example.state = article.get_attribute("data-state") or ""
        if example.state == "ready":
            example.shapes = _shapes(article)
        example.errors += article.locator(".problem p").all_text_contents()
    except PlaywrightError as error:
        example.errors.append(str(error).splitlines()[0])
    example.fetched = f"/{record['data'][MIME]['url']}" in watched.fetched
    example.remarks = watched.page.locator("[data-testid=stage] .note li").all_text_contents()
    example.errors += watched.take_errors()
    print(example.row(), flush=True)
    return example


def _canonical(spec: dict[str, Any]) -> str:
    return json.dumps(spec, sort_keys=True)  # for Python, 1 == 1.0 == True


def _shapes(article: Locator) -> int:
    frame = article.locator("iframe:visible").element_handle().content_frame()
    assert frame is not None, "an iframe has a frame"
    return int(frame.locator("#output").evaluate(SHAPES))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
