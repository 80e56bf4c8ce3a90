"""Where a hub runs and how to reach it: directories, connection file, challenge, start.

The connection file is a JSON object in a private directory, as Jupyter's is. It is never believed by itself: whoever
dials a hub challenges it first, with a nonce that only a holder of the secret can answer for this very address
(HMAC-SHA256, RFC 2104), and sends no token before the answer was right.
"""

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from .cluster import in_job, is_network
from .errors import ConnectionFileError, HubError, HubImpostor, HubUnreachable, OutputNotFound
from .forking import begin
from .private import check_private, exclusive, private_directory, read_private
from .unix import SCHEME, dial

if TYPE_CHECKING:
    import ssl

Scope = Literal["admin", "session", "pane", "viewer"]
"""What a token opens. ``viewer``, which looks and changes nothing, is only in links that are given away."""

CONNECTION_FILE, SOCKET = "hub.json", "hub.sock"
START_LOCK = "start.lock"
MOUNTED = Path("/run/ipyweb")
"""Where a container has the host's runtime directory. The hub's port would be the container's own."""

GATE = "X-Ipyweb-Gate"
"""The header of a `voucher`."""

UNIX_HOST = "localhost"
"""The ``Host`` of requests through a Unix socket."""

PATIENCE = 5.0
"""Seconds for a hub to answer. One that is gone refuses at once; who asks a busy one must not start another."""


class Connection(NamedTuple):
    """How to reach one hub.

    Attributes:
        url: base URL without a trailing slash, such as ``http://127.0.0.1:23456``.
        hub: the hub's id.
        token: the root secret for a hub of this user; for a hub elsewhere, the one token we were given.
        version: version of ipyweb that the hub runs.
        pid: process id of the hub, 0 when it runs elsewhere.
        local: whether it was found by its connection file.
        scope: what the token opens, as far as we know.
        socket: path of the Unix socket that is dialled instead of the URL, if any.
        certificate: the only one, in PEM, by which a hub of this user may be served; of a hub elsewhere the authority
            that must stand behind it, which is its own if it is signed by itself. Empty means the system's.
        proxy: the pane's address behind a proxy that the hub's settings name, with a trailing slash; empty without one.
    """

    url: str
    hub: str
    token: str
    version: str = ""
    pid: int = 0
    local: bool = True
    scope: Scope = "admin"
    socket: str = ""
    certificate: str = ""
    proxy: str = ""

    @property
    def address(self) -> str:
        """What `exchange` dials: the URL, or ``unix://`` and the path of the socket."""
        return SCHEME + self.socket if self.socket else self.url

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or {"http": 80, "https": 443}[parts.scheme]

    def token_for(self, scope: Scope) -> str:
        """The token that opens no more than `scope`."""
        return scope_token(self.token, scope) if self.local else self.token

    def tls(self) -> "ssl.SSLContext | None":
        """How to make sure of the hub's certificate; ``None`` without TLS."""
        if self.socket or not self.url.startswith("https:"):
            return None
        import ssl

        context = ssl.create_default_context(cadata=self.certificate or None)
        if self.certificate:
            context.verify_flags = ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        context.check_hostname = not (self.local and self.certificate)  # it is this certificate, whatever its names
        return context


class Response(NamedTuple):
    """An answer of the hub's HTTP side."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


# -- directories ------------------------------------------------------------------------------------------------------


def data_dir() -> Path:
    """Directory of the store: ``$IPYWEB_DATA_DIR``, else the platform's directory for user data."""
    if given := os.environ.get("IPYWEB_DATA_DIR"):
        return Path(given)
    from platformdirs import user_data_path

    return user_data_path("ipyweb", appauthor=False)


def runtime_dir() -> Path:
    """Directory of the connection file: ``$IPYWEB_RUNTIME_DIR``, else one per host and boot in the user's state.

    ``XDG_RUNTIME_DIR`` is not used: it vanishes at logout and is wrong under su, sudo and batch systems.
    """
    if given := os.environ.get("IPYWEB_RUNTIME_DIR"):
        return Path(given)
    base = Path.home() / ".local" / "state" / "ipyweb" / "run" / f"{socket.gethostname()}-{_boot_id()[:8]}"
    if not os.environ.get("IPYWEB_DATA_DIR"):
        return base
    return base / hashlib.sha256(str(data_dir().absolute()).encode()).hexdigest()[:8]


def is_mounted() -> bool:
    """Whether we are in a container into which somebody mounted the host's runtime directory."""
    return not os.environ.get("IPYWEB_RUNTIME_DIR") and MOUNTED.is_dir()


def connection_file() -> Path:
    """Where the hub's connection file is, or would be."""
    return (MOUNTED if is_mounted() else runtime_dir()) / CONNECTION_FILE


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "boot"


# -- secrets ----------------------------------------------------------------------------------------------------------


def scope_token(root: str, scope: Scope) -> str:
    """Derive the token of a scope from the root secret, which itself is the token of the scope ``admin``."""
    return root if scope == "admin" else _mac(root, f"ipyweb scope {scope}")


def proof(token: str, nonce: str, hub: str, host: str, port: int) -> str:
    """What a hub answers to a challenge, bound to the address dialled and where it listens.

    Args:
        token: the token whose knowledge is proved.
        nonce: the challenge, hexadecimal.
        hub: the hub's id.
        host: the ``Host`` header of the request.
        port: the TCP port by which the request came in, 0 for the hub's Unix socket.

    Returns:
        Hexadecimal HMAC-SHA256.
    """
    return _mac(token, f"ipyweb hello\n{nonce}\n{hub}\n{host}\n{port}")


def voucher(root: str, host: str) -> str:
    """What a gate tells the hub of a name by which a browser has come; see `ipyweb.jupyter`.

    Args:
        root: the root secret.
        host: the ``Host`` header of the request.
    """
    return _mac(root, f"ipyweb gate\n{host}")


def fingerprint(certificate: str) -> str:
    """SHA-256 of a certificate in PEM, as browsers and ``openssl x509`` write it; empty for none."""
    import ssl

    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).digest().hex(":").upper() if certificate else ""


def _mac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


# -- talking to a hub -------------------------------------------------------------------------------------------------


def exchange(
    url: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
    tls: "ssl.SSLContext | None" = None,
) -> Response:
    """One HTTP request below `url`, which may be ``unix://`` and the path of a socket.

    Args:
        timeout: seconds, for each step on the socket.
        tls: see `Connection.tls`.

    Raises:
        HubUnreachable: no answer, or not HTTP.
    """
    peer, prefix = _peer(url, timeout, tls)
    try:
        peer.connect()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have said why it reads no further
            peer.request(method, f"{prefix}/{path.lstrip('/')}", body, dict(headers or {}))
        answer = peer.getresponse()
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise HubUnreachable(f"no hub answered at {url}: {error or type(error).__name__}") from error
    finally:
        peer.close()


def _peer(url: str, timeout: float, tls: "ssl.SSLContext | None") -> tuple[http.client.HTTPConnection, str]:
    """Whom to ask, and the beginning of every path there."""
    if url.startswith(SCHEME):
        return _UnixConnection(Path(url.removeprefix(SCHEME)), timeout), ""
    parts = urlsplit(url)
    host, prefix = parts.hostname or "", parts.path.rstrip("/")
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=tls), prefix
    return http.client.HTTPConnection(host, parts.port, timeout=timeout), prefix


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, at which every hub is ``localhost``."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__(UNIX_HOST, timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = dial(self._path, self.timeout)


def request(
    connection: Connection,
    method: str,
    path: str,
    body: bytes | Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
    scope: Scope = "admin",
) -> Response:
    """One HTTP request to a hub that was challenged, with the token of `scope`.

    Args:
        body: bytes, or an object that becomes JSON.
        timeout: seconds.

    Raises:
        OutputNotFound: status 404.
        HubError: any other status of 400 and above; the message is the hub's.
        HubUnreachable: no answer.
    """
    token = connection.token_for(scope)
    sent = {"Authorization": f"Bearer {token}", "X-Ipyweb-Token": token, **(headers or {})}
    if isinstance(body, Mapping):
        body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
    response = exchange(connection.address, method, path, body, sent, timeout, connection.tls())
    if response.status < 400:
        return response
    raise (OutputNotFound if response.status == 404 else HubError)(_reason(response), response.status)


def _reason(response: Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, TypeError, KeyError):
        return f"the hub answered with status {response.status}"


def challenge(connection: Connection, timeout: float = PATIENCE) -> Connection:
    """Let the hub prove that it knows the secret, before any token is sent.

    Args:
        timeout: seconds.

    Returns:
        The same connection with the version that the hub tells.

    Raises:
        HubUnreachable: nothing answers.
        HubImpostor: what answers does not know the secret, or passes on another hub's answers.
    """
    nonce = secrets.token_hex(16)
    where = connection.address
    response = exchange(where, "GET", f"hello?nonce={nonce}", timeout=timeout, tls=connection.tls())
    try:
        hello = response.json()
        hub, port, proofs = str(hello["hub"]), int(hello["port"]), dict(hello["proofs"])
        version = str(hello["version"])
    except (ValueError, TypeError, KeyError) as error:
        raise HubImpostor(f"what answers at {where} is no hub of ipyweb") from error
    host = UNIX_HOST if connection.socket else urlsplit(connection.url).netloc
    expected = proof(connection.token, nonce, hub, host, port).encode()
    offered = [proofs.get("admin")] if connection.local else list(proofs.values())
    known = any(hmac.compare_digest(expected, str(each).encode()) for each in offered)
    listening = 0 if connection.socket else connection.port
    own = not connection.local or (port == listening and hub == connection.hub)
    if not (known and own):
        raise HubImpostor(f"what answers at {where} does not know this hub's secret; it was sent no token")
    url = connection.url or str(hello.get("url", ""))  # of a socket elsewhere we only know the path
    return connection._replace(hub=hub, version=version, url=url)


# -- finding and starting ---------------------------------------------------------------------------------------------


def read_connection_file() -> Connection | None:
    """What the connection file says, unproved; ``None`` when there is none or it is no use.

    In a container it is the host's where that is mounted, and the host's hub is dialled by its socket.

    Raises:
        ConnectionFileError: it is not ours alone.
    """
    path, mounted = connection_file(), is_mounted()
    stranger = mounted and os.geteuid() == 0  # the host's user has another number in here, and root made the mount
    try:
        check_private(path.parent, path.parent.lstat(), directory=True, any_owner=stranger)
        fields = json.loads(read_private(path, any_owner=stranger))
        found = Connection(fields["url"], fields["hub"], fields["token"], fields["version"], fields["pid"])
        found = found._replace(certificate=fields.get("certificate", ""), proxy=fields.get("proxy", ""))
        return found._replace(socket=str(MOUNTED / SOCKET)) if mounted else found
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def listening_socket() -> str:
    """Path of the Unix socket of the hub that the connection file tells of; empty when it has none."""
    try:
        return str(json.loads(read_private(connection_file())).get("socket", ""))
    except (OSError, ValueError):
        return ""


_given: Connection | None = None


def give(connection: Connection | None) -> None:
    """Let this process, and none of its children, reach a hub elsewhere.

    Args:
        connection: of it, with a token that opens no more than is needed; ``None`` takes that back.
    """
    global _given
    _given = connection


def given() -> Connection | None:
    """The hub that `give` named."""
    return _given


def session_token(connection: Connection) -> str:
    """A token for another process that may publish, and nothing else.

    Args:
        connection: a hub that was challenged.

    Raises:
        HubUnreachable: it does not answer.
    """
    if connection.local:
        return connection.token_for("session")
    derived = connection._replace(token=scope_token(connection.token, "session"))
    try:
        return challenge(derived).token
    except HubImpostor:  # what we were given is no root secret, and opens little by itself
        return connection.token


def remote() -> Connection | None:
    """The hub elsewhere that `give`, or ``IPYWEB_HUB`` and ``IPYWEB_TOKEN_FILE`` name, unproved.

    ``IPYWEB_HUB_CERT`` names its certificate, or that of the authority behind it, if the system does not know that.

    Raises:
        ConnectionFileError: the token file is missing, or others can read it; or the certificate cannot be used.
    """
    if _given is not None:
        return _given
    url = os.environ.get("IPYWEB_HUB")
    if not url:
        return None
    path = os.environ.get("IPYWEB_TOKEN_FILE")
    if not path:
        raise ConnectionFileError(
            "IPYWEB_HUB is set; set IPYWEB_TOKEN_FILE to the file that `ipyweb url --token-file FILE` wrote there"
        )
    try:
        token = read_private(Path(path)).decode().strip()
    except FileNotFoundError as error:
        raise ConnectionFileError(f"IPYWEB_TOKEN_FILE names {path}, which does not exist") from error
    if url.startswith(SCHEME):
        return Connection("", "", token, local=False, scope="session", socket=url.removeprefix(SCHEME))
    connection = Connection(url.rstrip("/"), "", token, local=False, scope="session")
    if certificate := os.environ.get("IPYWEB_HUB_CERT"):
        try:
            connection = connection._replace(certificate=Path(certificate).read_text())
            connection.tls()
        except (OSError, ValueError) as error:
            raise ConnectionFileError(f"IPYWEB_HUB_CERT names {certificate}, which cannot be used: {error}") from error
    return connection


def find(timeout: float = PATIENCE) -> Connection | None:
    """The running hub, proved; ``None`` when there is none.

    Args:
        timeout: seconds for its answer.

    Raises:
        ConnectionFileError: the connection file cannot be trusted.
    """
    connection = remote() or read_connection_file()
    if connection is None:
        return None
    try:
        return challenge(connection, timeout)
    except HubUnreachable:
        return None


def start(timeout: float = 15.0) -> Connection:
    """The running hub, started when there is none, and replaced when it is older than this ipyweb.

    However many processes call this at once, one hub results.

    Args:
        timeout: seconds until it must answer.

    Raises:
        HubUnreachable: none could be started, or the one elsewhere, or of the container's host, does not answer.
        ConnectionFileError: the runtime directory cannot be trusted.
    """
    if elsewhere := remote():
        return challenge(elsewhere, timeout)
    if is_mounted():
        return _of_host(timeout)
    if in_job(os.environ) and is_network(data_dir()):
        return _of_node()
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        connection = find()
        if connection is not None and not _is_older(connection.version):
            return connection
        _start_unless_started(deadline)
    raise HubUnreachable(f"no hub answered within {timeout:g} s; `ipyweb doctor` tells more")


def _of_host(timeout: float) -> Connection:
    """The hub of the host that this container runs on; none is started in here."""
    found = read_connection_file()
    problem = f"there is no {CONNECTION_FILE} in it"
    try:
        if found is not None:
            return challenge(found, timeout)
    except HubUnreachable as error:
        problem = str(error)
    raise HubUnreachable(
        f"{MOUNTED} is mounted into this container, but no hub is to be had by it: {problem}; start one on the host "
        "with `ipyweb open`, and mount the directory that `ipyweb status` names there"
    )


def _of_node() -> Connection:
    """The hub of this compute node, if somebody has one there.

    One that we started would end with the job, and what it stored would stay on the node.
    """
    found = find()
    if found is not None:
        return found
    raise HubUnreachable(
        "no hub starts by itself in a batch job (`ipyweb serve` is one); what is shown is kept in the shared home, and "
        "the login node's hub takes it in"
    )


def _start_unless_started(deadline: float) -> None:
    """Start a hub, unless another starter is about to; then wait a moment."""
    with exclusive(private_directory(runtime_dir()) / START_LOCK) as ours:
        if not ours:
            time.sleep(0.02)
            return
        connection = find()  # another starter may have been faster
        if connection is not None:
            if not _is_older(connection.version):
                return
            request(connection, "POST", "api/stop", {"handover": True})
        _spawn(deadline)


def _is_older(version: str) -> bool:
    from . import __version__

    return _numbers(version) < _numbers(__version__)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split("+")[0].split(".") if part.isdigit()]


def _spawn(deadline: float) -> None:
    """Start a detached hub and wait for its ready line.

    Raises:
        HubUnreachable: it ended or stayed silent; the message carries its own words.
    """
    import select
    import subprocess

    if not sys.executable:
        raise HubUnreachable(
            "no hub could be started, as sys.executable names no Python; start one with `ipyweb serve`"
        )
    # -P, not -I: a hub from a `--user` installation must find its own modules. cwd `/` holds no mount busy.
    command = [sys.executable, "-P", "-m", "ipyweb", "serve", "--detached"]
    environment = {**os.environ, "IPYWEB_RUNTIME_DIR": str(runtime_dir().absolute())}
    if "IPYWEB_DATA_DIR" in environment:
        environment["IPYWEB_DATA_DIR"] = str(data_dir().absolute())
    process = begin(
        command,
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        line = process.stdout.readline() if ready else b""
    with contextlib.suppress(subprocess.TimeoutExpired):  # it has gone on as a child of init
        process.wait(1.0)
    try:
        answer = json.loads(line)
    except ValueError:
        answer = {"error": "it ended or stayed silent" if not line else line.decode(errors="replace").strip()}
    if "error" in answer:
        raise HubUnreachable(f"the hub could not start: {answer['error']}; `ipyweb serve` shows more")
