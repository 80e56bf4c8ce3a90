import ipyweb

ipyweb.display("begin")
import holoviews as hv
import hvplot.pandas
import numpy as np
import pandas as pd
import panel as pn

hv.extension("bokeh", "matplotlib")
pn.extension()
frame = pd.DataFrame({"x": [1, 2, 3], "y": [1, 4, 9]})
curve = hv.Curve([1, 4, 9]).opts(color="green", line_width=20, width=400)
ipyweb.display(curve)  # → holoviews curve
ipyweb.display(hv.Curve([1, 4, 9]) + hv.Bars([("a", 1), ("b", 2)]))  # → holoviews layout
frames = hv.HoloMap({i: hv.Curve(np.arange(5) * i).opts(title=f"Frame {i}", framewise=True) for i in range(1, 4)}, kdims="Step")
ipyweb.display(frames)  # → holoviews map
ipyweb.display(hv.DynamicMap(lambda n: hv.Curve([1, n]), kdims=["n"]).redim.range(n=(1, 9)))  # → holoviews dynamic map
ipyweb.display(frame.hvplot.bar("x", "y", color="green"))  # → hvplot bars
hvplot.show(frame.hvplot.line("x", "y"))  # → hvplot show
pd.options.plotting.backend = "holoviews"
ipyweb.display(frame.plot.scatter("x", "y"))  # → pandas by holoviews
pd.options.plotting.backend = "hvplot"
ipyweb.display(frame.plot(x="x", y="y"))  # → pandas by hvplot
slider = pn.widgets.IntSlider(name="Speed", start=0, end=9, value=4)
ipyweb.display(pn.Column("# Title", slider, pn.pane.DataFrame(frame)))  # → panel column
pn.Row(pn.indicators.Number(name="Loss", value=42, format="{value}")).show()  # → panel show
pn.extension(comms="ipywidgets")
ipyweb.display(pn.Column(slider))  # → panel column as a widget
hv.extension("matplotlib")
ipyweb.display(hv.Curve([1, 4, 9]).opts(color="green", linewidth=20))  # → holoviews by matplotlib
hv.extension("plotly")
ipyweb.display(hv.Curve([1, 4, 9]))  # → holoviews by plotly
