"""The network that a user allows to one output: hosts by name, over https, and nothing else.

The hub keeps no list of what was allowed. A permission is an address of the frame document that names the output and
the hosts, with a code that only the hub can make; the pane holds it as long as its tab is open.
"""

import re
from typing import Final

MOST_HOSTS: Final = 32
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
"""A name of at least two labels, of which the last begins with a letter, so that it is no IPv4 address."""

_LONGEST = 253
_OWN = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa"}
)
"""Last labels of names that mean this machine or the network around it, where an output has no business."""


def hosts_of(value: object) -> tuple[str, ...]:
    """The hosts of a permission, each once, in order.

    Args:
        value: what came over HTTP.

    Raises:
        ValueError: it is no list of such hosts.
    """
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_HOSTS:
        raise ValueError(f"expected a list of 1 to {MOST_HOSTS} hosts")
    for each in value:
        if not isinstance(each, str) or not is_public(each):
            raise ValueError(f"expected the names of hosts on the internet, such as cdn.example.org; got {each!r:.80}")
    return tuple(sorted(set(value)))


def is_public(host: str) -> bool:
    """Whether a host may be allowed to an output: by its name alone, lower case, without port or wildcard."""
    return len(host) <= _LONGEST and _HOST.fullmatch(host) is not None and host.rpartition(".")[2] not in _OWN
