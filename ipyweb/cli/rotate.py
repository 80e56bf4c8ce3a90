"""``ipyweb rotate``."""

import os
import time
from contextlib import suppress

from ..connection import find, request, start
from ..errors import HubImpostor
from .app import Command, Failure

PATIENCE = 15.0
"""Seconds for a hub that starts or stops meanwhile."""


class Rotate(Command):
    """Give the hub a new root secret."""

    name = "rotate"
    description = """
        Take new tokens: all old ones end, and with them every link, shared ones too, and what is open by them. The hub
        keeps its address, and programs that display go on by themselves; panes are opened anew by `ipyweb open`.

        When no hub runs, the next one has the new tokens. None is started.
    """

    def start(self) -> None:
        """Rotate.

        Raises:
            Failure: the hub is elsewhere, or neither answers nor lets go.
        """
        if os.environ.get("IPYWEB_HUB"):
            raise Failure("IPYWEB_HUB names a hub elsewhere; run `ipyweb rotate` on its machine")
        deadline = time.monotonic() + PATIENCE
        while not (self._running() or self._kept()):
            if time.monotonic() > deadline:
                raise Failure(f"a hub runs, but did not answer within {PATIENCE:g} s; `ipyweb doctor` tells more")
            time.sleep(0.05)
        print("old tokens and links have ended; `ipyweb open` opens the pane anew")

    def _running(self) -> bool:
        """Let the hub that runs take new tokens; whether there is one."""
        with suppress(HubImpostor):  # whatever has its port: a hub of ours that ran would hold its locks
            if find() is not None:
                request(start(), "POST", "api/rotate", {})
                return True
        return False

    def _kept(self) -> bool:
        """Renew what the next hub begins with; false while one runs, starts or stops."""
        from ..hub.app import rotate

        return rotate(self.config)
