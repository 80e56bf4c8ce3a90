"""Libraries are switched when they are imported, whenever that is, and only then."""

from collections.abc import Callable

import pytest

from .conftest import Run


def test_nothing_is_imported_before_the_user_does(cells: Callable[..., Run]) -> None:
    run = cells(
        "%load_ext ipyweb", "import sys; print([m for m in ('matplotlib', 'plotly', 'altair') if m in sys.modules])"
    )
    assert "[]" in run.out


def test_the_import_hook_leaves_no_trace_in_the_module(cells: Callable[..., Run]) -> None:
    run = cells(
        "%load_ext ipyweb",
        "import altair, importlib.resources",
        "print(type(altair.__spec__.loader).__name__, type(altair.__loader__).__name__)",
        "print(importlib.resources.files('altair').joinpath('py.typed').is_file())",
    )
    assert "SourceFileLoader SourceFileLoader" in run.out
    assert "True" in run.out


def test_looking_for_a_library_does_not_use_up_its_switch(cells: Callable[..., Run]) -> None:
    run = cells(
        "%load_ext ipyweb",
        "import importlib.util; importlib.util.find_spec('altair')",
        "import altair; print(altair.renderers.active)",
    )
    assert "ipyweb" in run.out


def test_a_switch_that_fails_does_not_break_the_import(cells: Callable[..., Run]) -> None:
    run = cells(
        "%load_ext ipyweb",
        "import ipyweb.integrations.altair as a\ndef fail(*x): raise RuntimeError('another version')\na.install = fail",
        "import altair; print('imported')",
    )
    assert "imported" in run.out
    assert "altair could not be switched over: another version" in run.err


def test_a_missing_library_stays_missing(cells: Callable[..., Run]) -> None:
    code = "import sys; sys.modules['altair'] = None\ntry:\n import altair\nexcept ImportError: print('missing')"
    assert "missing" in cells("%load_ext ipyweb", code).out


def test_the_switches_can_be_turned_off(cells: Callable[..., Run]) -> None:
    run = cells(
        "get_ipython().config.IPyWeb.integrations = False",
        "%load_ext ipyweb",
        "import altair; print(altair.renderers.active)",
    )
    assert "default" in run.out


@pytest.mark.parametrize(
    "first", ["import IPython.display", "import sympy", "import tqdm.notebook", "ipyweb.display('words')"]
)
def test_whatever_is_imported_first_everything_is_switched(script: Callable[[str], Run], first: str) -> None:
    run = script(
        f"import ipyweb; ipyweb.install()\n{first}\n"
        "import tqdm.notebook, comm\nfrom IPython.display import HTML, display\n"
        "display(HTML('<b>bold</b>'))\nprint('comms', comm.create_comm.__module__)"
    )
    assert "could not be switched over" not in run.err
    assert run.shown[-1].data["text/html"] == b"<b>bold</b>"
    assert "comms ipyweb.session.comms" in run.out


PART, WHOLE = "xml.etree.ElementPath", "xml.etree.ElementTree"  # which imports the former


def test_a_module_that_is_half_imported_is_waited_for(script: Callable[[str], Run]) -> None:
    run = script(
        "import ipyweb.integrations as i\n"
        f"def part(module): print(i.is_imported('{WHOLE}')); i.after_import(['{WHOLE}'], whole)\n"
        f"def whole(module): print('whole', i.is_imported('{WHOLE}'))\n"
        f"i.after_import(['{WHOLE}'], print); i.after_import(['{PART}'], part)\n"
        f"import {WHOLE}"
    )
    assert run.out.split() == ["False", WHOLE, "whole", "True"]


def test_who_was_taken_back_hears_no_more(script: Callable[[str], Run]) -> None:
    run = script(
        "import ipyweb.integrations as i\n"
        f"undo = i.after_import(['{WHOLE}'], print); i.after_import(['{PART}'], lambda module: undo())\n"
        f"import {WHOLE}; print('imported')"
    )
    assert run.out.split() == ["imported"]
