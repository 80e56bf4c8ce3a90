"""The newest changes, kept in memory, so that panes at the head of events need no query."""

from .records import array
from .store import OutputRow, Row, SessionRow


class Recent:
    """The latest record of what changed since event `floor`.

    Args:
        event: the store's newest event.
        most: number of records kept.
    """

    def __init__(self, event: int, most: int = 2000) -> None:
        self.event = self.floor = event
        self._most = most
        self._entries: dict[tuple[bool, int | str], Entry] = {}  # in the order of events

    def add(self, entries: list["Entry"], event: int, since: int | None = None) -> None:
        """Take up changes in the order of their events; older records of the same rows go.

        Args:
            since: the event after which these are all; ``None`` when they follow those taken up before.
        """
        if since is not None:
            self._entries.clear()
            self.floor = since
        for entry in entries:
            self._entries.pop(entry.key, None)
            self._entries[entry.key] = entry
        while len(self._entries) > self._most:
            oldest = next(iter(self._entries))
            self.floor = self._entries.pop(oldest).event
        self.event = max(self.event, event)

    def since(self, event: int) -> list["Entry"] | None:
        """What changed after an event, oldest first; ``None`` when that is too long ago."""
        if event < self.floor:
            return None
        found: list[Entry] = []
        for entry in reversed(self._entries.values()):
            if entry.event <= event:
                break
            found.append(entry)
        return found[::-1]


class Entry:
    """One changed row as the text of its record.

    Attributes:
        key: the same for every state of one row.
        event: the event that it has now.
        text: its record as JSON.
        display_id: of an output; ``None`` for everything else.
    """

    __slots__ = ("display_id", "event", "key", "text")

    def __init__(self, row: Row, text: str) -> None:
        self.key: tuple[bool, int | str] = (isinstance(row, SessionRow), row.id)
        self.event = row.event
        self.text = text
        self.display_id = row.display_id if isinstance(row, OutputRow) else None

    @property
    def is_session(self) -> bool:
        return self.key[0]


def changed_frame(entries: list[Entry], event: int, most: int) -> tuple[str, int]:
    """One frame with as many changes as fit into `most` characters, and the event it brings a pane up to.

    Args:
        entries: in the order of their events.
        event: the event that all of them bring a pane up to.
        most: characters; a single record may exceed it.
    """
    size, count = 0, 0
    while count < len(entries) and (count == 0 or size + len(entries[count].text) < most):
        size += len(entries[count].text) + 1
        count += 1
    taken = entries[:count]
    reached = event if count == len(entries) else taken[-1].event
    outputs = array(entry.text for entry in taken if not entry.is_session)
    sessions = array(entry.text for entry in taken if entry.is_session)
    return f'{{"type":"changed","event":{reached},"outputs":{outputs},"sessions":{sessions}}}', reached
