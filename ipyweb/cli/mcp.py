"""``ipyweb mcp``."""

import sys
from importlib.util import find_spec

from .app import Command, Failure


class Mcp(Command):
    """Serve outputs to coding agents."""

    name = "mcp"
    description = """
        Be a server of the Model Context Protocol on stdin and stdout, for a coding agent that starts it: its tools
        list, search and wait for outputs, and hand over their picture, in a size or for a number of tokens, what they
        say in words, their code, their data, and what went wrong.

        It speaks of the project of the directory that it is started in, and ends with its stdin. It needs the MCP SDK
        (`python -m pip install mcp`).
    """
    examples = """
        claude mcp add ipyweb -- python -m ipyweb mcp
        {"mcpServers": {"ipyweb": {"command": "python", "args": ["-m", "ipyweb", "mcp"]}}}
    """

    def start(self) -> None:
        """Serve until stdin ends.

        Raises:
            Failure: the MCP SDK is missing, or too old.
        """
        if find_spec("mcp") is None:
            raise Failure("the MCP SDK is not installed: python -m pip install mcp")
        try:
            from .mcp_server import serve
        except ImportError as error:
            raise Failure(f"this MCP SDK is of no use ({error}): python -m pip install --upgrade mcp") from error
        if sys.stdin.isatty():
            print("ipyweb: an MCP server, for a program on its stdin; `ipyweb mcp --help` says how", file=sys.stderr)
        serve()
