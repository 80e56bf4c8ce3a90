"""``ipyweb run`` runs a program as Python does: everything that it can see, and everything that is seen of it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from ipyweb import connection

from ..conftest import wait_until

SCRIPTS = {
    "streams": "import sys; print('out'); print('err', file=sys.stderr); print(input())",
    "arguments": "import sys; print(sys.argv, sys.orig_argv[1:], sys.flags, sys.warnoptions)",
    "main": "import sys; m = sys.modules['__main__']; print(sorted(vars(m).items(), key=str), m is not None, __name__)",
    "path": "import sys, os; print(sys.path, sys.path[0] == os.path.dirname(os.path.abspath(__file__)))",
    "environment": "import os; print(sorted(os.environ.items()), os.getcwd())",
    "modules": "import sys; print(sorted({*sys.modules} & {'typing', 'json', 'logging', 'traitlets', 'IPython'}))",
    "frames": "import sys, traceback; traceback.print_stack(); print(sys._getframe().f_back)",
    "hooks": "import sys; print(sys.excepthook, sys.displayhook, sys.stdout, sys.stdin, sys.gettrace())",
    "status": "raise SystemExit(7)",
    "large status": "raise SystemExit(300)",
    "message as status": "raise SystemExit('goodbye')",
    "no status": "raise SystemExit",
    "exit": "exit(3)",
    "exception": "def f(): return 1 / 0\ntry: f()\nexcept ZeroDivisionError as e:\n    raise ValueError('x') from e",
    "syntax error": "x = = 1",
    "own hook": "import sys; sys.excepthook = lambda *a: print('hook', a[0]); 1 / 0",
    "group": "raise ExceptionGroup('several', [ValueError(1), TypeError(2)])",
    "recursion": "def f(n): return f(n + 1)\ntry: f(0)\nexcept RecursionError as e: print(str(e)[:40])",
    "atexit": "import atexit; atexit.register(print, 'first'); atexit.register(print, 'last'); print('main')",
    "thread": "import threading; threading.Thread(target=lambda: 1 / 0, name='t').start(); print('main')",
    "warning": "import warnings; warnings.warn('careful'); warnings.warn('above', stacklevel=5)",
    "unraisable": "class A:\n    def __del__(self): 1 / 0\na = A(); del a",
    "os._exit": "import os, sys; print('x'); sys.stdout.flush(); os._exit(9)",
    "pickle": "import pickle\nclass A: pass\nprint(pickle.dumps(A()), type(pickle.loads(pickle.dumps(A()))) is A)",
    "guard": "if __name__ == '__main__': print('as main', __file__, __spec__, __package__, __doc__, __builtins__)",
    "subprocess": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys; print(sys.path[0])'])",
    "spawn": (
        "import multiprocessing as m\ndef f(x): return x * 2\n"
        "if __name__ == '__main__':\n    with m.get_context('spawn').Pool(1) as p: print(p.map(f, [1, 2]))"
    ),
    "fork": "import os\npid = os.fork()\nif not pid: os._exit(4)\nprint(os.waitpid(pid, 0)[1])",
    "annotations": "x: int = 1\nprint(__annotations__)",
    "encoding": "# coding: latin-1\nprint(ascii('\u00e9'))",
}
MODULE = "import sys; print(__name__, __spec__.name, __package__, sys.argv[1:], sys.path[0])"


@pytest.fixture
def folder(project: str) -> Path:
    """A folder for scripts, with a package."""
    folder = Path(project, "scripts")
    folder.mkdir()
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").touch()
    (folder / "package" / "__main__.py").write_text(MODULE)
    (folder / "package" / "part.py").write_text(MODULE)
    return folder


def python(folder: Path, *words: str, stdin: str = "typed\n") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], input=stdin, cwd=folder, capture_output=True, text=True, timeout=180
    )


def run(folder: Path, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return python(folder, *options, "-m", "ipyweb", "run", *words)


def seen(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    """Exit status, stdout and stderr, without the addresses of objects."""
    return done.returncode, *(re.sub(r"0x[0-9a-f]+|\d{15}", "…", text) for text in (done.stdout, done.stderr))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_sees_and_does_what_it_does_under_python(folder: Path, name: str) -> None:
    (folder / "script.py").write_text(SCRIPTS[name], encoding="latin-1" if name == "encoding" else "utf-8")
    words = ("script.py", "a", "-v", "--help", "--IPyWeb.private=True", "")
    assert seen(run(folder, *words)) == seen(python(folder, *words))


@pytest.mark.parametrize("path", ["", os.pathsep, f"{os.pathsep}other"])
def test_an_empty_part_of_pythonpath_means_what_it_means_to_python(
    folder: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", path)
    (folder / "script.py").write_text("import os, sys; print(sys.path, repr(os.environ['PYTHONPATH']))")
    assert seen(run(folder, "script.py")) == seen(python(folder, "script.py"))


@pytest.mark.parametrize(
    "words",
    [("-m", "package", "-m", "x"), ("-m", "package.part"), ("-m", "nothing"), ("package",), ("nothing.py",), ("-",)],
)
def test_modules_folders_and_standard_input_run_as_under_python(folder: Path, words: tuple[str, ...]) -> None:
    program = "import sys; print(sys.argv, __name__)"
    plain, ours = python(folder, *words, stdin=program), python(folder, "-m", "ipyweb", "run", *words, stdin=program)
    assert seen(ours) == seen(plain)


@pytest.mark.parametrize("options", [("-X", "dev"), ("-W", "error"), ("-O",), ("-P",), ("-B", "-s")])
def test_options_of_python_are_the_scripts_too(folder: Path, options: tuple[str, ...]) -> None:
    (folder / "script.py").write_text("import sys; print(sys.flags, sys.warnoptions, sys._xoptions, sys.path[0])")
    assert seen(run(folder, "script.py", options=options)) == seen(python(folder, *options, "script.py"))


def test_a_script_may_have_modules_with_the_names_of_standard_ones(folder: Path) -> None:
    for name in ("json", "logging", "connection", "config", "webbrowser"):
        (folder / f"{name}.py").write_text("mine = True")
    (folder / "script.py").write_text(
        "import json, logging, connection, config, webbrowser\nprint(json.mine, logging.mine)"
    )
    assert seen(run(folder, "script.py")) == (0, "True True\n", "")


def test_a_sitecustomize_of_the_users_own_is_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import sys; sys.custom = getattr(sys, 'custom', 0) + 1")
    (folder / "script.py").write_text("import os, sys; print(sys.custom, os.environ['PYTHONPATH'])")
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert seen(run(folder, "script.py")) == seen(python(folder, "script.py"))


def test_ctrl_c_ends_it_with_130_and_its_figures_are_stored(folder: Path, hub: connection.Connection) -> None:
    script = """
        import time, matplotlib.pyplot as plt
        file = open('unclosed.txt', 'w'); file.write('x')
        plt.plot([1, 2]); plt.show(); print('shown', flush=True)
        while True: time.sleep(0.05)  # an interrupt that comes just before a sleep begins does not end it
    """
    (folder / "script.py").write_text(dedent(script))
    command = [sys.executable, "-m", "ipyweb", "run", "script.py"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "shown\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=180)
    assert process.returncode == 130
    assert "Error" not in err
    assert "KeyboardInterrupt" in err
    wait_until(lambda: outputs(hub) == [["image/png", "text/plain"]], "the picture")
    assert (folder / "unclosed.txt").read_text() == "x"


@pytest.mark.parametrize("ending", ["", "raise SystemExit(1)", "1 / 0", "import os; os._exit(0)", "plt.figure()"])
def test_what_was_shown_is_stored_whatever_ends_the_script(
    folder: Path, hub: connection.Connection, ending: str
) -> None:
    (folder / "script.py").write_text(f"import matplotlib.pyplot as plt\nplt.plot([1]); plt.show()\n{ending}")
    run(folder, "script.py")
    wait_until(lambda: outputs(hub) == [["image/png", "text/plain"]], "the picture")


CHILDREN = """
import multiprocessing

def work(number):
    import matplotlib.pyplot as plt
    plt.title(str(number)); plt.show()

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    children = [context.Process(target=work, args=(number,)) for number in range(2)]
    [each.start() for each in children]
    [each.join() for each in children]
    print([each.exitcode for each in children])
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_figures_of_children_are_shown_however_they_are_started(
    folder: Path, hub: connection.Connection, method: str
) -> None:
    (folder / "script.py").write_text(CHILDREN.format(method=method))
    done = run(folder, "--IPyWeb.private=True", "script.py")
    assert done.stdout == "[0, 0]\n", done.stderr
    wait_until(lambda: outputs(hub) == [["image/png", "text/plain"]] * 2, "the pictures")
    records = connection.request(hub, "GET", "api/outputs").json()["outputs"]
    assert sorted(each["title"] for each in records) == ["0", "1"]
    assert all(each["private"] for each in records)


@pytest.mark.parametrize(
    ("choice", "backend"),
    [
        ("", "ipyweb"),
        ("import matplotlib; matplotlib.use('TkAgg')", "ipyweb"),
        ("import matplotlib.pyplot as plt; plt.switch_backend('qtagg')", "ipyweb"),
        ("import matplotlib; matplotlib.use('WebAgg')", "ipyweb"),
        ("import matplotlib; matplotlib.use('module://matplotlib_inline.backend_inline')", "ipyweb"),
        ("import matplotlib; matplotlib.use('Agg')", "agg"),
        ("import matplotlib; matplotlib.use('svg')", "svg"),
        ("import matplotlib; matplotlib.rcParams['backend'] = 'pdf'", "pdf"),
    ],
)
def test_whatever_backend_a_script_names_its_figures_are_shown(
    folder: Path, hub: connection.Connection, choice: str, backend: str
) -> None:
    code = (
        f"{choice}\nimport matplotlib.pyplot as plt\nf = plt.figure(); plt.show()\n"
        "print(plt.get_backend(), plt.get_fignums()); f.show()"
    )
    (folder / "script.py").write_text(code)
    done = run(folder, "script.py")
    assert backend in done.stdout.lower(), done.stderr
    assert "[]" in done.stdout
    wait_until(lambda: outputs(hub) == [["image/png", "text/plain"]], "the picture")


def test_a_script_that_only_plots_never_imports_ipython(folder: Path) -> None:
    (folder / "script.py").write_text(
        "import matplotlib.pyplot as plt, sys\nplt.plot([1]); plt.show(); print('IPython' in sys.modules)"
    )
    assert run(folder, "script.py").stdout == "False\n"


def test_ipythons_display_shows(folder: Path, hub: connection.Connection) -> None:
    (folder / "script.py").write_text("from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))")
    assert run(folder, "script.py").stdout == ""
    assert outputs(hub) == [["text/html", "text/plain"]]


def test_a_page_that_a_browser_would_open_is_shown(
    folder: Path, hub: connection.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", f"touch {folder / 'opened'} %s")
    (folder / "page.html").write_text("<b>all</b>")
    open_page = f"import webbrowser; assert webbrowser.open({(folder / 'page.html').as_uri()!r})"
    (folder / "script.py").write_text(open_page)
    notebook(folder, open_page, "import plotly.graph_objects as go; go.Figure().show('browser')")
    for name in ("script.py", "notebook.ipynb"):
        done = run(folder, name)
        assert done.returncode == 0, done.stderr
    wait_until(lambda: len(outputs(hub)) == 3, "the outputs")
    assert outputs(hub)[:2] == [["text/html", "text/plain"]] * 2
    assert "application/vnd.plotly.v1+json" in outputs(hub)[2]
    assert not (folder / "opened").exists()


def test_settings_go_before_the_script(folder: Path, hub: connection.Connection) -> None:
    (folder / "script.py").write_text("import ipyweb, sys; ipyweb.display('x'); print(sys.argv)")
    done = run(folder, "--log-level", "debug", "--IPyWeb.private=True", "script.py", "--IPyWeb.private=False")
    assert "['script.py', '--IPyWeb.private=False']" in done.stdout
    (record,) = connection.request(hub, "GET", "api/outputs").json()["outputs"]
    assert record["private"]


@pytest.mark.parametrize("words", [[], ["--nonsense", "script.py"], ["--log-level"]])
def test_wrong_usage_ends_with_2(folder: Path, words: list[str]) -> None:
    done = run(folder, *words)
    assert done.returncode == 2
    assert done.stderr.startswith("ipyweb: ")


def outputs(hub: connection.Connection) -> list[list[str]]:
    """MIME types of what is in the history; figures have an SVG too, where there was time for one."""
    answer = connection.request(hub, "GET", "api/outputs").json()
    return [sorted({*record["mimetypes"]} - {"image/svg+xml"}) for record in answer["outputs"]]


# -- notebooks


def notebook(folder: Path, *cells: str) -> Path:
    """A notebook of code cells."""
    path = folder / "notebook.ipynb"
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": []} for cell in cells]
    text = {"cell_type": "markdown", "source": "# Title"}
    path.write_text(json.dumps({"cells": [text, *code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_the_cells_of_a_notebook_run_in_order_in_one_process(folder: Path) -> None:
    notebook(folder, "x = 1", "x += 1", "import sys\nprint(x, sys.argv, __name__)")
    done = run(folder, "notebook.ipynb", "-v", "--help")
    assert done.stdout == "2 ['notebook.ipynb', '-v', '--help'] __main__\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_tasks_of_a_notebook_go_on_at_each_await_and_while_it_waits(folder: Path) -> None:
    notebook(
        folder,
        "import asyncio, ipyweb\nasync def say(word, seconds):\n    await asyncio.sleep(seconds)\n    print(word)",
        "task = asyncio.ensure_future(say('first', 0))\nother = asyncio.ensure_future(say('third', 1))",
        "await asyncio.sleep(0.1)\nprint('second')",
        "print(ipyweb.wait(3))",
    )
    assert run(folder, "notebook.ipynb").stdout.split() == ["first", "second", "third", "True"]


def test_a_notebook_stops_at_the_first_error_with_its_traceback(folder: Path) -> None:
    notebook(folder, "print('first')", "def f():\n    return 1 / 0\nf()", "print('never')")
    done = run(folder, "notebook.ipynb")
    assert (done.returncode, done.stdout) == (1, "first\n")
    assert "return 1 / 0" in done.stderr
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert "ipyweb/" not in done.stderr
    assert "interactiveshell" not in done.stderr


@pytest.mark.parametrize(
    ("cell", "status"), [("raise SystemExit(5)", 5), ("exit()", 0), ("x = = 1", 1), ("raise KeyboardInterrupt", 130)]
)
def test_a_notebook_ends_with_the_status_that_it_gives(folder: Path, cell: str, status: int) -> None:
    notebook(folder, cell)
    assert run(folder, "notebook.ipynb").returncode == status


def test_each_cell_of_a_notebook_shows_its_figures_as_in_jupyter(folder: Path, hub: connection.Connection) -> None:
    notebook(
        folder, "%matplotlib inline\nimport matplotlib.pyplot as plt", "plt.plot([1]);", "plt.plot([2]); plt.show()"
    )
    run(folder, "notebook.ipynb")
    pictures = [["image/png", "text/plain"]] * 2
    wait_until(lambda: [each for each in outputs(hub) if "image/png" in each] == pictures, "the pictures")


def test_a_figure_of_a_notebook_is_a_widget_where_ipympl_is_chosen(folder: Path, hub: connection.Connection) -> None:
    notebook(folder, "%matplotlib ipympl\nimport matplotlib.pyplot as plt", "plt.plot([1]); plt.show()")
    assert run(folder, "notebook.ipynb").returncode == 0
    (mimes,) = outputs(hub)
    assert "application/vnd.jupyter.widget-view+json" in mimes


def test_a_figure_of_a_script_is_a_widget_where_ipympl_is_chosen(folder: Path, hub: connection.Connection) -> None:
    code = "import matplotlib\nmatplotlib.use('ipympl')\nimport matplotlib.pyplot as plt\n"
    (folder / "live.py").write_text(f"{code}plt.plot([1])\nplt.gcf().canvas.toolbar.pan()\nplt.show()")
    assert run(folder, "live.py").returncode == 0
    (mimes,) = outputs(hub)
    assert "application/vnd.jupyter.widget-view+json" in mimes


def test_magics_display_await_and_pickling_work_in_a_notebook(folder: Path, hub: connection.Connection) -> None:
    notebook(
        folder,
        "%matplotlib qt\n%time x = 1",
        "import matplotlib.pyplot as plt\nplt.plot([1]); plt.show()",
        "from IPython.display import HTML\nHTML('<b>1</b>')",
        "import asyncio\nawait asyncio.sleep(0)",
        "import pickle\nclass A: pass\nassert type(pickle.loads(pickle.dumps(A()))) is A",
    )
    done = run(folder, "notebook.ipynb")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: outputs(hub) == [["image/png", "text/plain"], ["text/html", "text/plain"]], "the picture")


def test_a_file_that_is_no_notebook_says_so(folder: Path) -> None:
    (folder / "x.ipynb").write_text("{}")
    done = run(folder, "x.ipynb")
    assert done.returncode == 1
    assert "expected a notebook" in done.stderr
