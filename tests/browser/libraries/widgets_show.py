import dataclasses

import ipyweb

ipyweb.display("begin")
import anywidget
import anywidget.experimental
import bqplot.pyplot as bq
import geopandas
import ipydatagrid
import ipyleaflet
import ipywidgets as w
import jscatter
import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import lonboard
import traitlets
from tqdm.notebook import tqdm


class Counter(anywidget.AnyWidget):
    _esm = "export default { render({ model, el }) { el.textContent = model.get('value') } }"
    value = traitlets.Int(7).tag(sync=True)


@anywidget.experimental.widget(esm="export default { render({ model, el }) { el.textContent = model.get('value') } }")
@dataclasses.dataclass
class Record:
    value: int = 8


ipyweb.display(w.IntSlider(value=4, description="Speed"))  # → ipywidgets slider
ipyweb.display(w.VBox([w.HTML("<b>Title</b>"), w.Dropdown(options=["a", "b"], description="Kind"), w.Button(description="Go")]))  # → ipywidgets box
ipyweb.display(w.interactive(lambda x: x, x=(0, 10)))  # → ipywidgets interactive
ipyweb.display(w.Output())  # → ipywidgets output
ipyweb.display(Counter())  # → anywidget widget
ipyweb.display(Record())  # → anywidget record
bq.figure(title="Lines")
bq.plot([1, 2], [3, 4])
ipyweb.display(bq.current_figure())  # → bqplot figure
ipyweb.display(ipyleaflet.Map(center=(41.9, 12.5)))  # → ipyleaflet map
frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
ipyweb.display(ipydatagrid.DataGrid(frame))  # → ipydatagrid grid
ipyweb.display(jscatter.Scatter(data=frame, x="a", y="b").show())  # → jscatter plot
points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([12.5], [41.9]), crs="EPSG:4326")
ipyweb.display(lonboard.Map(lonboard.ScatterplotLayer.from_geopandas(points)))  # → lonboard map
matplotlib.use("ipympl")
figure, axes = plt.subplots()
axes.bar(["a", "b"], [1, 2], color="green")
ipyweb.display(figure.canvas)  # → ipympl canvas
ipyweb.display(figure)  # → ipympl figure
for _ in tqdm(range(3), desc="Epochs"):  # → tqdm bar
    pass
