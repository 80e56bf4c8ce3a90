"""The data of outputs over HTTP, drawn by a figure's keeper where that is wanted and possible."""

import json
from typing import Any

from ..errors import KeeperUnavailable
from . import drawing
from .data import BytesHandler, content_type_of
from .keepers import EnvironmentGone
from .store import Data


class FigureHandler(BytesHandler):
    """Answers with the data of an output; a figure is drawn anew in any size, and in formats not stored."""

    async def send_data(self, output: int, version: int | None, mimetype: str | None) -> None:
        """Answer with one representation.

        Args:
            output: its id.
            version: the newest when left out.
            mimetype: the richest when left out.

        Raises:
            NotFound: there is none such.
        """
        wanted = drawing.wanted(self, mimetype)
        if wanted is not None:
            figure = await self.hub.call(lambda store: store.figure_of(output, version))
            if figure is not None and await self._draw(output, version, json.loads(figure), wanted):
                return
        data = await self.hub.call(lambda store: store.data(output, mimetype, version))
        if wanted is not None and drawing.is_sized(wanted):
            self.set_header("X-Ipyweb-Rendered", "stored")
        await self.send_bytes(data, content_type_of(data.mimetype))

    async def _draw(self, output: int, version: int | None, figure: dict[str, Any], wanted: dict[str, Any]) -> bool:
        """Answer with a drawing by the keeper; false when stored data has to do."""
        mimetype = str(wanted["mime"])
        stored = await self.hub.call(lambda store: drawing.stored(store, output, version))
        if mimetype in stored and not drawing.is_sized(wanted) and mimetype != "image/svg+xml":
            return False
        try:
            content = await self.while_wanted(self.hub.keepers.render(figure, wanted))
        except KeeperUnavailable as error:
            self.set_header("X-Ipyweb-Reason", drawing.header_text(error))
            self.clear_header("ETag")  # it may be drawn the next time
            if isinstance(error, EnvironmentGone):
                self.set_header("X-Ipyweb-Environment", "gone")
            if mimetype in stored:
                return False
            self.refuse(504, f"this figure cannot be drawn as {mimetype} now: {error}")
        self.set_header("X-Ipyweb-Rendered", "keeper")
        await self.send_bytes(Data(mimetype, "", len(content), content), content_type_of(mimetype))
        return True
