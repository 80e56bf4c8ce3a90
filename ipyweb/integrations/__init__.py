"""One small file per library: it points the library's own switch at us, and takes it back.

Each module has ``install(shell, cells) -> undo`` and imports its library only inside. A library that is imported later
is switched by a hook on its import, never through the environment, which would leak to child processes.

Importing this package itself loads nothing: ``ipyweb run`` does so before the script, whose own modules may have the
names of standard ones.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Undo = Callable[[], None]

TRIGGERS = {
    "matplotlib.pyplot": "matplotlib",
    "plotly.io": "plotly",
    "altair": "altair",
    "bokeh.io": "bokeh",
    "folium": "folium",
    "graphviz": "graphviz",
    "great_tables": "great_tables",
    "holoviews": "holoviews",
    "ipympl.backend_nbagg": "ipympl",
    "ipyvizzu": "ipyvizzu",
    "ipycanvas.canvas": "ipycanvas",
    "ipywidgets": "ipywidgets",
    "itables": "itables",
    "lets_plot": "lets_plot",
    "mpld3": "mpld3",
    "panel": "panel",
    "IPython.display": "ipython",
    "PIL.ImageShow": "pillow",
    "pydeck": "pydeck",
    "pygal": "pygal",
    "sympy": "sympy",
    "comm": "comm",
}
"""Which integration is installed once which module has been imported; comms last, which carry what the others say."""


def install(shell: Any, cells: bool = False) -> Undo:
    """Switch the libraries that are imported, and those that will be.

    Args:
        shell: the IPython shell whose formatters apply.
        cells: whether figures are shown at the end of each cell, as in a notebook.

    Returns:
        A function that takes all switches back.
    """
    from importlib import import_module

    from . import matplotlib

    undos: list[Undo] = [matplotlib.format_figures(shell)]

    def switch(module: str) -> None:
        try:
            undos.append(import_module(f"{__name__}.{TRIGGERS[module]}").install(shell, cells))
        except Exception as error:  # another version of the library must not break its import
            import logging

            logging.getLogger("ipyweb").warning("ipyweb: %s could not be switched over: %s", module, error)

    there = [module for module in TRIGGERS if is_imported(module)]
    for module in there:
        switch(module)
    undos.append(after_import(TRIGGERS.keys() - there, switch))

    def undo() -> None:
        for each in reversed(undos):
            each()

    return undo


def is_imported(module: str) -> bool:
    """Whether a module is there as a whole; one whose code still runs may lack what we would switch."""
    return module in sys.modules and module not in _executing


def after_import(modules: Iterable[str], callback: Callable[[str], None]) -> Undo:
    """Call back once for each module, with its name, right after it has been imported for the first time.

    Args:
        modules: none of them `is_imported` yet.

    Returns:
        A function after which nothing is called any more.
    """
    hook = _ImportHook(set(modules), callback)
    sys.meta_path.insert(0, hook)

    def undo() -> None:
        if hook in sys.meta_path:
            sys.meta_path.remove(hook)

    return undo


def when_imported(module: str, callback: Callable[[str], None]) -> Undo:
    """Call back with the name of a module: now if it is imported, else right after it has been.

    So the formatter of a widget's type is registered by the type itself: many widgets get a class of their own each
    (traitlets' ``add_traits``), and IPython takes the first of these for the only one that a name means.

    Returns:
        A function after which nothing is called any more.
    """
    if not is_imported(module):
        return after_import([module], callback)
    callback(module)
    return lambda: None


def replace(owner: Any, name: str, value: object) -> Undo:
    """Set an attribute of a library's object, class or module.

    Returns:
        A function that puts back what was there, unless somebody else has replaced it meanwhile.
    """
    own = name in vars(owner)
    before = vars(owner).get(name)  # as it is there, such as a static method
    setattr(owner, name, value)

    def undo() -> None:
        if vars(owner).get(name) is not value:
            return
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)

    return undo


def chain(*undos: Undo) -> Undo:
    """One function that takes back what several do, the last first."""

    def undo() -> None:
        for each in reversed(undos):
            each()

    return undo


def publish(data: Mapping[str, Any], *, display_id: str | None = None, update: bool = False) -> None:
    """Show a MIME bundle, as a library's own ``show`` would in a notebook.

    Args:
        display_id: of the output, when it will be updated.
        update: whether it is shown already.
    """
    from IPython.display import publish_display_data

    transient = {} if display_id is None else {"display_id": display_id}
    publish_display_data(dict(data), transient=transient, update=update)


def are_carried(shell: Any) -> bool:
    """Whether widgets are alive in the pane: a kernel keeps them, and their front ends have what it gives them."""
    return not hasattr(shell, "kernel")


def view_of(widget: Any) -> dict[str, Any]:
    """The MIME bundle of a widget that is shown alive, to which pictures of it may be added.

    Args:
        widget: of ipywidgets.
    """
    from ..protocol import WIDGET_VIEW

    return {WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}


def with_margin(page: str) -> str:
    """The page of a library that draws up to its edges, with some room around."""
    return page.replace("</head>", "<style>body { box-sizing: border-box; padding: 16px 24px }</style></head>", 1)


_executing: set[str] = set()
"""The modules waited for whose code runs at present."""


class _ImportHook:
    """Calls back once, after each of some modules has been imported.

    Args:
        modules: their names.
        callback: called with the name.
    """

    def __init__(self, modules: set[str], callback: Callable[[str], None]) -> None:
        self._modules = modules
        self._callback = callback

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec whose loader calls back, for the modules that are waited for."""
        if fullname not in self._modules:
            return None
        behind = sys.meta_path[sys.meta_path.index(self) + 1 :]  # another of our hooks may be among them
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in behind)), None)
        if spec is not None and spec.loader is not None and not isinstance(spec.loader, _Loader):
            loader: Any = _Loader(spec.loader)
            spec.loader = loader
        return spec

    def imported(self, module: str) -> None:
        """Call back, if the module is waited for."""
        if module in self._modules:
            self._modules.discard(module)
            self._callback(module)


class _Loader:
    """A loader that hands everything to another, and lets our hooks call back after the module has run.

    That is those which are there by then: a module's own imports may bring us another one, or take one away.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the other loader does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """As the other loader does, then call back."""
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader  # as if we had never been here
        _executing.add(module.__name__)
        try:
            self._loader.exec_module(module)
        finally:
            _executing.discard(module.__name__)
        for hook in reversed([each for each in sys.meta_path if isinstance(each, _ImportHook)]):
            hook.imported(module.__name__)
