"""``ipyweb serve``."""

import json
import os
import sys
from contextlib import suppress
from typing import Any

from traitlets import Bool

from ..connection import fingerprint
from .app import Command


class Serve(Command):
    """Be the hub."""

    name = "serve"
    description = """
        Run the hub in the foreground until Ctrl-C or `ipyweb stop`. Usually nobody needs to: the first output, `ipyweb
        open` and others start one by themselves.
    """
    examples = """
        ipyweb serve --port 8080
        ipyweb serve --ip 0.0.0.0 --certfile node7.pem --keyfile node7.key
        ipyweb serve --Hub.max_bytes=5000000000
        ipyweb serve --store=postgresql://me@dbhost/ipyweb
    """
    detached = Bool(
        False, help="Write one JSON object to stdout once the hub answers or has failed, then close it."
    ).tag(config=True)
    aliases = {  # noqa: RUF012
        "log-level": "Hub.log_level",
        **{name: f"Hub.{name}" for name in ("ip", "port", "certfile", "keyfile", "store")},
    }
    flags = {  # noqa: RUF012
        "detached": ({"Serve": {"detached": True}}, "What starts a hub in the background uses this."),
    }

    def start(self) -> None:
        """Run until told to stop."""
        if self.detached:
            _leave_starter()
        from ..hub.app import run

        if not self.detached:
            run(self.config, self._announce)
            return
        try:
            run(self.config, self._hand_over)
        except Exception as error:
            _answer({"error": " ".join(str(error).split()) or type(error).__name__})
            self.exit_status = 1

    def _announce(self, state: dict[str, Any]) -> None:
        print(f"ipyweb: hub at {state['address']}; Ctrl-C stops it, `ipyweb url` prints the link", file=sys.stderr)
        if state["certificate"]:
            print(f"        certificate {fingerprint(state['certificate'])}", file=sys.stderr)

    def _hand_over(self, state: dict[str, Any]) -> None:
        _answer({"url": state["url"], "pid": os.getpid()})


def _leave_starter() -> None:
    """Become a child of init: the starter may live for days, and would keep a zombie of each hub that ends."""
    if hasattr(os, "fork") and os.fork():
        os._exit(0)


def _answer(words: dict[str, Any]) -> None:
    """Tell the waiting starter, and let go of its pipe: it may end long before this hub does."""
    with suppress(OSError):  # the starter no longer waits
        print(json.dumps(words), flush=True)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
