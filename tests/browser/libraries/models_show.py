import ipyweb

ipyweb.display("begin")
import arviz as az
import graphviz
import networkx as nx
import numpy as np
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ipyweb.display(make_pipeline(StandardScaler(), LogisticRegression()))  # → scikit-learn estimator
ipyweb.display(sm.OLS([1.0, 2.0, 3.5], sm.add_constant([1.0, 2.0, 3.0])).fit().summary())  # → statsmodels summary
ipyweb.display(az.from_dict({"mu": np.zeros((2, 3))}))  # → arviz data
ipyweb.display(nx.path_graph(3))  # → networkx graph
ipyweb.display(graphviz.Digraph(body=["a -> b"]))  # → graphviz graph
