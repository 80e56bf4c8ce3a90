"""The public names: all there, each where its table says, and nothing loaded before it is used."""

import importlib
import pydoc

import pytest

import ipyweb


def test_all_names_what_the_table_has() -> None:
    assert sorted(ipyweb.__all__) == sorted(["__version__", *ipyweb._MODULES])


@pytest.mark.parametrize("name", ipyweb._MODULES)
def test_a_public_name_is_documented_where_the_table_says(name: str) -> None:
    module = importlib.import_module(f"ipyweb.{ipyweb._MODULES[name]}")
    assert getattr(ipyweb, name) is getattr(module, name)
    assert pydoc.getdoc(getattr(ipyweb, name))
    assert name in dir(ipyweb)


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(AttributeError, match="display"):
        ipyweb.show  # noqa: B018
