"""A hub in directories of its own, away from whatever the user has."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_DIRECTORIES = ("HOME", "IPYWEB_RUNTIME_DIR", "IPYWEB_DATA_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")


@contextmanager
def private_hub() -> Iterator[dict[str, str]]:
    """An environment in which nothing of the user's is read or written, with a hub that runs already."""
    with TemporaryDirectory() as directory:
        folders = {name: str(Path(directory, name.lower())) for name in _DIRECTORIES}
        for folder in folders.values():
            Path(folder).mkdir(mode=0o700)
        environment = {**os.environ, **folders, "IPYWEB_BROWSER": "none", "IPYWEB_REPORT": "0"}
        _ipyweb(environment, "url")
        try:
            yield environment
        finally:
            _ipyweb(environment, "stop")


def _ipyweb(environment: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "-m", "ipyweb", *words], env=environment, check=True, stdout=subprocess.DEVNULL)
