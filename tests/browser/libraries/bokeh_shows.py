import ipyweb
from bokeh.io import curdoc, output_file, output_notebook, push_notebook, show
from bokeh.layouts import column
from bokeh.models import Button, DataTable, Slider, TableColumn, ColumnDataSource
from bokeh.plotting import figure
from bokeh.resources import INLINE

source = ColumnDataSource({"a": [1, 2], "b": [3, 4]})


def plot():
    p = figure(width=400, height=300, title="Waves", background_fill_color="white")
    p.rect([1, 2, 3], [1, 2, 3], 0.9, 0.9, color="green")
    return p


ipyweb.display(plot())  # → bokeh figure
show(plot())  # → bokeh show
output_notebook(INLINE)
show(plot())  # → bokeh show after its load message
output_notebook()
show(column(Slider(start=0, end=9, value=4, title="Speed"), Button(label="Go")))  # → bokeh widgets
ipyweb.display(DataTable(source=source, columns=[TableColumn(field="a", title="First"), TableColumn(field="b")]))  # → bokeh table
p = plot()
handle = show(p, notebook_handle=True)  # → bokeh show with a handle
p.title.text = "Pushed"
push_notebook(handle=handle)
show(lambda doc: doc.add_root(plot()))  # → bokeh application
