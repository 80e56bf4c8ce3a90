import ipyweb

ipyweb.display("begin")
import itables
import pandas as pd
from itables.widget import ITable

frame = pd.DataFrame({"a": range(30), "b": range(30)})
ipyweb.display(ITable(frame))  # → itables widget
itables.show(frame)  # → itables show
itables.init_notebook_mode(all_interactive=True)
ipyweb.display(frame)  # → itables frame
ipyweb.display(frame["a"])  # → itables series
itables.init_notebook_mode(all_interactive=True, connected=True)
ipyweb.display(frame)  # → itables frame that links
