import ipyweb

ipyweb.display("begin")
from lets_plot import LetsPlot, aes, geom_bar, ggplot, gggrid

plot = ggplot({"k": ["a", "b"], "n": [1, 2]}, aes("k", "n")) + geom_bar(stat="identity", fill="#008000", tooltips="none")
ipyweb.display(plot)  # → lets-plot plot
plot.show()  # → lets-plot show
ipyweb.display(gggrid([plot, plot]))  # → lets-plot grid
LetsPlot.setup_html(isolated_frame=False, offline=True)
ipyweb.display(plot)  # → lets-plot after its load message
LetsPlot.setup_html(isolated_frame=False)
plot.show()  # → lets-plot after a load message that links
LetsPlot.setup_html(no_js=True)
ipyweb.display(plot)  # → lets-plot without JavaScript
LetsPlot.setup_show_ext()
plot.show()  # → lets-plot show in a browser
