"""Behind a real code-server, with its password: the pane by the address that its terminals know.

Named when it is to run, and not part of the suite: code-server is 170 MB, and a part of it is compiled here. It is kept
in ipyweb-acceptance in the user's cache directory; removing that is safe.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipyweb import connection
from ipyweb.browser import link

from ..browser.conftest import PROJECT, Publish, html, image
from ..conftest import wait_until
from .conftest import Visit, connected, free_port, listens

VERSION = "4.96.4"
"""The newest for Node.js 20."""
PASSWORD = "open sesame"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "ipyweb-acceptance", f"code-server-{VERSION}")


def installed() -> Path:
    """The program. Of what it is made of, VS Code is left out, and of the rest one package is compiled: argon2."""
    program = CACHE / "node_modules" / "code-server" / "out" / "node" / "entry.js"
    argon2 = CACHE / "node_modules" / "argon2"
    place = argon2 / "lib" / "binding" / "napi-v3"
    if not (place / "argon2.node").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", f"code-server@{VERSION}"]
        subprocess.run([*install, "node-gyp@10"], cwd=CACHE, check=True)
        gyp = [str(CACHE / "node_modules" / ".bin" / "node-gyp"), "rebuild", "--silent"]
        if Path("/usr/include/node/node.h").exists():  # else it fetches them
            gyp.append("--nodedir=/usr")
        names = ["--module_name=argon2", f"--module_path={place}", "--napi_build_version=3"]
        subprocess.run([*gyp, *names], cwd=argon2, check=True)
    return program


@pytest.fixture(scope="session")
def program() -> Path:
    """code-server's program; found before a test takes the user's directories away."""
    return installed()


@pytest.fixture
def ide(program: Path, private_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a code-server, in whose terminals the hub of this test begins."""
    port = free_port()
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("VSCODE_PROXY_URI", f"http://127.0.0.1:{port}/proxy/{{{{port}}}}/")
    command = ["node", str(program), "--auth", "password", "--bind-addr", f"127.0.0.1:{port}"]
    quiet = ["--disable-telemetry", "--disable-update-check"]
    environ = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "PASSWORD": PASSWORD}
    process = subprocess.Popen([*command, *quiet], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), "code-server")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def test_the_pane_works_at_the_address_that_terminals_know(
    ide: str, hub: connection.Connection, visit: Visit, publish: Publish
) -> None:
    address, _, fragment = link(hub, PROJECT).partition("#")
    assert address == f"{ide}/proxy/{hub.port}/"
    first = publish({"image/png": image()})
    login = visit(f"{ide}/login", "").page
    login.request.post(login.url, form={"password": PASSWORD}, max_redirects=0)  # VS Code is not there
    pane = connected(visit(address.rstrip("/"), fragment)).ready(first)
    assert pane.share((255, 0, 0)) > 0.05
    second = publish(html("<h1 style='background: rgb(0, 128, 0); height: 300px'>live</h1>"))
    pane.ready(second)
    assert pane.share((0, 128, 0)) > 0.05
    asked = pane.page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert not [each for each in asked if "poll" in each]  # it is a WebSocket
