"""Renderers that packages bring: an example package is installed, shows its own MIME type, and the pane draws it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ipyweb import connection

from .conftest import ROOT, OpenPane, Pane, Publish, opened

PACKAGES = Path(__file__).with_name("packages")
MIME = "application/vnd.acme.bars+json"
RENDERER = f"application/vnd.ipyweb.renderer; type={MIME}"
TEAL = (0, 128, 128)

Run = Callable[[str], int]


@pytest.fixture
def run(hub: connection.Connection, tmp_path: Path) -> Run:
    """Run a script where the example package is installed; returns the id of what it showed."""

    def run(code: str) -> int:
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([ROOT, str(PACKAGES)])}
        script = f"import ipyweb\nfrom acme_bars import Bars\n{code}"
        subprocess.run([sys.executable, "-c", script], check=True, timeout=180, env=environ, cwd=tmp_path)
        (record,) = connection.request(hub, "GET", "api/outputs?limit=1").json()["outputs"]
        return int(record["id"])

    return run


def test_a_package_draws_its_own_type_inside_the_frame(
    run: Run, open_pane: OpenPane, hub: connection.Connection
) -> None:
    pane = opened(open_pane, hub, run("ipyweb.display(Bars([1, 2, 1]))"))
    expect(pane.page.locator(f"[data-testid=stage] [data-mime='{MIME}']")).to_have_count(1)
    assert pane.frame.evaluate("origin") == "null"
    assert pane.frame.get_by_role("img", name="Bars: 1, 2, 1").locator("rect").count() == 3
    assert 0.5 < pane.share(TEAL) < 0.75


def test_a_new_version_takes_its_place(run: Run, open_pane: OpenPane, hub: connection.Connection) -> None:
    output = run("ipyweb.display(Bars([1, 2]), display_id='b').update(Bars([1, 2, 3, 4]))")
    pane = opened(open_pane, hub, output)
    expect(pane.page.get_by_test_id("versions").locator(".version")).to_have_text("v2")
    assert pane.frame.locator("rect").count() == 4


def test_the_drawing_follows_the_stage(run: Run, open_pane: OpenPane, hub: connection.Connection) -> None:
    pane = opened(open_pane, hub, run("ipyweb.display(Bars([1, 1]))"))
    pane.page.set_viewport_size({"width": 500, "height": 600})
    pane.frame.wait_for_function("document.querySelector('svg').clientWidth === innerWidth && innerWidth <= 500")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("export const draw = 1", "exports no function"),
        ("export function render() { throw new Error('no bars today') }", "no bars today"),
        ("this is no script", "SyntaxError"),
    ],
)
def test_a_renderer_that_fails_says_why(pane: Pane, publish: Publish, script: str, says: str) -> None:
    output = publish({MIME: "{}", RENDERER: script.encode(), "text/plain": "Bars"})
    pane.ready(output, "error")
    expect(pane.page.get_by_role("alert")).to_contain_text(says)
    pane.page.locator("[data-choose='text/plain']").click()
    pane.ready(output)


def test_a_renderer_has_no_network(pane: Pane, publish: Publish) -> None:
    pane.expect_problems()
    script = (
        "export async function render(el) { await fetch('https://example.org').catch(() => {}); el.textContent = 'x' }"
    )
    pane.ready(publish({MIME: "{}", RENDERER: script.encode()}))
    expect(pane.page.get_by_text("no network in outputs")).to_be_visible()
