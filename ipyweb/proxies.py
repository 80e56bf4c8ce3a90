"""Proxies that bring panes to a hub: under which names, and at which address.

Only settings and the environment of a process of ours say so, never a request: a page that points a name of its own at
this machine names itself in every header that it can reach.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

_PORTS = ("{{port}}", "{port}")
"""What stands for the hub's port in an address; the first as VS Code writes it."""


def address(environ: Mapping[str, str], port: int) -> str:
    """The pane's address behind the proxy that an environment tells of.

    Args:
        environ: as ``os.environ``.
        port: the hub's TCP port.

    Returns:
        An address that ends with a slash; empty when there is no proxy, or it does not say its whole address.
    """
    return next(filter(None, (filled(find(environ), port) for find in _FINDERS)), "")


def filled(template: str, port: int) -> str:
    """An address with the hub's port in the place of ``{port}``; empty for what is no ``http`` or ``https`` address.

    Args:
        template: as somebody wrote it.
        port: the hub's TCP port.
    """
    for each in _PORTS:
        template = template.replace(each, str(port))
    try:
        parts = urlsplit(template)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
        return f"{parts.scheme}://{_host(template)}{parts.path.rstrip('/')}/" if usable else ""
    except ValueError:  # a port that is no number
        return ""


def names(*addresses: str) -> list[str]:
    """The ``Host`` headers that browsers send for addresses: without a port that goes without saying."""
    return [_host(each) for each in addresses if each]


def _host(url: str) -> str:
    parts = urlsplit(url)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return name if parts.port in (None, {"http": 80, "https": 443}[parts.scheme]) else f"{name}:{parts.port}"


def _vscode(environ: Mapping[str, str]) -> str:
    """code-server, and others that serve VS Code, forward ports (https://coder.com/docs/code-server/guide)."""
    return environ.get("VSCODE_PROXY_URI", "")


def _jupyterhub(environ: Mapping[str, str]) -> str:
    """jupyter-server-proxy below JupyterHub, which says where that is since 5.0, and in a domain of its own before."""
    server = environ.get("JUPYTERHUB_PUBLIC_URL", "")
    if not server and (host := environ.get("JUPYTERHUB_HOST")):
        server = host.rstrip("/") + environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    return f"{server.rstrip('/')}/proxy/{{port}}/" if server else ""


_FINDERS: tuple[Callable[[Mapping[str, str]], str], ...] = (_vscode, _jupyterhub)
