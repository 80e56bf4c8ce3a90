import ipyweb

ipyweb.display("begin")
import geopandas
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import xarray as xr
from great_tables import GT
from shapely.geometry import Point

frame = pd.DataFrame({"name": ["Ada", "Grace"], "year": [1815, 1906]})
ipyweb.display(frame)  # → pandas frame
ipyweb.display(frame["name"])  # → pandas series
ipyweb.display(frame.style.background_gradient(subset="year"))  # → pandas style
ipyweb.display(pd.DataFrame(np.arange(40_000).reshape(2000, 20)).style)  # → pandas large style
ipyweb.display(np.arange(6).reshape(2, 3))  # → numpy array
ipyweb.display(pa.table({"name": ["Ada"]}))  # → pyarrow table
ipyweb.display(pl.DataFrame({"name": ["Ada"], "year": [1815]}))  # → polars frame
ipyweb.display(pl.Series("name", ["Ada"]))  # → polars series
ipyweb.display(pl.LazyFrame({"name": ["Ada"]}).select("name"))  # → polars lazy frame
ipyweb.display(pl.DataFrame({"a": [1, 2], "b": [3, 4]}).plot.point("a", "b"))  # → polars plot
ipyweb.display(pl.DataFrame({"name": ["Ada"]}).style)  # → polars style
ipyweb.display(geopandas.GeoDataFrame({"city": ["Rome"]}, geometry=[Point(12.5, 41.9)]))  # → geopandas frame
ipyweb.display(Point(12.5, 41.9).buffer(1))  # → shapely geometry
ipyweb.display(GT(frame, rowname_col="name"))  # → great_tables table
GT(frame).show()  # → great_tables show
GT(frame).show("browser")  # → great_tables show in a browser
ipyweb.display(GT(frame).opt_interactive())  # → great_tables interactive table
ipyweb.display(xr.Dataset({"t": ("x", [1.0, 2.0])}))  # → xarray dataset
pd.options.plotting.backend = "plotly"
ipyweb.display(frame.plot.bar(x="name", y="year"))  # → pandas by plotly
