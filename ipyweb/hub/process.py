"""The process that the hub runs in: private files, no core dumps, enough sockets, nothing more to import."""

import contextlib
import importlib
import os
import sys
from pathlib import Path

FILES = 8192
_LATER = (
    "concurrent.futures.thread",
    "email.parser",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.raw_unicode_escape",
    "encodings.unicode_escape",
    "encodings.utf_16",
    "linecache",
    "platformdirs",
    "stringprep",
    "tornado.locale",
    "traceback",
    "unicodedata",
)
"""Modules that Python and tornado import only when they need them first."""


def harden() -> None:
    """Make new files private, forbid core dumps (they would hold the secret), and allow enough sockets."""
    os.umask(0o077)
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))


def preload() -> None:
    """Import everything that would be imported later: the environment may be deleted while the hub runs."""
    for name in _LATER:
        importlib.import_module(name)


def pid_started() -> int:
    """When this process started, in clock ticks after the boot (field 22 of proc(5) stat); 0 where nobody tells."""
    try:
        return int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
