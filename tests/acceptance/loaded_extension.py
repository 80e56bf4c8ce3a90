"""A pytest plugin that loads ipyweb into the shell that IPython's own tests share."""

import builtins
from typing import Any

import pytest


def _load() -> None:
    shell: Any = builtins.get_ipython()  # type: ignore[attr-defined]  # their conftest.py puts it there
    if "ipyweb" not in shell.extension_manager.loaded:
        shell.extension_manager.load_extension("ipyweb")


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """Load it before any test module is imported."""
    _load()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Load it again where a test has made a new shell."""
    _load()
