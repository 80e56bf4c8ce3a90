"""lonboard, whose front end loads a part of itself from the internet, once that is allowed to the output."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from ipyweb import connection

from ..conftest import wait_until
from ..widgets.conftest import Start, line_that_is
from .conftest import OpenPane, Pane
from .test_network import allow
from .test_widgets import look, the_widget

WASM = Path(__file__).parents[2] / "js" / "node_modules" / "parquet-wasm" / "esm" / "parquet_wasm_bg.wasm"
SCRIPT = """
import pathlib, geopandas, ipyweb, lonboard
places = geopandas.points_from_xy([12.4, 12.5, 12.6], [41.9, 41.9, 41.9])
points = geopandas.GeoDataFrame(geometry=places, crs="EPSG:4326")
layer = lonboard.ScatterplotLayer.from_geopandas(points, get_radius=3000, get_fill_color=[0, 128, 0])
layer.observe(lambda change: print("picked", change.new, flush=True), "selected_index")
shown = lonboard.Map(layer, basemap=None)
ipyweb.display(shown, title="map")
while not pathlib.Path("go").exists():
    ipyweb.wait(0.05)
layer.get_fill_color = [0, 0, 255]
ipyweb.wait()
"""


@pytest.fixture
def cdn(context: BrowserContext) -> list[str]:
    """What is asked for there; the file itself is npm's."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        headers = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(path=WASM, content_type="application/wasm", headers=headers)

    context.route("https://cdn.jsdelivr.net/**", answer)
    return asked


def shows(pane: Pane, red: int, green: int, blue: int) -> None:
    wait_until(lambda: pane.share((red, green, blue)) > 0.01, f"points of the colour {red}, {green}, {blue}")


def test_a_map_lives_once_its_network_is_allowed(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane, tmp_path: Path, cdn: list[str]
) -> None:
    script = waiting(SCRIPT)
    pane = look(open_pane, hub, the_widget(hub))
    expect(pane.page.get_by_test_id("stage")).to_contain_text("cdn.jsdelivr.net")
    pane.expect_problems()  # it says so in the console that it cannot be loaded
    assert cdn == []
    allow(pane)
    shows(pane, 0, 128, 0)
    pane.problems.clear()
    assert [each.rpartition("/npm/")[2] for each in cdn] == ["parquet-wasm@0.7.1/esm/parquet_wasm_bg.wasm"]
    pane.frame.locator("canvas").first.click(force=True)
    line_that_is(script, "picked 1")
    (tmp_path / "go").touch()
    shows(pane, 0, 0, 255)
