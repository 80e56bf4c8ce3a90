import ipyweb

ipyweb.display("begin")
import folium
import pydeck
from ipyvizzu import Chart, Config, Data

map = folium.Map([41.9, 12.5])
ipyweb.display(map)  # → folium map
map.show_in_browser()  # → folium show in a browser
layer = pydeck.Layer("ScatterplotLayer", [{"p": [12.5, 41.9]}], get_position="p", get_radius=9e4, get_fill_color=[0, 128, 0])
deck = pydeck.Deck([layer], initial_view_state=pydeck.ViewState(12.5, 41.9, zoom=5), map_style=None)
ipyweb.display(deck)  # → pydeck deck
deck.show()  # → pydeck show
data = Data()
data.add_series("k", ["a", "b"])
data.add_series("n", [1, 2])
chart = Chart()
chart.animate(data)  # → ipyvizzu chart
chart.animate(Config({"x": "k", "y": "n"}))
manual = Chart(display="manual")
manual.animate(data)
ipyweb.display(manual)  # → ipyvizzu chart by hand
