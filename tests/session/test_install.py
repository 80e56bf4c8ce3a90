"""`install` points everything at the pane, and `uninstall` takes exactly that back."""

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from ipyweb import connection

STATE = """
import sys, os, builtins, matplotlib, matplotlib.backend_bases, matplotlib.backends
def state():
    plt = sys.modules.get('matplotlib.pyplot')
    rc = [dict.__getitem__(o, 'backend') for o in (matplotlib.rcParams, matplotlib.rcParamsDefault)]
    own = plt and (plt.switch_backend, plt._backend_mod, plt._backend_mod and plt._backend_mod.show)
    return (rc, own, matplotlib.is_interactive(), matplotlib.backend_bases.FigureManagerBase.show, sys.displayhook,
            list(sys.meta_path), os._exit, hasattr(builtins, 'get_ipython'), getattr(sys, 'ps1', None))
"""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import matplotlib.pyplot",
        "import matplotlib.pyplot as plt; plt.figure()",
        "import matplotlib; matplotlib.use('Agg'); import matplotlib.pyplot as plt; plt.figure()",
        "import matplotlib; matplotlib.use('svg'); import matplotlib.pyplot as plt; plt.figure()",
    ],
)
@pytest.mark.parametrize("between", ["", "import matplotlib.pyplot as plt; plt.figure()"])
def test_everything_is_as_before_after_uninstall(before: str, between: str) -> None:
    code = f"{before}\na = state()\nimport ipyweb; ipyweb.install(); ipyweb.install(); ipyweb.uninstall()\n"
    code += "b = state(); assert a == b, (a, b)\n"
    if before:
        code += f"ipyweb.install()\n{between}\nipyweb.uninstall(); b = state(); assert a == b, (a, b)"
    python(STATE + code)


def test_shells_made_for_display_go_too() -> None:
    python(
        "import builtins, ipyweb; ipyweb.install()\nimport IPython\nassert IPython.get_ipython() is not None\n"
        "ipyweb.uninstall(); assert IPython.get_ipython() is None and not hasattr(builtins, 'get_ipython')"
    )


def test_a_script_may_start_ipython_after_all() -> None:
    python(
        "import ipyweb; ipyweb.install()\nfrom IPython.terminal.interactiveshell import TerminalInteractiveShell as T\n"
        "from traitlets.config import Config\nc = Config(); c.HistoryManager.enabled = False\n"
        "c.TerminalInteractiveShell.simple_prompt = True\nassert isinstance(T.instance(config=c), T)"
    )


@pytest.mark.parametrize("order", ["{0}\n{1}", "{1}\n{0}"])
def test_shows_go_to_the_pane_whether_a_library_is_imported_before_or_after(
    hub: connection.Connection, order: str
) -> None:
    imports = "import matplotlib.pyplot as plt, plotly.graph_objects as go, IPython.display as d"
    code = order.format("import ipyweb; ipyweb.install()", imports)
    python(f"{code}\nplt.plot([1]); plt.show(); go.Figure().show(); d.display(d.HTML('<b>x</b>'))")
    outputs = connection.request(hub, "GET", "api/outputs").json()["outputs"]
    kinds = [{mime for mime in each["mimetypes"] if not mime.startswith("text/plain")} for each in outputs]
    assert [bool(kind & {expected}) for kind, expected in zip(kinds, KINDS, strict=True)] == [True] * 3


KINDS = ("image/png", "application/vnd.plotly.v1+json", "text/html")


def test_nothing_is_imported_that_the_program_does_not_import_itself() -> None:
    code = (
        "import sys; before = {*sys.modules}; import ipyweb; ipyweb.install(); print(sorted({*sys.modules} - before))"
    )
    assert {name.partition(".")[0] for name in eval(python(code))} == {"ipyweb", "__future__", "importlib", "warnings"}


def test_a_backend_found_meanwhile_shows_as_before_after_uninstall() -> None:
    code = "import matplotlib; matplotlib.use('svg'); import matplotlib.pyplot as plt, ipyweb\nipyweb.install()\n"
    python(code + "plt.figure(); ipyweb.uninstall(); assert plt._backend_mod.show.__module__.startswith('matplotlib.')")


def test_the_plain_prompt_shows_values_and_what_commands_plot(hub: connection.Connection, tmp_path: Path) -> None:
    child = prompt()
    child.sendline("import ipyweb; ipyweb.install()")
    child.expect(">>> ")
    for line in (
        "from IPython.display import HTML",
        "HTML('<b>x</b>')",
        "1 + 1",
        "import matplotlib.pyplot as plt",
        "lines = plt.plot([1, 2])",
        "plt.title('x')",
    ):
        child.sendline(line)
        child.expect(">>> ")
    child.sendline("ipyweb.uninstall(); import sys; print(repr(sys.ps1), sys.displayhook is sys.__displayhook__)")
    child.expect("'>>> ' True")
    child.sendline("exit()")
    child.expect(pexpect.EOF)
    outputs = connection.request(hub, "GET", "api/outputs").json()["outputs"]
    assert [(each["mimetypes"][0], each["version"] > 1) for each in outputs] == [
        ("text/html", False),
        ("image/png", True),
    ]


def prompt() -> "pexpect.spawn[str]":
    environment = {**os.environ, "TERM": "dumb", "PYTHON_BASIC_REPL": "1"}
    child = pexpect.spawn(sys.executable, ["-q"], env=environment, encoding="utf-8", timeout=180, echo=False)
    child.expect(">>> ")
    return child


def test_in_ipython_it_is_the_extension(tmp_path: Path) -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as S\nshell = S.instance(history_length=0)\n"
        "import ipyweb; ipyweb.install(); print('ipyweb' in shell.magics_manager.magics['line'])\n"
        "ipyweb.uninstall(); print('ipyweb' in shell.magics_manager.magics['line'])"
    )
    assert python(code).split() == ["True", "False"]
