"""What the screenshots show: outputs as a data scientist has them. Run as a script, in a directory of its own."""

import altair as alt
import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import plotly.express as px
from IPython.display import HTML, JSON, Latex, Markdown
from PIL import Image

import ipyweb

rng = np.random.default_rng(7)
day = np.arange(240)
price = 100 + rng.normal(0, 1, day.size).cumsum()

ipyweb.display(Latex(r"$$\hat\beta = (X^\top X)^{-1} X^\top y$$"), title="Estimator")
ipyweb.display(
    Markdown("# Notes\n\nThe *second* model is better:\n\n1. less bias\n2. `rate = 0.1`\n\n> Look at the tails.\n"),
    title="Notes",
)
ipyweb.display(
    JSON({"rate": 0.1, "layers": [64, 64, 1], "optimizer": {"name": "adam"}, "seed": None}), title="Settings"
)
prices = pd.DataFrame({"open": price[:12], "close": price[1:13], "volume": rng.integers(1e3, 9e4, 12)})
ipyweb.display(prices.round(2), title="Prices")

x, y = np.meshgrid(np.linspace(-3, 3, 480), np.linspace(-2, 2, 320))
waves = np.sin(3 * np.hypot(x, y)) * np.exp(-0.3 * np.hypot(x, y))
ipyweb.display(
    Image.fromarray((255 * plt.get_cmap("viridis")(waves / 2 + 0.5)[..., :3]).astype("uint8")), title="Before"
)
ipyweb.display(
    Image.fromarray((255 * plt.get_cmap("viridis")(waves + 0.4)[..., :3]).astype("uint8")), title="Photograph"
)

for epoch in (10, 20, 40):
    figure, axes = plt.subplots()
    axes.plot(np.exp(-np.arange(epoch) / 12) + rng.normal(0, 0.02, epoch), label="train")
    axes.set(title=f"Loss after {epoch} epochs", xlabel="epoch", ylabel="loss")
    axes.legend()
    ipyweb.display(figure, display_id="loss", title="Loss")
    plt.close(figure)

frame = pd.DataFrame({"length": rng.normal(5, 1, 150), "width": rng.normal(3, 0.5, 150), "kind": list("abc") * 50})
ipyweb.display(px.scatter(frame, x="length", y="width", color="kind"), title="Scatter")
chart = (
    alt.Chart(frame).mark_circle(size=60).encode(x="length", y="width", color="kind").properties(width=460, height=320)
)
ipyweb.display(chart, title="Chart")
ipyweb.display(
    HTML("<h2>Map</h2><img src='https://tiles.example.org/1.png'><p>Tiles come from elsewhere.</p>"), title="Map"
)
log = "epoch 38  loss \x1b[32m0.0412\x1b[0m\nepoch 39  loss \x1b[32m0.0391\x1b[0m\n\x1b[33mWarning: slow\x1b[0m"
ipyweb.display({"text/plain": log}, raw=True, title="Log")
ipyweb.display(
    {"application/javascript": "throw new Error('no data')", "text/plain": "Spinner()"}, raw=True, title="Broken"
)

rate = widgets.FloatLogSlider(value=0.01, min=-4, max=0, description="Rate")
layers = widgets.IntSlider(value=3, min=1, max=8, description="Layers")
optimizer = widgets.ToggleButtons(
    options=["adam", "sgd", "rmsprop"],
    description="Optimizer",
    layout={"width": "auto"},
    style={"button_width": "76px"},
)
momentum = widgets.Checkbox(value=True, description="Momentum")
start = widgets.Button(description="Train", icon="play", button_style="primary")
progress = widgets.FloatProgress(value=0.62, max=1, description="Epoch 31")
ipyweb.display(
    widgets.VBox(
        [widgets.HTML("<h3>Training</h3>"), rate, layers, optimizer, momentum, widgets.HBox([start, progress])]
    ),
    title="Training",
)

figure, axes = plt.subplots()
axes.scatter(day, price - pd.Series(price).rolling(20, min_periods=1).mean(), s=12, label="second model")
axes.axhline(0, color="0.6", linewidth=1)
axes.set(title="Residuals of the second model", xlabel="day", ylabel="price less the mean of 20 days")
axes.legend()
ipyweb.display(figure, title="Residuals")
