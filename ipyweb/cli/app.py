"""The command ``ipyweb``, and what all its subcommands share: options, settings, exit status.

Exit status: 0, or 1 for a failure with one line of reason on stderr, or 2 for wrong usage. traitlets by itself ends
with 0 after an unknown subcommand, with 1 after a wrong value, and lets an unknown option pass.
"""

import logging
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from textwrap import dedent, fill
from typing import Any, ClassVar, NoReturn

from traitlets import TraitError, default
from traitlets.config import Application, Config
from traitlets.config.loader import ArgumentError, KVArgParseConfigLoader
from traitlets.utils.importstring import import_item

from .. import __version__
from ..config import Hub, IPyWeb, Pane, load_config
from ..connection import Connection, find, start
from ..errors import HubUnreachable, IpywebError
from ..settings import config_file

HELP_WIDTH = 100


class UsageError(Exception):
    """The command line is wrong; exit status 2."""


class Failure(Exception):
    """The command could not do its work; exit status 1."""


class _Loader(KVArgParseConfigLoader):
    """traitlets' own, except that wrong usage is an exception instead of two screens and an exit."""

    def _create_parser(self) -> None:
        super()._create_parser()
        self.parser.error = self._refuse  # type: ignore[method-assign]

    def _refuse(self, message: str) -> NoReturn:
        for keys, target in self.aliases.items():
            message = message.replace(f"--{target}:", f"{_dashed(_names(keys)[0])}:")
        raise UsageError(message)


class Command(Application):
    """What every subcommand is.

    Attributes:
        usage: the arguments after the subcommand's name, as the help shows them.
        arguments: how many arguments there may be, at least and at most.
        exit_status: 1 when the command says something other than yes; failures are exceptions.
    """

    version = __version__
    classes = [IPyWeb, Hub, Pane]  # noqa: RUF012 - a trait of Application, which makes the copies
    aliases: dict[Any, Any] = {"log-level": "IPyWeb.log_level"}  # noqa: RUF012
    flags: dict[Any, Any] = {}  # noqa: RUF012
    usage: ClassVar[str] = ""
    arguments: ClassVar[tuple[int, int]] = (0, 0)
    exit_status = 0

    @default("log")
    def _log_default(self) -> logging.Logger:
        return logging.getLogger("ipyweb")

    # -- settings -----------------------------------------------------------------------------------------------------

    def initialize(self, argv: Any = None) -> None:
        """Take in the command line and the config file, and refuse what is wrong in them."""
        self.parse_command_line(argv)
        if self.subapp is not None:
            return
        self._check_arguments()
        self._refuse_unknown(self.cli_config)
        settings = self._without_unknown(_file_config())
        settings.merge(self.cli_config)
        self.update_config(settings)
        for section in (IPyWeb, Hub, Pane):
            section(config=self.config)  # raises TraitError, whether or not this command looks at the value
        self.log.setLevel(IPyWeb(config=self.config).log_level.upper())
        if logging.lastResort:  # prints to stderr what no handler takes; how much that is, the logger says
            logging.lastResort.setLevel(logging.NOTSET)

    def parse_command_line(self, argv: Any = None) -> None:
        """Take in the command line, as `Application` does, but without its exit status 1 for wrong usage."""
        argv = list(sys.argv[1:] if argv is None else argv)
        if self.subcommands and argv and not argv[0].startswith("-") and argv[0] not in (*self.subcommands, "help"):
            raise UsageError(_unknown_subcommand(argv[0], list(self.subcommands)))
        if not (self.subcommands and argv and argv[0] in self.subcommands):
            self._refuse_options(argv)
        Application.parse_command_line.__wrapped__(self, argv)  # type: ignore[attr-defined]

    def _create_loader(self, argv: Any, aliases: Any, flags: Any, classes: Any) -> KVArgParseConfigLoader:
        return _Loader(argv, aliases, flags, classes=classes, log=self.log, subcommands=self.subcommands)

    def initialize_subcommand(self, subc: str, argv: Any = None) -> None:
        """Load and initialize one subcommand; a second run in the same process gets an object of its own."""
        self.subapp = import_item(self.subcommands[subc][0])(parent=self)
        self.subapp.initialize(argv)

    def _refuse_options(self, argv: Sequence[str]) -> None:
        known = {"-h", "--help", "--help-all", "--version", "-V", *self._option_names()}
        before = argv[: argv.index("--")] if "--" in argv else argv
        for word in before:
            name = word.partition("=")[0]
            if not word.startswith("-") or word == "-" or "." in name or name in known:
                continue
            if word.startswith("--") or word[:2] not in known:
                raise UsageError(f"there is no option {name}; {self._see_help()}")

    def _option_names(self) -> list[str]:
        return [_dashed(name) for keys in (*self.aliases, *self.flags) for name in _names(keys)]

    def _check_arguments(self) -> None:
        least, most = self.arguments
        if least <= len(self.extra_args) <= most:
            return
        got = " ".join(self.extra_args) or "none"
        raise UsageError(
            f"expected {self._command_line()}, got the arguments {got}; {self._see_help('--help', 'explains')}"
        )

    def _refuse_unknown(self, config: Config) -> None:
        for name in self._unknown(config):
            raise UsageError(f"there is no setting {name}; {self._see_help('--help-all')}")

    def _without_unknown(self, config: Config) -> Config:
        for name in self._unknown(config):
            section, _, trait = name.partition(".")
            print(f"ipyweb: warning: {config_file()}: there is no setting {name}; ignored", file=sys.stderr)
            del config[section][trait]
        return config

    def _unknown(self, config: Config) -> list[str]:
        own = [cls for cls in type(self).__mro__ if issubclass(cls, Application)]
        owners = {cls.__name__: cls for cls in (*self.classes, *own)}
        return [
            f"{section}.{trait}"
            for section, values in config.items()
            for trait in values
            if section not in owners or trait not in owners[section].class_trait_names(config=True)
        ]

    # -- help ---------------------------------------------------------------------------------------------------------

    def emit_help(self, classes: bool = False) -> Generator[str, None, None]:
        """The help, line by line.

        Args:
            classes: whether all settings are listed too.
        """
        yield f"usage: {self._command_line()}"
        yield ""
        for paragraph in dedent(self.description).strip().split("\n\n"):
            yield fill(paragraph, HELP_WIDTH)
            yield ""
        yield from self._emit_rows("subcommands", [(name, text) for name, (_, text) in self.subcommands.items()])
        yield from self._emit_rows("options", list(self._options()))
        if self.examples:
            yield from ["examples:", *(f"  {line}" for line in dedent(self.examples).strip().splitlines()), ""]
        if classes:
            yield from (cls.class_get_help() + "\n" for cls in self.classes)

    def _options(self) -> Iterator[tuple[str, str]]:
        for keys, (_, text) in self.flags.items():
            yield _spelled(keys), text
        for keys, target in self.aliases.items():
            owner, _, name = target.partition(".")
            classes = {cls.__name__: cls for cls in (*self.classes, type(self))}
            trait = classes[owner].class_traits()[name]
            yield f"{_spelled(keys)} {trait.metadata.get('metavar', name.rpartition('_')[2].upper())}", str(trait.help)
        yield "--Class.trait=VALUE", f"Any setting (--help-all lists them), as in {config_file()}."
        yield "-h, --help", "This text."

    def _emit_rows(self, title: str, rows: list[tuple[str, str]]) -> Iterator[str]:
        if not rows:
            return
        width = max(len(left) for left, _ in rows) + 4
        yield f"{title}:"
        for left, right in rows:
            yield fill(right, HELP_WIDTH, initial_indent=f"  {left}".ljust(width), subsequent_indent=" " * width)
        yield ""

    def _command_line(self) -> str:
        parts = ("ipyweb", "" if self.parent is None else self.name, self.usage)
        return " ".join(part for part in parts if part)

    def _see_help(self, option: str = "--help", verb: str = "lists them") -> str:
        name = "ipyweb" if self.parent is None else f"ipyweb {self.name}"
        return f"`{name} {option}` {verb}"


class IPyWebApp(Command):
    """The command itself: everything is in its subcommands."""

    name = "ipyweb"
    usage = "SUBCOMMAND [OPTIONS]"
    description = """
        Rich output for Python without Jupyter: what IPython or a script displays appears in a browser pane, and
        stays there.
    """
    examples = """
        ipyweb open          show the pane
        ipyweb list          what was shown in this project
        ipyweb get last -o plot.png
        ipyweb SUBCOMMAND --help
    """
    subcommands = {  # noqa: RUF012
        name: (f"ipyweb.cli.{module}.{cls}", text)
        for name, module, cls, text in (
            ("open", "open", "Open", "Show the pane in a browser, at one output if its id is given."),
            ("url", "url", "Url", "Print the pane's link."),
            ("connect", "connect", "Connect", "Show the pane of another machine here, through ssh."),
            ("run", "run", "Run", "Run a script or a notebook, with its plots in the pane."),
            ("list", "list", "List", "List the outputs of this project."),
            ("get", "get", "Get", "Write an output's data to a file or to stdout."),
            ("show", "show", "Show", "Draw an output in the terminal."),
            ("wait", "wait", "Wait", "Wait for the next output, or for the next version of one."),
            ("mcp", "mcp", "Mcp", "Serve outputs to coding agents (Model Context Protocol)."),
            ("clear", "clear", "Clear", "Remove this project's outputs."),
            ("export", "export", "Export", "Write outputs into one file: a report, a notebook or an archive."),
            ("import", "import_", "Import", "Take outputs back from an archive."),
            ("diff", "diff", "Diff", "Tell what changed between two runs of a script."),
            ("status", "status", "Status", "Tell whether the hub runs, where, and what it holds."),
            ("share", "share", "Share", "Print a link to give away, to the pane or to a single output."),
            ("rotate", "rotate", "Rotate", "Take new tokens: old ones and old links end."),
            ("stop", "stop", "Stop", "Stop the hub; nothing is lost."),
            ("serve", "serve", "Serve", "Run the hub in the foreground."),
            ("enable", "enable", "Enable", "Load ipyweb in every IPython from now on."),
            ("disable", "disable", "Disable", "Take that back."),
            ("doctor", "doctor", "Doctor", "Check hub, store and browser, and say what to do."),
            ("demo", "demo", "Demo", "Show one object of every kind."),
        )
    }

    def start(self) -> None:
        """Run the subcommand, or show what there is."""
        if isinstance(self.subapp, Command):
            self.subapp.start()
            self.exit_status = self.subapp.exit_status
        else:
            self.print_help()
            self.exit_status = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the words after ``ipyweb``; those of the process when left out.

    Returns:
        The exit status.
    """
    try:
        app = IPyWebApp()
        app.initialize(argv)
        app.start()
        sys.stdout.flush()
    except (UsageError, TraitError, ArgumentError) as error:
        return _fail(error, 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        return 1
    except (Failure, IpywebError, OSError) as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return 130
    return app.exit_status


def running() -> Connection:
    """The hub that runs.

    Raises:
        HubUnreachable: there is none.
    """
    connection = find()
    if connection is None:
        raise HubUnreachable("no hub is running; one starts by itself at the first output, or by `ipyweb open`")
    return connection


def started() -> Connection:
    """The hub that runs, started if there is none."""
    return start()


def _fail(error: Exception, status: int) -> int:
    print("ipyweb:", " ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
    return status


def _file_config() -> Config:
    try:
        return load_config()
    except Exception as error:
        raise Failure(f"{config_file()} cannot be loaded: {type(error).__name__}: {error}") from error


def _unknown_subcommand(word: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"there is no subcommand {word!r}; {hint}"


def _names(keys: Any) -> tuple[str, ...]:
    return keys if isinstance(keys, tuple) else (keys,)


def _dashed(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name}"


def _spelled(keys: Any) -> str:
    return ", ".join(_dashed(name) for name in _names(keys))
