"""In a Jupyter kernel its own comms carry widgets, and the pane shows how they stand."""

import nbformat
from nbclient import NotebookClient

from ipyweb import connection
from ipyweb.protocol import WIDGET_VIEW


def test_a_kernel_keeps_its_widgets(hub: connection.Connection) -> None:
    cells = ["%load_ext ipyweb", "import ipywidgets as w; s = w.IntSlider(3); s", "type(s.comm).__module__"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    NotebookClient(notebook, timeout=180).execute()
    slider, module = (cell.outputs[-1].data for cell in notebook.cells[1:])
    assert WIDGET_VIEW in slider
    assert "ipykernel" in module["text/plain"]
    (output,) = connection.request(hub, "GET", "api/outputs").json()["outputs"]
    assert set(output["mimetypes"]) == {"text/html", "text/plain"}


def test_a_kernel_keeps_what_its_front_ends_need(hub: connection.Connection) -> None:
    code = "import altair; from ipympl.backend_nbagg import Canvas\nours = altair.JupyterChart._esm, Canvas.new_timer"
    cells = [code, "%load_ext ipyweb", "assert (altair.JupyterChart._esm, Canvas.new_timer) == ours"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    NotebookClient(notebook, timeout=180).execute()
