"""Comms without a kernel: what ipywidgets, anywidget and all that is built on them speak through.

The ``comm`` package lets whoever carries the messages put a class and a manager of their own in its place, by two
functions that every user of it looks up when it needs them (its ``create_comm`` and ``get_comm_manager``). So nothing
is pretended to be a kernel: only our comms have a ``kernel``, since ``ipywidgets.Output`` asks that one for the request
which is being handled.
"""

import sys
from collections.abc import Callable
from typing import Any

import comm
from comm.base_comm import BaseComm, CommManager

from .captured import follow
from .pump import handled
from .wire import wire

Undo = Callable[[], None]


class Parents:
    """Tells an ``Output`` on what behalf it captures; it needs a name, and anybody's will do."""

    @staticmethod
    def get_parent() -> dict[str, Any]:
        """The request that is being handled, as in Jupyter messaging."""
        return {"header": {"msg_id": handled() or "program"}}


class Comm(BaseComm):
    """A comm whose other end is in every pane that shows its widget."""

    kernel = Parents()

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        header: dict[str, Any] = {"type": msg_type, "comm_id": self.comm_id, "data": data or {}}
        if msg_type == "comm_open":
            header |= {"target_name": keys.get("target_name") or self.target_name, "metadata": metadata or {}}
        elif msg_type == "comm_msg":
            header["parent"] = handled()
        wire().publish(header, buffers or [])
        if msg_type == "comm_msg":
            follow(self.comm_id, header["data"].get("state") or {})


_manager = CommManager()


def install() -> Undo:
    """Carry all comms of this process from now on, those of widgets that were made before too.

    Returns:
        A function that ends this.
    """
    before = comm.create_comm, comm.get_comm_manager
    comm.create_comm, comm.get_comm_manager = Comm, lambda: _manager
    _manager.targets |= before[1]().targets
    reopen_widgets()

    def undo() -> None:
        wire().leave_prompt()
        if comm.create_comm is Comm:
            comm.create_comm, comm.get_comm_manager = before

    return undo


def carried() -> bool:
    """Whether the comms of this process are ours."""
    return comm.create_comm is Comm


def reopen_widgets() -> None:
    """Give widgets that nobody carries a comm of ours; they keep their ids."""
    module = sys.modules.get("ipywidgets.widgets.widget")
    for widget in list(getattr(module, "_instances", {}).values()):
        if not isinstance(widget.comm, Comm):
            widget.comm = None
            if hasattr(widget, "_Output__counter"):  # one that was left without having been entered for anybody
                widget._Output__counter = 0
            widget.open()


def manager() -> CommManager:
    """Where this process's comms are, by id."""
    return _manager
