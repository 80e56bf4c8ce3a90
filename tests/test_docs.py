"""The documents name everything there is, and nothing that must not be named.

Run as a program, this file writes the table of settings into README.md.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipyweb
from ipyweb import config
from ipyweb.cli.app import IPyWebApp

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
_SETTINGS = re.compile(r"(?<=table -->\n).*(?=<!-- end of settings -->)", re.DOTALL)
_WRONG_NAME = re.compile(r"install\s+(-\S+\s+)*[\"']?ipyweb\b")


def settings_table() -> str:
    """The table of settings, from the traits themselves."""
    rows = [
        f"| `{owner.__name__}.{name}` | {str(trait.help).replace('|', '/')} |"
        for owner in (config.IPyWeb, config.Pane, config.Hub)
        for name, trait in owner.class_own_traits(config=True).items()
    ]
    return "\n".join(["| setting | what it is |", "|---|---|", *rows, ""])


def test_the_readme_has_every_setting() -> None:
    found = _SETTINGS.search(README.read_text())
    assert found is not None
    assert found.group() == settings_table(), "the settings changed: python tests/test_docs.py"


@pytest.mark.parametrize("owner", [config.IPyWeb, config.Pane, config.Hub])
def test_every_setting_says_its_default(owner: type[config.IPyWeb] | type[config.Pane] | type[config.Hub]) -> None:
    for name, trait in owner.class_own_traits(config=True).items():
        assert "efault" in str(trait.help), name


@pytest.mark.parametrize("name", sorted(IPyWebApp.subcommands))
def test_the_readme_has_every_subcommand(name: str) -> None:
    assert f"`ipyweb {name}" in README.read_text()


@pytest.mark.parametrize("name", [name for name in ipyweb.__all__ if not name.startswith("__")])
def test_the_readme_has_every_public_name(name: str) -> None:
    assert f"`ipyweb.{name}" in README.read_text()


def test_the_readme_has_every_environment_variable() -> None:
    source = "".join(path.read_text() for path in (ROOT / "ipyweb").rglob("*.py"))
    used = set(re.findall(r"\bIPYWEB_[A-Z_]+\b", source))
    told = set(re.findall(r"\bIPYWEB_[A-Z_]+\b", README.read_text()))
    assert used <= told


def test_no_document_names_the_other_project_on_the_index() -> None:
    for path in tracked():
        assert not _WRONG_NAME.search(path.read_text(errors="ignore")), path


def test_links_between_documents_lead_somewhere() -> None:
    for path in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text()):
            assert (ROOT / target).exists(), f"{path.name}: {target}"


def test_the_changelog_has_the_version_or_is_unreleased() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in text or f"## [{ipyweb.__version__}]" in text


def test_notebooks_are_valid_and_carry_no_outputs() -> None:
    import nbformat

    for path in (ROOT / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert all(not cell.get("outputs") for cell in notebook.cells), path


def tracked() -> Iterator[Path]:
    """Text files that are, or could be, in the repository."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    yield from (ROOT / name for name in names if not name.endswith((".png", "package-lock.json")))


if __name__ == "__main__":
    README.write_text(_SETTINGS.sub(lambda _: settings_table(), README.read_text()))
    sys.exit(0)
