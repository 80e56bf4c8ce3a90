"""``ipyweb mcp``, asked by the SDK's own client over stdio, of what real libraries have shown."""

import asyncio
import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from PIL import Image

from ipyweb import connection

from ..conftest import HANGS, stop_hub
from .conftest import somebody_waits

Answer = Callable[..., tuple[int, str, str]]
Publish = Callable[..., int]
Ask = Callable[..., Any]

SHOWS = """
import altair, ipyweb, matplotlib.pyplot as plt, pandas, plotly.graph_objects as go
table = pandas.DataFrame({"kind": ["a", "b"], "height": [3, 5]})
fig, axes = plt.subplots(figsize=(8, 6))
axes.plot([1.5, 3, 2], label="loss")
axes.set_title("Training")
axes.legend()
ipyweb.display(fig, title="Figure")
ipyweb.display(go.Figure(go.Scatter(y=[1, 7], name="seen"), {"title": {"text": "Plotted"}}), title="Plotly")
ipyweb.display(altair.Chart(table, title="Charted").mark_bar().encode(x="kind", y="height"), title="Altair")
ipyweb.display(table, title="Table")
"""


def picture(result: Any) -> Image.Image:
    """The picture of a result."""
    (content,) = (each for each in result.content if each.type == "image")
    return Image.open(io.BytesIO(base64.b64decode(content.data)))


def text(result: Any) -> str:
    """The text of a result, which is no error."""
    assert not result.is_error, result.content
    return "\n".join(each.text for each in result.content if each.type == "text")


def error(result: Any) -> str:
    assert result.is_error, result.content
    return str(result.content[0].text)


def with_server(project: str, talk: Callable[[Client], Any]) -> None:
    """Talk to a server of a project's directory."""
    command = {"command": sys.executable, "args": ["-m", "ipyweb", "mcp"], "env": dict(os.environ), "cwd": project}

    async def run() -> None:
        async with Client(StdioServerParameters(**command)) as client:  # type: ignore[arg-type]
            await talk(client)

    asyncio.run(asyncio.wait_for(run(), 3 * HANGS))


def test_an_agent_sees_what_a_script_shows(hub: connection.Connection, project: str) -> None:
    Path(project, "shows.py").write_text(SHOWS)

    async def talk(client: Client) -> None:
        async def ask(tool: str, **arguments: Any) -> Any:
            return await client.call_tool(tool, arguments)

        assert "no outputs in" in text(await ask("list_outputs"))
        waiting = asyncio.ensure_future(ask("wait_for_output", after=0, timeout=HANGS))
        script = await asyncio.create_subprocess_exec(sys.executable, "-m", "ipyweb", "run", "shows.py", cwd=project)
        first = json.loads(text(await waiting))
        assert (first["id"], first["title"], first["made_at"]) == (1, "Figure", "shows.py:8")
        assert await script.wait() == 0
        listed = [json.loads(line) for line in text(await ask("list_outputs")).splitlines()]
        assert [each["title"] for each in listed] == ["Figure", "Plotly", "Altair", "Table"]
        numbers = {each["title"]: each["id"] for each in listed}

        figure = await ask("get_output", output=numbers["Figure"])
        assert picture(figure).size == (800, 600)
        assert "title: Training" in text(figure)
        assert "line of 3 points 'loss', 1.5 to 3" in text(figure)
        assert "ipyweb.display(fig" in text(figure)
        assert picture(await ask("get_output", output=numbers["Figure"], max_tokens=160)).size == (400, 300)
        assert picture(await ask("get_output", output=numbers["Figure"], width=200)).size == (200, 150)
        assert text(await ask("get_output_data", output=numbers["Figure"], mime="text/csv")).startswith("loss x,loss y")

        plotly = await ask("get_output", output=numbers["Plotly"], max_tokens=300)
        assert 0.9 * 300 * 750 < picture(plotly).size[0] * picture(plotly).size[1] <= 300 * 750
        assert picture(plotly).size[0] / picture(plotly).size[1] == pytest.approx(700 / 500, 0.01)
        assert "scatter 'seen': y 2 values, 1 to 7" in text(plotly)
        altair = await ask("get_output", output=numbers["Altair"])
        assert picture(altair).size > (50, 50)
        assert "bar: x kind; y height" in text(altair)
        assert "height 2 values, 3 to 5" in text(altair)
        table = await ask("get_output", picture=False)
        assert [each.type for each in table.content] == ["text"]
        assert "kind  height" in text(table)

        found = text(await ask("search_outputs", query="training"))
        assert json.loads(found)["id"] == numbers["Figure"]
        assert "no such outputs" in text(await ask("search_outputs", query="nosuchword"))
        page = text(await ask("get_output_data", output=numbers["Table"], mime="text/html", max_characters=9))
        assert page.endswith("characters more: start=9")
        assert "id" in json.loads(text(await ask("wait_for_output", after=numbers["Altair"])))

    with_server(project, talk)


def test_what_goes_wrong_is_told_and_ends_nothing(hub: connection.Connection, project: str, publish: Publish) -> None:
    number = publish({"image/png": "AAAA", "text/plain": "\x1b[31mno picture"}, title="Broken", display_id="a")

    async def talk(client: Client) -> None:
        async def ask(tool: str, **arguments: Any) -> Any:
            return await client.call_tool(tool, arguments)

        assert f"there is no output 999; there are {number}" in error(await ask("get_output", output=999))
        assert f"output {number} has no text/csv" in error(await ask("get_output_data", output=number, mime="text/csv"))
        assert "is no text" in error(await ask("get_output_data", output=number, mime="image/png"))
        for wrong in ({"output": "first"}, {"max_tokens": 1}, {"width": "wide"}):
            assert "get_output" in error(await ask("get_output", **wrong))
        assert "timeout" in error(await ask("wait_for_output", timeout=-1))
        assert text(await ask("get_output", output=number))
        assert "to go on waiting, call this again with after=" in text(await ask("wait_for_output", timeout=0.1))
        waiting = asyncio.ensure_future(ask("wait_for_output", new_version_of=number, timeout=HANGS))
        await asyncio.to_thread(somebody_waits)
        await asyncio.to_thread(stop_hub)
        again = await asyncio.to_thread(connection.start)
        body = {"data": {"text/plain": "again"}, "project": project, "display_id": "a"}
        await asyncio.to_thread(connection.request, again, "POST", "api/outputs", body)
        assert json.loads(text(await waiting))["version"] == 2
        await asyncio.to_thread(stop_hub)
        assert json.loads(text(await ask("list_outputs")))["id"] == number  # a hub is started where there is none
        await asyncio.to_thread(stop_hub)
        Path(os.environ["IPYWEB_RUNTIME_DIR"]).chmod(0o777)
        assert "of your own" in error(await ask("list_outputs"))
        Path(os.environ["IPYWEB_RUNTIME_DIR"]).chmod(0o700)

    with_server(project, talk)


def test_rubbish_on_stdin_does_not_end_it_but_its_end_does(project: str) -> None:
    rubbish = (b"rubbish\n", b"\xff\xfe\x00\n", b"[1, 2\n", b'{"jsonrpc": "2.0"}\n', b"[" * 100_000 + b"\n", b"\n")
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    call = {"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": hello}
    wait = {"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": {"name": "wait_for_output", "arguments": {}}}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    sent = b"".join((*rubbish, *(json.dumps(each).encode() + b"\n" for each in (call, ready, wait))))
    command = [sys.executable, "-m", "ipyweb", "mcp"]
    done = subprocess.run(command, input=sent, capture_output=True, timeout=HANGS, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["result"]["serverInfo"]["name"] for each in answers if each.get("id") == 7] == ["ipyweb"]
    assert done.returncode == 0, done.stderr.decode()


def test_without_the_sdk_one_line_says_how_to_install_it() -> None:
    code = "import sys; sys.modules['mcp'] = None; from ipyweb.cli.app import main; sys.exit(main(['mcp']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANGS, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ipyweb: the MCP SDK is not installed: python -m pip install mcp\n"


@pytest.mark.parametrize("words", [["x"], ["--nosuch"]])
def test_wrong_usage_is_status_2(words: list[str], answer: Answer) -> None:
    assert answer("mcp", *words)[0:2] == (2, "")
