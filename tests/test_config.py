"""Settings: every trait is documented, and a wrong value is refused by name."""

import logging
import sys

import pytest
from traitlets import TraitError
from traitlets.config import Config

from ipyweb.config import Hub, IPyWeb, Pane
from ipyweb.settings import Settings, config_file, own_settings


@pytest.mark.parametrize("owner", [IPyWeb, Pane, Hub])
def test_every_trait_says_what_it_does_and_its_default(owner: type[IPyWeb] | type[Pane] | type[Hub]) -> None:
    for name, trait in owner.class_traits(config=True).items():
        if trait.this_class is owner:
            assert "Default:" in trait.help, name


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", -1), ("port", 70000), ("port", "x"), ("max_bytes", -1), ("max_versions", 0), ("ip", "node7")],
)
def test_a_wrong_value_is_refused_with_the_name_of_the_trait(name: str, value: object) -> None:
    with pytest.raises(TraitError, match=name):
        Hub(config=Config({"Hub": {name: value}}))


@pytest.mark.parametrize("keys", [{"next": 5}, {"next": ["l", ""]}, {5: ["l"]}])
def test_keys_are_lists_of_words_by_name(keys: object) -> None:
    with pytest.raises(TraitError, match=r"Pane\.keys: expected"):
        Pane(config=Config({"Pane": {"keys": keys}}))


def test_the_environment_chooses_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYWEB_STORE", "memory")
    assert Hub().store == "memory"
    assert Hub(config=Config({"Hub": {"store": "disk"}})).store == "disk"
    monkeypatch.delenv("IPYWEB_STORE")
    assert Hub().store == "disk"


def test_the_log_level_is_that_of_the_logger() -> None:
    logger = logging.getLogger("ipyweb")
    before = logger.level, list(logger.handlers)
    try:
        settings = IPyWeb(config=Config({"IPyWeb": {"log_level": "DEBUG"}}))
        assert logger.level == logging.DEBUG
        settings.log_level = "error"
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(before[0])
        logger.handlers[:] = before[1]


def test_a_process_without_traits_has_their_defaults() -> None:
    plain, traits = Settings(), IPyWeb()
    names = {*IPyWeb.class_trait_names(config=True)} - {"log_level"}
    assert {*Settings.__annotations__} == names
    for name in names:
        value = getattr(plain, name)
        assert getattr(traits, name) == (list(value) if isinstance(value, tuple) else value), name


def test_traits_are_only_made_where_there_is_a_config_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipyweb.config")
    assert isinstance(own_settings(), Settings)
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text("c.IPyWeb.flush_timeout = 7\n")
    try:
        assert own_settings().flush_timeout == 7
    finally:
        sys.modules["ipyweb.config"].IPyWeb.clear_instance()


@pytest.mark.parametrize(
    "store", ["disk", "memory", "postgresql://me@host/db", "postgres:///db?host=/run/pg&sslmode=require"]
)
def test_a_store_is_a_word_or_an_address(store: str) -> None:
    assert Hub(store=store).database == (store if "//" in store else "")


@pytest.mark.parametrize(
    "store", ["tape", "mysql://host/db", "postgresql://me:hush@host/db", "postgresql:///db?password=hush"]
)
def test_an_address_with_a_password_and_other_words_are_refused_without_repeating_it(store: str) -> None:
    with pytest.raises(TraitError, match=r"Hub\.store: expected") as raised:
        Hub(store=store)
    assert "hush" not in str(raised.value)
