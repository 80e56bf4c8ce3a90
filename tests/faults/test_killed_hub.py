"""A hub that is killed takes nothing with it that it had acknowledged, and nothing is stored twice."""

import contextlib
import sqlite3
import time

from ipyweb import connection
from ipyweb.hub.grams import LEAVE
from ipyweb.hub.opening import DATABASE

from ..hub.conftest import Session
from . import kill
from .conftest import Scripts, chance, get, kill_the_hub, outputs, the_hub, wait_for_titles


def test_a_hub_killed_at_random_while_a_script_displays_loses_and_doubles_nothing() -> None:
    kill.report(kill.run(kills=20, displays=2000, seed=chance().randrange(2**32)))


def test_a_session_that_repeats_itself_hears_of_each_output_before_it_is_acknowledged(scripts: Scripts) -> None:
    scripts.run("import ipyweb; ipyweb.display({'text/plain': 'starts a hub'}, raw=True)")
    port, token = the_hub().port, the_hub().token_for("session")
    session = Session(port, token)
    session.welcome()
    for _ in range(50):
        session.display()
    session.acked()
    session.close()
    again = Session(port, token, key=session.key, **session.fields)
    again.welcome()
    for seq in range(1, 51):
        again.display(seq=seq)
    told: set[int] = set()
    acked = 0
    while acked < 50:
        message = again.receive()
        told |= {seq for seq, _, _ in message["outputs"]}
        acked = message["acked"]
        assert told >= set(range(1, acked + 1))
    again.close()


def test_the_last_update_arrives_however_often_the_hub_is_killed(scripts: Scripts) -> None:
    script = scripts.start(
        """
import sys
import ipyweb
shown = ipyweb.display({"text/plain": "0"}, raw=True, title="progress", display_id="progress")
for number, line in enumerate(sys.stdin, 1):
    for step in range(50):
        shown.update({"text/plain": f"{number}.{step}"}, raw=True)
    shown.wait(30)
    print(shown.status, flush=True)
"""
    )
    assert script.stdin is not None
    assert script.stdout is not None
    for number in range(1, 6):
        script.stdin.write("more\n")
        script.stdin.flush()
        if number % 2:
            kill_the_hub()
        assert script.stdout.readline() == "stored\n"
    assert scripts.finish(script).status == 0
    connection.start()  # all may have been stored before the last hub was killed: then nobody has started another
    wait_for_titles(["progress"])
    (record,) = outputs()
    assert record["data"]["text/plain"]["size"] == len("5.49")
    assert 6 <= record["version"] <= 251


def test_a_hub_killed_while_it_indexes_finds_everything_afterwards(scripts: Scripts) -> None:
    random, count = chance(), 1000
    shows = "for n in range({0}): ipyweb.display({{'text/plain': f'output w{{n % 10}}x'}}, raw=True)\n"
    scripts.run("import ipyweb\n" + shows.format(count) + "ipyweb.flush(60)")
    due = count
    while due > LEAVE:  # which it leaves
        time.sleep(random.uniform(0.1, 0.4))  # it begins to when it is idle
        kill_the_hub()
        connection.start()
        due = _due()
        assert all(_found(f"w{digit}x") == count // 10 for digit in range(10))


def _found(word: str) -> int:
    return int(get(f"api/outputs?q={word}&limit=1")["total"])


def _due() -> int:
    """How many outputs are not in the index yet."""
    with contextlib.closing(sqlite3.connect(f"file:{connection.data_dir()}/{DATABASE}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM grams_due").fetchone()[0])
