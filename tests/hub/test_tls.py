"""Serving by TLS: a certificate of the hub's own or the user's, and nobody believed but who has it."""

import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ipyweb import connection
from ipyweb.cli.app import main
from ipyweb.config import Hub
from ipyweb.connection import CONNECTION_FILE, data_dir, exchange, fingerprint, read_connection_file, runtime_dir
from ipyweb.errors import ConnectionFileError, HubError, HubUnreachable
from ipyweb.hub import tls
from ipyweb.private import write_private

from .conftest import Live

SHOW = "import ipyweb; print(ipyweb.display({'text/plain': 'x'}, raw=True).wait(60).status)"


@pytest.mark.parametrize("make", [tls._by_cryptography, tls._by_openssl])
def test_a_certificate_is_for_the_names_given_and_no_authority(
    make: Callable[[list[str]], tuple[bytes, bytes]], tmp_path: Path
) -> None:
    certificate, key = make(["localhost", "127.0.0.1", "::1", "node7.example.org"])
    path = tmp_path / "certificate.pem"
    path.write_bytes(certificate + key)
    made = tls.load(path, None)
    command = ["openssl", "x509", "-in", str(path), "-noout", "-text", "-fingerprint", "-sha256"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"Fingerprint={made.fingerprint}" in text
    assert "CA:FALSE" in text
    for name in ("DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1", "DNS:node7.example.org"):
        assert name in text


def test_an_own_certificate_stays_and_its_key_is_ours_alone(tmp_path: Path) -> None:
    directory = tmp_path / "tls"
    made = tls.own(directory, ["node7"])
    assert tls.own(directory, ["another"]).fingerprint == made.fingerprint
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()} == {
        tls.CERTIFICATE: 0o600,
        tls.KEY: 0o600,
    }
    (directory / tls.KEY).chmod(0o644)
    with pytest.raises(ConnectionFileError, match="0600"):
        tls.own(directory, [])


def test_a_certificate_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "certificate.pem"
    for content in ("", "rubbish", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"):
        path.write_text(content)
        with pytest.raises(HubError, match=r"certificate\.pem cannot be used"):
            tls.load(path, None)
    with pytest.raises(HubError, match=r"nothing\.pem cannot be used"):
        tls.load(tmp_path / "nothing.pem", None)


@pytest.fixture
def served(start: Callable[..., Live]) -> Live:
    """A hub with a certificate of its own, on another address of this machine."""
    return start(ip="127.0.0.2", certfile="own")


def test_programs_of_this_machine_believe_that_certificate_alone(served: Live) -> None:
    found = connection.find()
    assert found is not None
    assert found.url == f"https://127.0.0.2:{served.port}"
    state = connection.request(found, "GET", "api/state").json()
    assert state["fingerprint"] == fingerprint(found.certificate) == fingerprint(served.state["certificate"])
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "stored\n", done.stderr
    other, _ = tls._make(["127.0.0.2"])
    assert connection.find() is not None
    with pytest.raises(HubUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        connection.challenge(found._replace(certificate=other.decode()))
    with pytest.raises(HubUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        connection.challenge(found._replace(certificate=""))


def test_without_tls_it_says_nothing(served: Live) -> None:
    with pytest.raises(HubUnreachable):
        exchange(f"http://127.0.0.2:{served.port}", "GET", f"hello?nonce={'0' * 32}")


def test_it_answers_to_exact_names_only(start: Callable[..., Live]) -> None:
    live = start(ip="127.0.0.2", certfile="own", allowed_hosts=["node7.example.org"])
    found = read_connection_file()
    assert found is not None
    hello, port = f"hello?nonce={'0' * 32}", live.port
    token = {"Authorization": f"Bearer {found.token}"}
    hosts = {
        f"127.0.0.2:{port}": 200,
        f"node7.example.org:{port}": 200,
        "localhost": 200,
        f"x.node7.example.org:{port}": 403,
        f"127.0.0.3:{port}": 403,
        "evil.com": 403,
        f"abc.localhost:{port}": 403,
    }
    for host, status in hosts.items():
        for path in (hello, "api/state"):
            assert exchange(found.url, "GET", path, None, {"Host": host, **token}, tls=found.tls()).status == status, (
                host
            )
    own = f"127.0.0.2:{port}"
    for origin, status in ((f"https://{own}", 200), (f"http://{own}:1", 403), ("https://evil.com", 403), ("null", 403)):
        headers = {"Host": own, "Origin": origin, **token}
        assert exchange(found.url, "GET", "api/state", None, headers, tls=found.tls()).status == status, origin


def test_a_session_elsewhere_needs_the_certificate(
    served: Live, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    write_private(token, served.token("session").encode())
    monkeypatch.setenv("IPYWEB_HUB", f"https://localhost:{served.port}".replace("localhost", "127.0.0.2"))
    monkeypatch.setenv("IPYWEB_TOKEN_FILE", str(token))
    with pytest.raises(HubUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        connection.start(5)
    monkeypatch.setenv("IPYWEB_HUB_CERT", str(data_dir() / "tls" / tls.CERTIFICATE))
    assert connection.start().url.startswith("https://127.0.0.2")
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "stored\n", done.stderr
    monkeypatch.setenv("IPYWEB_HUB_CERT", str(token))
    with pytest.raises(ConnectionFileError, match="IPYWEB_HUB_CERT names"):
        connection.remote()


def test_a_certificate_of_the_user_counts(start: Callable[..., Live], tmp_path: Path) -> None:
    certificate, key = tls._make(["127.0.0.1"])
    certfile, keyfile = tmp_path / "c.pem", tmp_path / "k.pem"
    certfile.write_bytes(certificate)
    keyfile.write_bytes(key)
    live = start(certfile=str(certfile), keyfile=str(keyfile))
    found = connection.find()
    assert found is not None
    assert found.url == f"https://127.0.0.1:{live.port}"
    assert found.certificate == certificate.decode()
    assert not (data_dir() / "tls").exists()
    assert ssl.get_server_certificate(("127.0.0.1", live.port)) == certificate.decode()


def test_beyond_this_machine_nothing_is_served_without_tls(tmp_path: Path) -> None:
    """Where neither cryptography nor openssl is there to make a certificate, and none is given."""
    (tmp_path / "cryptography.py").write_text("raise ImportError('not here')")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environ = {**os.environ, "PATH": str(tmp_path), "PYTHONPATH": path}
    command = [sys.executable, "-m", "ipyweb", "serve", "--ip", "0.0.0.0"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ipyweb: serving beyond this machine needs TLS: give --certfile and --keyfile, or")
    assert done.stderr.count("\n") == 1
    assert not (runtime_dir() / CONNECTION_FILE).exists()


def test_whether_others_reach_it_is_known_by_the_address() -> None:
    for ip, others in (("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("::", True)):
        assert Hub(ip=ip).is_reached_by_others is others
    assert Hub(ip="10.1.2.3").is_reached_by_others


def test_the_doctor_finds_panes_let_in_by_tls(served: Live, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    assert f"wss://127.0.0.2:{served.port}/ws/pane" in capsys.readouterr().out
