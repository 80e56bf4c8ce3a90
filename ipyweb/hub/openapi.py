"""The OpenAPI 3.1 description of the HTTP routes (https://spec.openapis.org/oas/v3.1.0)."""

import json
from typing import Any

from .. import __version__
from .search import KIND_NAMES

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_OPTIONAL_TEXT: Schema = {"type": ["string", "null"]}
_INTEGER: Schema = {"type": "integer"}
_BOOLEAN: Schema = {"type": "boolean"}
_TIME: Schema = {"type": "string", "format": "date-time"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(**arguments: str) -> list[Schema]:
    return [{"name": name, "in": "query", "description": text, "schema": _TEXT} for name, text in arguments.items()]


def _does(summary: str, answer: Schema | str | None = None, **more: Any) -> Schema:
    """One operation.

    Args:
        summary: what it does.
        answer: schema of its JSON answer, or another content type.
        more: ``query`` parameters, JSON ``body`` schema, success ``status``, whether it is ``public``.
    """
    success: Schema = {"description": "Done"}
    if isinstance(answer, str):
        success["content"] = {answer: {}}
    elif answer is not None:
        success["content"] = {"application/json": {"schema": answer}}
    operation: Schema = {
        "summary": summary,
        "parameters": more.get("query", []),
        "responses": {
            str(more.get("status", 200)): success,
            "403": {"description": "No valid token, or one without this scope; the body is empty"},
            "default": {"description": "Error", "content": {"application/json": {"schema": _ref("Error")}}},
        },
    }
    if "body" in more:
        operation["requestBody"] = {"content": {"application/json": {"schema": more["body"]}}}
    if more.get("public"):
        operation["security"] = []
    return operation


_FIGURE: Schema = {
    "type": ["object", "null"],
    "description": "the matplotlib figure that it shows: id, keeper, size in pixels, dpi, default_size (whether it has "
    "matplotlib's default size and may fill the pane), and once it was drawn its description and the seconds it took",
}
_STANDING: Schema = {
    "type": ["object", "null"],
    "description": "where it stands in the run of a script: number, script, stack (the same for what one call site "
    "shows in all runs), previous (the id of the output before it in the stack, or null), changed (whether it differs "
    "from that one; null while that is not known)",
}
_DATA = _object(sha256=_TEXT, size=_INTEGER, url=_TEXT)
_DATA_BY_TYPE: Schema = {
    "type": "object",
    "additionalProperties": _DATA,
    "description": "MIME type to where its bytes are; besides those in `mimetypes` the companions of the output "
    "(application/vnd.ipyweb.*): files of its library, and load messages shown before, that it needs to be drawn",
}
_SCHEMAS: dict[str, Schema] = {
    "Error": _object(error=_TEXT),
    "Output": _object(
        id=_INTEGER,
        display_id=_TEXT,
        session=_TEXT,
        project=_TEXT,
        title=_OPTIONAL_TEXT,
        kind={"type": "string", "enum": list(KIND_NAMES), "description": "by what is shown first"},
        mimetypes=_array(_TEXT),
        created=_TIME,
        updated=_TIME,
        version=_INTEGER,
        size=_INTEGER,
        source={
            "type": "object",
            "description": "file, line, cell, code, argv, cwd, git (commit, branch, dirty: whether there were "
            "changes), versions of the libraries that were loaded, task of a cluster (name, id, worker), place of "
            "the session, as far as known",
        },
        seconds={"type": ["number", "null"], "description": "how long drawing it took"},
        pinned=_BOOLEAN,
        note=_OPTIONAL_TEXT,
        removed=_OPTIONAL_TEXT,
        private=_BOOLEAN,
        event=_INTEGER,
        metadata={"type": "object"},
        problems=_array(_TEXT),
        figure=_FIGURE,
        run=_STANDING,
        data=_DATA_BY_TYPE,
    ),
    "Session": _object(
        id=_TEXT,
        project=_TEXT,
        title=_TEXT,
        name=_OPTIONAL_TEXT,
        kind=_TEXT,
        host=_TEXT,
        pid=_INTEGER,
        python=_TEXT,
        argv=_array(_TEXT),
        cwd=_TEXT,
        started=_TIME,
        ended=_OPTIONAL_TEXT,
        connected=_BOOLEAN,
        private=_BOOLEAN,
        event=_INTEGER,
        script={"type": ["string", "null"], "description": "the file that it executes"},
        run={"type": ["integer", "null"], "description": "which execution of it this is, once it displayed something"},
        place={
            "type": ["object", "null"],
            "description": "where it stands among those launched with it: system, rank, ranks, job, worker",
        },
        lost={"type": "boolean", "description": "whether it ended without a word, as a process that is killed does"},
        outputs=_INTEGER,
    ),
    "Run": _object(
        id={"type": "string", "description": "that of its session"},
        project=_TEXT,
        script=_TEXT,
        number=_INTEGER,
        argv=_array(_TEXT),
        started=_TIME,
        ended=_OPTIONAL_TEXT,
        connected=_BOOLEAN,
        outputs=_INTEGER,
        changed={"type": "integer", "description": "outputs that differ from those of the same call site before"},
        new={"type": "integer", "description": "outputs of call sites that showed nothing before"},
    ),
    "Version": _object(
        version=_INTEGER,
        created=_TIME,
        size=_INTEGER,
        mimetypes=_array(_TEXT),
        data=_DATA_BY_TYPE,
        figure=_FIGURE,
    ),
}
_OUTPUT = _ref("Output")
_BUNDLE = _object(
    data={"type": "object", "description": "MIME type to text, JSON, or base64 for binary types, as in Jupyter"},
    metadata={"type": "object"},
    display_id=_TEXT,
    title=_TEXT,
    project=_TEXT,
    session={"type": "string", "description": "a label under which outputs are filed"},
)
_STATE = _object(
    hub=_TEXT,
    version=_TEXT,
    protocol=_INTEGER,
    pid=_INTEGER,
    port=_INTEGER,
    url=_TEXT,
    address={"type": "string", "description": "by which other machines reach it, if they do"},
    fingerprint={"type": "string", "description": "SHA-256 of its certificate; empty without TLS"},
    started=_TIME,
    event=_INTEGER,
    outputs=_INTEGER,
    sessions=_INTEGER,
    frontends=_INTEGER,
    waiting={"type": "integer", "description": "requests that wait for a change"},
    bytes=_INTEGER,
    max_bytes=_INTEGER,
    max_age={"type": "number", "description": "days that an output is kept, unless pinned"},
    trash={"type": "integer", "description": "outputs in the trash"},
    trash_bytes=_INTEGER,
    trash_days={"type": "number", "description": "days that a removed output can be restored"},
    private=_INTEGER,
    durable=_BOOLEAN,
    notices=_array(_TEXT),
    frame=_TEXT,
    opened=_BOOLEAN,
    scope={"type": "string", "enum": ["admin", "session", "pane", "viewer"], "description": "of the token used"},
    only={"type": "boolean", "description": "whether it is for a single output; then much of the rest is left out"},
    expires={"type": ["number", "null"], "description": "when it is over, in seconds since 1970"},
)

PATHS: dict[str, dict[str, Schema]] = {
    "/hello": {
        "get": _does(
            "Challenge: the hub proves that it knows the secret, for the address dialled",
            _object(
                hub=_TEXT,
                protocol=_INTEGER,
                previous=_INTEGER,
                version=_TEXT,
                port=_INTEGER,
                proofs=_object(admin=_TEXT, session=_TEXT, pane=_TEXT),
                vouched={"type": "boolean", "description": "whether Jupyter's login stands before the hub"},
            ),
            query=_query(
                nonce="16 to 128 hexadecimal digits", claims="of a link that was given away, to be proved too"
            ),
            public=True,
        )
    },
    "/exchange": {
        "post": _does(
            "Exchange a single-use code for the pane's token",
            _object(token=_TEXT),
            body=_object(code=_TEXT),
            public=True,
        )
    },
    "/poll": {
        "post": _does(
            "Open a line, by which a pane without WebSockets has its sockets; ipyweb/hub/polling.py has the format of "
            "records (pane, admin)",
            _object(line=_TEXT),
        )
    },
    "/poll/{line}": {
        "get": _does(
            "Wait for records",
            "application/octet-stream",
            query=_query(after="how many have come", seconds="how long to wait, 20 at most"),
        ),
        "post": _does("Send records", {}, query=_query(first="how many were sent before")),
        "delete": _does("Close the line with all of its sockets", {}),
    },
    "/api/hosts": {
        "post": _does(
            "Answer to the host name of an address behind a proxy too, until the hub stops (admin)",
            _object(address=_TEXT),
            body=_object(address={"type": "string", "description": "with {port} in the place of the hub's"}),
        )
    },
    "/api/codes": {"post": _does("Make a single-use code of 10 s (admin, pane)", _object(code=_TEXT))},
    "/api/opened": {
        "post": _does(
            "Claim the opening of a browser, which happens once in a hub's life (session, admin)",
            _object(opened={"type": "boolean"}, first={"type": "boolean"}),
        )
    },
    "/api/state": {"get": _does("What the hub is and holds", _STATE)},
    "/api/outputs": {
        "get": _does(
            "List outputs, ascending by id: the newest without a cursor; as one record per line where "
            "application/x-ndjson is accepted. Of those with the words looked for, total counts "
            "500 at most; exact tells whether these are all",
            _object(event=_INTEGER, total=_INTEGER, exact={"type": "boolean"}, outputs=_array(_OUTPUT)),
            query=_query(
                after="the first ones with a greater id",
                before="the last ones with a smaller id",
                limit="how many; 200 by default, at most 1000",
                session="of one session",
                project="of one project",
                q='words, or "several words", all of which stand in its title, note, code or file, in what it says '
                "(a figure's labels, text, HTML, titles within JSON), its MIME types, or its session's name or host; "
                "or that name its kind, or the day of its last change in the hub's time zone: 2026-11-30, 2026-11, "
                "today, yesterday",
                kind=f"comma-separated, of {', '.join(KIND_NAMES)}",
                since="last changed at this time or later, ISO 8601; UTC unless it says otherwise",
                until="last changed before this time",
                stack="what one call site showed in all runs of its script",
                removed="1 for the trash, all for both",
                wait="with after: seconds to wait for an output while there is none, at most 60; then the answer is an "
                "empty list",
            ),
        ),
        "post": _does(
            "Publish a MIME bundle (session, admin)",
            _object(id=_INTEGER, display_id=_TEXT, version=_INTEGER),
            body=_BUNDLE,
            status=201,
        ),
    },
    "/api/outputs/{id}": {
        "get": _does(
            "One output",
            _OUTPUT,
            query=_query(
                event="with wait: the event of the record that is known",
                wait="seconds to wait for a change of the record (a new version, say) after that event, at most 60; "
                "then the answer is the record as it is",
            ),
        ),
        "patch": _does(
            "Rename, annotate or pin", _OUTPUT, body=_object(title=_OPTIONAL_TEXT, note=_OPTIONAL_TEXT, pinned=_BOOLEAN)
        ),
        "delete": _does("Move to the trash", _OUTPUT, query=_query(purge="1 deletes for good")),
    },
    "/api/outputs/{id}/restore": {"post": _does("Take out of the trash", _OUTPUT)},
    "/api/outputs/{id}/versions": {"get": _does("The kept versions, oldest first", _array(_ref("Version")))},
    "/api/outputs/{id}/network": {
        "post": _does(
            "An address of the frame document in which this output may reach some hosts, by https; for the pane, when "
            "its user allows that",
            _object(hosts=_array(_TEXT), frame=_TEXT),
            body=_object(hosts={**_array(_TEXT), "description": "names on the internet, without port or wildcard"}),
        )
    },
    "/api/outputs/{id}/data": {
        "get": _does(
            "The bytes of one representation. A matplotlib figure is drawn anew in any size, and in formats not "
            "stored (504 when it cannot be); X-Ipyweb-Rendered says whether that happened (keeper) or not (stored), "
            "X-Ipyweb-Reason then why not, and X-Ipyweb-Environment that its environment is gone",
            "*/*",
            query=_query(
                mime="the richest by default",
                version="the newest by default",
                width="of a figure: pixels, or with in, cm, mm; its own by default",
                height="of a figure, in its own proportion by default",
                dpi="of a figure: pixels per inch; its own by default",
                style="for a figure: the text of a style sheet of matplotlib",
                transparent="of a figure: 1 leaves out the backgrounds of the figure and of its axes",
                margins="of a figure: 1 keeps its margins as wide as made in a smaller size, so that labels still fit",
            ),
        )
    },
    "/api/clear": {
        "post": _does(
            "Move outputs to the trash, except pinned ones that are not named; or delete them for good",
            _object(
                removed=_array(_INTEGER),
                purged={**_array(_INTEGER), "description": "in the place of removed, when they were deleted for good"},
            ),
            query=_query(purge="1 deletes for good"),
            body=_object(
                ids={**_array(_INTEGER), "description": "these outputs; all that the rest describes when left out"},
                removed={**_BOOLEAN, "description": "those in the trash: with purge=1 it is emptied"},
                project=_OPTIONAL_TEXT,
                session=_OPTIONAL_TEXT,
                older_than={"type": ["number", "null"], "description": "seconds since the last change"},
            ),
        )
    },
    "/api/restore": {
        "post": _does(
            "Take outputs out of the trash, as the answer of /api/clear names them: undoes it",
            _object(restored=_array(_INTEGER)),
            body=_object(ids=_array(_INTEGER)),
        )
    },
    "/api/sessions": {
        "get": _does(
            "List sessions",
            _object(event=_INTEGER, sessions=_array(_ref("Session"))),
            query=_query(project="of one project"),
        )
    },
    "/api/runs": {
        "get": _does(
            "The newest runs of scripts, the newest first",
            _object(runs=_array(_ref("Run"))),
            query=_query(
                project="of one project", script="of one script, an absolute path", limit="how many; 200 by default"
            ),
        )
    },
    "/api/runs/{run}": {
        "get": _does(
            "One run, and what changed since the run before, or another one",
            _object(
                run=_ref("Run"),
                before={"anyOf": [_ref("Run"), {"type": "null"}]},
                stacks=_array(
                    _object(
                        stack=_TEXT,
                        before={"type": ["integer", "null"]},
                        after={"type": ["integer", "null"]},
                        status={"type": "string", "enum": ["same", "changed", "new", "gone", "unknown"]},
                    )
                ),
                outputs=_array(_OUTPUT),
            ),
            query=[{"name": "with", "in": "query", "description": "id of the other run", "schema": _TEXT}],
        )
    },
    "/api/settings": {
        "get": _does(
            "What the user's config file sets for the pane, as it is now",
            _object(
                keys={"type": "object", "description": "lists of keys by the name of what they do"},
                theme={"type": "string", "enum": ["auto", "light", "dark"]},
                filter={"type": "string", "enum": ["off", "on", "follow"]},
                filmstrip={"type": "string", "enum": ["left", "right", "bottom", "hidden"]},
                editor={"type": "string", "description": "address that opens {file} at {line}"},
                stylesheet={"type": ["string", "null"], "description": "text of the user's style sheet"},
                problems={**_array(_TEXT), "description": "what is wrong in the config file"},
            ),
        )
    },
    "/api/export": {
        "get": _does(
            "Outputs as one file: an HTML report, a notebook, or an archive for /api/import. X-Ipyweb-Outputs says how "
            "many there are, X-Ipyweb-Bytes about how many bytes",
            "*/*",
            query=_query(
                format="html, ipynb, zip or json",
                ids="such as 15,17,20-40; else all of the project or session",
                project="of one project",
                session="of one session",
                include="comma-separated, of code, argv, cwd, host, which are left out otherwise",
                title="of a report",
            ),
        )
    },
    "/api/import": {
        "post": _does(
            "Take in (a part of) the manifest of an archive, whose bytes were uploaded before (admin)",
            _object(imported=_array(_INTEGER), known=_INTEGER),
            body={"type": "object"},
            status=201,
        )
    },
    "/api/blobs/{sha256}": {
        "head": _does("Whether bytes are stored (session, admin)"),
        "put": _does("Store bytes of which this is the hash (session, admin)", status=201),
    },
    "/api/shares": {
        "post": _does(
            "Make a link to give away: its token, and of a single output also the address of its newest picture, which "
            "takes the sizes of /api/outputs/{id}/data (admin)",
            _object(
                token=_TEXT,
                url={"type": "string", "description": "the pane's, without token"},
                expires={"type": "integer", "description": "seconds since 1970"},
                output={"type": ["integer", "null"], "description": "what it shows now"},
                picture=_OPTIONAL_TEXT,
            ),
            body=_object(
                scope={"type": "string", "enum": ["viewer", "pane"], "description": "viewer by default: only looks"},
                seconds={"type": "number", "description": "for how long it is good"},
                output={"type": ["integer", "null"], "description": "only this output"},
                display_id={"type": ["string", "null"], "description": "only the newest one with this display id"},
                project={"type": ["string", "null"], "description": "where it is looked for"},
            ),
            status=201,
        )
    },
    "/api/rotate": {
        "post": _does(
            "Take a new root secret: all tokens and addresses made before end, this one's too (admin)",
            _object(rotated=_BOOLEAN),
        )
    },
    "/api/stop": {
        "post": _does("Stop the hub (admin)", _object(stopping=_BOOLEAN), body=_object(handover=_BOOLEAN)),
    },
    "/api/openapi.json": {"get": _does("This description", {"type": "object"}, public=True)},
}
"""Operations by path and method."""


def description() -> str:
    """The description as JSON text."""
    return _TEXT_OF_ALL


def _path_parameters(path: str) -> list[Schema]:
    kinds = {
        "id": _INTEGER,
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "run": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "line": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"},
    }
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in kinds.items()
        if f"{{{name}}}" in path
    ]


_TEXT_OF_ALL = json.dumps(
    {
        "openapi": "3.1.0",
        "info": {"title": "ipyweb hub", "version": __version__},
        "servers": [{"url": ".."}],
        "security": [{"bearer": []}, {"header": []}],
        "paths": {path: {"parameters": _path_parameters(path), **methods} for path, methods in PATHS.items()},
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-Ipyweb-Token"},
            },
        },
    }
)
