"""The floors of the house: what each wing may load, seen by a fresh interpreter's ``sys.modules``."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ipyweb

SOURCE = Path(ipyweb.__file__).parent
PLOTTING = {"matplotlib", "matplotlib_inline", "plotly", "altair", "bokeh", "holoviews", "PIL", "pandas", "sympy"}
WEB_SERVERS = {"tornado", "aiohttp", "http.server", "wsgiref", "uvicorn"}
BY_OTHERS = {"ipyweb.integrations.matplotlib_backend", "ipyweb.session.startup.sitecustomize"}
"""Imported by matplotlib, when it is chosen as its backend, and by Python itself, at the start of a script."""
EXTENSION = "from IPython.core.interactiveshell import InteractiveShell as S; shell = S.instance()"


def loaded(code: str, *before: str) -> set[str]:
    """Modules that a fresh interpreter loads for `code`, not counting those loaded `before`."""
    lines = [
        *before,
        "import sys, json as _",
        "seen = {*sys.modules}",
        code,
        "print(_.dumps([*({*sys.modules} - seen)]))",
    ]
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    return set(json.loads(done.stdout.splitlines()[-1]))


def modules(package: str) -> list[str]:
    """All modules of one of our packages."""
    paths = sorted((SOURCE / package).rglob("*.py"))
    names = (".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in paths)
    return ["ipyweb." + name.removesuffix(".__init__") for name in names]


def among(found: set[str], families: set[str]) -> set[str]:
    """Those of `found` that are, or belong to, one of `families`."""
    return {name for name in found if any(name == each or name.startswith(each + ".") for each in families)}


def roots(found: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in found}


def test_importing_ipyweb_loads_nothing_but_itself() -> None:
    assert loaded("import ipyweb") == {"ipyweb"}


@pytest.mark.parametrize("name", ipyweb.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(ipyweb, name) is not None


@pytest.mark.parametrize("name", ["protocol", "errors"])
def test_the_ground_floor_takes_only_the_standard_library(name: str) -> None:
    found = loaded(f"import ipyweb.{name}")
    assert among(found, {"ipyweb"}) <= {"ipyweb", "ipyweb.protocol", "ipyweb.errors"}
    assert roots(found) - {"ipyweb"} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "name", ["browser", "connection", "graphics", "inline", "jupyter", "plaintext", "project", "proxies", "screen"]
)
def test_what_all_wings_share_takes_only_the_standard_library(name: str) -> None:
    assert roots(loaded(f"import ipyweb.{name}")) - {"ipyweb"} <= sys.stdlib_module_names


@pytest.mark.parametrize("name", ["hub.hub", "hub.store"])
def test_state_and_store_know_no_web_server(name: str) -> None:
    assert not among(loaded(f"import ipyweb.{name}"), WEB_SERVERS)


@pytest.mark.parametrize("name", sorted({*modules("session"), *modules("integrations")} - BY_OTHERS))
def test_the_users_process_loads_no_hub_and_no_web_server(name: str) -> None:
    assert not among(loaded(f"import {name}"), {"ipyweb.hub", *WEB_SERVERS})


def test_what_carries_a_script_loads_no_traits() -> None:
    names = "session", "figures", "line"
    assert not among(loaded("import " + ", ".join(f"ipyweb.session.{name}" for name in names)), {"traitlets"})


def test_the_extension_loads_no_plotting_library_and_no_socket_library() -> None:
    found = loaded("shell.run_line_magic('load_ext', 'ipyweb')", EXTENSION)
    assert "ipyweb.session.extension" in found
    assert not among(found, {*PLOTTING, *WEB_SERVERS, "websockets"})


@pytest.mark.parametrize("name", modules("hub"))
def test_the_hub_loads_nothing_that_makes_outputs(name: str) -> None:
    assert not among(loaded(f"import {name}"), {"IPython", "ipyweb.session", "ipyweb.integrations", *PLOTTING})


UNPICKLING = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "multiprocessing"}
"""What loads pickles; of a connection of multiprocessing it takes but a ``recv``."""


def test_the_hub_never_unpickles() -> None:
    process = "import ipyweb.hub.app, ipyweb.cli.serve, " + ", ".join(modules("hub"))
    ours = among(loaded(process), {"ipyweb"})
    assert "ipyweb.keepers" in ours
    assert not among(ours, {"ipyweb.figures", "ipyweb.session"})
    paths = {name: SOURCE.parent / name.replace(".", "/") for name in ours}
    files = {name: path / "__init__.py" if path.is_dir() else path.with_suffix(".py") for name, path in paths.items()}
    assert {
        name: imported_by(path) & UNPICKLING for name, path in files.items() if imported_by(path) & UNPICKLING
    } == {}


@pytest.mark.parametrize("name", sorted({*modules("integrations")} - {"ipyweb.integrations", *BY_OTHERS}))
def test_an_integration_loads_neither_its_library_nor_another_integration(name: str) -> None:
    found = loaded(f"import {name}")
    assert not among(found, PLOTTING)
    assert among(found, {"ipyweb.integrations"}) == {"ipyweb.integrations", name}


@pytest.mark.parametrize("path", sorted((SOURCE / "integrations").glob("*.py")), ids=lambda path: path.stem)
def test_formatters_take_types_by_name(path: Path) -> None:
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "for_type":
            assert isinstance(call.args[0], ast.Constant | ast.Name), f"{path.name}:{call.lineno}"


def test_the_command_line_loads_no_wing_before_a_subcommand_needs_it() -> None:
    found = loaded("import ipyweb.cli.app")
    assert not among(found, {"IPython", "websockets", "mcp", "ipyweb.session", "ipyweb.hub", *WEB_SERVERS, *PLOTTING})


@pytest.mark.parametrize(
    "name", ["list", "get", "show", "url", "open", "status", "stop", "clear", "doctor", "enable", "wait", "mcp"]
)
def test_a_subcommand_loads_no_more_than_it_needs(name: str) -> None:
    found = loaded(f"import ipyweb.cli.{name}")
    assert not among(found, {"IPython", "websockets", "mcp", "ipyweb.session", "ipyweb.hub", *WEB_SERVERS, *PLOTTING})


def test_only_one_module_knows_the_sdk_of_mcp() -> None:
    paths = (path for path in SOURCE.rglob("*.py") if imported_by(path) & {"mcp", "pydantic", "anyio"})
    assert {path.relative_to(SOURCE).as_posix() for path in paths} == {"cli/mcp_server.py"}


def imported_by(path: Path) -> set[str]:
    """First names of all modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
