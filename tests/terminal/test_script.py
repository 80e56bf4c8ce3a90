"""Plain Python processes that display: where what they show arrives, and what they say on stderr."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from ipyweb import connection

from ..conftest import stop_hub
from .conftest import data, outputs, plain, sessions

SHOW = "import ipyweb; from things import *; ipyweb.display(Rich(), title='Named')"


def run(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a program without a terminal; it has to end well."""
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What a program said on stderr, but for that it waits for the hub, which it says where that takes a second."""
    return "".join(line for line in done.stderr.splitlines(keepends=True) if "waiting up to" not in line)


@pytest.fixture
def terminal() -> Iterator[list[pexpect.spawn]]:
    """Programs on a terminal that are ended, should they not have."""
    started: list[pexpect.spawn] = []
    yield started
    for each in started:
        each.close(force=True)


def on_terminal(code: str, started: list[pexpect.spawn]) -> str:
    """Run a program on a terminal; returns what it printed."""
    process = pexpect.spawn(sys.executable, ["-c", code], encoding="utf-8", timeout=180, dimensions=(50, 300))
    started.append(process)
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0
    return plain(process.before)


def test_a_script_may_end_at_once_and_says_what_was_stored(hub: connection.Connection) -> None:
    done = run(f"{SHOW}; ipyweb.display(1, 2)")
    assert done.stdout == ""
    assert told(done) == "ipyweb: 3 outputs stored: 1 2 3 · ipyweb get 3\n"
    first, *_ = outputs()
    assert (first["title"], data(first, "text/html")) == ("Named", b"<b>rich</b>")
    (session,) = sessions()
    assert session["kind"] == "script"
    assert session["ended"] is not None


def test_the_report_can_be_silenced(monkeypatch: pytest.MonkeyPatch, hub: connection.Connection) -> None:
    monkeypatch.setenv("IPYWEB_REPORT", "0")
    assert told(run(SHOW)) == ""
    assert len(outputs()) == 1


def test_a_script_that_shows_nothing_starts_nothing() -> None:
    assert run("import ipyweb, IPython").stderr == ""
    assert connection.find() is None


def test_ipythons_display_goes_to_the_pane_once_ipyweb_is_in_use(project: Path) -> None:
    script = project / "train.py"
    script.write_text(
        "import pickle\n"
        "from IPython.display import HTML, clear_output, display, update_display\n"
        "import ipyweb\n"
        "class Mine: ...\n"
        "ipyweb.display(HTML('ours'))\n"
        "display(HTML('first'), display_id='one')\n"
        "update_display(HTML('second'), display_id='one')\n"
        "pickle.loads(pickle.dumps(Mine()))\n"
        "print('printed')\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=180)
    assert (done.returncode, done.stdout) == (0, "printed\n"), done.stderr
    ours, one = outputs()
    assert data(ours, "text/html") == b"ours"
    assert data(one, "text/html") == b"second"
    assert (Path(one["source"]["file"]).name, one["source"]["line"]) == ("train.py", 6)


def test_an_agent_reads_the_id_from_the_repr() -> None:
    hub = connection.start()
    out = run(f"{SHOW[:-1]}, display_id='x'); print(repr(ipyweb.display(Rich(), title='Again').wait()))").stdout
    (ours,) = [each for each in outputs() if each["title"] == "Again"]
    assert out == f"<Output {ours['id']} 'Again' text/html stored · ipyweb open {ours['id']}>\n"
    assert hub.token not in out


def test_without_a_terminal_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")
    done = run(f"{SHOW}; ipyweb.flush()")
    hub = connection.find()
    assert hub is not None
    for secret in (hub.token, hub.token_for("pane"), hub.token_for("session"), "token="):
        assert secret not in done.stdout + done.stderr
    assert "ipyweb: 1 output stored: 1 · ipyweb get 1" in done.stderr


def test_on_a_terminal_the_link_is_printed_once(terminal: list[pexpect.spawn]) -> None:
    printed = on_terminal(f"{SHOW}; ipyweb.flush(); ipyweb.display(1); ipyweb.flush()", terminal)
    hub = connection.find()
    assert hub is not None
    assert re.findall(r"ipyweb: (\S+token=[^&\s]+)", printed) == [f"{hub.url}/#token={hub.token_for('pane')}"]
    assert "stored" not in printed
    assert "ssh" not in printed


def test_over_ssh_the_line_of_the_tunnel_comes_with_the_link(
    terminal: list[pexpect.spawn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 2222")
    monkeypatch.delenv("IPYWEB_BROWSER")
    monkeypatch.setenv("DISPLAY", "localhost:10.0")
    printed = on_terminal(f"{SHOW}; ipyweb.flush()", terminal)
    hub = connection.find()
    assert hub is not None
    assert f"{hub.url}/#token={hub.token_for('pane')}&project=" in printed
    tunnel = re.search(r"over SSH; on your own machine first: (ssh -L .*)", printed)
    assert tunnel is not None
    assert re.fullmatch(rf"ssh -L {hub.port}:127\.0\.0\.1:{hub.port} \S+@\S+ -p 2222", tunnel[1].strip())


def test_an_output_of_the_history_is_there_when_no_hub_runs() -> None:
    run(SHOW)
    stop_hub()
    assert run("import ipyweb; print(ipyweb.get(1).data('text/html').decode())").stdout == "<b>rich</b>\n"
