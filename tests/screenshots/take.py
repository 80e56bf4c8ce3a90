"""Take reference screenshots of the pane: twelve views, three widths, both themes, from real outputs.

    python tests/screenshots/take.py DIRECTORY

writes `VIEW-WIDTH-THEME.png` for each, and a sheet of all views for each width and theme.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
sys.path.insert(0, str(Path(__file__).parents[2]))

from chromium import page
from PIL import Image
from playwright.sync_api import expect

from ipyweb import connection
from tests.browser import views
from tests.browser.views import VIEWS, View
from tests.conftest import stop_hub, stop_keeper

ROOT = Path(__file__).parents[2]
WIDTHS = {1400: 900, 900: 700, 320: 640}
"""Heights by widths."""
THEMES = ("light", "dark")
OURS = {"scatter": View("Scatter")}
TAKEN = [
    "empty", "figure", "table", "scatter", "widget", "search", "gallery", "compare", "details", "export", "palette",
    "notices",
]  # fmt: skip
ACROSS = {1400: 3, 900: 4, 320: 6}
"""How many of a width are beside one another on a sheet."""
THUMBNAIL = 2100
"""Pixels of a sheet's width."""


@contextmanager
def project() -> Iterator[Path]:
    """A directory called `waves`, with settings and a hub of its own, in which the outputs are shown."""
    with tempfile.TemporaryDirectory() as directory:
        for name in ("IPYWEB_RUNTIME_DIR", "IPYWEB_DATA_DIR", "XDG_CONFIG_HOME"):
            path = Path(directory, name.lower())
            path.mkdir(mode=0o700)
            os.environ[name] = str(path)
        os.environ.update(IPYWEB_BROWSER="none", IPYWEB_REPORT="0")
        waves = Path(directory, "waves")
        waves.mkdir()
        try:
            yield waves
        finally:
            stop_hub()
            for keeper in Path(directory, "ipyweb_runtime_dir", "keepers").glob("*/"):
                stop_keeper(keeper.name)


def show_all(waves: Path) -> dict[str, int]:
    """Show what the screenshots show; ids by titles."""
    script = waves / "analysis.py"
    script.write_text(Path(__file__).with_name("outputs.py").read_text())
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, script.name], check=True, cwd=waves, env=environ, timeout=300)
    hub = connection.start()
    return {each["title"]: each["id"] for each in connection.request(hub, "GET", "api/outputs").json()["outputs"]}


def shoot(browser: Any, waves: Path, outputs: dict[str, int], name: str, directory: Path) -> None:
    """One view in every width and theme."""
    hub = connection.start()
    for width, height in WIDTHS.items():
        tab = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1)
        views.show(tab, hub, str(waves), outputs, name)
        for theme in THEMES:
            tab.emulate_media(color_scheme=theme)
            tab.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
            tab.wait_for_timeout(600)  # frames take the theme too, and pictures of the filmstrip come
            tab.screenshot(path=directory / f"{name}-{width}-{theme}.png")
        tab.close()


def sheet(directory: Path, width: int, theme: str) -> None:
    """All views of a width and a theme in one picture."""
    across = ACROSS[width]
    size = (THUMBNAIL // across, THUMBNAIL // across * WIDTHS[width] // width)
    made = Image.new("RGB", (THUMBNAIL, size[1] * -(-len(TAKEN) // across)), "gray")
    for number, name in enumerate(TAKEN):
        with Image.open(directory / f"{name}-{width}-{theme}.png") as shot:
            small = shot.convert("RGB").resize((size[0] - 8, size[1] - 8), Image.Resampling.LANCZOS)
        made.paste(small, (number % across * size[0], number // across * size[1]))
    made.save(directory / f"sheet-{width}-{theme}.png")


def main() -> None:
    """Take them all."""
    directory = Path(sys.argv[1]).absolute()
    directory.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=60_000)
    VIEWS.update(OURS)
    with project() as waves, page() as first:
        outputs = show_all(waves)
        for name in TAKEN:
            shoot(first.context.browser, waves, outputs, name, directory)
            print(name, flush=True)
    for width, theme in product(WIDTHS, THEMES):
        sheet(directory, width, theme)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
