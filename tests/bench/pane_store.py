"""What the pane asks of the hub with 10,000 outputs in the store: searching as one types, and listing.

Run as a program; numbers are printed, nothing is asserted. The hub is one of its own, in temporary directories.
"""

import contextlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[2]))

from ipyweb import connection
from ipyweb.hub import schema
from ipyweb.hub.messages import Display, Hello, dumps
from ipyweb.hub.sql import SqlStore
from ipyweb.hub.sqlite import SqliteStore

OUTPUTS = 10_000
TYPED = "residuals of epoch 77", "figure 2026-11-20"
STARTED = "2026-11-20T11:01:38.123456Z"


def main() -> None:
    """Fill a store, and ask a hub for it."""
    with own_directories() as data:
        store = SqliteStore(schema.connect(data / "outputs.sqlite"), data)
        say("writing one output, with its words", fill(store, OUTPUTS) / OUTPUTS * 1e6, "µs")
        store.close()
        hub = connection.start()
        try:
            ask(hub)
        finally:
            connection.request(hub, "POST", "api/stop", {})


def fill(store: SqlStore, outputs: int) -> float:
    """Outputs as a data scientist has them: some code, some text, a figure's words. Returns the seconds it took."""
    begun = time.perf_counter()
    random.seed(7)
    words = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(3, 9))) for _ in range(3000)]
    sessions = [f"{number:032x}" for number in range(200)]
    for session in sessions:
        hello = Hello(
            session, "b" * 64, "/p", "train.py · pts/3", None, "script", "n", 1, "3.11", "[]", "/p", STARTED, False
        )
        store.run([lambda each, hello=hello: each.open_session(hello)])
    seqs = dict.fromkeys(sessions, 0)
    for start in range(0, outputs, 20):
        session = sessions[start * len(sessions) // outputs]
        batch = [_display(seqs[session] + n + 1, start + n, words) for n in range(20)]
        seqs[session] += 20
        done = store.run([lambda each, one=one, session=session: each.apply(session, one) for one in batch])
        assert all(outcome.error is None for outcome in done.outcomes), done.outcomes
    return time.perf_counter() - begun


def _display(seq: int, number: int, words: list[str]) -> Display:
    text = " ".join(random.choices(words, k=150))
    code = "\n".join(" ".join(random.choices(words, k=12)) for _ in range(12))
    return Display(
        seq=seq,
        time=STARTED,
        display_id=f"d{number}",
        title=f"Residuals of epoch {number}",
        data={"image/png": b"\x89PNG" + str(number).encode(), "text/plain": text.encode()},
        metadata="{}",
        source={"file": "train.py", "line": seq, "cell": None, "code": code},
        problems=[],
        figure=dumps({"id": f"{number:032x}", "keeper": "0" * 16, "description": text[:400]}),
    )


def ask(hub: connection.Connection) -> None:
    """Type a search letter by letter, as the pane does, and list the newest."""
    took = {}
    for typed in (text[:end] for text in TYPED for end in range(1, len(text) + 1)):
        query = f"api/outputs?q={quote(typed)}&limit=200"
        took[typed] = statistics.median(_timed(hub, query) for _ in range(5))
    worst = max(took, key=lambda each: took[each])
    say("search per keystroke, median", statistics.median(took.values()) * 1e3, "ms", 100)
    say(f"search per keystroke, worst ({worst!r})", took[worst] * 1e3, "ms", 100)
    say("search without a match", _timed(hub, "api/outputs?q=nowhere-to-be-found") * 1e3, "ms", 100)
    say("newest 200", statistics.median(_timed(hub, "api/outputs?limit=200") for _ in range(5)) * 1e3, "ms")
    say("one kind", statistics.median(_timed(hub, "api/outputs?kind=figure&limit=200") for _ in range(5)) * 1e3, "ms")


def _timed(hub: connection.Connection, path: str) -> float:
    begun = time.perf_counter()
    connection.request(hub, "GET", path)
    return time.perf_counter() - begun


def say(what: str, value: float, unit: str, most: float | None = None) -> None:
    """One line for one number."""
    print(f"{what:<60} {value:10.1f} {unit}" + (f"   (at most {most:g})" if most else ""))


@contextlib.contextmanager
def own_directories() -> Iterator[Path]:
    """Directories that no other hub uses."""
    with tempfile.TemporaryDirectory() as directory:
        for name in ("IPYWEB_RUNTIME_DIR", "IPYWEB_DATA_DIR"):
            path = Path(directory, name[7:8].lower())
            path.mkdir(mode=0o700)
            os.environ[name] = str(path)
        os.environ["IPYWEB_BROWSER"] = "none"
        yield Path(os.environ["IPYWEB_DATA_DIR"])


if __name__ == "__main__":
    main()
