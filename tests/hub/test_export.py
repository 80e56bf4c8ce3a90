"""Documents made of outputs, and archives taken in again."""

import base64
import io
import json
import re
import zipfile
from typing import Any

import nbformat
import pytest

from .conftest import PNG, Live

SESSION = {"argv": ["train.py", "--token=hunter2"], "cwd": "/home/me/secret", "project": "/home/me/secret"}
PRELUDE = "application/vnd.ipyweb.prelude; n=0; type=text/html"
ASSET = "application/vnd.ipyweb.asset; name=https://cdn.example/lib.js"
PLOTLY = b'{"data": [{"y": [1, 2]}], "layout": {"title": {"text": "Two"}}}'


@pytest.fixture
def filled(live: Live) -> Live:
    """A hub with outputs of several kinds."""
    session = live.session(**SESSION, title="train.py · pts/3 · node7", host="node7", script="/home/me/secret/train.py")
    session.welcome()
    source = {"file": "/home/me/secret/train.py", "line": 3, "cell": None, "code": "show(password)"}
    session.display({"image/png": PNG, "text/plain": b"<Figure>"}, title="A <b> & c", source=source, display_id="loss")
    session.display({"image/png": PNG + b"2", "text/plain": b"<Figure 2>"}, source=source, display_id="loss")
    session.display({"application/vnd.plotly.v1+json": PLOTLY}, source=source)
    session.display({"text/html": b"<p>table</p>", "text/plain": b"table"}, source={**source, "cell": 4})
    session.display({"text/plain": b"\x1b[31mred\x1b[0m <tag>"}, source={**source, "cell": 4})
    session.display({PRELUDE: b"<script>load()</script>", ASSET: b"lib()", "text/html": b"<div>plot</div>"})
    session.acked()
    session.close()
    live.request("PATCH", "/api/outputs/1", {"note": "look here", "pinned": True})
    return live


def export(live: Live, query: str) -> bytes:
    response = live.request("GET", f"/api/export?{query}")
    assert response.status == 200, response
    assert "attachment" in response.headers["content-disposition"]
    return response.body


@pytest.mark.parametrize("format", ["html", "ipynb", "zip", "json"])
@pytest.mark.parametrize("include", ["", "code", "argv,cwd", "host"])
def test_what_is_private_is_left_out_unless_it_is_asked_for(filled: Live, format: str, include: str) -> None:  # noqa: A002
    body = export(filled, f"format={format}&include={include}")
    text = body.decode() if format != "zip" else zipfile.ZipFile(io.BytesIO(body)).read("manifest.json").decode()
    secrets = {"code": "password", "argv": "hunter2", "cwd": "/home/me", "host": "node7"}
    asked = include.split(",")
    for name, secret in secrets.items():
        if name not in asked:
            assert secret not in text, name
    told = {"html": {"code"}, "ipynb": {"code", "argv", "cwd"}}.get(format, {*secrets})
    assert all(secrets[name] in text for name in asked if name in told)


def test_a_notebook_is_valid_and_has_the_same_data(filled: Live) -> None:
    notebook = nbformat.reads(export(filled, "format=ipynb&include=code").decode(), as_version=4)
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs[0].data["text/plain"] == "<Figure 2>"
    assert base64.b64decode(outputs[0].data["image/png"]) == PNG + b"2"
    assert outputs[1].data["application/vnd.plotly.v1+json"] == json.loads(PLOTLY)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code", "code", "code", "code"]
    assert [len(cell.get("outputs", [])) for cell in notebook.cells[1:]] == [1, 1, 2, 1, 1]
    assert notebook.cells[0].source == "### A <b> & c"
    assert notebook.cells[1].source == "show(password)"
    assert notebook.cells[4].outputs[0].data["text/html"] == "<script>load()</script>"


def test_json_is_named_as_the_notebook_format_allows(filled: Live) -> None:
    chart = {"mark": "point"}
    data = {"application/vnd.vegalite.v6.json": chart, "application/json": [1], "text/plain": "chart"}
    filled.request("POST", "/api/outputs", {"data": data})
    filled.request("POST", "/api/outputs", {"data": {"application/json": {"a": 1}}})
    notebook = nbformat.reads(export(filled, "format=ipynb&ids=6,7").decode(), as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].outputs[0].data == {"application/vnd.vegalite.v6+json": chart, "text/plain": "chart"}
    assert notebook.cells[1].outputs[0].data == {"application/json": {"a": 1}}


def test_a_report_is_one_file_without_network(filled: Live) -> None:
    text = export(filled, "format=html&title=Mine+%26+yours").decode()
    assert "<title>Mine &amp; yours</title>" in text
    assert "5 outputs, exported" in text
    assert re.search("<meta http-equiv=.Content-Security-Policy. content=.default-src 'none'", text)
    assert not re.search(r"""(?:src|href)=(?!["']?data:)""", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    assert "A &lt;b&gt; &amp; c" in text
    assert base64.b64encode(PNG + b"2").decode() in text
    assert "<pre>red &lt;tag&gt;</pre>" in text
    assert "look here" in text


def test_some_outputs_are_chosen_by_id_project_or_session(filled: Live) -> None:
    def ids(query: str) -> list[int]:
        return [each["id"] for each in json.loads(export(filled, f"format=json&{query}"))["outputs"]]

    assert ids("ids=3,1,99") == [1, 3]
    assert ids("ids=5,2-3,9-100") == [2, 3, 5]
    assert ids("project=/home/me/secret") == [1, 2, 3, 4, 5]
    filled.request("DELETE", "/api/outputs/2")
    assert ids("session=" + filled.get("/api/sessions")["sessions"][0]["id"]) == [1, 3, 4, 5]
    assert filled.request("GET", "/api/export?project=/none").status == 404
    for wrong in ("format=doc", "ids=a", "ids=1-", "ids=1-999999999", "include=all"):
        assert filled.request("GET", f"/api/export?{wrong}").status == 400


def comparable(live: Live, output: int) -> dict[str, Any]:
    """A record without what is another hub's own."""
    record = live.get(f"/api/outputs/{output}")
    own = ("id", "event", "data", "run")
    versions = [{**each, "data": None} for each in live.get(f"/api/outputs/{output}/versions")]
    data = {mime: (each["sha256"], each["size"]) for mime, each in record["data"].items()}
    return {**{name: value for name, value in record.items() if name not in own}, "versions": versions, "data": data}


def test_an_archive_brings_everything_back_and_twice_changes_nothing(filled: Live) -> None:
    body = json.loads(export(filled, "format=json&include=code,argv,cwd,host"))
    before = {output: comparable(filled, output) for output in range(1, 6)}
    for output in before:
        filled.request("DELETE", f"/api/outputs/{output}?purge=1")
    for output in body["outputs"]:
        for name, text in output.pop("blobs").items():
            assert filled.request("PUT", f"/api/blobs/{name}", base64.b64decode(text)).status in (200, 201)
    answer = filled.request("POST", "/api/import", body)
    assert (answer.status, answer.json()) == (201, {"imported": [6, 7, 8, 9, 10], "known": 0})
    assert {output - 5: comparable(filled, output) for output in range(6, 11)} == before
    assert filled.request("GET", "/api/outputs/6/data?version=1&mime=image/png").body == PNG
    assert filled.request("POST", "/api/import", body).json() == {"imported": [], "known": 5}
    assert [each["id"] for each in filled.get("/api/outputs?q=two")["outputs"]] == [7]


def test_an_archive_is_taken_in_by_another_hub_with_its_sessions_and_runs(filled: Live) -> None:
    body = json.loads(export(filled, "format=json&include=code,cwd"))
    for each in body["sessions"]:
        each["id"] = "e" * 32
    for each in body["outputs"]:
        each["session"] = "e" * 32
        del each["blobs"]
    assert filled.request("POST", "/api/import", body).json()["imported"] == [6, 7, 8, 9, 10]
    session = next(each for each in filled.get("/api/sessions")["sessions"] if each["id"] == "e" * 32)
    assert (session["connected"], session["project"], session["title"]) == (False, "/home/me/secret", "train.py")
    assert session["ended"]
    assert session["run"] == 1
    assert filled.get("/api/outputs/7")["run"]["stack"] == filled.get("/api/outputs/2")["run"]["stack"]


def test_what_is_older_than_the_hub_keeps_is_pinned(filled: Live) -> None:
    body = json.loads(export(filled, "format=json&ids=2"))
    (output,) = body["outputs"]
    del output["blobs"]
    output |= {"display_id": "old", "updated": "2001-01-01T00:00:00.000000Z"}
    assert filled.request("POST", "/api/import", body).json()["imported"] == [6]
    assert filled.get("/api/outputs/6")["pinned"] is True


def test_what_is_no_archive_or_lacks_bytes_is_refused_whole(filled: Live) -> None:
    good = json.loads(export(filled, "format=json&ids=1,2"))
    for output in good["outputs"]:
        output["display_id"] += "-other"
    bad: list[dict[str, Any]] = [
        {**good, "ipyweb": 2},
        {**good, "sessions": []},
        {**good, "outputs": [{**good["outputs"][0], "versions": []}]},
        {**good, "outputs": [{**good["outputs"][0], "created": "yesterday"}]},
        {**good, "outputs": ["x"]},
        {},
    ]
    for body in bad:
        assert filled.request("POST", "/api/import", body).status == 400, body
    good["outputs"][1]["versions"][0]["data"]["image/png"] = {"sha256": "0" * 64}
    assert filled.request("POST", "/api/import", good).status == 409
    assert len(filled.outputs()) == 5
    assert filled.request("POST", "/api/import", good, scope="pane").status == 403
