"""Stands in front of ``PYTHONPATH`` in both runs of a gallery script: random numbers are the same in both."""

import random

import numpy

random.seed(0)
numpy.random.seed(0)
