import ipyweb

ipyweb.install()
import arviz as az
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
import seaborn as sns
import seaborn.objects as so
from matplotlib.animation import FuncAnimation
from plotnine import aes, geom_col, ggplot
from sklearn.metrics import ConfusionMatrixDisplay

frame = pd.DataFrame({"k": ["a", "b"], "n": [1, 2], "m": [2, 1]})
plt.bar(["a", "b"], [1, 2], color="green")
plt.show()  # → matplotlib show
nx.draw(nx.path_graph(3), node_color="green", node_size=9000)
plt.show()  # → networkx drawing
so.Plot(frame, "k", "n").add(so.Bar(color="green", alpha=1)).show()  # → seaborn plot show
(ggplot(frame, aes("k", "n")) + geom_col(fill="green")).show()  # → plotnine show
figure, axes = plt.subplots()
(bar,) = axes.bar([0], [1], color="green")
animation = FuncAnimation(figure, lambda n: [bar.set_height(1 + n)], frames=3)
plt.show()  # → matplotlib animation shown
ipyweb.display(animation)  # → matplotlib animation
_, axes = plt.subplots(1, 2)
(first, second) = axes
ipyweb.display(first.bar(["a", "b"], [1, 2], color="green"))  # → matplotlib bars
ipyweb.display(second.bar(["a", "b"], [1, 2], color="green") and second)  # → matplotlib axes
ipyweb.display(axes)  # → matplotlib array of axes
ipyweb.display(frame.plot.bar("k", "n", color="green"))  # → pandas plot
ipyweb.display(sns.FacetGrid(frame, col="k").map(plt.scatter, "n", "m", color="green", s=9000))  # → seaborn facets
ipyweb.display(sns.PairGrid(frame[["n", "m"]]).map(plt.scatter, color="green", s=9000))  # → seaborn pairs
ipyweb.display(ConfusionMatrixDisplay(np.eye(2)).plot(cmap="ocean"))  # → scikit-learn display
ipyweb.display(az.plot_forest(az.from_dict({"mu": np.eye(2)}), colors="green", linewidth=40))  # → arviz array of axes
