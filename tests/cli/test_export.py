"""Outputs into a file and back."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from ipyweb import connection

Answer = Callable[..., tuple[int, str, str]]
Publish = Callable[..., int]
Ids = Callable[..., list[int]]


@pytest.mark.parametrize("suffix", ["zip", "json"])
def test_an_archive_comes_back(
    hub: connection.Connection, publish: Publish, answer: Answer, ids: Ids, project: str, suffix: str
) -> None:
    first = publish({"text/plain": "one"}, title="First", display_id="a")
    publish({"text/plain": "two"}, display_id="a")
    publish({"image/png": "iVBORw0KGgo="}, title="Second")
    publish(project="/elsewhere")
    file = f"history.{suffix}"
    status, out, _ = answer("export", file)
    assert (status, out.startswith(f"2 outputs in {file}, ")) == (0, True)
    assert answer("import", file) == (0, "0 outputs imported; 2 were there already\n", "")
    for number in ids():
        connection.request(hub, "DELETE", f"api/outputs/{number}?purge=1")
    assert answer("import", file) == (0, "2 outputs imported\n", "")
    listed = json.loads(answer("list", "--json")[1])
    assert [(each["title"], each["project"], each["version"]) for each in listed] == [
        ("First", project, 2),
        ("Second", project, 1),
    ]
    assert min(ids()) > first
    assert answer("get", str(listed[0]["id"]), "--format", "text")[1] == "two"


def test_the_name_says_the_format_and_ids_choose(publish: Publish, answer: Answer, project: str) -> None:
    publish({"text/plain": "left out"})
    number = publish({"text/markdown": "# Seen"}, title="Seen")
    assert answer("export", "one.ipynb", str(number))[0] == 0
    notebook = nbformat.read(Path("one.ipynb"), as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code"]
    assert answer("export", "one.html", "last", "--title", "Mine")[0] == 0
    report = Path("one.html").read_text()
    assert "<h1>Mine</h1>" in report
    assert "left out" not in report
    assert answer("export", "all.zip", "--include", "all")[0] == 0
    assert "manifest.json" in zipfile.ZipFile("all.zip").namelist()


def test_wrong_use_is_explained(publish: Publish, answer: Answer) -> None:
    publish()
    assert answer("export", "plot.docx")[0::2] == (
        2,
        "ipyweb: expected a file name that ends in .html, .htm, .ipynb, .zip, .json, got 'plot.docx'\n",
    )
    assert answer("export", "x.html", "--include", "everything")[0] == 2
    assert answer("export", "x.html", "77")[0] == 1
    assert answer("export")[0] == 2
    Path("x.json").write_text("{}")
    status, _, err = answer("import", "x.json")
    assert (status, "none" in err) == (1, True)
    assert answer("import", "nowhere.zip")[0] == 1
