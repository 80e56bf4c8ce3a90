"""``ipyweb wait``."""

import json

from traitlets import Bool, Int, Unicode

from ..project import project_of
from .app import Command, Failure, UsageError, started
from .outputs import Record, check_id, line_of, record_of
from .text import seconds
from .waiting import Watch


class Wait(Command):
    """Wait for the next output, or for the next version of one."""

    name = "wait"
    usage = "[ID|last] [--after N] [--timeout S] [--json] [--all]"
    arguments = (0, 1)
    description = """
        Wait for the next output of this project, say which it is, and end. New versions of outputs that were there
        before are not waited for, so that a loop that updates a plot does not end every wait; neither are outputs of
        other projects, or those in the trash. With --after N it is the first output whose id is greater than N, at once
        if there is one: hand over the id that was told last, and none is missed and none told twice.

        With an output's ID (`last` is the newest of this project) wait for its next version, or with --after N for one
        that is newer than version N.

        Ends with status 1 when the time is up. A hub is started if there is none; one that stops meanwhile is waited
        for.
    """
    examples = """
        python train.py & ipyweb wait --timeout 60
        ipyweb wait --after 17 --json | jq .id
        ipyweb wait 17 --after 3        version 4 or newer of output 17
    """

    after = Int(
        None, allow_none=True, help="The newest output, or version, that is known; else what there is now."
    ).tag(config=True, metavar="N")
    timeout = Unicode("", help="Seconds, or a duration such as 5m, after which to give up; never when left out.").tag(
        config=True, metavar="S"
    )
    json = Bool(False, help="Print the output's record, as `list --json` has it.").tag(config=True)
    all = Bool(False, help="Outputs of every project.").tag(config=True)
    aliases = {**Command.aliases, "after": "Wait.after", "timeout": "Wait.timeout"}  # noqa: RUF012
    flags = {  # noqa: RUF012
        "json": ({"Wait": {"json": True}}, "Print the output's record, as `list --json` has it."),
        "all": ({"Wait": {"all": True}}, "Outputs of every project."),
    }

    def start(self) -> None:
        """Wait, and say what came.

        Raises:
            UsageError: there can be no such output or duration.
            OutputNotFound: there is no such output.
            Failure: nothing came in time.
        """
        if self.after is not None and self.after < 0:
            raise UsageError(f"expected --after with an id, or a version, of at least 0, got {self.after}")
        which, project, timeout = self.extra_args, None if self.all else project_of(), self._timeout()
        connection = started()
        watch = Watch(connection, timeout)
        if which:
            record = record_of(connection, check_id(which[0]), project)
            known = record["version"] if self.after is None else self.after
            wanted, found = f"version of output {record['id']} after {known}", watch.version(record, known)
        else:
            known = watch.newest() if self.after is None else self.after
            wanted, found = f"output after {known}", watch.output(known, project)
        if found is None:
            missing = "; no hub is running any more" if watch.is_lost else ""
            raise Failure(f"no {wanted} within {self.timeout}{'s' * self.timeout[-1:].isdigit()}{missing}")
        self._tell(found)

    def _tell(self, record: Record) -> None:
        print(json.dumps(record) if self.json else line_of(record), flush=True)

    def _timeout(self) -> float | None:
        if not self.timeout:
            return None
        try:
            return seconds(self.timeout if self.timeout[-1:].isalpha() else f"{self.timeout}s")
        except ValueError as error:
            raise UsageError(f"--timeout: {error}") from error
