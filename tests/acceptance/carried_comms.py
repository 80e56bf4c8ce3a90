"""A pytest plugin that lets ipyweb carry all comms of the process."""

import pytest

from ipyweb.session.comms import install


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """Before any test module is imported."""
    install()
