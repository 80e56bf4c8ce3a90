"""A PostgreSQL of the tests' own: a cluster in a temporary directory, on a Unix socket, owned by an ordinary user."""

import contextlib
import functools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
}


class Cluster:
    """A running server.

    Args:
        settings: of ``postgresql.conf``, besides `SETTINGS`.

    Attributes:
        directory: of its socket.
        address: of its database.
    """

    def __init__(self, **settings: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="ipyweb-pg-"))
        self._owner = None if os.geteuid() else _ordinary_user()
        if self._owner is not None:
            os.chown(self.directory, self._owner.pw_uid, self._owner.pw_gid)
        self.address = f"postgresql://someone@/outputs?host={self.directory}"
        self._run("initdb", "-A", "trust", "-U", "postgres", "-N", "--locale=C.UTF-8", "-E", "UTF8")
        with (self.data / "postgresql.conf").open("a") as file:
            for name, value in {**SETTINGS, "unix_socket_directories": f"'{self.directory}'", **settings}.items():
                file.write(f"{name} = {value}\n")
        self.start()
        self.execute("CREATE ROLE someone LOGIN", database="postgres")
        self.execute("CREATE DATABASE outputs OWNER someone", database="postgres")

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-t", "60", "-l", str(self.directory / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-w", "-t", "60", "-m", mode, "stop")

    def remove(self) -> None:
        """Stop it, and leave nothing behind."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def execute(self, *statements: str, database: str = "outputs") -> list[tuple[object, ...]]:
        """Run statements as whoever runs the server would; the rows of the last one."""
        address = f"postgresql://postgres@/{database}?host={self.directory}"
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def forget(self) -> None:
        """Begin with an empty store; its tables stay, which is faster."""
        found = self.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'ipyweb'")
        for (table,) in found:
            kept = " WHERE key <> 'schema'" if table == "meta" else ""
            self.execute(f"DELETE FROM ipyweb.{table}{kept}")

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """While it is entered no data can be stored, with the error that a full disk gives."""
        self.execute(
            "CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$",
            "CREATE TRIGGER full_disk BEFORE INSERT ON ipyweb.bytes EXECUTE FUNCTION public.refuse()",
        )
        try:
            yield
        finally:
            self.execute("DROP TRIGGER full_disk ON ipyweb.bytes")

    def _run(self, program: str, *arguments: str) -> None:
        as_owner: dict[str, object] = {}
        if self._owner is not None:
            as_owner = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        subprocess.run(
            [_programs() / program, "-D", self.data, *arguments],
            check=True,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            **as_owner,  # type: ignore[call-overload]
        )


@contextlib.contextmanager
def cluster(**settings: str) -> Iterator[Cluster]:
    """A server, while it is entered."""
    made = Cluster(**settings)
    try:
        yield made
    finally:
        made.remove()


def _ordinary_user() -> pwd.struct_passwd:
    """PostgreSQL refuses to be run by root."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("no user to run PostgreSQL as; run the tests as an ordinary user")


@functools.cache
def _programs() -> Path:
    """Where ``initdb`` is; Debian keeps each version's programs in a directory of its own."""
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = shutil.which("initdb") or (known[-1] if known else None)
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    return Path(found).resolve().parent
