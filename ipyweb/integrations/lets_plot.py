"""Lets-Plot: its pages ask a CDN for the script that the user's own package has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..session.companions import companions
from . import chain, publish, replace


def install(shell: Any, cells: bool) -> Callable[[], None]:
    """Let plots take Lets-Plot's script from the user's package, and show them instead of opening a browser."""
    import lets_plot
    from lets_plot._global_settings import get_js_cdn_url
    from lets_plot.frontend_context._webbr_html_page_ctx import WebBrHtmlPageContext

    script = Path(lets_plot.__file__).parent / "package_data" / "lets-plot.min.js"
    return chain(
        replace(WebBrHtmlPageContext, "show", _show),
        companions.add_files(get_js_cdn_url(), script),
        companions.add_load(
            r'\A\s*(<div id="\w+"></div>\s*)?<script [^>]*data-lets-plot-script="library"', needed_by="letsPlotCall"
        ),
    )


def _show(context: object, spec: Any) -> None:
    from lets_plot.frontend_context._static_html_page_ctx import StaticHtmlPageContext

    publish({"text/html": StaticHtmlPageContext(False).as_str(spec), "text/plain": "Lets-Plot figure"})
