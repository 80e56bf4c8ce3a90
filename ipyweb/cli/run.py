"""``ipyweb run``."""

import json
from typing import Any

from traitlets import Bool

from ..session.runner import run
from .app import Command, UsageError


class Run(Command):
    """Run a program unchanged, with its plots in the pane."""

    name = "run"
    usage = "[OPTIONS] SCRIPT|NOTEBOOK|-m MODULE [ARGUMENTS…]"
    description = """
        Run a script as `python SCRIPT` does, or a module as `python -m MODULE` does, and show in the pane whatever it
        shows: plt.show(), fig.show(), display(). Nothing opens a window or waits for one. The cells of a notebook run
        in order, without a kernel, up to the first error.

        With --watch it is run again whenever it, or a module that it imports from its own directory, is saved, until
        Ctrl-C; each time it is told what changed since the run before.

        Options go before SCRIPT; everything after it is the program's own.
    """
    examples = """
        ipyweb run train.py --epochs 3
        ipyweb run -m package.report
        ipyweb run analysis.ipynb
        ipyweb run --watch figures.py
        ipyweb run --IPyWeb.private=True secret.py
    """
    watch = Bool(False, help="Run it again whenever its files are saved.").tag(config=True)
    flags = {"watch": ({"Run": {"watch": True}}, "Run it again whenever its files are saved.")}  # noqa: RUF012
    words: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def initialize(self, argv: Any = None) -> None:
        """Take in the options before the program, and leave the rest to it.

        Raises:
            UsageError: there is no program.
        """
        argv = list(argv or ())
        start = self._start_of_program(argv)
        self.options, self.words = tuple(argv[:start]), tuple(argv[start:])
        super().initialize(argv[:start])
        if not self.words or self.words == ("-m",):
            raise UsageError(f"expected {self._command_line()}, got no program; {self._see_help('--help', 'explains')}")

    def start(self) -> None:
        """Run the program, in the place of this process; a notebook in this process."""
        if self.watch:
            from .watch import again, watch

            self.exit_status = watch(again(self.options, self.words), self.words)
            return
        given = json.dumps(self.cli_config, default=str) if self.cli_config else None
        self.exit_status = run(self.words, given)

    def _start_of_program(self, argv: list[str]) -> int:
        takes_value = {name for name in self._option_names() if name in self._aliases()}
        index = 0
        while index < len(argv):
            word = argv[index]
            if word in ("-m", "-") or not word.startswith("-"):
                return index
            index += 2 if word in takes_value else 1
        return len(argv)

    def _aliases(self) -> set[str]:
        return {f"--{name}" if len(name) > 1 else f"-{name}" for name in self.aliases}
