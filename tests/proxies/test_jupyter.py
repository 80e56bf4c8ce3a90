"""In Jupyter: a real server with jupyter-server-proxy, by https, under a prefix and a name that no hub was told."""

import io
import json
import os
import secrets
import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

import ipyweb
from ipyweb import connection
from ipyweb.cli.app import main
from ipyweb.connection import data_dir
from ipyweb.hub import tls

from ..browser.conftest import Pane, Publish, image, waiting
from ..browser.test_widgets import COUNTER, the_widget
from ..conftest import wait_until
from ..hub.test_routes import UPGRADE
from ..widgets.conftest import Start, line, start
from .conftest import NAME, configure, free_port

__all__ = ["start", "waiting"]

PREFIX = "/user/ada"
_UNVERIFIED = ssl.create_default_context()
_UNVERIFIED.check_hostname, _UNVERIFIED.verify_mode = False, ssl.CERT_NONE


class Jupyter:
    """A Jupyter server as JupyterHub starts one, with a login of its own.

    Args:
        directory: for all that it reads and writes.
    """

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.token = secrets.token_hex(24)
        self.url = f"https://{NAME}:{self.port}{PREFIX}"
        directory.mkdir()
        tls.own(directory / "tls", [NAME])
        places = {f"JUPYTER_{name}_DIR": str(directory / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        root = str(Path(ipyweb.__file__).parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        environ = {**os.environ, **places, "PYTHONPATH": path, "JUPYTER_TOKEN": self.token}
        settings = {
            "ServerApp.port": self.port,
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.base_url": PREFIX,
            "ServerApp.root_dir": str(directory),
            "ServerApp.certfile": str(directory / "tls" / tls.CERTIFICATE),
            "ServerApp.keyfile": str(directory / "tls" / tls.KEY),
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": True,
            "ServerApp.allow_remote_access": True,
            "ServerApp.jpserver_extensions": {"jupyter_server_proxy": True},
        }
        command = [sys.executable, "-m", "jupyter_server", *(f"--{name}={value}" for name, value in settings.items())]
        self.log = directory / "jupyter.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, env=environ, cwd=directory, stdout=log, stderr=log)
        wait_until(self._answers, "the Jupyter server")

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        try:
            return self.ask("GET", "/api/status").status == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, login: bool = True) -> Any:
        """One request, with Jupyter's token in its own header, and no redirect followed."""
        own = {"Host": f"{NAME}:{self.port}", **({"Authorization": f"token {self.token}"} if login else {})}
        peer = HTTPSConnection("127.0.0.1", self.port, timeout=60, context=_UNVERIFIED)
        peer.request(method, PREFIX + path, b"{}" if method == "POST" else None, {**own, **(headers or {})})
        answer = peer.getresponse()
        answer.body = answer.read()  # type: ignore[attr-defined]
        peer.close()
        return answer

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


@pytest.fixture
def jupyter(private_environment: None, tmp_path: Path) -> Iterator[Jupyter]:
    """A Jupyter server of this test's own."""
    made = Jupyter(tmp_path / "jupyter")
    yield made
    made.stop()


@pytest.fixture
def entered(chromium: Browser, jupyter: Jupyter) -> Iterator[Pane]:
    """A tab in which one has logged in to Jupyter; nothing may go wrong in it."""
    context = chromium.new_context(viewport={"width": 1100, "height": 720}, ignore_https_errors=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{jupyter.url}/api/status?token={jupyter.token}")
    pane = Pane(page, f"{jupyter.url}/ipyweb")
    yield pane
    problems = list(pane.problems)
    context.close()
    assert problems == []


def opened(pane: Pane) -> Pane:
    """Click the launcher's entry, as it were, and wait until the pane hears its hub."""
    pane.page.goto(f"{pane.url}/")
    expect(pane.page.get_by_test_id("status")).to_have_text("Connected")
    return pane


def test_the_launcher_has_an_entry_with_an_icon(jupyter: Jupyter) -> None:
    (entry,) = json.loads(jupyter.ask("GET", "/server-proxy/servers-info").body)["server_processes"]
    assert (entry["name"], entry["launcher_entry"]["title"]) == ("ipyweb", "ipyweb")
    assert entry["launcher_entry"]["path_info"] == "ipyweb/"
    icon = jupyter.ask("GET", entry["launcher_entry"]["icon_url"].removeprefix(PREFIX))
    assert b"<svg" in icon.body
    assert entry["launcher_entry"]["category"] in ("Notebook", "Console")  # elsewhere JupyterLab shows no icon


def test_the_entry_opens_the_pane_without_another_login(
    hub: connection.Connection, entered: Pane, publish: Publish
) -> None:
    first = publish({"image/png": image()}, project=None)
    pane = opened(entered).ready(first)
    assert pane.share((255, 0, 0)) > 0.05
    assert pane.page.url == f"{pane.url}/"
    second = publish({"text/html": "<div style='background: rgb(0, 128, 0); height: 400px'></div>"})
    pane.ready(second)
    assert pane.share((0, 128, 0)) > 0.05
    pane.page.reload()
    pane.ready(second)


def test_a_hub_is_started_where_there_is_none(entered: Pane) -> None:
    assert connection.find() is None
    opened(entered)
    assert connection.find() is not None


def test_a_hub_that_was_replaced_is_found_again(hub: connection.Connection, entered: Pane) -> None:
    opened(entered)
    entered.expect_problems()
    connection.request(hub, "POST", "api/stop", {})
    wait_until(lambda: connection.find() is None, "the end of the hub")
    opened(entered)  # the gate has started another one


def test_a_picture_larger_than_the_longest_frame_of_the_proxy_comes_by_http(
    hub: connection.Connection, entered: Pane, publish: Publish
) -> None:
    stream = io.BytesIO()
    Image.frombytes("RGB", (2048, 2048), secrets.token_bytes(3 * 2048**2)).save(stream, "png", compress_level=0)
    assert len(stream.getvalue()) > 12 * 2**20
    output = publish_blob(hub, stream.getvalue())
    pane = opened(entered).ready(output)
    natural = "image => [image.naturalWidth, image.naturalHeight]"
    assert pane.page.locator("[data-testid=stage] img").evaluate(natural) == [2048, 2048]


def publish_blob(hub: connection.Connection, png: bytes) -> int:
    """Show a picture as a session does, whose bytes go before it."""
    code = "import ipyweb, sys; print(ipyweb.display({'image/png': sys.stdin.buffer.read()}, raw=True).wait(60).id)"
    done = subprocess.run([sys.executable, "-c", code], input=png, capture_output=True, timeout=120, check=True)
    return int(done.stdout)


def test_much_larger_data_comes_whole_and_in_ranges(hub: connection.Connection, jupyter: Jupyter) -> None:
    content = secrets.token_bytes(30 * 2**20)  # what is longer is cut off at 32 MiB where it is made
    output = publish_blob(hub, content)
    data = connection.request(hub, "GET", f"api/outputs/{output}").json()["data"]["image/png"]["url"]
    assert jupyter.ask("GET", f"/ipyweb/{data}").body == content
    part = jupyter.ask("GET", f"/ipyweb/{data}", {"Range": "bytes=1000-1999"})
    assert (part.status, part.body) == (206, content[1000:2000])


def test_a_widget_is_alive(hub: connection.Connection, entered: Pane, waiting: Start) -> None:
    script = waiting(COUNTER)
    pane = opened(entered).ready(the_widget(hub)["id"])
    pane.page.frame_locator("[data-testid=stage] iframe").get_by_role("button").click()
    assert line(script) == "8"


@pytest.mark.parametrize("path", ["/ipyweb/", "/ipyweb/hello?nonce=" + "ab" * 16, "/ipyweb/api/state"])
def test_who_has_not_logged_in_to_jupyter_gets_nothing(hub: connection.Connection, jupyter: Jupyter, path: str) -> None:
    for headers in ({}, {"X-Ipyweb-Token": hub.token}, {"Cookie": "username=x"}):
        answer = jupyter.ask("GET", path, headers, login=False)
        assert answer.status in (302, 403)
        assert hub.hub.encode() not in answer.body
    assert jupyter.ask("GET", "/ipyweb/ws/pane", UPGRADE, login=False).status == 403
    origin = {"Origin": f"https://{NAME}:{jupyter.port}"}
    assert jupyter.ask("POST", "/ipyweb/exchange", origin, login=False).status in (302, 403)


def test_links_lead_through_a_port_that_jupyter_forwards(
    hub: connection.Connection,
    jupyter: Jupyter,
    entered: Pane,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", f"{jupyter.url}/")  # as in a terminal; the hub was started elsewhere
    assert main(["url"]) == 0
    link = capsys.readouterr().out.strip()
    assert link.startswith(f"{jupyter.url}/proxy/{hub.port}/#token=")
    entered.page.goto(link)
    expect(entered.page.get_by_test_id("status")).to_have_text("Connected")
    entered.ready(publish({"image/png": image()}, project=os.getcwd()))


def test_jupyters_login_is_no_token_of_the_hub_and_is_kept_nowhere(
    private_environment: None, jupyter: Jupyter, request: pytest.FixtureRequest
) -> None:
    configure("c.Hub.log_level = 'debug'\n")
    hub = request.getfixturevalue("hub")
    cookie = {"Cookie": "jupyter-secret=cookie-of-jupyter; token=cookie-of-jupyter"}
    for path in ("/ipyweb/api/state", f"/proxy/{hub.port}/api/state"):
        assert jupyter.ask("GET", path, cookie).status == 403
        assert jupyter.ask("GET", f"{path}?token={jupyter.token}", cookie).status == 403
    assert jupyter.ask("GET", "/ipyweb/api/state", {**cookie, "X-Ipyweb-Token": hub.token}).status == 200
    connection.request(hub, "POST", "api/stop", {})
    wait_until(lambda: connection.find() is None, "the end of the hub")
    kept = [path.read_bytes() for path in data_dir().rglob("*") if path.is_file()]
    assert kept
    for content in kept:
        assert jupyter.token.encode() not in content
        assert b"cookie-of-jupyter" not in content
    assert hub.token not in jupyter.log.read_text()


def test_only_a_page_of_the_same_origin_is_given_a_token(hub: connection.Connection, jupyter: Jupyter) -> None:
    own = f"https://{NAME}:{jupyter.port}"
    for headers, status in (
        ({"Origin": own}, 200),
        ({}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": own, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": own, "X-Ipyweb-Gate": connection.voucher(hub.token, "evil.example"), "Host": "evil.example"}, 403),
    ):
        answer = jupyter.ask("POST", "/ipyweb/exchange", headers)
        assert (answer.status, hub.token_for("pane").encode() in answer.body) == (status, status == 200), headers
