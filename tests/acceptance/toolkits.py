"""Widgets at IPython's prompt beside the event loop of a real toolkit."""

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1] / "terminal" / "qt_at_the_prompt.py"

if __name__ == "__main__":
    sys.exit(subprocess.run([sys.executable, "-m", "pytest", "-n", "0", str(TESTS)]).returncode)
