"""The certificate by which a hub serves others than its own machine: the user's, or one that it makes for itself.

A certificate of our own is good for ten years and stays, so that whoever has pinned it (by file, or by its SHA-256
fingerprint in a browser) need not do so again. No authority stands behind it: the fingerprint is what to compare.
"""

import contextlib
import datetime
import ipaddress
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..connection import fingerprint
from ..errors import HubError
from ..private import private_directory, read_private, write_private

CERTIFICATE, KEY = "certificate.pem", "key.pem"
DAYS = 3650
_LOCAL = ("localhost", "127.0.0.1", "::1")
_CONFIGURATION = """\
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = ipyweb
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}
"""
"""For ``openssl req``, see config(5ssl) and x509v3_config(5ssl)."""


class Tls(NamedTuple):
    """How a hub serves.

    Attributes:
        context: with certificate and key.
        certificate: in PEM.
    """

    context: ssl.SSLContext
    certificate: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as browsers and ``openssl x509 -fingerprint -sha256`` write it."""
        return fingerprint(self.certificate)


def load(certfile: Path, keyfile: Path | None) -> Tls:
    """The user's own certificate.

    Args:
        certfile: in PEM, the hub's own certificate first.
        keyfile: in PEM; the certificate's file has it too when left out.

    Raises:
        HubError: they cannot be read, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certfile, keyfile, password=lambda: b"")
        text = certfile.read_text()
    except (OSError, ValueError) as error:
        raise HubError(f"the certificate {certfile} cannot be used: {error}") from error
    begin = text.index("-----BEGIN CERTIFICATE-----")
    end = text.index("-----END CERTIFICATE-----", begin)
    return Tls(context, text[begin:end] + "-----END CERTIFICATE-----\n")


def own(directory: Path, names: Iterable[str]) -> Tls:
    """A certificate signed by itself, made now if there is none yet.

    Args:
        directory: where it and its key are kept.
        names: host names and addresses that it is for, besides those of this machine.

    Raises:
        HubError: it cannot be made.
    """
    certfile, keyfile = directory / CERTIFICATE, directory / KEY
    try:
        private_directory(directory)
        with contextlib.suppress(FileNotFoundError):
            read_private(keyfile)
            return load(certfile, keyfile)
        made = _make([*dict.fromkeys((*_LOCAL, socket.gethostname(), *names))])
        for path, content in zip((certfile, keyfile), made, strict=True):
            write_private(path, content)
    except OSError as error:
        raise HubError(f"no certificate can be kept in {directory}: {error}") from error
    return load(certfile, keyfile)


def _make(names: list[str]) -> tuple[bytes, bytes]:
    """Certificate and key, in PEM."""
    try:
        import cryptography  # noqa: F401 - whether it is there
    except ImportError:
        return _by_openssl(names)
    return _by_cryptography(names)


def _by_cryptography(names: list[str]) -> tuple[bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ipyweb")])
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    alternatives: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_address(each)) if _is_address(each) else x509.DNSName(each) for each in names
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), private


def _by_openssl(names: list[str]) -> tuple[bytes, bytes]:
    program = shutil.which("openssl")
    if program is None:
        raise HubError(
            "serving beyond this machine needs TLS: give --certfile and --keyfile, or install the Python package "
            "cryptography or the program openssl, by which the hub makes a certificate of its own"
        )
    listed = ", ".join(f"{'IP' if _is_address(each) else 'DNS'}:{each}" for each in names)
    with tempfile.TemporaryDirectory() as folder:
        config, certfile, keyfile = (Path(folder) / each for each in ("openssl.cnf", CERTIFICATE, KEY))
        config.write_text(_CONFIGURATION.format(names=listed))
        command = [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-sha256", "-days", str(DAYS), "-config", str(config)]
        command += ["-keyout", str(keyfile), "-out", str(certfile)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise HubError(f"openssl made no certificate: {' '.join(done.stderr.split())[-300:]}")
        return certfile.read_bytes(), keyfile.read_bytes()


def _is_address(name: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    return False
