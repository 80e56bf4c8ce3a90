"""Stands in front of ``PYTHONPATH`` in both runs of a gallery script: random numbers are the same in both.

The interpreter of the command ``ipyweb run`` itself draws none, and is spared numpy, which costs a tenth of a second.
"""

import sys

if sys.orig_argv[1:3] != ["-m", "ipyweb"]:
    import random

    import numpy

    random.seed(0)
    numpy.random.seed(0)
