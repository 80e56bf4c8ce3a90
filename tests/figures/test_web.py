"""In a web application: many requests at once get their figures, and memory stays flat."""

import json
import os
import subprocess
import sys

from ipyweb import connection

from .conftest import ROOT

APPLICATION = """
import gc, json
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

from matplotlib.figure import Figure
import ipyweb

def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

def chart(number):
    figure = Figure()
    figure.subplots().plot(range(1000))
    return ipyweb.render(figure, "png", width=200 + number, height=100)

def picture(number):
    return ipyweb.get(shown.id).data("image/png", width=200 + number, height=100)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        what, number = self.path.strip("/").split("/")
        body = {"chart": chart, "picture": picture}[what](int(number))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass

class Server(ThreadingHTTPServer):
    request_queue_size = 64

def width(what, number):
    with urlopen(f"http://127.0.0.1:{server.server_port}/{what}/{number}", timeout=180) as answer:
        return int.from_bytes(answer.read()[16:20], "big")

figure = Figure()
figure.subplots().plot([1, 3, 2])
shown = ipyweb.display(figure).wait(30)
server = Server(("127.0.0.1", 0), Handler)
Thread(target=server.serve_forever, daemon=True).start()
memory, right = [], True
with ThreadPoolExecutor(32) as pool:
    for _ in range(6):
        for what in ("chart", "picture"):
            right &= list(pool.map(lambda n: width(what, n), range(32))) == [200 + n for n in range(32)]
        memory.append(resident())
import sys
print(json.dumps({"right": right, "memory": memory, "pyplot": "matplotlib.pyplot" in sys.modules}))
"""


def test_thirty_two_requests_at_once_each_get_their_own_and_memory_stays_flat(hub: connection.Connection) -> None:
    path = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-c", APPLICATION]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["right"]
    assert not found["pyplot"]
    assert found["memory"][-1] - found["memory"][1] < 16, found["memory"]
