"""The backend ``ipyweb``: what ``plt.show()`` shows, when it updates, and what it leaves alone."""

import base64
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from .conftest import Run

Script = Callable[[str], Run]
Cells = Callable[..., Run]
PYPLOT = "import matplotlib; matplotlib.use('ipyweb')\nimport matplotlib.pyplot as plt\n"


def kinds(run: Run) -> list[str]:
    return [each.header["type"] for each in run.shown]


def display_ids(run: Run) -> list[str]:
    return [each.header["content"]["transient"]["display_id"] for each in run.shown]


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), float)


@pytest.mark.parametrize(
    "choice",
    [
        "import os; os.environ['MPLBACKEND'] = 'ipyweb'",
        "import matplotlib; matplotlib.use('ipyweb')",
        "import matplotlib; matplotlib.use('module://ipyweb.integrations.matplotlib_backend')",
        "import matplotlib, matplotlib.pyplot; matplotlib.use('ipyweb')",
    ],
)
def test_each_way_to_choose_it_shows_figures(script: Script, choice: str) -> None:
    run = script(f"{choice}\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()")
    assert [set(each.data) for each in run.shown] == [{"image/png", "text/plain"}]


@pytest.mark.parametrize("show", ["plt.show()", "plt.show(block=True)"])
def test_a_show_that_would_have_blocked_returns_and_lets_go_of_the_figures(script: Script, show: str) -> None:
    run = script(f"{PYPLOT}f = plt.figure(); plt.figure(); {show}\nprint(plt.get_fignums(), plt.figure() is f)")
    assert kinds(run) == ["display_data", "display_data"]
    assert "[] False" in run.out


def test_a_show_that_would_not_have_blocked_keeps_them(script: Script) -> None:
    run = script(f"{PYPLOT}plt.plot([1]); plt.show(block=False); plt.ion(); plt.show(); print(plt.get_fignums())")
    assert "[1]" in run.out


def test_showing_again_updates_the_output_only_if_the_figure_changed(script: Script) -> None:
    code = "plt.plot([1]); plt.show(block=False); plt.show(block=False); plt.title('x'); plt.show(block=False)"
    run = script(PYPLOT + code)
    assert kinds(run) == ["display_data", "update_display_data"]
    assert len(set(display_ids(run))) == 1


def test_a_figure_of_an_earlier_show_can_be_used_and_shown_again(script: Script) -> None:
    run = script(f"{PYPLOT}f, ax = plt.subplots(); plt.show(); ax.plot([1, 2]); f.show()")
    assert len(set(display_ids(run))) == 1
    assert run.shown[0].data["image/png"] != run.shown[1].data["image/png"]


def test_closing_a_figure_keeps_its_output(script: Script) -> None:
    run = script(f"{PYPLOT}plt.plot([1]); plt.show(block=False); plt.close('all')")
    assert kinds(run) == ["display_data"]


def test_who_listens_for_the_end_of_a_window_hears_of_it(script: Script) -> None:
    run = script(f"{PYPLOT}plt.gcf().canvas.mpl_connect('close_event', lambda e: print('closed')); plt.show()")
    assert "closed" in run.out


def test_the_picture_is_what_savefig_writes(script: Script) -> None:
    code = "f = plt.figure(figsize=(3, 2), dpi=130, layout='constrained'); f.subplots().plot([1, 3, 2])\n"
    save = "f.savefig(b := io.BytesIO(), dpi=f.dpi, bbox_inches=None); print(base64.b64encode(b.getvalue()).decode())"
    run = script(f"import io\n{PYPLOT}{code}plt.show(block=False)\n{save}")

    saved = pixels(base64.b64decode(run.out.split()[-1]))
    shown = pixels(run.shown[0].data["image/png"])
    assert shown.shape == (260, 390, 4)
    assert np.sqrt(np.mean((saved - shown) ** 2)) <= 1


def test_a_figure_is_not_altered(script: Script) -> None:
    seen = "(f.dpi, tuple(f.get_size_inches()), f.canvas, f.get_layout_engine(), f.get_facecolor())"
    code = f"f = plt.figure(layout='tight', dpi=77); f.subplots()\na = {seen}; plt.show(); print(a == {seen})"
    assert "True" in script(PYPLOT + code).out


def test_whoever_watches_a_figure_goes_on_to_see_its_changes(script: Script) -> None:
    code = "f = plt.figure(); f.stale_callback = lambda *a: print('stale')\nplt.show(); print('now'); f.suptitle('x')"
    assert "stale" in script(PYPLOT + code).out.partition("now")[2]


def test_a_figure_that_cannot_be_drawn_says_so(script: Script) -> None:
    code = "class A(plt.Line2D):\n def draw(self, r): raise ValueError('no ink')\n"
    run = script(f"{PYPLOT}{code}plt.gca().add_artist(A([0], [0])); plt.show(); print('goes on')")
    assert run.shown[0].header["content"]["problems"] == ["the figure could not be drawn: ValueError: no ink"]
    assert "goes on" in run.out


def test_figures_come_from_threads(script: Script) -> None:
    code = (
        "from threading import Thread\n"
        "def work(n):\n f = plt.figure(n); f.subplots(); f.show()\n"
        "threads = [Thread(target=work, args=[n]) for n in range(4)]\n"
        "for t in threads: t.start()\nfor t in threads: t.join()"
    )
    assert kinds(script(PYPLOT + code)) == ["display_data"] * 4


def test_a_loop_that_pauses_updates_one_output(script: Script) -> None:
    code = "l, = plt.plot([1, 2])\nfor i in range(3): l.set_ydata([i, 2]); plt.pause(0.01)"
    run = script(PYPLOT + code)
    assert len(set(display_ids(run))) == 1
    assert kinds(run)[0] == "display_data"


def test_a_loop_that_flushes_events_updates_one_output(script: Script) -> None:
    code = "plt.ion(); l, = plt.plot([1, 2])\nfor i in range(3): l.set_ydata([i, 2]); plt.gcf().canvas.flush_events()"
    assert len(set(display_ids(script(PYPLOT + code)))) == 1


def test_waiting_for_clicks_does_not_hang(script: Script) -> None:
    run = script(f"{PYPLOT}plt.plot([1]); print(plt.ginput(timeout=-1))")
    assert "[]" in run.out
    assert "clicks" in run.err


def test_waiting_for_clicks_again_and_again_ends_with_the_reason(script: Script) -> None:
    code = "plt.plot([1])\ntry:\n while not plt.waitforbuttonpress(): pass\nexcept RuntimeError as error: print(error)"
    assert "clicks or keys" in script(PYPLOT + code).out


def test_a_script_that_only_plots_never_imports_ipython(script: Script) -> None:
    run = script(f"{PYPLOT}plt.plot([1]); plt.show()\nimport ipyweb; ipyweb.display(plt.figure())\n"
                 "print('IPython' in sys.modules)")  # fmt: skip
    assert "False" in run.out
    assert len(run.shown) == 2


def test_a_forked_child_shows_in_its_own_session(script: Script) -> None:
    code = (
        "plt.plot([1]); plt.show(block=False)\nsys.stdout.flush()\npid = os.fork()\n"
        "if not pid:\n from ipyweb.session.session import begun\n plt.show(block=False)\n"
        " print('child', len(begun().client.backlog)); sys.stdout.flush(); os._exit(0)\nos.waitpid(pid, 0)"
    )
    run = script(f"import os\n{PYPLOT}{code}")
    assert "child 1" in run.out
    assert kinds(run) == ["display_data"]


def test_at_a_prompt_later_commands_update_the_same_output(cells: Cells) -> None:
    run = cells(
        "%load_ext ipyweb", "import matplotlib.pyplot as plt", "plt.plot([1]);", "plt.title('x');", "plt.show()"
    )
    assert kinds(run) == ["display_data", "update_display_data"]
    assert len(set(display_ids(run))) == 1


def test_at_a_prompt_a_figure_is_shown_when_the_command_shows_it(cells: Cells) -> None:
    run = cells("%load_ext ipyweb", "import matplotlib.pyplot as plt", "plt.plot([1]); plt.show(); plt.title('x');")
    assert kinds(run) == ["display_data", "update_display_data"]


def test_at_a_prompt_interactive_mode_off_waits_for_show(cells: Cells) -> None:
    run = cells("%load_ext ipyweb", "import matplotlib.pyplot as plt; plt.ioff()", "plt.plot([1]);", "1", "plt.show()")
    assert kinds(run) == ["display_data"]
    assert run.shown[0].header["content"]["source"]["cell"] == 5


def test_figures_that_were_open_before_the_extension_are_shown(cells: Cells) -> None:
    run = cells(
        "import matplotlib.pyplot as plt; f = plt.figure(); plt.plot([1]);", "%load_ext ipyweb", "plt.title('x');"
    )
    assert kinds(run) == ["display_data", "update_display_data"]


@pytest.mark.parametrize("load", [["%load_ext ipyweb"], []])
def test_the_magic_chooses_it(cells: Cells, load: list[str]) -> None:
    run = cells(*load, "%matplotlib ipyweb", "import matplotlib.pyplot as plt; plt.plot([1]);")
    assert len([each for each in run.shown if "image/png" in each.data]) == 1


def test_inline_behaves_as_in_a_notebook(cells: Cells) -> None:
    cell = "plt.plot([1]); print(plt.get_fignums());"
    run = cells("%load_ext ipyweb", "%matplotlib inline", "import matplotlib.pyplot as plt", cell, cell)
    assert kinds(run) == ["display_data", "display_data"]
    assert run.out.count("[1]") == 2


def test_at_a_breakpoint_a_figure_appears_at_once(script: Script) -> None:
    code = (
        "import io, pdb\nfrom ipyweb.session.session import begun\n"
        "commands = 'plt.plot([1]); plt.show()', 'p \"sent\", len(begun().client.backlog)', 'c', ''\n"
        "typed = io.StringIO(chr(10).join(commands))\n"
        "pdb.Pdb(stdin=typed, stdout=sys.stdout).set_trace()\nprint('after')"
    )
    assert "('sent', 1)" in script(PYPLOT + code).out


def test_an_animation_plays_without_the_internet(script: Script) -> None:
    code = (
        "from matplotlib.animation import FuncAnimation\nf, ax = plt.subplots(figsize=(1, 1)); l, = ax.plot([0, 1])\n"
        "a = FuncAnimation(f, lambda i: l.set_ydata([i, 1]), frames=5); plt.show(); import ipyweb; ipyweb.display(a)"
    )
    run = script(PYPLOT + code)
    assert kinds(run) == ["display_data", "update_display_data", "display_data"]
    for shown in run.shown[1:]:
        html = shown.data["text/html"].decode()
        assert "<video" in html or html.count("data:image/png") == 5
        assert "http" not in html
        assert shown.data["image/png"]


def test_an_animation_that_fails_leaves_a_picture(script: Script) -> None:
    code = (
        "from matplotlib.animation import FuncAnimation\na = FuncAnimation(plt.figure(), lambda i: 1 / 0, frames=5)\n"
    )
    run = script(f"{PYPLOT}{code}plt.show(); print('goes on')")
    assert kinds(run) == ["display_data"]
    assert "goes on" in run.out
    assert "ZeroDivisionError" in run.err


def test_axes_and_whatever_holds_a_figure_show_their_figure(script: Script) -> None:
    code = (
        "import ipyweb\nf, axes = plt.subplots(2, 2)\n"
        "class Grid: figure = f\nclass Display: figure_ = f\n"
        "for each in (f, axes[0, 0], axes, axes.flat[0].plot([1])[0], Grid(), Display(), f.subfigures(),\n"
        "    axes[0, 0].plot([1]), axes[0, 0].bar([0], [1]), axes[0, 0].errorbar([0], [1], 1)):\n"
        "    ipyweb.display(each)\n"
        "ipyweb.display()"
    )
    assert ["image/png" in each.data for each in script(PYPLOT + code).shown] == [True] * 11


def test_a_list_of_figures_is_not_taken_for_one_of_them(script: Script) -> None:
    code = "import ipyweb\nipyweb.display([plt.figure(), plt.figure()]); ipyweb.display([]); ipyweb.display([1])"
    assert [set(each.data) for each in script(PYPLOT + code).shown] == [{"text/plain"}] * 3


def test_displaying_nothing_says_what_was_expected(script: Script) -> None:
    run = script("import ipyweb\ntry: ipyweb.display()\nexcept ValueError as error: print(error)")
    assert "expected an object to show" in run.out
