import ipyweb

ipyweb.display("begin")
import altair as alt
import plotly.express as px
import plotly.graph_objects as go

bars = go.Bar(x=["a", "b"], y=[1, 2], marker_color="green")
ipyweb.display(go.Figure(bars))  # → plotly figure
go.Figure(bars).show()  # → plotly show
px.bar(x=["a", "b"], y=[1, 2]).show()  # → plotly express show
ipyweb.display(go.FigureWidget(bars))  # → plotly figure widget
data = alt.Data(values=[{"k": "a", "n": 1}, {"k": "b", "n": 2}])
chart = alt.Chart(data).mark_bar(color="green").encode(x="k:N", y="n:Q").properties(width=200)
ipyweb.display(chart)  # → altair chart
chart.show()  # → altair show
alt.renderers.enable("png")
ipyweb.display(chart)  # → altair chart as a picture
alt.renderers.enable("svg")
ipyweb.display(chart)  # → altair chart as a drawing
alt.renderers.enable("mimetype")
ipyweb.display(chart)  # → altair chart by its MIME type
alt.renderers.enable("html", template="inline")
ipyweb.display(chart)  # → altair chart as a page
alt.renderers.enable("html")
ipyweb.display(chart)  # → altair chart as a page that links
alt.renderers.enable("jupyter")
ipyweb.display(chart)  # → altair chart as a widget
alt.renderers.enable("ipyweb")
ipyweb.display(chart & chart)  # → altair charts together
ipyweb.display(alt.JupyterChart(chart))  # → altair widget
