"""Makes one picture: of a plot by its library's own exporter, or of a report by Chromium. A process of its own does so.

``python -m ipyweb.cli.exporters DIRECTORY`` reads ``request.json`` (the fields of `Request`) and ``input`` there, and
writes ``output``, or says on the last line of stderr why not. So whatever an exporter does, hangs, prints, or dies of,
it does not do to us, and its packages are loaded nowhere else.
"""

import base64
import json
import os
import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from . import chromium

PLOTLY_SIZE = 700, 500
"""Pixels of a Plotly figure that says nothing else, as plotly's own exporter has them."""

_MAJOR = re.compile(r"vega(?:lite)?\.v(\d+)")
_SVG_HEAD = re.compile(r"<svg\b[^>]*>")
_SIZES = re.compile(r'\s(width|height)="([0-9.]+)(?:px)?"')


class Request(NamedTuple):
    """What is to be made.

    Attributes:
        maker: of `MAKERS`.
        mime: MIME type of the input.
        format: ``png`` or ``svg``.
        width, height: pixels; both free, or one in proportion, where they are ``None``.
        scale: pixels of the picture per pixel of the layout.
        fit: whether a plot keeps its own layout and is scaled into that size, where it could be laid out for it.
    """

    maker: str
    mime: str
    format: str
    width: float | None = None
    height: float | None = None
    scale: float = 1.0
    fit: bool = False

    def factor(self, width: float, height: float) -> float:
        """What turns pixels of a layout that has a size of its own into pixels of the picture."""
        pairs = ((self.width, width), (self.height, height))
        return min((wanted / own for wanted, own in pairs if wanted and own), default=self.scale)


class Maker(NamedTuple):
    """One way to make a picture: whether it is there, what it is called, and what makes it."""

    exists: Callable[[], bool]
    name: str
    make: Callable[[Request, bytes, Path], bytes]


# -- Plotly -----------------------------------------------------------------------------------------------------------


def _by_kaleido(request: Request, spec: bytes, directory: Path) -> bytes:
    from plotly.io import to_image

    figure: dict[str, Any] = json.loads(spec)
    width, height, scale = plotly_size(figure, request)
    made = {"data": figure.get("data", []), "layout": figure.get("layout", {})}
    picture: bytes = to_image(made, request.format, width, height, scale, validate=False)
    return picture


def plotly_size(figure: dict[str, Any], request: Request) -> tuple[int, int, float]:
    """Width and height of the layout in pixels (as asked, else in proportion, else the figure's own), and its scale."""
    layout = figure.get("layout") or {}
    own = tuple(
        value if isinstance(value := layout.get(name), int | float) and value >= 1 else default
        for name, default in zip(("width", "height"), PLOTLY_SIZE, strict=True)
    )
    if request.fit:
        return round(own[0]), round(own[1]), request.factor(*own)
    width = request.width or (request.height * own[0] / own[1] if request.height else own[0] * request.scale)
    height = request.height or width * own[1] / own[0]
    return max(1, round(width / request.scale)), max(1, round(height / request.scale)), request.scale


# -- Vega -------------------------------------------------------------------------------------------------------------


def _by_vl_convert(request: Request, spec: bytes, directory: Path) -> bytes:
    import vl_convert

    module: Any = vl_convert
    text, reached = spec.decode(), list[str]()
    if "vegalite" in request.mime:
        svg: str = module.vegalite_to_svg(text, _version(request.mime, module), allowed_base_urls=reached)
    else:
        svg = module.vega_to_svg(text, allowed_base_urls=reached)
    head = _SVG_HEAD.match(svg)
    own = {name: float(value) for name, value in _SIZES.findall(head[0])} if head else {}
    factor = request.factor(own.get("width", 0.0), own.get("height", 0.0))
    if request.format == "png":
        picture: bytes = module.svg_to_png(svg, scale=factor)
        return picture
    sized = _SIZES.sub(lambda each: f' {each[1]}="{float(each[2]) * factor:g}"', head[0]) if head else ""
    return (sized + svg[len(head[0]) if head else 0 :]).encode()


def _version(mime: str, vl_convert: Any) -> str | None:
    """The newest known version of the specification's own major version; ``None`` for the newest of all."""
    major = _MAJOR.search(mime)
    known = [each for each in vl_convert.get_vegalite_versions() if major and each.split(".")[0] == major[1]]
    return known[-1] if known else None


# -- Chromium ---------------------------------------------------------------------------------------------------------

_PAGE = """<style>
body { margin: 0 !important; padding: 0 !important; max-width: none !important; background: #fff !important }
body > :not(section), section > :not(.frame) { display: none !important }
section { border: 0 !important; margin: 0 !important; padding: 0 !important }
.frame { border: 0 !important; border-radius: 0 !important; height: 100vh; resize: none !important }
</style></head>"""

_READY = """(async () => {
  if (document.readyState !== "complete") await new Promise((done) => addEventListener("load", done));
  const host = document.querySelector(".frame");
  if (!host) throw new Error("there is nothing to be drawn");
  await new Promise((done, fail) => {
    const look = () => {
      if (host.dataset.state === "ready") done();
      if (host.dataset.state === "failed") fail(new Error(host.title));
    };
    new MutationObserver(look).observe(host, { attributes: true });
    look();
  });
})()"""

_SNAPSHOT = """(async (format, scale) => {
  const { port } = document.querySelector(".frame");
  const bytes = await new Promise((done) => {
    port.addEventListener("message", ({ data }) => data?.type === "snapshot" && done(data.bytes));
    port.postMessage({ type: "snapshot", number: 0, shot: { format, scale, own: true } });
  });
  if (!bytes) return null;
  const reader = new FileReader();
  await new Promise((done) => { reader.onload = done; reader.readAsDataURL(new Blob([bytes])); });
  return reader.result.split(",")[1] ?? "";
})"""

_AREA = """(async () => {
  const host = document.querySelector(".frame");
  let height, same = 0;
  for (let n = 0; n < 40 && same < 4; n++) { // a text tells how high it is, some times
    await new Promise((done) => setTimeout(done, 100));
    same = height === host.clientHeight && (host.style.height || n > 10) ? same + 1 : 0;
    height = host.clientHeight;
  }
  return { x: 0, y: 0, width: host.clientWidth, height, scale: 1 };
})()"""


def _by_chromium(request: Request, report: bytes, directory: Path) -> bytes:
    path = directory / "report.html"
    path.write_bytes(report.replace(b"</head>", _PAGE.encode(), 1))
    profile = directory / "profile"
    profile.mkdir(0o700)
    width, height = (round(each / request.scale) for each in _window(request))
    with chromium.page(profile) as page:
        page.open(path.as_uri(), width, height, request.scale)
        page.run(_READY)
        drawn = _snapshot(page, request.format, request.scale)
        if drawn is not None:
            return _fitted(page, request, drawn)
        if request.format != "png":
            raise chromium.ChromiumFailed(f"{request.mime} can only become a PNG")
        area = page.run(_AREA)
        return base64.b64decode(page.tell("Page.captureScreenshot", clip=area, captureBeyondViewport=True)["data"])


def _window(request: Request) -> tuple[float, float]:
    if request.fit:
        return PLOTLY_SIZE
    width = request.width or (request.height or PLOTLY_SIZE[1]) * PLOTLY_SIZE[0] / PLOTLY_SIZE[1]
    return width, request.height or width * PLOTLY_SIZE[1] / PLOTLY_SIZE[0]


def _snapshot(page: chromium.Page, format: str, scale: float) -> bytes | None:  # noqa: A002
    text = page.run(f"{_SNAPSHOT}({json.dumps(format)}, {scale})")
    return None if text is None else base64.b64decode(text)


def _fitted(page: chromium.Page, request: Request, drawn: bytes) -> bytes:
    """The picture in the size asked for, where what is drawn has a size of its own."""
    own = png_size(drawn)
    if own is None:
        return drawn
    factor = request.factor(own[0] / request.scale, own[1] / request.scale)
    if abs(factor / request.scale - 1) * max(own) < 1:
        return drawn
    return _snapshot(page, request.format, factor) or drawn


def png_size(picture: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG in pixels (PNG, third edition, 11.2.1)."""
    if not picture.startswith(b"\x89PNG\r\n\x1a\n") or len(picture) < 24:
        return None
    return int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])


MAKERS = {
    "kaleido": Maker(lambda: _has("kaleido") and _has("plotly"), "plotly's exporter kaleido", _by_kaleido),
    "vl-convert": Maker(lambda: _has("vl_convert"), "vl-convert", _by_vl_convert),
    "chromium": Maker(lambda: chromium.find() is not None, "Chromium", _by_chromium),
}
"""All there are, by name."""


def _has(name: str) -> bool:
    return find_spec(name) is not None


def main(directory: Path) -> None:
    """Make the picture that a directory asks for."""
    request = Request(**json.loads((directory / "request.json").read_bytes()))
    picture = MAKERS[request.maker].make(request, (directory / "input").read_bytes(), directory)
    (directory / "made").write_bytes(picture)
    (directory / "made").rename(directory / "output")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Exception as error:
        print(f"{type(error).__name__}: {error}".strip().splitlines()[0][:500], file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)
