"""Runs in the interpreter that ``ipyweb run`` started, after ``site`` and before the script.

So the script is run by Python itself, with no frame of ours below it. What brought us here, a directory in front of
``PYTHONPATH``, is taken away at once: the script and its children see their own environment. Only modules that every
start of Python has loaded already are imported here, since those of the script may have the names of others.
"""

import os
import sys


def _leave() -> "str | None":
    """Put the environment back as it was, and return the settings that came with it."""
    here = os.path.dirname(os.path.abspath(__file__))
    rest = os.environ["PYTHONPATH"][len(here) :]
    if rest:
        os.environ["PYTHONPATH"] = rest[len(os.pathsep) :]
    else:
        del os.environ["PYTHONPATH"]
    if rest == os.pathsep and here in sys.path:  # alone it would be nothing; behind ours it is the working directory
        del sys.path[sys.path.index(here) + 1]
    sys.path[:] = [path for path in sys.path if path != here]
    sys.path_importer_cache.pop(here, None)
    return os.environ.pop("_IPYWEB_RUN", None)


def _run_other() -> None:
    """Import the `sitecustomize` that would have been found without us."""
    ours = sys.modules.pop("sitecustomize")
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", ours)  # importlib looks for the module it has just run


def _begin(settings: "str | None") -> None:
    """Switch the libraries over, by this copy of ipyweb, wherever it lies."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    sys.path.insert(0, root)
    try:
        from ipyweb.session.runner import begin
    finally:
        sys.path.remove(root)
    begin(settings)


_settings = _leave()
try:
    _run_other()
finally:
    _begin(_settings)
