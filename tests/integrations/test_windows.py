"""Programs open no windows under `install` and ``ipyweb run``: what these would show goes to the pane."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run
from .test_altair import CHART
from .test_plotly import FIGURE, MIME

Script = Callable[[str], Run]
BEGIN = "import webbrowser\nimport ipyweb; ipyweb.install()\n"
ALONE = "<html><script>let x = '<img src=\"y.png\">'</script><a href='else.html'>x</a><img src='data:,'>all</html>"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a browser was told to open, a line each."""
    browser, log = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {log}\n')
    browser.chmod(0o755)
    log.touch()
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    return log


@pytest.mark.parametrize(
    "code", ["f.show('browser')", "pio.renderers.default = 'browser'; f.show()", "f.show('firefox')", "f.show()"]
)
def test_a_plotly_figure_in_a_browser_is_an_output(script: Script, opened: Path, code: str) -> None:
    (shown,) = script(f"{BEGIN}{FIGURE}\nimport plotly.io as pio\n{code}").shown
    assert MIME in shown.data
    assert opened.read_text() == ""


def test_a_plotly_file_is_an_output(script: Script, opened: Path, tmp_path: Path) -> None:
    path = tmp_path / "plot.html"
    (shown,) = script(f"{BEGIN}{FIGURE}\nimport plotly.offline\nplotly.offline.plot(f, filename={str(path)!r})").shown
    assert shown.data["text/html"] == path.read_bytes()
    assert opened.read_text() == ""


@pytest.mark.parametrize("show", ["c.show()", "from IPython.display import display; display(c)"])
@pytest.mark.parametrize("order", ["{0}\n{1}\n{2}", "{1}\n{2}\n{0}"])
def test_an_altair_chart_in_a_browser_is_an_output(script: Script, opened: Path, show: str, order: str) -> None:
    choice = "alt.renderers.enable('browser', offline=True)"
    (shown,) = script(order.format(BEGIN, CHART, choice) + f"\n{show}").shown
    assert any("vegalite" in mime for mime in shown.data)
    assert opened.read_text() == ""


def test_what_a_graph_would_open_in_a_viewer_is_an_output(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {
        "dot": 'for last; do :; done\necho "<svg xmlns=\'http://www.w3.org/2000/svg\'/>" > "$last.svg"\n',
        "xdg-open": f"touch {tmp_path / 'viewed'}\n",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    code = "import graphviz; g = graphviz.Digraph(format='svg'); g.edge('a', 'b')\n"
    code += f"where = g.render({str(tmp_path / 'graph')!r}, view=True); graphviz.view(where)"
    run = script(f"{BEGIN}{code}")
    assert [each.data["image/svg+xml"][:4] for each in run.shown] == [b"<svg"] * 2
    assert not (tmp_path / "viewed").exists()


@pytest.mark.parametrize("call", ["open", "open_new", "open_new_tab", "get().open", "get().open_new"])
def test_a_page_that_stands_alone_is_an_output(script: Script, opened: Path, tmp_path: Path, call: str) -> None:
    path = tmp_path / "a page.html"
    path.write_text(ALONE)
    run = script(f"{BEGIN}print(webbrowser.{call}({path.as_uri()!r}))")
    (shown,) = run.shown
    assert run.out.split() == ["True"]
    assert shown.data == {"text/html": ALONE.encode(), "text/plain": b"a page.html"}
    assert opened.read_text() == ""


def test_what_cannot_be_an_output_is_not_opened_and_said(script: Script, opened: Path, tmp_path: Path) -> None:
    for name, text in {"needs.html": '<script async src="lib/draw.js"></script>', "notes.txt": "x"}.items():
        (tmp_path / name).write_text(text)
    run = script(
        BEGIN + "".join(f"webbrowser.open({str(tmp_path / each)!r})\n" for each in ("needs.html", "notes.txt"))
    )
    assert run.shown == []
    said = [each for each in run.err.splitlines() if "not opened" in each]
    assert [each.rpartition("/")[2] for each in said] == ["needs.html", "notes.txt"]
    assert opened.read_text() == ""


SERVED = """
from http.server import BaseHTTPRequestHandler, HTTPServer
import threading
class Once(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)
    def log_message(self, *args): pass
server = HTTPServer(("127.0.0.1", 0), Once)
webbrowser.open(f"http://127.0.0.1:{server.server_port}/")
server.handle_request()
[each.join() for each in threading.enumerate() if each.name == "ipyweb-page"]
"""


@pytest.mark.parametrize(("page", "count"), [(ALONE, 1), ("<link rel=stylesheet href=style.css>", 0)])
def test_a_page_that_is_served_once_on_this_machine_is_fetched(
    script: Script, opened: Path, page: str, count: int
) -> None:
    run = script(BEGIN + SERVED.replace("PAGE", repr(page.encode())))
    assert [each.data["text/html"].decode() for each in run.shown] == [page][:count]
    assert ("not opened" in run.err) is not count
    assert opened.read_text() == ""


def test_addresses_elsewhere_and_everything_after_uninstall_are_opened_as_before(
    script: Script, opened: Path, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(ALONE)
    code = f"before = webbrowser.open, webbrowser.get\n{BEGIN}webbrowser.open('https://example.org/')\n"
    code += f"ipyweb.uninstall(); webbrowser.open({path.as_uri()!r})\n"
    code += "print((webbrowser.open, webbrowser.get) == before)"
    run = script("import webbrowser\n" + code)
    assert run.out.split() == ["True"]
    assert run.shown == []
    assert opened.read_text().split() == ["https://example.org/", path.as_uri()]


def test_a_program_that_only_displays_opens_its_windows(script: Script, opened: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(ALONE)
    run = script(f"import webbrowser, ipyweb; ipyweb.display('x'); webbrowser.open({path.as_uri()!r})")
    assert len(run.shown) == 1
    assert opened.read_text().split() == [path.as_uri()]
