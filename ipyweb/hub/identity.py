"""What a hub keeps over restarts: its id, its root secret, its port."""

import json
import secrets
from pathlib import Path
from typing import NamedTuple

from ..private import read_private, write_private

IDENTITY_FILE = "identity.json"
PORTS = range(20000, 30000)


class Identity(NamedTuple):
    """Who a hub is. `port` is 0 before it ever listened; `shared` says whether others have its store, id and secret."""

    hub: str
    token: str
    port: int = 0
    shared: bool = False

    def renewed(self) -> "Identity":
        """The same hub with a new root secret: old tokens and addresses end."""
        return self._replace(token=new_token())

    @classmethod
    def new(cls) -> "Identity":
        """A hub that never was."""
        return cls(secrets.token_hex(8), new_token())


def new_token() -> str:
    """256 random bits in hexadecimal."""
    return secrets.token_hex(32)


def random_port() -> int:
    """A port of ours, chosen at random so that two users of a machine hardly meet."""
    return secrets.choice(PORTS)


def load(directory: Path) -> Identity:
    """The kept identity, or a new one.

    Raises:
        ConnectionFileError: others could have written the file.
    """
    try:
        fields = json.loads(read_private(directory / IDENTITY_FILE))
        identity = Identity(str(fields["hub"]), str(fields["token"]), int(fields["port"]), fields.get("shared") is True)
        if len(identity.token) == 64:
            return identity
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        pass
    return Identity.new()


def save(directory: Path, identity: Identity) -> None:
    """Keep an identity.

    Raises:
        OSError: it cannot be written.
    """
    write_private(directory / IDENTITY_FILE, json.dumps(identity._asdict()).encode())
