"""A real Ray on this machine, whose tasks and actors speak to the hub themselves."""

import json
from pathlib import Path

from ipyweb import connection

from .conftest import Run, outputs, sessions, text_of

PATIENT = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_gcs_server_port_wait_time_s": "120",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_enable_worker_prestart": "0",
}
"""What a busy machine needs: Ray gives its own processes 15 seconds to begin."""
PROGRAM = """
import json, os
import ipyweb
import ray

@ray.remote
def plot(number):
    import matplotlib.pyplot as plt
    plt.figure(label=f"plot {number}")
    plt.plot([1, number])
    plt.show()

@ray.remote(max_retries=2, retry_exceptions=True)
def fail_once(marker):
    again = os.path.exists(marker)
    open(marker, "w").close()
    for part in "ab":
        ipyweb.display({"text/plain": f"{part}{int(again)}"}, raw=True, title=f"failing {part}")
    if not again:
        raise OSError("try again")

@ray.remote(max_retries=2)
def die_once(marker):
    again = os.path.exists(marker)
    open(marker, "w").close()
    ipyweb.display({"text/plain": f"attempt {int(again)}"}, raw=True, title="dying").wait(60)
    if not again:
        os.kill(os.getpid(), 9)

@ray.remote
class Trainer:
    def step(self, number):
        ipyweb.display({"text/plain": f"loss {number}"}, raw=True, title="loss", display_id="loss")
        ipyweb.display({"text/plain": f"step {number}"}, raw=True, title="step")

    def burst(self):
        for number in range(100):
            ipyweb.display({"text/plain": str(number)}, raw=True, title="actor's")

@ray.remote
class Loop:
    async def burst(self):
        for number in range(100):
            ipyweb.display({"text/plain": str(number)}, raw=True, title="async actor's")

@ray.remote
def burst():
    for number in range(100):
        ipyweb.display({"text/plain": str(number)}, raw=True, title="task's")

@ray.remote(num_returns="streaming")
def stream():
    for number in range(100):
        ipyweb.display({"text/plain": str(number)}, raw=True, title="stream's")
        yield number

@ray.remote
def environment():
    return dict(os.environ)

if __name__ == "__main__":
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"worker_process_setup_hook": HOOK, "env_vars": VARIABLES},
    )
    ray.get([plot.remote(number) for number in range(2)])
    ray.get(fail_once.remote(os.path.abspath("failed")))
    ray.get(die_once.remote(os.path.abspath("died")))
    trainers = [Trainer.remote() for _ in range(2)]
    for number in range(3):
        ray.get([each.step.remote(number) for each in trainers])
    with open("found.json", "w") as file:
        json.dump(ray.get(environment.remote()), file)
    ray.get([burst.remote(), trainers[0].burst.remote(), Loop.remote().burst.remote(), *stream.remote()])
    ray.shutdown()
"""


def program(hook: str, variables: dict[str, str]) -> str:
    """The program, with the hook and environment variables of its workers."""
    return PROGRAM.replace("HOOK", hook).replace("VARIABLES", repr(variables))


def test_tasks_and_actors_show_and_try_again_in_the_same_outputs(
    run: Run, hub: connection.Connection, tmp_path: Path
) -> None:
    elsewhere = {name: str(tmp_path / "elsewhere") for name in ("IPYWEB_RUNTIME_DIR", "IPYWEB_DATA_DIR")}
    run(program("ipyweb.ray.Setup()", elsewhere), **PATIENT)
    assert not (tmp_path / "elsewhere").exists()  # no worker has begun a hub or a keeper of its own
    titled: dict[str, list[dict[str, object]]] = {}
    for each in outputs():
        titled.setdefault(each["title"], []).append(each)
        worker = each["source"]["task"]["worker"]
        assert each["source"]["place"] == {"system": "Ray", "worker": worker}
        assert f"train.py · {worker} · " in sessions()[each["session"]]["title"]
        assert each["project"] == str(tmp_path)
    assert {title: len(found) for title, found in titled.items()} == {
        **{f"plot {number}": 1 for number in range(2)},
        **{f"failing {part}": 1 for part in "ab"},
        "dying": 1,
        "loss": 2,
        "step": 6,
        **{f"{each}'s": 100 for each in ("task", "actor", "async actor", "stream")},  # right before Ray ends them all
    }
    attempts = {"failing a": ["a0", "a1"], "failing b": ["b0", "b1"], "dying": ["attempt 0", "attempt 1"]}
    for title, texts in attempts.items():
        (record,) = titled[title]
        assert [text_of(record, version) for version in (1, 2)] == texts
    for record in titled["loss"]:
        assert (record["version"], text_of(record)) == (3, "loss 2")
    tokens = [hub.token, connection.scope_token(hub.token, "session")]
    assert not any(token in json.dumps(json.loads((tmp_path / "found.json").read_text())) for token in tokens)


def test_the_hook_can_be_given_by_its_name(run: Run) -> None:
    short = program('"ipyweb.ray.setup"', {}).partition("    ray.get(fail_once")[0] + "    ray.shutdown()\n"
    run(short, **PATIENT)
    assert sorted(each["title"] for each in outputs()) == ["plot 0", "plot 1"]
    assert {each["source"]["task"]["name"] for each in outputs()} == {"plot"}
