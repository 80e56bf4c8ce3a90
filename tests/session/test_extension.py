"""IPython's doors: what passes them reaches the pane, the terminal prints what it printed, and all can be undone."""

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from traitlets.config import Config

from ipyweb.config import IPyWeb
from ipyweb.session.session import Session

from .conftest import Sent

PRELUDE = """
from IPython.display import HTML, clear_output, display, update_display
class Rich:
    def _repr_html_(self): return "<b>rich</b>"
    def __repr__(self): return "plain"
class Failing:
    def _repr_html_(self): raise ValueError("no html")
    def __repr__(self): return "plain"
"""


@pytest.fixture
def shell(session: Session) -> Iterator[InteractiveShell]:
    config = Config()
    config.HistoryManager.enabled = False
    config.TerminalInteractiveShell.simple_prompt = True
    made = TerminalInteractiveShell.instance(config=config)
    made.run_cell(PRELUDE)
    made.extension_manager.load_extension("ipyweb")
    session.config = IPyWeb.instance()
    yield made
    made.extension_manager.unload_extension("ipyweb")
    TerminalInteractiveShell.clear_instance()
    IPyWeb.clear_instance()


def run(shell: InteractiveShell, code: str) -> None:
    shell.run_cell(code, store_history=True).raise_error()


def test_a_last_expression_goes_to_the_pane_and_the_terminal_prints_its_text(
    shell: InteractiveShell, sent: Sent, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "Rich()")
    ((header, parts),) = sent.entries()
    assert header["type"] == "execute_result"
    assert parts == {"text/html": b"<b>rich</b>", "text/plain": b"plain"}
    assert header["content"]["source"]["cell"] == shell.execution_count - 1
    assert header["content"]["source"]["code"] == "Rich()"
    assert "plain" in capsys.readouterr().out


def test_a_last_expression_with_only_text_stays_in_the_terminal(shell: InteractiveShell, sent: Sent) -> None:
    run(shell, "1 + 1")
    assert sent.displays() == []
    IPyWeb.instance().text_results = True
    run(shell, "1 + 1")
    assert sent.displays() == [{"text/plain": b"2"}]


def test_displayed_text_is_shown(shell: InteractiveShell, sent: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, "display('text')")
    assert sent.displays() == [{"text/plain": b"'text'"}]
    assert capsys.readouterr().out == "'text'\n"


def test_handles_update_their_output(shell: InteractiveShell, sent: Sent) -> None:
    run(shell, "h = display(Rich(), display_id='x'); h.update(HTML('<i>2</i>')); update_display(3, display_id='x')")
    entries = sent.entries()
    assert [header["type"] for header, _ in entries] == ["display_data", "update_display_data"]
    assert {header["content"]["transient"]["display_id"] for header, _ in entries} == {"x"}
    assert entries[-1][1] == {"text/plain": b"3"}


def test_clear_output_clears_what_the_cell_has_shown(shell: InteractiveShell, sent: Sent) -> None:
    run(shell, "display(1)")
    before = sent.entries()[0][0]["content"]["transient"]["display_id"]
    run(shell, "display(2); clear_output(); display(3)")
    shown, cleared, again = (header for header, _ in sent.entries())
    assert cleared["content"]["display_ids"] == [shown["content"]["transient"]["display_id"]]
    assert again["content"]["transient"] == shown["content"]["transient"] != before


def test_capture_captures(shell: InteractiveShell, sent: Sent) -> None:
    run(shell, "%%capture caught\ndisplay(Rich())\nRich()")
    assert sent.displays() == []
    assert [each.data for each in shell.user_ns["caught"].outputs] == [{"text/plain": "plain"}] * 2
    run(shell, "caught.show()")
    run(shell, "caught.outputs[0]")
    assert sent.displays() == [{"text/html": b"<b>rich</b>", "text/plain": b"plain"}] * 3


def test_whoever_asks_the_shells_formatter_gets_what_it_gives_without_us(shell: InteractiveShell, sent: Sent) -> None:
    run(shell, "data, metadata = get_ipython().display_formatter.format(Rich())")
    assert shell.user_ns["data"] == {"text/plain": "plain"}
    assert shell.user_expressions({"x": "Rich()"})["x"]["data"] == {"text/plain": "plain"}
    assert sent.displays() == []


def test_a_representation_that_only_the_pane_shows_is_shown(
    shell: InteractiveShell, sent: Sent, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "display(Rich(), include=['text/html'])")
    assert sent.displays() == [{"text/html": b"<b>rich</b>"}]
    assert capsys.readouterr().out == ""


def test_a_repr_that_raises_is_a_notice_in_the_output_and_no_traceback(
    shell: InteractiveShell, sent: Sent, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "Failing()")
    ((header, parts),) = sent.entries()
    assert header["content"]["problems"] == ["text/html: ValueError: no html"]
    assert parts == {"text/plain": b"plain"}
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err


def test_text_that_raises_costs_ipythons_own_traceback(
    shell: InteractiveShell, sent: Sent, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "class Unprintable:\n def __repr__(self): raise ValueError('no text')")
    run(shell, "display(Unprintable())")
    printed = capsys.readouterr().out
    assert "no text" in printed
    assert "formatting.py" not in printed
    assert [header["content"]["problems"] for header, _ in sent.entries()] == [["text/plain: ValueError: no text"]]


def test_an_output_is_never_displayed_itself(
    shell: InteractiveShell, sent: Sent, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "import ipyweb; ipyweb.display({'text/html': 'x'}, raw=True)")
    run(shell, "display(_)")
    assert sent.displays() == [{"text/html": b"x"}]
    assert "<Output" in capsys.readouterr().out


def test_an_object_that_displays_itself_gets_the_name_it_was_given(shell: InteractiveShell, sent: Sent) -> None:
    code = "class Itself:\n def _ipython_display_(self): display(Rich())\n"
    run(shell, code + "import ipyweb; ipyweb.display(Itself(), display_id='mine', title='Named')")
    ((header, parts),) = sent.entries()
    assert header["content"]["transient"] == {"display_id": "mine"}
    assert header["content"]["title"] == "Named"
    assert "text/html" in parts


def test_the_history_keeps_only_what_the_terminal_showed(shell: InteractiveShell, sent: Sent) -> None:
    run(shell, "Rich()")
    outputs: Any = shell.history_manager.outputs
    assert outputs[shell.execution_count - 1][-1].bundle == {"text/plain": "plain"}


def test_a_failing_session_never_reaches_the_users_cell(
    shell: InteractiveShell, session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(session, "publish", fail)
    run(shell, "display(Rich()); Rich()")
    assert capsys.readouterr().out.count("plain") == 2


def test_config_and_magic_are_there(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, "%config IPyWeb.text_results = True")
    assert IPyWeb.instance().text_results is True
    run(shell, "%ipyweb nonsense")
    assert "expected one of status, url, open" in capsys.readouterr().out


def test_the_magic_tells_of_what_waits_for_a_hub(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, "%ipyweb")
    assert capsys.readouterr().out == "no hub is running; it starts with the first output\n"
    run(shell, "Rich()")
    run(shell, "%ipyweb")
    assert "no hub has answered yet; 1 messages wait for it\n" in capsys.readouterr().out


def test_unloading_restores_every_object(session: Session) -> None:
    config = Config()
    config.HistoryManager.enabled = False
    shell = TerminalInteractiveShell.instance(config=config)
    try:
        before = state_of(shell)
        for _ in range(2):
            shell.extension_manager.load_extension("ipyweb")
            assert state_of(shell) != before
            run(shell, "import ipyweb; ipyweb.display({}, raw=True);")
            shell.extension_manager.unload_extension("ipyweb")
            assert state_of(shell) == before
    finally:
        TerminalInteractiveShell.clear_instance()
        IPyWeb.clear_instance()


def state_of(shell: Any) -> dict[str, Any]:
    """Everything that loading could touch, by identity."""
    import builtins
    import sys

    formatter = shell.display_formatter
    owners = [shell.display_pub, shell.displayhook, formatter, *formatter.formatters.values()]
    state: dict[str, Any] = {
        "objects": [id(each) for each in owners],
        "attributes": [sorted(vars(each)) for each in owners],
        "active": id(formatter.active_types),
        "enabled": [each.enabled for each in formatter.formatters.values()],
        "printers": [
            (dict(each.type_printers), dict(each.deferred_printers))
            for each in (*formatter.formatters.values(), formatter.mimebundle_formatter)
        ],
        "hooks": {name: list(functions) for name, functions in shell.events.callbacks.items()},
        "configurables": [id(each) for each in shell.configurables],
        "magics": sorted(shell.magics_manager.magics["line"]),
        "meta_path": list(sys.meta_path),
        "displayhook": id(sys.displayhook),
        "builtins": sorted(vars(builtins)),
    }
    return state
