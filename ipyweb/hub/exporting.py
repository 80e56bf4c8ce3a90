"""The routes that give outputs away and take them back; the formats are in `export`, taking back in `imports`."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from ..protocol import WIDGET_VIEW
from . import imports
from .base import ADMIN, ANY, Handler
from .comms import WIDGETS
from .export import PRIVATE, WRITERS, Item
from .messages import dumps
from .store import NotFound, Selection, Store

_MAX_IDS = 100_000


class Export(Handler):
    """``/api/export``."""

    scopes = ANY
    looked_at = narrow = True

    async def get(self) -> None:
        name = self.get_query_argument("format", "html").lower()
        if name not in WRITERS:
            self.refuse(400, f"expected format to be one of {', '.join(WRITERS)}, got {name[:40]!r}")
        which, include = self._selection(), self._include()
        if self.only is not None:
            row = await self.hub.call(self.only.find)
            which, include = Selection((row.id,)), frozenset()
        ids: list[int] = await self.hub.call(lambda store: store.select(which))
        if not ids:
            self.refuse(404, "there are no such outputs to export")
        title = self.text_argument("title") or "Outputs"
        writer = WRITERS[name](include, self.hub.static, title[:200])
        now = self.hub.now()
        self.set_header("Content-Type", writer.content_type)
        self.set_header("Content-Disposition", f'attachment; filename="ipyweb-{now[:10]}.{writer.suffix}"')
        self.set_header("X-Ipyweb-Outputs", str(len(ids)))
        self.set_header("X-Ipyweb-Bytes", str(await self.hub.call(lambda store: store.bytes_of(ids))))
        self.write(writer.begin(len(ids), now))
        for output in ids:
            item = await self.hub.call(lambda store, output=output: _item(store, output))  # type: ignore[misc]
            if item is None:
                continue
            item, contents = await self._with_widgets(item)
            missing = [name for name in dict.fromkeys(writer.wanted(item)) if name not in contents]
            contents |= {name: await self._content(name) for name in missing}
            for piece in await self.hub.in_background(
                lambda item, contents: list(writer.output(item, contents)), item, contents
            ):
                self.write(piece)
            await self.flush()
        self.finish(await self.hub.in_background(writer.end))

    async def _with_widgets(self, item: Item) -> tuple[Item, dict[str, bytes]]:
        """An output with the present state of the widget that it shows, as long as there is one, and its bytes."""
        references = json.loads(item.row.data)
        room = self.hub.state.rooms.find(item.row.session)
        if room is None or WIDGET_VIEW not in references or WIDGETS in references:
            return item, {}
        view = json.loads(await self._content(references[WIDGET_VIEW]["sha256"]))
        kept = {mime: (hashlib.sha256(part).hexdigest(), part) for mime, part in room.keep(view["model_id"]).items()}
        references |= {mime: {"sha256": sha256, "size": len(part)} for mime, (sha256, part) in kept.items()}
        return item._replace(row=item.row._replace(data=dumps(references))), dict(kept.values())

    async def _content(self, sha256: str) -> bytes:
        try:
            data = await self.hub.call(lambda store: store.blob(sha256))
        except NotFound:  # purged, or its file is gone; the rest is given away all the same
            return b""
        if isinstance(data.content, bytes):
            return data.content
        with data.content as file:
            content: bytes = await self.hub.in_background(file.read)
            return content

    def _selection(self) -> Selection:
        text = self.text_argument("ids")
        try:
            ids = None if text is None else tuple(_ids(text))
        except ValueError:
            self.refuse(400, f"expected ids such as 15,17,20-40, got {str(text)[:60]!r}")
        project, session = self.text_argument("project"), self.text_argument("session")
        return Selection(ids, project, session, pinned=True)

    def _include(self) -> frozenset[str]:
        include = frozenset(filter(None, self.get_query_argument("include", "").lower().split(",")))
        if not include <= {*PRIVATE}:
            self.refuse(400, f"expected include to be of {', '.join(PRIVATE)}, got {', '.join(sorted(include))[:60]!r}")
        return include


class Import(Handler):
    """``/api/import``."""

    scopes = ADMIN

    async def post(self) -> None:
        archive = imports.checked(self.json_body())
        imported: dict[str, Any] = await self.hub.call(lambda store: store.take_in(archive))
        self.send_json(imported, 201)


def _ids(text: str) -> Iterator[int]:
    """The ids that a list such as ``15,17,20-40`` names; of ranges, that an address may be short."""
    known = 0
    for part in text.split(","):
        if not re.fullmatch(r"[0-9]{1,18}(-[0-9]{1,18})?", part):
            raise ValueError(f"expected an id or a range of ids, got {part!r}")
        first, _, last = part.partition("-")
        known += int(last or first) - int(first) + 1
        if known > _MAX_IDS:
            raise ValueError(f"expected at most {_MAX_IDS} ids")
        yield from range(int(first), int(last or first) + 1)


def _item(store: Store, output: int) -> Item | None:
    try:
        row = store.output(output)
        return Item(row, store.session(row.session), store.versions(output))
    except NotFound:  # purged meanwhile
        return None
