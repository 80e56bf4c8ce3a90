"""Figures that are bad, and keepers that die: each output ends with a picture or a notice, and nothing hangs."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import psutil
import pytest

from ipyweb import connection, keepers
from ipyweb.errors import HubError

from .conftest import Record, Scripts, chance, data_of, get, kill, outputs, the_hub, wait_until

PNG = b"\x89PNG"
BEGIN = """
import os, sys, threading, time
import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.figure import Figure
import ipyweb

def good(title):
    figure = Figure(figsize=(1, 1)); figure.text(0.1, 0.5, title); return figure
"""
SETTLE = """
ipyweb.flush(30)
ipyweb.session.session.current().settle_figures(60)
"""


@pytest.fixture(autouse=True)
def environment() -> str:
    return keepers.environment_id(matplotlib.__version__)


def settled(count: int) -> list[Record]:
    """All outputs, once each has a picture or a notice."""

    def all_settled() -> list[Record]:
        found = outputs() if connection.find() else []
        done = [each for each in found if "image/png" in each["mimetypes"] or each["problems"]]
        return found if len(done) == len(found) >= count else []

    try:
        found: list[Record] = wait_until(all_settled, f"{count} outputs with pictures or notices")
    except AssertionError as error:
        keys = ("id", "title", "session", "mimetypes", "problems", "figure")
        told = [{key: each[key] for key in keys} for each in outputs()]
        raise AssertionError(f"{error}; there are {told}, keepers {list(running_keepers())}") from error
    assert len(found) == count
    return found


def configure(line: str) -> None:
    directory = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    directory.mkdir(exist_ok=True)
    (directory / "ipyweb_config.py").write_text(f"c.IPyWeb.{line}\n")


# -- figures ----------------------------------------------------------------------------------------------------------

BAD = """
class Bad(Artist):
    def draw(self, renderer):
        BODY
figure = Figure(); figure.add_artist(Bad())
ipyweb.display(figure)
ipyweb.display(good("good"))
"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('no ink')", "no ink"),
        ("while True: pass", "longer than 2 s"),
        ("sys.exit(3)", "SystemExit: 3"),
    ],
)
def test_a_short_script_whose_figure_cannot_be_drawn_ends_as_it_would(scripts: Scripts, body: str, reason: str) -> None:
    configure("figure_timeout = 2.0")
    done = scripts.run(BEGIN + BAD.replace("BODY", body))
    assert "Traceback" not in done.err
    bad, good = settled(2)
    assert reason in bad["problems"][0]
    assert data_of(good, "image/png").startswith(PNG)


ENDLESS = """
class Endless(Artist):
    def draw(self, renderer):
        BODY
figure = Figure(); figure.add_artist(Endless())
def show():
    ipyweb.display(figure)
    ipyweb.display(good("good"))
"""
ON_A_THREAD = "thread = threading.Thread(target=show); thread.start(); thread.join()"
LOOP, SLEEP = "while True: pass", "time.sleep(1000)"


@pytest.mark.parametrize("body", [LOOP, SLEEP])
@pytest.mark.parametrize("how", ["show()", ON_A_THREAD, "import signal; signal.signal(signal.SIGALRM, print); show()"])
@pytest.mark.parametrize("keeper", ["figure.lock = threading.Lock()", "FIGURE_KEEPER"])
def test_a_figure_that_draws_for_ever_holds_no_caller_up(scripts: Scripts, body: str, how: str, keeper: str) -> None:
    setting = "c.IPyWeb.figure_keeper = False" if keeper == "FIGURE_KEEPER" else ""
    configure(f"figure_timeout = 2.0\n{setting}")
    scripts.run(f"{BEGIN}{ENDLESS.replace('BODY', body)}\n{keeper.replace('FIGURE_KEEPER', '')}\n{how}")
    bad, shown = settled(2)
    assert any("longer than 2 s" in each for each in bad["problems"])
    assert data_of(shown, "image/png").startswith(PNG)


@pytest.mark.parametrize("body", [LOOP, SLEEP])
@pytest.mark.parametrize("end", ["", SETTLE, "time.sleep(1)"])
def test_a_figure_that_draws_for_ever_without_a_keeper_spoils_no_other(scripts: Scripts, body: str, end: str) -> None:
    configure("figure_timeout = 2.0")
    (Path(os.environ["IPYWEB_RUNTIME_DIR"]) / "keepers").write_text("in the way")
    more = "\nshow()\nfor number in range(3): ipyweb.display(good(str(number)))\n"
    scripts.run(f"{BEGIN}{ENDLESS.replace('BODY', body)}{more}{end}")
    bad, *others = settled(5)
    assert any("longer than 2 s" in each for each in bad["problems"])
    assert all(data_of(each, "image/png").startswith(PNG) for each in others)


SLOW = """
class Slow(Artist):
    def draw(self, renderer):
        if "SLOW" in os.environ:
            print("drawing", flush=True)
            time.sleep(60)
for number in range(3):
    figure = good(str(number)); figure.add_artist(Slow()); ipyweb.display(figure, title=str(number))
"""


def test_ctrl_c_while_the_end_draws_figures_leaves_them_to_the_keeper(scripts: Scripts) -> None:
    script = scripts.start(BEGIN + SLOW, SLOW="1")
    assert script.stdout is not None
    assert script.stdout.readline() == "drawing\n"
    script.send_signal(signal.SIGINT)
    done = scripts.finish(script)
    assert done.status == 0, done
    assert "not waiting any longer" in done.err
    assert "Traceback" not in done.err
    found = settled(3)
    assert [each["title"] for each in found] == ["0", "1", "2"]
    assert all(data_of(each, "image/png").startswith(PNG) for each in found)
    assert len(list(keepers.shelf_dir(keepers.environment_id(matplotlib.__version__)).glob("*.figure"))) == 3


def test_ctrl_c_while_the_end_draws_private_figures_is_said(scripts: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYWEB_STORE", "memory")
    connection.start()  # Ctrl-C does not wait for a hub either, and private outputs have nowhere else to go
    script = scripts.start(BEGIN + SLOW, SLOW="1")
    assert script.stdout is not None
    assert script.stdout.readline() == "drawing\n"
    script.send_signal(signal.SIGINT)
    assert "Traceback" not in scripts.finish(script).err
    assert ["not drawn" in each["problems"][0] for each in settled(3)] == [True] * 3


UNLOADABLE = """
class Units(float):
    def __new__(cls, value, unit):
        return super().__new__(cls, value)
    def __reduce__(self):
        return object.__new__, (Units,)
figure = good("kept"); figure.units = Units(1, "cm")
ipyweb.display(figure)
"""


@pytest.mark.parametrize("end", [SETTLE, "", "del figure\nfor n in range(10): ipyweb.display(good('more'))" + SETTLE])
def test_a_figure_that_can_be_pickled_but_not_loaded_is_drawn_itself(scripts: Scripts, end: str) -> None:
    scripts.run(BEGIN + UNLOADABLE + end)
    first = settled(11 if "more" in end else 1)[0]
    assert data_of(first, "image/png").startswith(PNG)
    assert "only the figure's picture is kept" in first["problems"][0]


@pytest.mark.parametrize("body", ["os.abort()", "time.sleep(1000)"])
def test_a_figure_whose_loading_is_deadly_is_not_loaded_by_its_session(scripts: Scripts, body: str) -> None:
    configure("figure_timeout = 2.0")
    deadly = f"class Deadly:\n    def __setstate__(self, state): {body}\n    def __getstate__(self): return 1\n"
    scripts.run(f"{BEGIN}{deadly}figure = good('x'); figure.it = Deadly(); ipyweb.display(figure){SETTLE}")
    (output,) = settled(1)
    assert "could not be drawn" in output["problems"][0]


def test_a_pickle_that_loads_with_a_warning_is_drawn_and_the_warning_told(scripts: Scripts) -> None:
    warner = """
class Warner:
    def __setstate__(self, state):
        import warnings
        warnings.warn("beware of this figure")
    def __getstate__(self): return 1
figure = good("x"); figure.warner = Warner(); ipyweb.display(figure)
"""
    scripts.run(BEGIN + warner + SETTLE)
    (output,) = settled(1)
    assert "beware of this figure" in output["problems"][0]
    assert data_of(output, "image/png").startswith(PNG)


def test_a_font_and_a_class_that_only_the_script_had_are_drawn(scripts: Scripts, tmp_path: Path) -> None:
    code = f"""
import shutil
from matplotlib import font_manager
from matplotlib.ticker import Formatter
class Stars(Formatter):
    def __call__(self, value, position=None): return "*" * int(value)
path = {str(tmp_path / "own.ttf")!r}
shutil.copy(font_manager.findfont("DejaVu Serif"), path)
figure = Figure(); axes = figure.subplots(); axes.plot([1, 2, 3])
axes.yaxis.set_major_formatter(Stars())
import pathlib; axes.set_title("In a font of its own", font=pathlib.Path(path))
ipyweb.display(figure)
"""
    scripts.run(BEGIN + code + SETTLE)
    (output,) = settled(1)
    assert "y ticks: *; *; *" in output["figure"]["description"]
    (tmp_path / "own.ttf").unlink()
    for process in running_keepers():  # it has the font open
        kill(process.pid)
    answer = connection.request(the_hub(), "GET", f"api/outputs/{output['id']}/data?mime=image/png&width=300")
    assert answer.headers["x-ipyweb-rendered"] == "stored"
    assert "own.ttf" in answer.headers["x-ipyweb-reason"]
    assert answer.body == data_of(output, "image/png")


# -- shows ------------------------------------------------------------------------------------------------------------

IN_THREAD = """
def work():
    plt.plot([1, 2]); plt.show()
thread = threading.Thread(target=work); thread.start(); thread.join()
"""


@pytest.mark.parametrize(
    "code", [IN_THREAD, "plt.plot([1]); plt.show(block=True)", "plt.plot([1]); plt.show(block=False)"]
)
@pytest.mark.parametrize("end", [SETTLE, ""], ids=["by the keeper", "at the end"])
def test_a_show_in_a_thread_or_one_that_blocks_is_shown_and_returns(scripts: Scripts, code: str, end: str) -> None:
    scripts.run(BEGIN + code + end, MPLBACKEND="ipyweb")
    (output,) = settled(1)
    assert data_of(output, "image/png").startswith(PNG)


@pytest.mark.parametrize("show", ["plt.plot([1]); plt.show()", "ipyweb.display(good('leaving'))"])
def test_a_script_that_leaves_without_a_word_has_its_figure_stored(scripts: Scripts, show: str) -> None:
    leaving = scripts.start(BEGIN + f"{show}; os._exit(3)", MPLBACKEND="ipyweb")
    assert scripts.finish(leaving).status == 3
    (output,) = settled(1)
    assert data_of(output, "image/png").startswith(PNG)


# -- keepers ----------------------------------------------------------------------------------------------------------


def running_keepers() -> Iterator[psutil.Process]:
    """The keepers of this test's directories."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = process.environ().get("IPYWEB_RUNTIME_DIR") == os.environ["IPYWEB_RUNTIME_DIR"]
            if ours and "ipyweb.figures.keeper" in process.cmdline():
                yield process


def test_a_keeper_killed_again_and_again_leaves_no_output_without_picture(scripts: Scripts) -> None:
    show = "for n in range(200): ipyweb.display(good(str(n)), title=str(n)); time.sleep(0.04)\n"
    script = scripts.start(BEGIN + show + SETTLE)
    random, killed = chance(), 0
    while script.poll() is None:
        threading.Event().wait(random.uniform(0.1, 0.9))
        for process in running_keepers():
            with contextlib.suppress(psutil.NoSuchProcess):
                kill(process.pid)
                killed += 1
    done = scripts.finish(script)
    assert done.status == 0
    assert killed > 3, done
    assert [each["title"] for each in settled(200)] == [str(number) for number in range(200)]


def test_figures_that_a_dead_keeper_had_taken_are_drawn_by_the_next(
    scripts: Scripts, environment: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gated = (
        "class Gated(Artist):\n    def draw(self, renderer):\n"
        f"        while not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
    )
    many = "for n in range(5): figure = good(str(n)); figure.add_artist(Gated()); ipyweb.display(figure)\n"
    done = scripts.run(BEGIN + gated + "ipyweb.display(good('warm'))" + SETTLE + many + SETTLE)
    for process in running_keepers():
        kill(process.pid)
    assert sum("image/png" in each["mimetypes"] for each in outputs()) <= 1, done  # the warm one, if it came so far
    gate.touch()
    assert all("image/png" in each["mimetypes"] for each in settled(6))


def test_where_no_file_can_be_written_figures_are_drawn_all_the_same(scripts: Scripts) -> None:
    connection.start()
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    done = scripts.run(full + BEGIN + "for n in range(3): ipyweb.display(good(str(n)))" + SETTLE)
    assert "Traceback" not in done.err
    assert [data_of(each, "image/png")[:4] for each in settled(3)] == [PNG] * 3


def test_a_shelf_that_takes_nothing_any_more_loses_no_picture(scripts: Scripts, environment: str) -> None:
    scripts.run(BEGIN + "ipyweb.display(good('before'))" + SETTLE)
    settled(1)
    shelf = keepers.shelf_dir(environment)
    for path in shelf.glob("*.figure"):
        path.unlink()
    for process in running_keepers():  # else it takes the figure from the script, to its own shelf
        kill(process.pid)
    full = "def put(*_): raise OSError(28, 'full')\nfrom ipyweb.figures.shelf import Shelf; Shelf.put = put\n"
    scripts.run(BEGIN + full + "ipyweb.display(good('while full'))")
    _, second = settled(2)
    assert data_of(second, "image/png").startswith(PNG)
    answer = connection.request(the_hub(), "GET", f"api/outputs/{second['id']}/data?mime=image/png&width=300")
    assert answer.headers["x-ipyweb-rendered"] == "stored"
    assert "not kept any more" in answer.headers["x-ipyweb-reason"]


@pytest.mark.parametrize("kept", [True, False])
def test_a_keeper_killed_before_the_hub_knew_of_it_leaves_no_output_without_picture_or_notice(
    scripts: Scripts, environment: str, kept: bool
) -> None:
    slow = """
class Slow(Artist):
    def draw(self, renderer): time.sleep(3)

figure = good('slow')
figure.add_artist(Slow())
ipyweb.display(figure)
"""
    scripts.run(BEGIN + slow + SETTLE)
    for process in running_keepers():
        kill(process.pid)
    for path in keepers.shelf_dir(environment).glob("*.figure"):
        if not kept:
            path.unlink()
    (output,) = settled(1)
    assert ("image/png" in output["mimetypes"]) == kept
    assert kept or "in safe hands" in output["problems"][0]


# -- trust ------------------------------------------------------------------------------------------------------------


def test_a_snapshot_that_was_tampered_with_is_never_loaded(scripts: Scripts, environment: str, tmp_path: Path) -> None:
    from ipyweb.figures.shelf import Shelf

    scripts.run(BEGIN + "ipyweb.display(good('x'))")
    (output,) = settled(1)
    evil = b"cposix\nsystem\n(S'touch %s'\ntR." % str(tmp_path / "touched").encode()
    snapshot = Shelf(environment).get(output["figure"]["id"])
    (path,) = keepers.shelf_dir(environment).glob("*.figure")
    right = path.read_bytes()
    Shelf(environment).put(snapshot._replace(pickle=evil))
    wrong = path.read_bytes()
    path.write_bytes(right[:32] + wrong[32:])
    with pytest.raises(HubError, match="its MAC is wrong"):
        get(f"api/outputs/{output['id']}/data?mime=application/pdf")
    assert not (tmp_path / "touched").exists()
