"""ipyweb in a real IPython on a real terminal: what is shown reaches the pane, and the terminal stays as it was."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from ipyweb import connection

from ..conftest import wait_until
from .conftest import Terminal, data, listed, outputs, plain, sessions

Start = Callable[..., Terminal]


def test_last_expressions_and_displays_reach_the_pane(ipython: Terminal) -> None:
    assert ipython.cell("Rich()") == "Out[4]: Rich()"
    assert ipython.cell("1 + 1") == "Out[5]: 2"
    assert ipython.cell("display('text')") == "'text'"
    assert ipython.cell("Rich();") == ""
    assert "<Output" in ipython.cell("shown = ipyweb.display(Rich(), title='Named'); shown")
    assert "<Output" in ipython.cell("display(shown)")
    result, text, named = ipython.outputs()
    assert result["mimetypes"] == ["text/html", "text/plain"]
    assert (result["source"]["cell"], result["source"]["code"]) == (4, "Rich()")
    assert data(result, "text/html") == b"<b>rich</b>"
    assert text["mimetypes"] == ["text/plain"]
    assert named["title"] == "Named"
    assert [each["id"] for each in listed()] == [each["id"] for each in (result, text, named)]


def test_handles_update_and_clear_output_clears(ipython: Terminal) -> None:
    ipython.cell("handle = display(HTML('first'), display_id=True)")
    assert [each["version"] for each in ipython.outputs()] == [1]
    ipython.cell("handle.update(HTML('second'))")
    assert [each["version"] for each in ipython.outputs()] == [2]
    ipython.cell("update_display(HTML('third'), display_id=handle.display_id)")
    (output,) = ipython.outputs()
    assert output["version"] == 3
    assert data(output, "text/html") == b"third"
    ipython.cell("for i in range(3): clear_output(wait=True); display(HTML(f'round {i}'))")
    _, loop = ipython.outputs()
    assert data(loop, "text/html") == b"round 2"
    ipython.cell("display(HTML('gone')); clear_output()")
    assert [each["id"] for each in ipython.outputs()] == [output["id"], loop["id"]]


def test_each_cell_shows_its_figures(ipython: Terminal) -> None:
    ipython.cell("import matplotlib.pyplot as plt")
    ipython.cell("plt.plot([1, 2]);")
    ipython.cell("for i in range(2): plt.figure(); plt.plot([i])")
    ipython.cell("plt.get_fignums()")
    ipython.outputs()
    wait_until(lambda: ["image/png" in each["mimetypes"] for each in outputs()] == [True] * 3, "the drawings")
    shown = outputs()
    assert [each["source"]["cell"] for each in shown] == [5, 6, 6]
    assert all(data(each, "image/png").startswith(b"\x89PNG") for each in shown)


def test_captured_cells_show_nothing_until_they_are_asked(ipython: Terminal) -> None:
    assert ipython.cell("%%capture caught\ndisplay(Rich())\nprint('printed')\nRich()") == ""
    assert ipython.outputs() == []
    assert ipython.cell("caught.show()") == "printed\nRich()\nRich()"
    assert [each["mimetypes"] for each in ipython.outputs()] == [["text/html", "text/plain"]] * 2


def test_text_results_go_to_the_pane_when_asked_for(ipython: Terminal) -> None:
    ipython.cell("%config IPyWeb.text_results = True")
    assert ipython.cell("1 + 1") == "Out[5]: 2"
    assert "text_results" in ipython.cell("%config IPyWeb")
    assert data(outputs_of_cells(ipython)[5], "text/plain") == b"2"


def test_the_magic_tells_and_does(ipython: Terminal) -> None:
    assert "0 outputs, 0 panes connected" in ipython.cell("%ipyweb status")
    ipython.cell("%ipyweb session Training")
    ipython.cell("Rich()")
    assert len(ipython.outputs()) == 1
    assert ": 1 outputs, 0 panes connected" in ipython.cell("%ipyweb")
    hub = connection.find()
    assert hub is not None
    assert ipython.cell("%ipyweb url").startswith(f"{hub.url}/#token={hub.token_for('pane')}&project=")
    assert [(each["name"], each["kind"]) for each in sessions()] == [("Training", "ipython")]
    assert ipython.cell("%ipyweb clear") == "1 outputs are in the trash for some days"
    assert ipython.outputs() == []
    ipython.cell("%ipyweb private")
    ipython.cell("Rich()")
    assert [each["private"] for each in ipython.outputs()] == [True]
    assert "expected one of status" in ipython.cell("%ipyweb nonsense")


def test_reprs_that_fail_leave_the_prompt_alone(ipython: Terminal) -> None:
    assert ipython.cell("Raising()") == "Out[4]: Raising()"
    assert ipython.cell("Rubbish()") == "Out[5]: Rubbish()"
    assert ipython.cell("Printing()").replace("printed by the repr", "").split() == ["Out[6]:", "Printing()"]
    assert "ValueError: no text today" in ipython.cell("Unprintable()")
    assert ipython.cell("display(Raising())") == "Raising()"
    assert ipython.cell("6 * 7") == "Out[9]: 42"
    shown = outputs_of_cells(ipython)
    assert shown[4]["problems"] == ["text/html: ValueError: no html today"]
    assert any("_repr_mimebundle_" in line for line in shown[5]["problems"])
    assert data(shown[6], "text/html") == b"<b>printing</b>"
    assert shown[7]["problems"] == ["text/plain: ValueError: no text today"]
    assert shown[8]["problems"] == shown[4]["problems"]


IDENTITIES = (
    "ip = get_ipython(); f = ip.display_formatter; state = lambda: ("
    "[id(each) for each in (ip.display_pub, ip.displayhook, f, f.active_types, *f.formatters.values())],"
    "[sorted(vars(each)) for each in (ip.display_pub, ip.displayhook, f, *f.formatters.values())],"
    "[each.enabled for each in f.formatters.values()], [dict(each.type_printers) for each in f.formatters.values()],"
    "[dict(each.deferred_printers) for each in f.formatters.values()],"
    "{name: list(each) for name, each in ip.events.callbacks.items()}, list(map(id, ip.configurables)),"
    "sorted(ip.magics_manager.magics['line']), list(__import__('sys').meta_path)); before = state()"
)


def test_unloading_restores_everything(start: Start) -> None:
    terminal = start()
    terminal.cell("from things import *; Rich()")  # IPython's own displayhook makes an attribute at its first result
    terminal.cell("Rich()")
    terminal.cell("%load_ext storemagic")  # and its magics come when they are first used
    terminal.cell(IDENTITIES)
    terminal.load()
    assert terminal.cell("state() == before") == "Out[7]: False"
    terminal.cell("Rich()")
    assert len(terminal.outputs()) == 1
    assert terminal.cell("%unload_ext ipyweb") == ""
    assert terminal.cell("state() == before") == "Out[11]: True"
    terminal.cell("Rich()")
    assert len(terminal.outputs()) == 1
    assert "not found" in terminal.cell("%ipyweb status")


SAME = [
    "from things import *; from IPython.display import *; import sys",
    "Rich()",
    "display(Rich(), 'text', 3.5)",
    "print('out'); print('err', file=sys.stderr); [Rich()] * 30",
    "{'key': list(range(60))}",
    "_, __, _2",
    "'several\\nlines'",
    "HTML('<b>x</b>')",
    "handle = display(Rich(), display_id='name'); handle.update(1); handle",
    "Rich();",
    "display(Rich(), include=['text/html']); display({'text/html': 'x', 'text/plain': 'y'}, raw=True)",
    "Unprintable()",
    "1 / 0",
    "def broken(:",
    "%%capture caught\nprint(1)\nRich()",
    "caught.outputs, caught.stdout",
    "caught.show()",
    "get_ipython().display_formatter.format(Rich())[0]",
    "!echo shell",
    "Rich?",
    "%who_ls",
    "import matplotlib.pyplot as plt; plt.__name__",
    "Out[2], In[2]",
]


def test_the_terminal_prints_what_it_printed_before(start: Start) -> None:
    without, loaded = start(), start()
    without.cell("pass")
    without.cell("pass")
    loaded.load()
    for code in SAME:
        assert without_addresses(loaded.cell(code)) == without_addresses(without.cell(code)), code
    assert len(loaded.outputs()) > 5
    assert loaded.exit() == without.exit()


def without_addresses(printed: str) -> str:
    """The text without what differs between any two processes."""
    return re.sub(r"0x[0-9a-f]{6,}", "0x…", printed)


def test_interrupts_and_syntax_errors_are_ipythons_own(ipython: Terminal) -> None:
    # short ones, since a signal just before a sleep interrupts no sleep
    ipython.send("import time; display(Rich()); print('asleep'); [time.sleep(0.1) for _ in range(10_000)]")
    ipython.process.expect_exact("asleep")
    ipython.process.sendintr()
    assert "KeyboardInterrupt" in ipython.printed()
    assert "SyntaxError" in ipython.cell("def broken(:")
    assert ipython.cell("Rich()").endswith("Rich()")
    assert [each["source"]["cell"] for each in ipython.outputs()] == [4, 6]


def test_the_next_output_starts_a_hub_where_the_last_was_killed(ipython: Terminal) -> None:
    ipython.cell("Rich()")
    (first,) = ipython.outputs()
    hub = connection.find()
    assert hub is not None
    os.kill(hub.pid, signal.SIGKILL)
    assert ipython.cell("Rich()") == "Out[6]: Rich()"
    again = ipython.outputs()
    assert [each["source"]["cell"] for each in again] == [4, 6]
    assert again[0] == first | {"event": again[0]["event"]}
    successor = connection.find()
    assert successor is not None
    assert successor.pid != hub.pid
    assert successor.url == hub.url
    assert ipython.exit().strip() == ""


def test_an_enabled_profile_loads_the_extension(start: Start) -> None:
    subprocess.run([sys.executable, "-m", "ipyweb", "enable", "--profile", "mine"], check=True)
    enabled = start("--profile=mine")
    enabled.cell("from things import *")
    assert enabled.cell("Rich()") == "Out[2]: Rich()"
    assert len(enabled.outputs()) == 1
    enabled.exit()
    subprocess.run([sys.executable, "-m", "ipyweb", "disable", "--profile", "mine"], check=True)
    disabled = start("--profile=mine")
    assert "not found" in disabled.cell("%ipyweb status")


def test_what_was_shown_last_arrives_when_ipython_ends_at_once(ipython: Terminal) -> None:
    ipython.cell("for i in range(50): display(HTML(f'number {i}'))")
    ipython.exit()
    assert ipython.process.exitstatus == 0
    assert [data(each, "text/html") for each in outputs()] == [b"number %d" % i for i in range(50)]
    (session,) = sessions()
    assert session["ended"] is not None


def test_over_ssh_the_link_comes_with_the_line_of_a_tunnel(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")
    terminal = start()
    terminal.cell("%load_ext ipyweb")
    terminal.cell("from things import *")
    terminal.send("Rich(); print('shown')\nRich()")
    terminal.process.expect(r"ipyweb: (http://127\.0\.0\.1:(\d+)/#token=\S+)")
    port = terminal.process.match.group(2)
    terminal.process.expect_exact(f"ssh -L {port}:127.0.0.1:{port} ")
    terminal.printed()
    assert "token=" not in plain(terminal.process.before)
    assert "token=" not in terminal.exit()


def outputs_of_cells(terminal: Terminal) -> dict[int, dict[str, object]]:
    """Outputs by the number of the cell that showed them."""
    return {each["source"]["cell"]: each for each in terminal.outputs()}


def test_the_link_is_printed_above_the_line_that_is_being_typed(start: Start) -> None:
    terminal = start()
    terminal.cell("%load_ext ipyweb")
    terminal.cell("import ipyweb; ipyweb.display(1);")
    terminal.process.send("x = 12345")
    terminal.process.expect_exact("not opened")
    terminal.process.expect_exact("12345")
    terminal.process.send("\r")
    terminal.printed()
    assert terminal.cell("x").endswith("12345")
