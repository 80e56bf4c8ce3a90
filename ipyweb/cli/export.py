"""``ipyweb export``."""

from pathlib import Path
from urllib.parse import urlencode

from traitlets import Bool, Unicode

from ..connection import request
from ..project import project_of
from .app import Command, UsageError, started
from .get import write_file
from .outputs import check_id, record_of
from .text import size

FORMATS = {".html": "html", ".htm": "html", ".ipynb": "ipynb", ".zip": "zip", ".json": "json"}
PRIVATE = ("code", "argv", "cwd", "host")


class Export(Command):
    """Write outputs into one file that can be given away."""

    name = "export"
    usage = "FILE [ID…] [--session ID] [--include code,argv,cwd,host] [--title TITLE] [--all]"
    arguments = (1, 10_000)
    description = """
        Write the outputs of this project, or those named, into one file. Its name says the format: .html is a report
        that needs nothing else, .ipynb a notebook with the same data, .zip or .json an archive that `ipyweb import`
        takes back.

        Code, arguments, directories and the host's name are left out unless they are asked for.
    """
    examples = """
        ipyweb export report.html --include code
        ipyweb export figures.ipynb 15 16 17
        ipyweb export history.zip --all --include code,argv,cwd,host
    """

    include = Unicode("", help=f"Comma-separated, of {', '.join(PRIVATE)}, or all.").tag(config=True, metavar="WHAT")
    session = Unicode("", help="Only the outputs of this session.").tag(config=True, metavar="ID")
    title = Unicode("", help="Title of a report.").tag(config=True)
    all = Bool(False, help="Those of every project.").tag(config=True)
    aliases = {  # noqa: RUF012
        **Command.aliases,
        "include": "Export.include",
        "session": "Export.session",
        "title": "Export.title",
    }
    flags = {"all": ({"Export": {"all": True}}, "Those of every project.")}  # noqa: RUF012

    def start(self) -> None:
        """Write it.

        Raises:
            UsageError: no format has this name, or an id is none.
            OutputNotFound: there are no such outputs.
        """
        path, words = Path(self.extra_args[0]), [check_id(word) for word in self.extra_args[1:]]
        if path.suffix.lower() not in FORMATS:
            raise UsageError(f"expected a file name that ends in {', '.join(FORMATS)}, got {path.name!r}")
        connection, project = started(), None if self.all else project_of()
        chosen = {"ids": ",".join(str(record_of(connection, word, project)["id"]) for word in words)}
        if not words:
            chosen = {"session": self.session, "project": "" if self.session else project or ""}
        query = {
            "format": FORMATS[path.suffix.lower()],
            "include": self._include(),
            "title": self.title or Path(project or "Outputs").name,
            **chosen,
        }
        answer = request(connection, "GET", f"api/export?{urlencode(query)}", timeout=600.0)
        write_file(path, answer.body)
        count = answer.headers.get("x-ipyweb-outputs", "?")
        print(f"{count} output{'' if count == '1' else 's'} in {path}, {size(len(answer.body))}")

    def _include(self) -> str:
        words = [word.strip() for word in self.include.lower().split(",") if word.strip()]
        if words == ["all"]:
            return ",".join(PRIVATE)
        for word in words:
            if word not in PRIVATE:
                raise UsageError(f"--include: expected {', '.join(PRIVATE)} or all, got {word!r}")
        return ",".join(words)
