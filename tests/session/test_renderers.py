"""Renderers of the user's own packages go with the outputs that need them."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipyweb.protocol import RICHNESS, is_known, renderer_type
from ipyweb.session import renderers
from ipyweb.session.session import Session

from .conftest import Sent

CHART = "application/vnd.acme.chart+json"
SCRIPT = "export function render(el, { bytes }) { el.textContent = new TextDecoder().decode(bytes) }"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package with renderers: by path, by function, by text, and broken ones."""
    (tmp_path / "acme_charts.py").write_text(
        "from pathlib import Path\n"
        "script = Path(__file__).with_name('chart.js')\n"
        "def made(): return script\n"
        f"text = {SCRIPT!r}\n"
        "missing = Path('nowhere.js')\n"
    )
    (tmp_path / "chart.js").write_text(SCRIPT)
    information = tmp_path / "acme_charts-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-charts\nVersion: 1\n")
    (information / "entry_points.txt").write_text(
        "[ipyweb.renderers]\n"
        f"{CHART} = acme_charts:script\n"
        "application/x-made = acme_charts:made\n"
        "application/x-text = acme_charts:text\n"
        "application/x-missing = acme_charts:missing\n"
        "application/x-broken = acme_charts:nothing\n"
        "image/png = acme_charts:script\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    caches = (renderers._entry_points, renderers._source)
    for each in caches:
        each.cache_clear()
    yield tmp_path
    sys.modules.pop("acme_charts", None)
    for each in caches:
        each.cache_clear()


@pytest.mark.parametrize("mime", [CHART, "application/x-made", "application/x-text"])
def test_a_renderer_goes_with_the_outputs_of_its_type(package: Path, session: Session, sent: Sent, mime: str) -> None:
    session.publish({mime: {"a": 1} if mime == CHART else "a", "text/plain": "a"})
    (parts,) = sent.displays()
    assert list(parts) == [mime, "text/plain", renderer_type(mime)]
    assert parts[renderer_type(mime)] == SCRIPT.encode()


def test_what_the_pane_draws_itself_looks_for_no_packages(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderers, "_entry_points", lambda: pytest.fail("packages were looked for"))
    assert renderers.of({"image/png": b"", "text/plain": b"", "text/html": b""}) == {}


@pytest.mark.parametrize("mime", ["application/x-missing", "application/x-broken"])
def test_a_renderer_that_cannot_be_had_costs_one_warning(
    package: Path, caplog: pytest.LogCaptureFixture, mime: str
) -> None:
    with caplog.at_level(logging.WARNING):
        assert renderers.of({mime: b""}) == renderers.of({mime: b""}) == {}
    assert len([record for record in caplog.records if mime in record.getMessage()]) == 1


def test_unknown_types_are_those_that_no_entry_of_the_table_names() -> None:
    assert RICHNESS[-3:] == (r"(?!text/plain|application/vnd\.ipyweb\.).*", r"(?!application/vnd\.ipyweb\.).*", r".*")
    assert is_known("image/png")
    assert is_known("text/plain")
    assert is_known(renderer_type(CHART))
    assert not is_known(CHART)
    assert not is_known("text/csv")
