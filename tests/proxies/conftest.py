"""Real proxies in front of a real hub, and a Chromium that comes by their names."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from ipyweb import connection
from ipyweb.hub import tls

from ..browser.conftest import ARGUMENTS, PROJECT, Pane, Publish, executable, publish
from ..conftest import wait_until

__all__ = ["Publish", "publish"]

NAME = "lab.example.org"
Visit = Callable[..., Pane]

NGINX = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" close; }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {directory}/tls/certificate.pem;
        ssl_certificate_key {directory}/tls/key.pem;
        location /plots/ {{
            proxy_pass http://127.0.0.1:{hub}/;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            {more}
        }}
    }}
}}
"""
WEBSOCKETS = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"


class Nginx:
    """nginx with TLS and a path prefix, as a process of the test's own.

    Args:
        directory: for all of its files.
        port: where it listens.

    Attributes:
        url: the pane's address behind it, without the last slash.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self.url = f"https://{NAME}:{port}/plots"
        self._directory = directory
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, hub: connection.Connection, more: str = WEBSOCKETS) -> None:
        """Let it pass on to a hub, with some more lines in its configuration."""
        command = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert command is not None, "nginx is missing: apt-get install nginx-light"
        tls.own(self._directory / "tls", [NAME])
        settings = NGINX.format(directory=self._directory, port=self._port, hub=hub.port, more=more)
        (self._directory / "nginx.conf").write_text(settings)
        self.stop()
        files = ["-c", str(self._directory / "nginx.conf"), "-e", str(self._directory / "error.log")]
        self._process = subprocess.Popen([command, "-p", str(self._directory), *files], stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self._port), "nginx")

    def stop(self) -> None:
        """End it, and all connections through it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def listens(port: int) -> bool:
    """Whether somebody takes connections on a port of this machine."""
    with socket.socket() as peer:
        return peer.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as peer:
        peer.bind(("127.0.0.1", 0))
        return int(peer.getsockname()[1])


def configure(text: str) -> None:
    """Write ipyweb's config file of this test."""
    directory = Path(os.environ["XDG_CONFIG_HOME"]) / "ipyweb"
    directory.mkdir(exist_ok=True)
    (directory / "ipyweb_config.py").write_text(text)


@pytest.fixture
def front(private_environment: None, tmp_path: Path) -> Iterator[Nginx]:
    """An nginx that is not started yet, and whose address the hub of this test knows."""
    directory = tmp_path / "nginx"
    directory.mkdir()
    made = Nginx(directory, free_port())
    configure(f"c.Hub.proxy_url = {made.url + '/'!r}\n")
    yield made
    made.stop()


@pytest.fixture
def nginx(front: Nginx, hub: connection.Connection) -> Nginx:
    """An nginx in front of the hub."""
    front.start(hub)
    return front


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for which the proxies' name is this machine's."""
    arguments = [*ARGUMENTS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(whole=False), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, hub: connection.Connection) -> Iterator[Visit]:
    """Open the pane at an address, by default with a token; nothing may go wrong in it."""
    panes: list[Pane] = []
    context = chromium.new_context(viewport={"width": 1100, "height": 720}, ignore_https_errors=True)

    def visit(url: str, fragment: str | None = None) -> Pane:
        page = context.new_page()
        page.set_default_timeout(60_000)
        panes.append(Pane(page, url))
        token = f"token={hub.token_for('pane')}&project={quote(PROJECT, safe='')}"
        return panes[-1].open(token if fragment is None else fragment)

    yield visit
    problems = [problem for pane in panes for problem in pane.problems]
    context.close()
    assert problems == []


def connected(pane: Pane) -> Pane:
    """Wait until a pane hears its hub."""
    expect(pane.page.get_by_test_id("status")).to_have_text("Connected")
    return pane
