"""Kill one of two hubs that share a store, at random, while a script displays and a pane looks on, and look at it all.

The script and the pane know only a load balancer. What must hold: every output that the script was told is stored is in
the store, once, with the right bytes, in the order of the calls; and the pane heard of every change once, in order.
"""

import os
import random
import tempfile
import time
from pathlib import Path

from ..conftest import wait_until
from ..postgres_server import cluster
from ..several import Follower, Hubs, balancer
from .kill import Figures, Producer, sha256


def run(address: str, directory: Path, kills: int = 20, displays: int = 2000, seed: int | None = None) -> Figures:
    """Do it.

    Args:
        address: of an empty database.
        directory: for what the hubs have of their own.

    Raises:
        AssertionError: something acknowledged is missing, twice there, or not in order.
    """
    figures = Figures(random.randrange(2**32) if seed is None else seed)
    chance = random.Random(figures.seed)
    began = time.monotonic()
    hubs = Hubs(address, directory)
    try:
        with balancer(hubs.ports) as before:
            _run(hubs, before.port, directory, figures, chance, kills, displays)
    finally:
        hubs.stop()
    figures.seconds = time.monotonic() - began
    return figures


def _run(
    hubs: Hubs, port: int, directory: Path, figures: Figures, chance: random.Random, kills: int, displays: int
) -> None:
    token = directory / "token"
    token.touch(mode=0o600)
    token.write_text(hubs.token("session"))
    os.environ.update(IPYWEB_HUB=f"http://127.0.0.1:{port}", IPYWEB_TOKEN_FILE=str(token))
    pane = Follower(port, hubs.token("pane"))
    producer = Producer()
    try:
        for number in range(kills):
            producer.display(displays * (number + 1) // kills - displays * number // kills)
            figures.displayed_at_kill.append(displays * (number + 1) // kills)
            time.sleep(chance.uniform(0, 0.3))
            victim = chance.randrange(2)
            hubs.kill(victim)
            acked = dict(producer.acked)
            figures.acked_at_kill.append(len(acked))
            figures.stored_after.append(_check(hubs, 1 - victim, acked))
            hubs.start(victim)
        producer.end()
        figures.stored_after += [_check(hubs, number, producer.acked) for number in (0, 1)]
        wait_until(lambda: len(pane.outputs) >= displays, "the pane to hear of everything")
    finally:
        producer.process.kill()
        producer.process.wait()
        pane.stop()
        for name in ("IPYWEB_HUB", "IPYWEB_TOKEN_FILE"):
            del os.environ[name]
    assert list(producer.acked) == list(range(1, displays + 1))
    assert figures.stored_after[-2:] == [displays, displays]
    titles = [int(pane.outputs[output]["title"]) for output in sorted(pane.outputs)]
    assert titles == list(range(1, displays + 1)), "the pane did not hear of everything"
    assert pane.events == sorted(set(pane.events)), "a change was told twice, or out of order"
    assert pane.resets == 0


def _check(hubs: Hubs, number: int, acked: dict[int, int]) -> int:
    """What a hub lists is the beginning of what was displayed, whole, and all that was acknowledged."""
    stored = hubs.outputs(number)
    numbers = [int(record["title"]) for record in stored]
    assert numbers == list(range(1, len(stored) + 1)), f"not once and in order: {numbers}"
    ids = {int(record["title"]): record["id"] for record in stored}
    missing = [each for each, output in acked.items() if ids.get(each) != output]
    assert not missing, f"acknowledged, but not there: {missing}"
    assert all(record["data"]["image/png"]["sha256"] == sha256(n) for n, record in enumerate(stored, 1))
    return len(stored)


def main() -> None:
    """Do it with a database of its own."""
    from .kill import report

    os.environ.update(IPYWEB_BROWSER="none", IPYWEB_REPORT="0")
    with tempfile.TemporaryDirectory() as directory, cluster() as server:
        report(run(server.address, Path(directory)))


if __name__ == "__main__":
    main()
