import ipyweb

ipyweb.display("begin")
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import mpld3
import pandas as pd
import pygal
import seaborn as sns
import seaborn.objects as so
from PIL import Image
from plotnine import aes, geom_col, ggplot
from sympy import Matrix, init_printing, integrate, symbols

frame = pd.DataFrame({"k": ["a", "b"], "n": [1, 2]})
figure, axes = plt.subplots()
axes.bar(["a", "b"], [1, 2], color="green")
ipyweb.display(figure)  # → matplotlib figure
ipyweb.display(plt.get_cmap("viridis"))  # → matplotlib colormap
ipyweb.display(sns.color_palette(["green", "red"]))  # → seaborn palette
ipyweb.display(so.Plot(frame, "k", "n").add(so.Bar(color="green", alpha=1)))  # → seaborn plot
ipyweb.display(ggplot(frame, aes("k", "n")) + geom_col(fill="green"))  # → plotnine plot
ipyweb.display(Image.new("RGB", (200, 100), "green"))  # → pillow image
Image.new("RGB", (200, 100), "green").show()  # → pillow show
ipyweb.display(Image.new("F", (20, 10), 1.0))  # → pillow image of floats
chart = pygal.Bar()
chart.add("n", [1, 2])
ipyweb.display(chart)  # → pygal chart
ipyweb.display(mpld3.display(figure))  # → mpld3 figure
mpld3.show(figure)  # → mpld3 show
x = symbols("x")
ipyweb.display(integrate(x**2, x))  # → sympy expression
ipyweb.display(Matrix([[1, x]]))  # → sympy matrix
init_printing()
ipyweb.display(integrate(x**2, x))  # → sympy expression after init_printing
