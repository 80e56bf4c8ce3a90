"""Hubs that are there at once: forked from a process that has imported what a hub imports, which takes longest."""

import json
import os
import subprocess
import sys

PROGRAM = """
import json, os, sys
import ipyweb.cli.serve, ipyweb.hub.app
from ipyweb.cli.app import main

null = os.open(os.devnull, os.O_RDWR)
os.dup2(null, 2)
while line := sys.stdin.readline():
    child = os.fork()
    if not child:
        os.dup2(null, 0)
        os.setsid()
        os.chdir("/")
        os.environ.clear()
        os.environ.update(json.loads(line))
        os._exit(main(["serve", "--detached"]))
    os.waitpid(child, 0)
"""


class Hatchery:
    """Starts hubs as `ipyweb.connection.start` does, but for the new interpreter."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, "-P", "-c", PROGRAM], stdin=pipe, stdout=pipe, text=True)

    def hatch(self) -> None:
        """Start a hub in this environment, and wait until it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(dict(os.environ)) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer

    def close(self) -> None:
        """Start no more; those that run go on."""
        with self._process:
            self._process.kill()
