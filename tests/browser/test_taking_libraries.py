"""Taking away what real libraries show: pictures of tables, plots, videos and widgets, by keys and by the mouse."""

import base64
import io
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, expect

from ipyweb import connection

from ..conftest import wait_until
from ..widgets.conftest import Start
from .conftest import ROOT, OpenPane, Pane, Publish, html
from .test_exporting import choose, previewed, start
from .test_flicking import thumbnail
from .test_taking import READ, green, saved

VIDEO = """
GkXfo59ChoEBQveBAULygQRC84EIQoKEd2VibUKHgQJChYECGFOAZwEAAAAAAAIZEU2bdLpNu4tTq4QVSalmU6yBoU27i1OrhBZUrmtTrIHYTb
uMU6uEElTDZ1OsggEeTbuMU6uEHFO7a1OsggID7AEAAAAAAABZAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVSalmsirXsYMPQkBNgI1MYXZmNTkuMjcuMTAwV0GNTGF2ZjU5Lj
I3LjEwMESJiEBpAAAAAAAAFlSua8GuAQAAAAAAADjXgQFzxYjWgzMmJnmxKZyBACK1nIN1bmSIgQCGhVZfVlA4g4EBI+ODhAX14QDgibCBQLqB
MJqBAhJUw2f9c3OgY8CAZ8iaRaOHRU5DT0RFUkSHjUxhdmY1OS4yNy4xMDBzc9djwItjxYjWgzMmJnmxKWfIoUWjh0VOQ09ERVJEh5RMYXZjNT
kuMzcuMTAwIGxpYnZweGfIokWjiERVUkFUSU9ORIeUMDA6MDA6MDAuMjAwMDAwMDAwAAAfQ7Z13ueBAKPBgQAAgJADAJ0BKkAAMAAARwiFhYiF
hIgCAgJ1qgP4A/oCBzt54s8zHl4A/v1u8//itYdZxf+K3//TZPFXjP/piwCjloEAZADRAQABEBAAGAAYWC/0AAiMAAAcU7trkbuPs4EAt4r3gQ
HxggGg8IED
"""
"""Two tenths of a second of green, as WebM."""
SCRIPT = f"""
import base64, ipyweb, altair, ipywidgets, pandas, plotly.graph_objects
from bokeh.plotting import figure
from IPython.display import HTML, Markdown, Video

frame = pandas.DataFrame({{"k": ["a", "b"], "n": [1, 2]}})
ipyweb.display(frame.style.set_properties(**{{"background-color": "green"}}), title="pandas")
ipyweb.display(HTML("<style>p {{ background: green }}</style><p>page</p>"), title="html")
ipyweb.display(Markdown("# Title\\n\\n$x^2$ <p style='background: green'>green</p>"), title="markdown")
plot = figure(width=400, height=300)
plot.rect([1, 2, 3], [1, 2, 3], 0.9, 0.9, color="green")
ipyweb.display(plot, title="bokeh")
bars = plotly.graph_objects.Bar(x=["a", "b"], y=[1, 2], marker_color="green")
ipyweb.display(plotly.graph_objects.Figure(bars), title="plotly")
chart = altair.Chart(frame).mark_bar(color="green").encode(x="k", y="n").properties(width=300)
ipyweb.display(chart, title="altair")
video = base64.b64decode('''{VIDEO}''')
ipyweb.display(Video(video, embed=True, mimetype="video/webm"), title="video")
button = ipywidgets.Button(description="Go", layout={{"width": "200px", "height": "80px"}})
button.style.button_color = "green"
ipyweb.display(button, title="widget")
ipyweb.display("last")
"""
KINDS = ("pandas", "html", "markdown", "bokeh", "plotly", "altair", "video", "widget")


def shown(hub: connection.Connection, open_pane: OpenPane, directory: Path) -> tuple[Pane, dict[str, int]]:
    """A pane that shows the last output of the script, and the ids of the others by their titles."""
    path = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH", "")]))
    environ = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=180, env=environ, cwd=directory)
    records = connection.request(hub, "GET", "api/outputs?limit=20").json()["outputs"]
    pane = open_pane(f"token={hub.token_for('pane')}&o={records[-1]['id']}").ready(records[-1]["id"])
    return pane, {record["title"]: record["id"] for record in records if record["title"]}


COPIED = """async () => {
    const [item] = await navigator.clipboard.read().catch(() => []); // it says so when it changes while it is read
    return item?.types.includes("image/png") ?? false;
}"""


def choose_in_menu(pane: Pane, item: str) -> None:
    """Click on an item of the menu that takes things away."""
    pane.page.get_by_role("button", name="Take away").click()
    pane.page.get_by_role("menuitem", name=item).click()


def test_what_libraries_show_is_in_the_filmstrip_and_taken_by_keys_and_by_the_mouse(
    hub: connection.Connection, open_pane: OpenPane, context: BrowserContext, tmp_path: Path
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane, outputs = shown(hub, open_pane, tmp_path)
    assert set(outputs) == set(KINDS)
    pane.page.set_viewport_size({"width": 1100, "height": 1300})
    for kind in KINDS:
        assert thumbnail(pane, outputs[kind])[0] > 0.03, kind
    for kind in KINDS:
        pane.go(outputs[kind])
        assert green(saved(pane, "p")[1]) > 0.03, kind
        assert b"<svg" in saved(pane, "s")[1]
        pane.page.evaluate("navigator.clipboard.writeText('nothing yet')")
        pane.press("c")
        wait_until(lambda: pane.page.evaluate(COPIED), "the picture in the clipboard")
        assert green(base64.b64decode(pane.page.evaluate(READ)[1])) > 0.03, kind
        with pane.page.expect_download() as download:
            choose_in_menu(pane, "Save as PNG, as seen")
        assert download.value.suggested_filename == f"{kind}.png"
        choose_in_menu(pane, "Export in another size or format")
        width, _ = start(pane)
        choose(pane, Width=str(2 * width))
        previewed(pane, 2 * width)
        with pane.page.expect_download() as download:
            pane.page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
        picture = Path(download.value.path()).read_bytes()
        assert Image.open(io.BytesIO(picture)).width == 2 * width
        assert green(picture) > 0.01, kind
        pane.press("Escape")
        expect(pane.page.get_by_role("dialog")).to_have_count(0)


def test_the_picture_of_a_video_is_of_the_one_on_the_screen(pane: Pane, publish: Publish) -> None:
    pane.page.add_init_script("""
        const draw = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
            if (image.isConnected !== false || !image.videoWidth) draw.call(this, image, ...rest); // no frame yet
        };
    """)
    pane.page.reload()
    source = f"data:video/webm;base64,{''.join(VIDEO.split())}"
    pane.ready(publish(html(f"<video controls><source src='{source}' type='video/webm'></video>"), title="The video"))
    assert green(saved(pane, "p")[1]) > 0.03


def test_a_live_widget_that_nobody_looked_at_has_a_picture(
    waiting: Start, hub: connection.Connection, open_pane: OpenPane
) -> None:
    waiting("""
import ipyweb, ipywidgets
button = ipywidgets.Button(description="Go", layout={"width": "200px", "height": "80px"})
button.style.button_color = "green"
ipyweb.display(button, title="widget")
ipyweb.display("last")
""")
    pane = open_pane(f"token={hub.token_for('pane')}")
    expect(pane.page.locator("[data-thumbnail]")).to_have_count(2)
    (output,) = [
        record["id"]
        for record in connection.request(hub, "GET", "api/outputs").json()["outputs"]
        if record["title"] == "widget"
    ]
    assert pane.shown != output
    assert thumbnail(pane, output)[0] > 0.2
