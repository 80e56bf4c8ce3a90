"""Bokeh: documents become one page each, drawn by the BokehJS of the user's own package.

By Bokeh's own notebook hook (``bokeh.io.notebook.install_notebook_hook``). It also stands in for the hook named
``jupyter``, so that a program's own ``output_notebook()`` leads to the pane too.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..session import present
from ..session.companions import companions
from . import chain, publish, replace, with_margin

CDN = "https://cdn.bokeh.org/bokeh/"
_ELEMENT = "bokeh.models.ui.ui_element.UIElement"
_HOOKS = ("ipyweb", "jupyter")
_FRONT_END = "@bokeh/jupyter_bokeh"
_FORMULA = re.compile(rb'\$\$|\\\\\(|\\\\\[|"TeX"|"MathML"')


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Make the pane Bokeh's notebook."""
    import bokeh
    from bokeh.io import notebook
    from bokeh.io.state import curstate
    from bokeh.settings import settings

    html = shell.display_formatter.formatters["text/html"]
    html.for_type(_ELEMENT, _html)
    hooks = {name: notebook._HOOKS.get(name) for name in _HOOKS}
    for name in _HOOKS:
        notebook.install_notebook_hook(name, _load, _show_doc, _show_app, overwrite=True)
    state = curstate()

    def undo() -> None:
        html.pop(_ELEMENT, None)
        for name, before in hooks.items():
            if before is None:
                notebook._HOOKS.pop(name, None)
            else:
                notebook._HOOKS[name] = before

    return chain(
        undo,
        replace(state, "_notebook", True),
        replace(state, "_notebook_type", "ipyweb"),
        replace(settings.browser, "_user_value", "none"),  # `output_file` writes its file, and opens nothing
        companions.add_front_end(_FRONT_END, _scripts),
        present.add("jupyter_bokeh.widgets.BokehModel", _present),
        companions.add_files(CDN, _files(Path(bokeh.__file__).parent, bokeh.__version__)),
        companions.add_load(r"application/vnd\.bokehjs_load\.v0\+json", needed_by="Bokeh"),
    )


def _files(package: Path, version: str) -> Callable[[str], Path | None]:
    """Finds ``release/bokeh-widgets-3.9.2.min.js`` of the CDN as ``server/static/js/bokeh-widgets.min.js``."""

    def find(rest: str) -> Path | None:
        match = re.fullmatch(rf"(?:release|dev)/(bokeh(?:-[a-z]+)?)-{re.escape(version)}((?:\.min)?\.js)", rest)
        return package / "server" / "static" / "js" / "".join(match.groups()) if match else None

    return find


def _present(widget: Any) -> dict[str, Any]:
    """A document as it is by now; what was changed was told to those who were there."""
    from bokeh.core.json_encoder import serialize_json

    return {"render_bundle": serialize_json(widget._model_to_traits(widget._model))}


def _scripts(said: bytes) -> dict[str, Path]:
    """BokehJS for a ``BokehModel``, with the extensions of it that are imported by now."""
    from bokeh.embed.bundle import bundle_for_objs_and_resources
    from bokeh.resources import Resources

    urls = [str(each) for each in bundle_for_objs_and_resources(None, Resources(mode="server")).js_files]
    named = {name: path for url in urls for name, path in _served(url.partition("static/")[2].partition("?")[0])}
    formulas = _FORMULA.search(said)
    return {name: path for name, path in named.items() if path.is_file() and (formulas or "mathjax" not in name)}


def _served(name: str) -> Iterator[tuple[str, Path]]:
    """The file that a server of Bokeh's would have below ``static/``."""
    import bokeh
    from bokeh.embed.bundle import extension_dirs

    first, _, rest = name.partition("/")
    if first == "js":
        yield rest, Path(bokeh.__file__).parent / "server" / "static" / name
    extension, _, path = rest.partition("/")
    if first == "extensions" and extension in extension_dirs:
        yield rest, extension_dirs[extension] / path


def _html(model: Any) -> str:
    """What ``bokeh.embed.file_html`` makes, without the files of extensions that the document does not use."""
    from bokeh.document import Document
    from bokeh.embed.bundle import bundle_for_objs_and_resources
    from bokeh.embed.elements import html_page_for_render_items
    from bokeh.embed.util import OutputDocumentFor, standalone_docs_json_and_render_items
    from bokeh.io import curdoc
    from bokeh.resources import Resources

    models = model.roots if isinstance(model, Document) else [model]
    with OutputDocumentFor(models, apply_theme=curdoc().theme) as document:
        docs_json, items = standalone_docs_json_and_render_items(models, suppress_callback_warning=True)
        bundle = bundle_for_objs_and_resources([document], Resources(mode="cdn"))
        unused = _unused_files({type(each) for each in document.models})
        bundle.js_files = [each for each in bundle.js_files if str(each) not in unused]
        bundle.css_files = [each for each in bundle.css_files if str(each) not in unused]
        page: str = html_page_for_render_items(bundle, docs_json, items, title="Bokeh")
    return with_margin(page)


def _unused_files(used: set[type]) -> set[str]:
    """The files of all extensions that are imported (Bokeh names them on every page), but not of those `used`."""
    from bokeh.model import Model

    known = set(Model.model_class_reverse_map.values())
    return _files_of(known - used) - _files_of(used)


def _files_of(models: set[type]) -> set[str]:
    found = set()
    for model in models:
        for name in ("__javascript__", "__css__"):
            files = getattr(model, name, None) or ()
            found |= {files} if isinstance(files, str) else set(files)
    return found


def _load(resources: object, verbose: bool, hide_banner: bool, load_timeout: int) -> None:
    """Nothing: each output brings what it needs."""


def _show_doc(model: Any, state: Any, notebook_handle: object = None) -> Any:
    if model not in state.document.roots:
        state.document.add_root(model)
    if not notebook_handle:
        publish(_bundle(model))
        return None
    return _shown_with_handle(model, state)


def _shown_with_handle(model: Any, state: Any) -> Any:
    """What ``push_notebook`` needs: Bokeh collects changes for the handle, then sends them by its comm."""
    from bokeh.document import Document
    from bokeh.io.notebook import CommsHandle

    publish(_bundle(model), display_id=model.id)
    document = Document.from_json(state.document.to_json())
    handle = CommsHandle(_Comm(model), document)
    state.document.callbacks.on_change_dispatch_to(handle)
    state.last_comms_handle = handle
    return handle


class _Comm:
    """Takes a patch for the browser's document as the word that there is a new version."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def send(self, data: str | None = None, buffers: object = None) -> None:
        """Called with the patch's header, metadata, content and buffers; one of them is enough."""
        if data is not None and "msgtype" in json.loads(data):
            publish(_bundle(self._model), display_id=self._model.id, update=True)


def _show_app(app: Any, state: object, notebook_url: object, **options: object) -> None:
    """An application is shown as it begins; there is no server that could call it back."""
    from bokeh.application import Application
    from bokeh.application.handlers import FunctionHandler

    application = app if isinstance(app, Application) else Application(FunctionHandler(app))
    document = application.create_document()
    publish({"text/html": _html(document), "text/plain": "Bokeh application (without its callbacks in Python)"})


def _bundle(model: Any) -> dict[str, str]:
    return {"text/html": _html(model), "text/plain": repr(model)}
