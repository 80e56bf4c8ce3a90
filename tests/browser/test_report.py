"""An exported report, opened from the disk: everything draws, and nothing is asked for."""

import select
import socket
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from ipyweb import connection

from .conftest import Publish

PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)
VEGA = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"values": [{"a": 1, "b": 2}, {"a": 2, "b": 3}]},
    "mark": "point",
    "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "quantitative"}},
}


def test_a_report_draws_itself_without_hub_and_network(
    hub: connection.Connection, publish: Publish, context: BrowserContext, tmp_path: Path
) -> None:
    publish({"application/vnd.plotly.v1+json": {"data": [{"y": [1, 3, 2]}], "layout": {}}}, title="Plotly")
    publish({"application/vnd.vegalite.v5+json": VEGA}, title="Vega")
    publish({"text/html": "<p id=p>before</p><script>p.textContent = 'after'</script>"}, title="HTML")
    spy = socket.create_server(("127.0.0.1", 0))
    publish({"text/html": f"<img src='http://127.0.0.1:{spy.getsockname()[1]}/spy.png'>leaks"}, title="Leaky")
    publish({"text/markdown": "# Heading\n\n$x^2$"}, title="Markdown")
    publish({"text/latex": "$$e^{i\\pi}$$"}, title="Formula")
    publish({"image/png": PIXEL}, title="Picture")
    publish({"text/plain": "</script><b>words"}, title="Words")
    file = tmp_path / "report.html"
    file.write_bytes(connection.request(hub, "GET", "api/export?format=html", timeout=180).body)
    connection.request(hub, "POST", "api/stop", {})
    page = context.new_page()
    answered: list[str] = []
    page.on("requestfinished", lambda request: answered.append(request.url.partition(":")[0]))
    frames = page.locator(".frame")
    page.goto(file.as_uri())
    for number in range(frames.count()):
        frames.nth(number).scroll_into_view_if_needed()
        expect(frames.nth(number)).to_have_attribute("data-state", "ready")
    assert frames.count() == 6

    def inside(number: int) -> str:
        return f".frame >> nth={number} >> iframe"

    expect(page.frame_locator(inside(0)).locator(".main-svg").first).to_be_visible()
    expect(page.frame_locator(inside(1)).locator("svg, canvas").first).to_be_visible()
    expect(page.frame_locator(inside(2)).locator("#p")).to_have_text("after")
    expect(page.frame_locator(inside(4)).locator("h1")).to_have_text("Heading")
    expect(page.frame_locator(inside(5)).locator(".katex").first).to_be_visible()
    page.wait_for_function("document.querySelectorAll('.frame')[2].clientHeight < 200")  # text is as high as it is
    assert frames.nth(0).evaluate("e => e.clientHeight") > 400
    assert page.locator("section img").evaluate("e => e.naturalWidth") == 1
    expect(page.locator("section >> nth=-1 >> pre")).to_have_text("</script><b>words")
    assert {*answered} <= {"file", "data", "blob"}
    expect(page.frame_locator(inside(3)).locator("body")).to_contain_text("leaks")
    with spy:  # whoever asks it for anything waits in its queue
        assert select.select([spy], [], [], 0)[0] == []
