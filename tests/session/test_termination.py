"""SIGTERM waits for what was shown, and still ends what would not hear of it, children of a fork included."""

import signal
import subprocess
import sys

import pytest

BEGINNING = """
import hashlib, os, signal, sys, threading, time
from ipyweb.session import termination
termination.watch(lambda: print("ended", flush=True))
"""

ENDINGS = {
    "idle": ("print('ready', flush=True); time.sleep(600)", "ended\n", -signal.SIGTERM),
    "lost in a library": (
        """
def say_when_lost():  # the main thread lets go of the interpreter's lock in there
    while sys._current_frames()[threading.main_thread().ident].f_lineno != LINE:
        time.sleep(0.1)
    time.sleep(0.5)
    print("ready", flush=True)
LINE = sys._getframe().f_lineno + 2
threading.Thread(target=say_when_lost).start()
hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
""",
        "ended\n",
        -signal.SIGKILL,
    ),
    "whose child is ended": (
        """
ready, write = os.pipe()
child = os.fork()
if not child:
    os.write(write, b"1")
    time.sleep(600)
os.read(ready, 1)
os.kill(child, signal.SIGTERM)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
print("ready", flush=True)
time.sleep(600)
""",
        "ended\n",
        -signal.SIGTERM,
    ),
    "with a handler of its own": (
        """
def handle(*_):
    raise SystemExit(3)
signal.signal(signal.SIGTERM, handle)
print("ready", flush=True)
time.sleep(600)
""",
        "",
        3,
    ),
}


@pytest.mark.parametrize(("source", "says", "status"), ENDINGS.values(), ids=ENDINGS)
def test_sigterm_ends_a_process(source: str, says: str, status: int) -> None:
    command = [sys.executable, "-c", BEGINNING + source]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == says
        assert process.wait(60) == status
