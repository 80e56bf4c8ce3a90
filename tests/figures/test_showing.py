"""From a figure shown in a script to pictures at the hub, whoever draws them."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

import ipyweb
from ipyweb import connection, keepers
from ipyweb.errors import HubError
from ipyweb.figures import channel
from ipyweb.session.figures import environment

from ..conftest import stop_hub, wait_until
from .conftest import ROOT

LINE = "from matplotlib.figure import Figure\nf = Figure(); a = f.subplots(); a.plot([1, 3, 2]); a.set_title('Tides')\n"
SHOW = f"{LINE}import ipyweb; o = ipyweb.display(f)\n"


@pytest.fixture(autouse=True)
def _end_keepers(private_environment: None) -> Iterator[None]:
    yield
    stop_keeper()


def stop_keeper() -> None:
    try:
        peer = channel.dial(environment())
    except ipyweb.errors.KeeperUnavailable:
        return
    channel.send(peer, {"type": "stop"})
    socket = keepers.channel_dir(environment()) / channel.SOCKET
    deadline = time.monotonic() + 180
    while socket.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def script(code: str, directory: Path | None = None, status: int = 0) -> str:
    path = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH", "")]))
    environ = {**os.environ, "PYTHONPATH": path, "IPYWEB_REPORT": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=180, env=environ, cwd=directory
    )
    assert done.returncode == status, done.stderr
    return done.stdout


def outputs(hub: connection.Connection) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = connection.request(hub, "GET", "api/outputs?limit=1000").json()["outputs"]
    return found


def drawn(hub: connection.Connection, count: int = 1) -> list[dict[str, Any]]:
    """All outputs, once each has its picture or a notice."""
    deadline = time.monotonic() + 180
    while True:
        found = outputs(hub)
        settled = [each for each in found if "image/png" in each["mimetypes"] or each["problems"]]
        if len(settled) >= count and len(settled) == len(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def data(hub: connection.Connection, output: int, query: str) -> connection.Response:
    return connection.request(hub, "GET", f"api/outputs/{output}/data?{query}", timeout=180)


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_short_script_draws_its_figure_itself_and_leaves_it_to_be_drawn_anew(hub: connection.Connection) -> None:
    script(SHOW)
    (output,) = drawn(hub)
    assert output["figure"]["drawn"] == "process"
    assert output["figure"]["seconds"] > 0
    assert output["mimetypes"] == ["image/png", "image/svg+xml", "text/plain"]
    assert not output["problems"]
    answer = data(hub, output["id"], "mime=image/png&width=300&height=200")
    assert answer.headers["x-ipyweb-rendered"] == "keeper"
    assert picture(answer.body).size == (300, 200)


def test_short_scripts_without_a_keeper_keep_no_more_than_they_may(hub: connection.Connection) -> None:
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    config.mkdir()
    (config / "ipyweb_config.py").write_text("c.IPyWeb.figure_bytes = 1\n")
    directory = keepers.shelf_dir(environment())
    for _ in range(2):
        script(SHOW)
        (directory / "pruned").unlink()
    drawn(hub, 2)
    assert list(directory.glob("*.figure")) == []


def test_a_short_script_leaves_drawing_to_a_keeper_that_is_warm(hub: connection.Connection) -> None:
    script(SHOW)
    (first,) = drawn(hub)
    data(hub, first["id"], "mime=image/png&width=300")  # brings the keeper
    script(SHOW)
    _, second = drawn(hub, 2)
    assert "drawn" not in second["figure"]
    assert second["figure"]["seconds"] > 0


def test_a_long_script_leaves_drawing_to_the_keeper(hub: connection.Connection) -> None:
    script(f"{SHOW}assert o.wait(20); print(ipyweb.session.session.current().handover.flush(60))")
    (output,) = drawn(hub)
    assert "drawn" not in output["figure"]
    assert output["figure"]["seconds"] > 0
    assert "title: Tides" in output["figure"]["description"]
    assert b"title: Tides" in data(hub, output["id"], "mime=text/plain").body


def test_the_stored_picture_is_what_savefig_makes(hub: connection.Connection) -> None:
    save = "f.savefig('own.png', dpi=f.dpi, bbox_inches=None)"
    script(f"{SHOW}{save}; o.wait(20); ipyweb.session.session.current().handover.flush(60)", Path(os.getcwd()))
    (output,) = drawn(hub)
    own = Path("own.png")
    expected = picture(own.read_bytes()).convert("RGB").tobytes()
    own.unlink()
    assert picture(data(hub, output["id"], "mime=image/png").body).convert("RGB").tobytes() == expected


def test_a_script_that_only_plots_never_imports_ipython() -> None:
    assert script(f"{SHOW}import sys; print('IPython' in sys.modules)").split() == ["False"]


def test_a_figure_survives_hub_and_keeper(hub: connection.Connection) -> None:
    script(SHOW)
    drawn(hub)
    stop_keeper()
    stop_hub()
    again = connection.start()
    answer = data(again, 1, "mime=application/pdf&width=8in")
    assert answer.body.startswith(b"%PDF")


def test_an_svg_made_in_idle_time_serves_when_the_environment_is_gone(hub: connection.Connection) -> None:
    script(f"{SHOW}o.wait(20); ipyweb.session.session.current().handover.flush(60)")
    wait_until(lambda: "image/svg+xml" in outputs(hub)[0]["mimetypes"], "the SVG")
    assert "drawn" not in outputs(hub)[0]["figure"]
    stop_keeper()
    record = keepers.read_record(environment())
    keepers.write_record(environment(), ["/nonexistent/venv/bin/python"], record["environment"], record["settings"])
    own = data(hub, 1, "mime=image/png")
    wait_until(lambda: "x-ipyweb-environment" in data(hub, 1, "mime=image/png&width=30").headers, "the keeper's end")
    sized = data(hub, 1, "mime=image/png&width=300")
    vectors = data(hub, 1, "mime=image/svg%2Bxml&width=300")
    assert sized.body == own.body
    assert b"<svg" in vectors.body
    for answer in (sized, vectors):
        assert answer.headers["x-ipyweb-rendered"] == "stored"
        assert answer.headers["x-ipyweb-environment"] == "gone"
        assert "cannot be started" in answer.headers["x-ipyweb-reason"]
    with pytest.raises(HubError, match="cannot be drawn as application/pdf now"):
        data(hub, 1, "mime=application/pdf")


def test_what_cannot_be_pickled_is_drawn_where_it_is_and_says_so(hub: connection.Connection) -> None:
    script(f"{LINE}import ipyweb, threading; f.lock = threading.Lock(); ipyweb.display(f)")
    (output,) = drawn(hub)
    assert output["figure"] is None
    assert output["mimetypes"] == ["image/svg+xml", "image/png", "text/plain"]
    assert "only the figure's picture is kept" in output["problems"][0]


BAD = "class Bad(type(a.lines[0])):\n    def draw(self, renderer): {}\na.add_artist(Bad([0, 1], [0, 1]))\n"


UNLOADABLE = """
class Needs:
    def __new__(cls, word): return super().__new__(cls)
f.needs = Needs('a word')
"""
LISTENING = (
    "late = a.plot([3, 1], animated=True)[0]\nf.canvas.mpl_connect('draw_event', lambda e: a.draw_artist(late))\n"
)
CYCLES = """
import cycler, matplotlib, numpy
matplotlib.rcParams['axes.prop_cycle'] = cycler.cycler(color=list(numpy.eye(4)))
"""

COLORMAP = """
import matplotlib
matplotlib.colormaps.register(matplotlib.colors.ListedColormap(['red', 'blue'], name='mine'))
matplotlib.rcParams['image.cmap'] = 'mine'
f.colorbar(a.imshow([[1, 2], [3, 4]]))
"""


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (UNLOADABLE, "only the figure's picture is kept; "),
        (LISTENING, "only the figure's picture is kept: its own draw_event"),
        (CYCLES, ""),
        (COLORMAP, ""),
    ],
)
def test_what_no_copy_can_be_made_of_is_drawn_all_the_same(
    hub: connection.Connection, tmp_path: Path, code: str, problem: str
) -> None:
    saved = tmp_path / "saved.png"
    script(f"{LINE}{code}\nimport ipyweb; ipyweb.display(f); f.savefig({str(saved)!r}, dpi=f.dpi)")
    (shown,) = drawn(hub)
    assert "".join(shown["problems"]).startswith(problem)
    stored = picture(data(hub, shown["id"], "mime=image/png").body)
    assert stored.convert("RGB").tobytes() == picture(saved.read_bytes()).convert("RGB").tobytes()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('no ink')", "no ink"),
        ("import time; time.sleep(1000)", "within 2 s"),
        ("import os; os.abort()", "crashed"),
        ("self.big = bytearray(4 << 30)", "memory"),
    ],
)
def test_a_drawing_that_fails_is_said_and_harms_no_other(
    hub: connection.Connection, tmp_path: Path, body: str, reason: str
) -> None:
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    config.mkdir()
    (config / "ipyweb_config.py").write_text("c.IPyWeb.figure_timeout = 2.0\n")
    good = "g = Figure(); g.subplots().plot([1]); ipyweb.display(g)\n"
    flush = "ipyweb.session.session.current().handover.flush(60)"
    script(f"{LINE}{BAD.format(body)}import ipyweb; ipyweb.display(f)\n{good}ipyweb.flush(); {flush}")
    first, second = drawn(hub, 2)
    assert first["figure"]["failed"]
    assert reason in first["problems"][0]
    assert reason in data(hub, first["id"], "mime=text/plain").body.decode()
    assert "image/png" in second["mimetypes"]


def test_figures_of_forked_workers_all_arrive(hub: connection.Connection) -> None:
    code = (
        f"{LINE}import ipyweb, multiprocessing\n"
        "def work(n):\n"
        "    g = Figure(); g.subplots().plot([n, 1]); ipyweb.display(g, title=str(n))\n"
        "ipyweb.display(f, title='first')\n"
        "context = multiprocessing.get_context('fork')\n"
        "workers = [context.Process(target=work, args=(n,)) for n in range(8)]\n"
        "[each.start() for each in workers]; [each.join() for each in workers]\n"
    )
    script(code)
    assert sorted(each["title"] for each in drawn(hub, 9)) == sorted(["first", *map(str, range(8))])


def test_a_keeper_that_is_killed_loses_nothing(hub: connection.Connection) -> None:
    code = (
        f"{LINE}import ipyweb.session.session, os, signal, subprocess\n"
        "session = ipyweb.session.session.current()\n"
        "for n in range(6):\n"
        "    g = Figure(); g.subplots().plot([n, 1]); ipyweb.display(g)\n"
        "    session.handover.flush(0.7 if n == 0 else 0.05)\n"
        "    if n == 3:\n"
        "        found = subprocess.run(['pgrep', '-f', 'figures.keeper ' + os.environ['ENVIRONMENT']],\n"
        "                               capture_output=True, text=True).stdout.split()\n"
        "        mine = [p for p in found if os.environ['IPYWEB_DATA_DIR'] in open(f'/proc/{p}/environ').read()]\n"
        "        [os.kill(int(p), signal.SIGKILL) for p in mine]\n"
    )
    os.environ["ENVIRONMENT"] = environment()
    try:
        script(code)
    finally:
        del os.environ["ENVIRONMENT"]
    for output in outputs(hub):
        assert data(hub, output["id"], "mime=image/png").body.startswith(b"\x89PNG")


def test_where_no_keeper_can_be_had_figures_are_drawn_in_the_process(hub: connection.Connection) -> None:
    (Path(os.environ["IPYWEB_RUNTIME_DIR"]) / "keepers").write_text("in the way")
    script(f"{SHOW}assert ipyweb.session.session.current().handover.flush(60)")
    (output,) = drawn(hub)
    assert output["figure"]["drawn"] == "process"


def test_an_updated_figure_shows_its_last_state(hub: connection.Connection) -> None:
    code = (
        f"{SHOW}"
        "for n in range(20):\n    a.set_title(f'step {n}'); ipyweb.update_display(f, display_id=o.display_id)\n"
        "ipyweb.flush(20); ipyweb.session.session.current().handover.flush(60)\n"
    )
    script(code)
    (output,) = drawn(hub)
    assert "step 19" in output["figure"]["description"]


def test_a_private_figure_touches_no_disk(hub: connection.Connection) -> None:
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    config.mkdir()
    (config / "ipyweb_config.py").write_text("c.IPyWeb.private = True\n")
    script(f"{SHOW}ipyweb.flush(20); ipyweb.session.session.current().handover.flush(60)")
    drawn(hub)
    assert list(keepers.shelf_dir(environment()).glob("*.figure")) == []


def test_render_gives_exactly_the_pixels_asked_for_and_leaves_the_figure_alone() -> None:
    figure = Figure()
    figure.subplots().plot([1, 2])
    assert picture(ipyweb.render(figure, width=801, height=333)).size == (801, 333)
    assert picture(ipyweb.render(figure, width="8in", height="10.16cm", dpi=50)).size == (400, 200)
    assert picture(ipyweb.render(figure, width=320)).size == (320, 240)
    assert ipyweb.render(figure, "svg").lstrip().startswith(b"<?xml")
    assert figure.get_size_inches().tolist() == [6.4, 4.8]
    with pytest.raises(ValueError, match="expected one of"):
        ipyweb.render(figure, "gif")
    with pytest.raises(ValueError, match="expected a length"):
        ipyweb.render(figure, width="wide")


def test_render_may_be_called_from_many_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    figure = Figure()
    figure.subplots().plot([1, 2])
    with ThreadPoolExecutor(32) as pool:
        made = list(pool.map(lambda _: ipyweb.render(figure, width=200, height=100), range(32)))
    assert len(set(made)) == 1


FLUSH = "ipyweb.flush(20); ipyweb.session.session.current().handover.flush(60)\n"
PLOT = (
    "import ipyweb\ndef plot(n):\n    import matplotlib.pyplot as plt\n    plt.plot(range(n)); plt.title(f'n = {n}')\n"
)


def test_a_function_is_drawn_elsewhere_and_the_last_call_is_what_is_shown(hub: connection.Connection) -> None:
    script(f"{PLOT}for n in range(2, 12): ipyweb.draw(plot, n, display_id='loop')\n{FLUSH}")
    (loop,) = drawn(hub)
    assert "n = 11" in loop["figure"]["description"]
    assert "drawn" not in loop["figure"]


def test_a_function_that_fails_is_shown_with_its_traceback_wherever_it_was_called(hub: connection.Connection) -> None:
    bad = "import ipyweb\ndef bad(): return 1 / 0\nipyweb.draw(bad)\n"
    script(bad + FLUSH)
    script(bad)
    for output in drawn(hub, 2):
        text = data(hub, output["id"], "mime=text/plain").body.decode()
        assert text.startswith("Traceback")
        assert text.rstrip().endswith("ZeroDivisionError: division by zero")
        assert "ZeroDivisionError" in output["problems"][0]


MANY = (
    "import ipyweb\n"
    "def plots(n):\n"
    "    import matplotlib.pyplot as plt\n"
    "    for k in range(n): plt.figure(figsize=(2, 1 + k)); plt.title(f'{n}.{k}')\n"
    "for n in (1, 3): ipyweb.draw(plots, n, display_id='several')\n"
)


@pytest.mark.parametrize("end", [FLUSH, ""], ids=["by the keeper", "at the end of the process"])
def test_every_figure_that_a_function_makes_is_shown(hub: connection.Connection, end: str) -> None:
    script(MANY + end)
    found = drawn(hub, 3)
    assert [each["display_id"] for each in found] == ["several", "several-2", "several-3"]
    assert [each["figure"]["description"].partition("title: ")[2][:3] for each in found] == ["3.0", "3.1", "3.2"]
    assert [each["figure"]["size"] for each in found] == [[200, 100], [200, 200], [200, 300]]
    assert not any(each["figure"]["default_size"] for each in found)
    answer = data(hub, found[2]["id"], "mime=image/png&width=100")
    assert answer.headers["x-ipyweb-rendered"] == "keeper"
    assert picture(answer.body).size == (100, 150)


def test_a_function_is_called_once_however_often_its_figure_is_drawn(hub: connection.Connection) -> None:
    script(
        "import ipyweb, os\n"
        "def plot():\n"
        "    from matplotlib.figure import Figure\n"
        "    open('calls', 'a').write('x')\n"
        "    f = Figure(); f.subplots(); return f\n"
        f"ipyweb.draw(plot)\n{FLUSH}",
        Path(os.environ["IPYWEB_DATA_DIR"]),
    )
    (output,) = drawn(hub)
    for width in (100, 200):
        assert picture(data(hub, output["id"], f"mime=image/png&width={width}").body).width == width
    assert ipyweb.get(output["id"]).figure().axes
    assert (Path(os.environ["IPYWEB_DATA_DIR"]) / "calls").read_text() == "x"


def test_a_function_is_drawn_here_where_there_is_no_keeper(hub: connection.Connection, pictures_at_once: None) -> None:
    script(MANY + "def bad(): return 1 / 0\nipyweb.draw(bad)")
    *found, failed = outputs(hub)
    assert [each["mimetypes"] for each in found] == [["image/png", "text/plain"]] * 3
    assert b"ZeroDivisionError" in data(hub, failed["id"], "mime=text/plain").body


def test_the_plotted_data_comes_as_csv(hub: connection.Connection) -> None:
    script(SHOW)
    (output,) = drawn(hub)
    lines = data(hub, output["id"], "mime=text/csv").body.decode().splitlines()
    assert lines == ["line 1 x,line 1 y", "0.0,1", "1.0,3", "2.0,2"]


def test_the_figure_itself_comes_back(hub: connection.Connection) -> None:
    script(SHOW)
    (output,) = drawn(hub)
    figure = ipyweb.get(output["id"]).figure()
    assert figure.axes[0].get_title() == "Tides"


@pytest.mark.parametrize("runs", ["a keeper that runs", "a keeper that has gone"])
def test_of_a_figure_that_was_deleted_for_good_nothing_is_left(hub: connection.Connection, runs: str) -> None:
    script(f"{SHOW}o.wait(20); ipyweb.session.session.current().handover.flush(60)")
    (output,) = drawn(hub)
    shelf = keepers.shelf_dir(environment())
    assert list(shelf.glob("*.figure"))
    if runs == "a keeper that has gone":
        stop_keeper()
    connection.request(hub, "DELETE", f"api/outputs/{output['id']}?purge=1")
    wait_until(lambda: not list(shelf.glob("*.figure")), "the snapshot to go")


def test_the_record_names_no_secret(hub: connection.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_TOKEN", "secret")
    script(SHOW)
    record = json.loads((keepers.shelf_dir(environment()) / keepers.RECORD).read_text())
    assert "CLOUD_TOKEN" not in record["environment"]


def test_a_figure_is_drawn_with_the_settings_that_it_was_shown_with(hub: connection.Connection, tmp_path: Path) -> None:
    saved = tmp_path / "saved.png"
    script(
        "import matplotlib.pyplot as plt, ipyweb\n"
        f"def line(): f, a = plt.subplots(); a.plot([0.1, 0.93]); return f\n"
        f"line().savefig({str(saved)!r}); ipyweb.display(line())\n"
        "plt.rcParams.update({'axes.autolimit_mode': 'round_numbers', 'axes.xmargin': 0, 'axes.ymargin': 0})\n"
    )
    (shown,) = drawn(hub)
    assert picture(data(hub, shown["id"], "mime=image/png").body).tobytes() == picture(saved.read_bytes()).tobytes()


def test_a_figure_is_drawn_without_its_background_by_http_and_by_the_command(
    hub: connection.Connection, tmp_path: Path
) -> None:
    script(SHOW)
    (output,) = drawn(hub)

    def least_opaque(content: bytes) -> int:
        return min(picture(content).convert("RGBA").getchannel("A").tobytes())

    assert least_opaque(data(hub, output["id"], "mime=image/png&transparent=1").body) == 0
    assert least_opaque(data(hub, output["id"], "mime=image/png&width=300&transparent=0").body) == 255
    with pytest.raises(ipyweb.errors.HubError, match="expected transparent to be 1 or 0"):
        data(hub, output["id"], "transparent=perhaps")
    words = ["get", str(output["id"]), "--transparent", "-o", "figure.png"]
    script(f"import sys; from ipyweb.cli.app import main; sys.exit(main({words!r}))", tmp_path)
    assert least_opaque((tmp_path / "figure.png").read_bytes()) == 0
