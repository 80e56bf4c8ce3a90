"""Every exception a user can meet.

::

    IpywebError
    ├── FrameError (ValueError)      bytes that are not a frame of ours
    ├── ConnectionFileError          a connection file or directory that cannot be trusted
    ├── HubError                     the hub said no
    │   └── OutputNotFound (KeyError)
    ├── HubUnreachable (ConnectionError)
    │   └── HubImpostor              something answers there, but it is not our hub
    ├── KeeperUnavailable            figures cannot be drawn anew at present
    └── NotPicklable (TypeError)     no copy of a figure can be made
"""


class IpywebError(Exception):
    """Base of all exceptions that ipyweb raises on purpose."""


class FrameError(IpywebError, ValueError):
    """A frame is malformed: too short, not JSON, or its buffers do not add up."""


class ConnectionFileError(IpywebError):
    """A runtime directory or connection file belongs to somebody else, or others can write it."""


class HubError(IpywebError):
    """The hub answered with an error.

    Attributes:
        status: the HTTP status code.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class OutputNotFound(HubError, KeyError):
    """No output has the id asked for."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0])


class HubUnreachable(IpywebError, ConnectionError):
    """No hub answered in time."""


class HubImpostor(HubUnreachable):
    """Something answered where the hub should be, without knowing the hub's secret."""


class KeeperUnavailable(IpywebError):
    """The figure keeper cannot be reached or started, or has not that figure any more."""


class NotPicklable(IpywebError, TypeError):
    """A figure can be neither pickled nor cloudpickled, so no copy of it can be made; the text says why."""
