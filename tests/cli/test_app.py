"""The command itself: help, wrong usage, settings, exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

from ipyweb import __version__, config, settings
from ipyweb.cli.app import IPyWebApp, main

SUBCOMMANDS = sorted(IPyWebApp.subcommands)


def test_all_subcommands_of_the_design_are_there() -> None:
    early = "clear connect demo diff disable doctor enable export get import list mcp"
    late = "open rotate run serve share show status stop url wait"
    assert " ".join(SUBCOMMANDS) == f"{early} {late}"


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_helps(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: ipyweb {name}")
    assert max(map(len, text.splitlines())) <= 120


def test_help_all_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help-all"])
    text = capsys.readouterr().out
    for owner in (config.IPyWeb, config.Hub):
        for name in owner.class_trait_names(config=True):
            assert f"--{owner.__name__}.{name}=" in text


def test_without_a_subcommand_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "subcommands:" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nosuch", "no subcommand 'nosuch'"),
        ("lst", "did you mean list?"),
        ("list --nosuch", "no option --nosuch"),
        ("list -x", "no option -x"),
        ("status extra", "got the arguments extra"),
        ("get", "expected ipyweb get ID|last"),
        ("get 1 2", "got the arguments 1 2"),
        ("get seventeen", "got 'seventeen'"),
        ("get ¹", "got '¹'"),
        ("open seventeen", "got 'seventeen'"),
        ("get 1 --format nosuch", "no format 'nosuch'"),
        ("get 1 --format png --mime image/png", "--format or --mime"),
        ("get 1 -o", "-o: expected one argument"),
        ("clear --older-than soon", "--older-than: expected a duration"),
        ("status --Hub.port=abc", "'port' trait of a Hub"),
        ("status --Hub.port=99999", "Hub.port"),
        ("status --Hub.host=0.0.0.0", "Hub.host"),
        ("status --IPyWeb.queue_bytes=-1", "IPyWeb.queue_bytes"),
        ("status --IPyWeb.nosuch=1", "no setting IPyWeb.nosuch"),
        ("status --Nosuch.trait=1", "no setting Nosuch.trait"),
        ("status --log-level=loud", "'log_level' trait of an IPyWeb"),
    ],
)
def test_wrong_usage_ends_with_two_and_one_line(line: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.startswith("ipyweb: ")
    assert error.count("\n") == 1


@pytest.fixture
def config_file() -> Path:
    path = settings.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_a_wrong_value_in_the_config_file_names_the_trait(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_file.write_text("c.Hub.max_versions = 0\n")
    assert main(["status"]) == 2
    assert "Hub.max_versions" in capsys.readouterr().err


def test_an_unknown_setting_in_the_config_file_is_a_warning(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_file.write_text("c.Hub.of_a_later_version = 1\n")
    assert main(["status", "--json"]) == 1
    seen = capsys.readouterr()
    assert "no setting Hub.of_a_later_version; ignored" in seen.err
    assert seen.out == '{"running": false}\n'


def test_a_broken_config_file_is_a_failure_that_names_it(config_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config_file.write_text("c.Hub.port = (\n")
    assert main(["status"]) == 1
    assert str(config_file) in capsys.readouterr().err


def test_the_command_line_wins_over_the_config_file(config_file: Path) -> None:
    config_file.write_text("c.Hub.port = 20001\nc.Hub.max_versions = 7\n")
    app = IPyWebApp()
    app.initialize(["status", "--Hub.port=20002"])
    assert app.subapp is not None
    hub = config.Hub(config=app.subapp.config)
    assert (hub.port, hub.max_versions) == (20002, 7)


def test_python_m_ipyweb_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "ipyweb", "nosuch"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no subcommand 'nosuch'" in done.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m ipyweb --help-all; echo status $? >&2"
    done = subprocess.run(["sh", "-c", f"({command}) | true"], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
