"""Where figure keepers live, and how one is started: directories, record file, secrets. Standard library only.

There is one keeper per user and Python environment, named by an *environment id*. It has two private directories:
in the runtime directory the one of its socket, and in the data directory the one of its shelf, which outlives a reboot.
The latter also holds its *record*, the command, environment and settings it is started with. Session and hub start a
keeper from that file only, never from anything that came over a socket. Nothing here unpickles.
"""

import contextlib
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .connection import data_dir, runtime_dir
from .errors import KeeperUnavailable
from .forking import begin
from .private import private_directory, read_private, write_private

RECORD = "record.json"
SUFFIX = ".figure"
_ID = frozenset("0123456789abcdef")
_KEPT = (
    "CONDA_PREFIX",
    "CUDA_VISIBLE_DEVICES",
    "DYLD_",
    "FONTCONFIG_",
    "HOME",
    "IPYWEB_BROWSER",
    "IPYWEB_HUB",
    "IPYWEB_TOKEN_FILE",
    "IPYWEB_HUB_CERT",
    "LANG",
    "LC_",
    "LD_",
    "LOGNAME",
    "MPL",
    "PATH",
    "PYTHON",
    "SOURCE_DATE_EPOCH",
    "SSL_CERT_",
    "TEXINPUTS",
    "TMPDIR",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
    "XDG_",
)
"""Beginnings of the environment variables that a keeper gets: no secrets lie in them."""

_NOT_KEPT = ("MPLBACKEND", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "PYTHONBREAKPOINT")


def environment_id(matplotlib_version: str) -> str:
    """Names what must be equal where a figure is taken and where it is drawn: 16 hexadecimal digits."""
    where = os.environ.get("IPYWEB_HUB", "")
    parts = [sys.prefix, sys.implementation.cache_tag, list(sys.version_info[:3]), matplotlib_version, where]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def channel_dir(environment: str) -> Path:
    """The private directory of a keeper's socket.

    Raises:
        KeeperUnavailable: it cannot be had.
    """
    return _private(runtime_dir().absolute(), "keepers", environment)


def shelf_dir(environment: str) -> Path:
    """The private directory of a keeper's snapshots and record.

    Raises:
        KeeperUnavailable: it cannot be had.
    """
    return _private(data_dir().absolute(), "figures", environment)


def _private(base: Path, wing: str, environment: str) -> Path:
    if len(environment) != 16 or not _ID.issuperset(environment):
        raise KeeperUnavailable(f"expected an environment id of 16 hexadecimal digits, got {environment[:40]!r}")
    try:
        return private_directory(private_directory(private_directory(base) / wing) / environment)
    except Exception as error:
        raise KeeperUnavailable(f"the keeper's directory cannot be used: {error}") from error


def snapshot_name(figure: str) -> str:
    """What the snapshot of a figure is called on the shelf.

    Raises:
        KeeperUnavailable: that is no figure's id.
    """
    if len(figure) != 32 or not figure.isalnum():
        raise KeeperUnavailable(f"expected a figure id of 32 hexadecimal digits, got {figure[:40]!r}")
    return f"{figure}{SUFFIX}"


def forget(environment: str, figures: Iterable[str]) -> None:
    """Delete the snapshots of figures, as far as they are on the shelf here; makes no shelf."""
    shelf = data_dir().absolute() / "figures" / environment
    if not _ID.issuperset(environment) or not shelf.is_dir():
        return
    for figure in figures:
        with contextlib.suppress(OSError, KeeperUnavailable):
            os.unlink(shelf / snapshot_name(figure))


def secret(path: Path) -> bytes:
    """The secret in a private file, made when there is none; all who ask get the same.

    Raises:
        ConnectionFileError: others could have written it.
        OSError: it cannot be written.
    """
    with contextlib.suppress(FileNotFoundError):
        return read_private(path)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_private(fresh, secrets.token_bytes(32))
    try:
        with contextlib.suppress(FileExistsError):
            os.rename(fresh, path) if os.name == "nt" else os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return read_private(path)


def kept_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that a keeper gets."""
    return {k: v for k, v in environ.items() if k.startswith(_KEPT) and k not in _NOT_KEPT}


def write_record(environment: str, command: list[str], environ: Mapping[str, str], settings: Mapping[str, Any]) -> None:
    """Note how the keeper of this environment is started.

    Raises:
        KeeperUnavailable: it cannot be written.
    """
    record = json.dumps({"command": command, "environment": dict(environ), "settings": dict(settings)}).encode()
    path = shelf_dir(environment) / RECORD
    try:
        with contextlib.suppress(FileNotFoundError):
            if read_private(path) == record:
                return
        write_private(path, record)
    except Exception as error:
        raise KeeperUnavailable(f"the keeper's record cannot be written: {error}") from error


def read_record(environment: str) -> dict[str, Any]:
    """How the keeper of an environment is started.

    Raises:
        KeeperUnavailable: there is no such record, or it cannot be trusted.
    """
    try:
        record = json.loads(read_private(shelf_dir(environment) / RECORD))
        return {"command": list(record["command"]), **{n: dict(record[n]) for n in ("environment", "settings")}}
    except FileNotFoundError as error:
        raise KeeperUnavailable(f"nothing is known of the environment {environment} that made this figure") from error
    except KeeperUnavailable:
        raise
    except Exception as error:
        raise KeeperUnavailable(f"the keeper's record cannot be used: {error}") from error


def start(environment: str, timeout: float = 15.0) -> None:
    """Start the keeper of an environment from its record, unless it runs; returns once it listens.

    Args:
        timeout: seconds until it must listen.

    Raises:
        KeeperUnavailable: it could not be started, with its own words.
    """
    import select
    import subprocess

    record = read_record(environment)
    with contextlib.suppress(OSError):
        os.utime(shelf_dir(environment) / RECORD)  # it is in use
    environ = {
        **record["environment"],
        "IPYWEB_RUNTIME_DIR": str(runtime_dir().absolute()),
        "IPYWEB_DATA_DIR": str(data_dir().absolute()),
    }
    command = [*map(str, record["command"]), environment]
    deadline = time.monotonic() + timeout
    try:
        process = begin(
            command,
            cwd="/",
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise KeeperUnavailable(f"the keeper cannot be started: {error}") from error
    assert process.stdout is not None
    with process.stdout:
        ready, _, _ = select.select([process.stdout], [], [], timeout)
        line = process.stdout.readline().decode(errors="replace").strip() if ready else ""
    with contextlib.suppress(subprocess.TimeoutExpired):  # it has gone on as a child of init
        process.wait(max(0.1, deadline - time.monotonic()) if line else 0.1)
    if process.returncode is None:
        process.kill()
        process.wait()
    if line != "listening":
        raise KeeperUnavailable(f"the keeper could not start: {line or 'it ended or stayed silent'}")
