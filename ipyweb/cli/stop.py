"""``ipyweb stop``."""

import time

from ..connection import find, request
from .app import Command, Failure

PATIENCE = 10.0
"""Seconds that a hub may take to finish what it writes."""


class Stop(Command):
    """Ask the hub to stop, and wait until it has."""

    name = "stop"
    description = """
        Stop the hub, and wait until it has stopped. Everything is in the store, and open panes come back by themselves
        when a hub runs again. When none runs there is nothing to do.
    """

    def start(self) -> None:
        """Stop it.

        Raises:
            Failure: it did not stop in time.
        """
        connection = find()
        if connection is None:
            print("no hub is running")
            return
        request(connection, "POST", "api/stop", {})
        deadline = time.monotonic() + PATIENCE
        while (left := find()) is not None and left.pid == connection.pid:
            if time.monotonic() > deadline:
                raise Failure(f"the hub (pid {connection.pid}) did not stop within {PATIENCE:g} s; see its hub.log")
            time.sleep(0.02)
        print(f"hub stopped (pid {connection.pid})")
