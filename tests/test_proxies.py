"""Addresses and names of proxies, from what the environment says."""

import pytest
from traitlets import TraitError

from ipyweb import proxies
from ipyweb.config import Hub

CASES = [
    ("code-server", {"VSCODE_PROXY_URI": "https://ide.example.org/proxy/{{port}}/"}, "https://ide.example.org/proxy/8765/"),
    ("a name for each port", {"VSCODE_PROXY_URI": "https://{{port}}.ide.example.org"}, "https://8765.ide.example.org/"),
    ("a port of its own", {"VSCODE_PROXY_URI": "http://Ide:8080/proxy/{{port}}"}, "http://ide:8080/proxy/8765/"),
    ("a relative one", {"VSCODE_PROXY_URI": "./proxy/{{port}}"}, ""),
    ("something else", {"VSCODE_PROXY_URI": "javascript:alert({{port}})"}, ""),
    ("no port at all", {"VSCODE_PROXY_URI": "https://ide:x/{{port}}"}, ""),
    ("JupyterHub 5", {"JUPYTERHUB_PUBLIC_URL": "https://hub.example.org/user/ada/"}, "https://hub.example.org/user/ada/proxy/8765/"),
    (
        "JupyterHub with a domain for each user",
        {"JUPYTERHUB_HOST": "https://ada.example.org", "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"},
        "https://ada.example.org/user/ada/proxy/8765/",
    ),
    ("JupyterHub that says no address", {"JUPYTERHUB_HOST": "", "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}, ""),
    ("none", {}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("environ", "address"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_address_is_what_the_environment_says(environ: dict[str, str], address: str) -> None:
    assert proxies.address(environ, 8765) == address


def test_names_are_as_browsers_send_them() -> None:
    given = ("https://a.example/x/", "https://b.example:8443/", "http://c.example:80/", "https://[::1]:9/", "")
    assert proxies.names(*(proxies.filled(each, 1) for each in given)) == [
        "a.example",
        "b.example:8443",
        "c.example",
        "[::1]:9",
    ]


@pytest.mark.parametrize("wrong", ["lab.example.org", "/plots/", "ftp://lab", "https://lab/?a=b", "https://lab/#x"])
def test_a_setting_that_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(TraitError, match="expected an address such as"):
        Hub(proxy_url=wrong)
