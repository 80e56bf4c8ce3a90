"""``ipyweb import``."""

import base64
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..connection import Connection, request
from ..errors import HubError
from ..project import project_of
from .app import Command, Failure, started

AT_ONCE = 100
"""Outputs in one request."""

MOST_CHARACTERS = 2**21
"""Characters of records in one request; a single output may have more."""

Archive = dict[str, Any]
Read = Callable[[str], bytes]


class Import(Command):
    """Take outputs back that were exported."""

    name = "import"
    usage = "FILE"
    arguments = (1, 1)
    description = """
        Take the outputs of an archive (.zip or .json, by `ipyweb export`) into the history: their versions, titles,
        notes and times. They get new ids; what is there already is left as it is. Outputs that are older than the hub
        keeps any are pinned.

        Outputs whose project was left out of the archive go to this project.
    """
    examples = "ipyweb import history.zip"

    def start(self) -> None:
        """Take them in.

        Raises:
            Failure: the file is no archive.
        """
        path = Path(self.extra_args[0])
        try:
            imported, known = _take_in(started(), path)
        except (ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise Failure(f"expected an archive by `ipyweb export`, {path} is none: {error}") from error
        there = f"; {known} {'was' if known == 1 else 'were'} there already" if known else ""
        print(f"{imported} output{'' if imported == 1 else 's'} imported{there}")


def _take_in(connection: Connection, path: Path) -> tuple[int, int]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            return _upload(connection, manifest, lambda name: archive.read(f"blobs/{name}"))
    manifest = json.loads(path.read_bytes())
    blobs = {name: text for output in manifest["outputs"] for name, text in output.pop("blobs").items()}
    return _upload(connection, manifest, lambda name: base64.b64decode(blobs[name]))


def _upload(connection: Connection, manifest: Archive, read: Read) -> tuple[int, int]:
    if manifest["ipyweb"] != 1:
        raise ValueError(f"its format is {manifest['ipyweb']}, this ipyweb knows 1; upgrade")
    sessions = {each["id"]: _placed(each) for each in manifest["sessions"]}
    uploaded: set[str] = set()
    imported = known = 0
    for outputs in _parts(manifest["outputs"]):
        names = [
            each["sha256"] for output in outputs for version in output["versions"] for each in version["data"].values()
        ]
        for name in dict.fromkeys(names):
            if name not in uploaded:
                _upload_blob(connection, name, read)
                uploaded.add(name)
        part = {"ipyweb": 1, "sessions": [sessions[name] for name in {each["session"] for each in outputs}]}
        answer = request(connection, "POST", "api/import", {**part, "outputs": outputs}, timeout=120.0).json()
        imported, known = imported + len(answer["imported"]), known + answer["known"]
    return imported, known


def _placed(session: Archive) -> Archive:
    """A session whose project's directory was left out belongs to the project that we are in."""
    return session if os.path.isabs(session["project"]) else {**session, "project": project_of()}


def _parts(outputs: list[Archive]) -> Iterator[list[Archive]]:
    part: list[Archive] = []
    characters = 0
    for output in outputs:
        length = len(json.dumps(output))
        if part and (len(part) == AT_ONCE or characters + length > MOST_CHARACTERS):
            yield part
            part, characters = [], 0
        part.append(output)
        characters += length
    if part:
        yield part


def _upload_blob(connection: Connection, name: str, read: Read) -> None:
    try:
        request(connection, "HEAD", f"api/blobs/{name}")
    except HubError as error:
        if error.status != 404:
            raise
        request(connection, "PUT", f"api/blobs/{name}", read(name), timeout=120.0)
