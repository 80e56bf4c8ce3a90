"""The hub's log file, without secrets."""

import logging
import logging.handlers
import os
import re
from pathlib import Path

from tornado.web import RequestHandler

LOG_FILE = "hub.log"
MAX_BYTES = 2**20
BACKUPS = 3
_SECRETS = re.compile(
    r"[0-9a-fA-F]{64}|(?<=c/)[0-9a-f]{32}|(?<=[./])[A-Za-z0-9_-]{43}\b|(?<=[?&#])(?:token|code|nonce|key)=[^&#\s]*"
)
access = logging.getLogger("ipyweb.hub.access")


class Scrubber(logging.Filter):
    """Takes everything that looks like a secret out of messages and tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrub(record.getMessage()), None
        if record.exc_info:
            record.exc_text = scrub(logging.Formatter().formatException(record.exc_info))
        return True


def scrub(text: str) -> str:
    """A text without what looks like a secret."""
    return _SECRETS.sub("…", text)


def begin(path: Path | None, level: str) -> logging.Handler:
    """Send the log to a private rotating file, or to stderr where there is none.

    Returns:
        The handler, for `end`.
    """
    handler: logging.Handler
    if path is None:
        handler = logging.StreamHandler()
    else:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    handler.addFilter(Scrubber())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("ipyweb", "tornado", "asyncio"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level.upper())
        logger.propagate = False
    return handler


def end(handler: logging.Handler) -> None:
    """Undo `begin`."""
    for name in ("ipyweb", "tornado", "asyncio"):
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).propagate = True
    handler.close()


def log_request(handler: RequestHandler) -> None:
    """One line per request: no query, no headers; reads and frames are only of interest when debugging."""
    status = handler.get_status()
    quiet = status < 400 and (handler.request.method in ("GET", "HEAD") or handler.request.path.startswith("/poll/"))
    level = logging.DEBUG if quiet else logging.INFO
    milliseconds = 1000 * handler.request.request_time()
    access.log(level, "%s %s %d %.1f ms", handler.request.method, handler.request.path[:200], status, milliseconds)
