"""Pictures of outputs that have none, made by libraries' exporters and by Chromium."""

import json
import select
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ipyweb import connection
from ipyweb.cli import exporters, pictures
from ipyweb.cli.exporters import Request, plotly_size, png_size

from ..conftest import wait_until

Answer = Callable[..., tuple[int, str, str]]
Publish = Callable[..., int]

PLOTLY = {"application/vnd.plotly.v1+json": {"data": [{"y": [1, 3, 2]}], "layout": {"title": {"text": "Plotted"}}}}
VEGALITE = {
    "application/vnd.vegalite.v5+json": {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": [{"a": 1, "b": 2}, {"a": 2, "b": 3}]},
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "quantitative"}},
        "width": 100,
        "height": 50,
    }
}


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that leaves but some ways to make pictures."""

    def only(*names: str) -> None:
        kinds = tuple(each._replace(makers=tuple(n for n in each.makers if n in names)) for each in pictures.KINDS)
        monkeypatch.setattr(pictures, "KINDS", kinds)

    return only


def processes_of(directory: Path) -> list[psutil.Process]:
    """Processes whose command names a directory."""
    running = psutil.process_iter(["cmdline"])
    return [each for each in running if str(directory) in " ".join(each.info["cmdline"] or ())]


def made(answer: Answer, *words: str) -> bytes:
    """The picture that ``get`` writes."""
    status, _, error = answer("get", *words, "-o", "made")
    assert (status, error) == (0, "")
    return Path("made").read_bytes()


@pytest.mark.parametrize("maker", ["kaleido", "chromium"])
def test_plotly_is_laid_out_for_a_size(maker: str, publish: Publish, answer: Answer, only: Callable[..., None]) -> None:
    only(maker)
    number = str(publish(PLOTLY))
    assert png_size(made(answer, number, "--width", "4in", "--height", "300", "--dpi", "50")) == (200, 300)


def test_plotly_becomes_an_svg(publish: Publish, answer: Answer, only: Callable[..., None]) -> None:
    only("chromium")
    svg = made(answer, str(publish(PLOTLY)), "--format", "svg")
    assert svg.lstrip().startswith(b"<svg")
    assert b"Plotted" in svg


@pytest.mark.parametrize("maker", ["vl-convert", "chromium"])
def test_vega_is_scaled_to_a_size(maker: str, publish: Publish, answer: Answer, only: Callable[..., None]) -> None:
    only(maker)
    number = str(publish(VEGALITE))
    width, height = png_size(made(answer, number, "--width", "500")) or (0, 0)
    assert abs(width - 500) <= 5
    assert 250 < height < 500  # it keeps its proportion


def test_vega_becomes_an_svg(publish: Publish, answer: Answer, only: Callable[..., None]) -> None:
    only("vl-convert")
    svg = made(answer, str(publish(VEGALITE)), "--format", "svg", "--width", "500")
    assert 'width="500"' in svg.decode().partition(">")[0]


def test_a_document_becomes_a_picture_that_reached_nothing(publish: Publish, answer: Answer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as spy:
        leak = (
            f"<img src='http://127.0.0.1:{spy.getsockname()[1]}/x.png'><script>fetch(document.images[0].src)</script>"
        )
        number = publish({"text/html": f"<h1 style='height:70px'>Seen</h1>{leak}", "text/plain": "x"})
        width, height = png_size(made(answer, str(number), "--format", "png")) or (0, 0)
        assert width == 700
        assert 70 < height < 400
        assert select.select([spy], [], [], 0)[0] == []  # whoever asked it for anything waits in its queue


def test_what_hangs_is_ended_and_leaves_nothing(
    publish: Publish, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "EXPORT_SECONDS", 4.0)
    number = publish({"text/html": "<script>while (true);</script>"})
    with tempfile.TemporaryDirectory(prefix="hangs-") as name:  # sockets are made there, whose paths must be short
        monkeypatch.setattr(tempfile, "tempdir", name)
        status, _, error = answer("get", str(number), "--format", "png")
        assert status == 1
        assert "Chromium: took more than 4 s" in error
        assert list(Path(name).iterdir()) == []
        wait_until(lambda: not processes_of(Path(name)), "the browser to be gone")


def test_without_any_maker_one_line_says_what_to_do(
    publish: Publish, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {name: maker._replace(exists=lambda: False) for name, maker in exporters.MAKERS.items()}
    monkeypatch.setattr(pictures, "MAKERS", nothing)
    number = publish(PLOTLY)
    assert answer("get", str(number), "--format", "png") == (
        1,
        "",
        f"ipyweb: output {number} is a Plotly figure, which became no PNG here: python -m pip install kaleido or "
        "install Chromium\n",
    )
    assert json.loads(answer("get", str(number), "--format", "json")[1])["data"] == [{"y": [1, 3, 2]}]
    assert "Plotly figure with 1 trace" in json.loads(answer("get", str(number), "--json")[1])["text"]


def test_a_specification_that_is_none_is_a_failure(
    publish: Publish, answer: Answer, only: Callable[..., None], hub: connection.Connection
) -> None:
    only("vl-convert")
    number = publish({"application/vnd.vegalite.v5+json": {"mark": 5, "data": {"url": "https://example.org/x.csv"}}})
    status, _, error = answer("get", str(number), "--format", "png")
    assert status == 1
    assert error.startswith(f"ipyweb: output {number} is a Vega chart, which became no PNG here: vl-convert: ")


def test_the_size_of_a_plotly_figure_is_as_asked_or_in_proportion() -> None:
    request = Request("kaleido", "", "png")
    assert plotly_size({}, request) == (700, 500, 1)
    assert plotly_size({"layout": {"width": 300, "height": "x"}}, request) == (300, 500, 1)
    assert plotly_size({}, request._replace(width=350.0)) == (350, 250, 1)
    assert plotly_size({}, request._replace(height=250.0)) == (350, 250, 1)
    assert plotly_size({}, request._replace(width=400.0, height=100.0, scale=2.0)) == (200, 50, 2)
    assert plotly_size({}, request._replace(width=350.0, height=400.0, fit=True)) == (700, 500, 0.5)
