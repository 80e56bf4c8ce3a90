"""What panes say is done on one thread, in order, and what goes wrong there is shown."""

import asyncio
import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipyweb.comms import Message
from ipyweb.session.pump import AtPrompt, Pump, handled, hook


def update(number: int, comm: str = "a") -> Message:
    data = {"method": "update", "state": {"value": number}, "buffer_paths": []}
    return Message({"type": "comm_msg", "comm_id": comm, "data": data, "msg_id": str(number)})


def click(number: int) -> Message:
    return Message({"type": "comm_msg", "comm_id": "a", "data": {"method": "custom"}, "msg_id": f"click {number}"})


class Doing:
    """What was handled, and what is said to be."""

    def __init__(self, then: Callable[[Message], object] = lambda message: None) -> None:
        self.handled: list[str] = []
        self.threads: list[threading.Thread] = []
        self.done: list[str] = []
        self._then = then
        self.pump = Pump(self._handle, self.done.append)

    def _handle(self, message: Message) -> None:
        assert handled() == message.header["msg_id"]
        self.handled.append(str(message.header["msg_id"]))
        self.threads.append(threading.current_thread())
        self._then(message)


def test_all_is_done_on_the_thread_that_delivers_and_the_latest_of_updates_wins() -> None:
    doing = Doing()
    threads = [threading.Thread(target=doing.pump.put, args=(each,)) for each in (update(1), update(2), click(3))]
    for thread in threads:
        thread.start()
        thread.join()
    assert doing.pump.waiting
    doing.pump.deliver()
    assert doing.handled == ["2", "click 3"]
    assert set(doing.threads) == {threading.current_thread()}
    assert doing.done == ["1", "2", "click 3"]
    assert handled() is None


def test_a_call_that_delivers_takes_the_others_along() -> None:
    doing = Doing()
    called: list[int] = []
    doing.pump.call_later(0, lambda: (called.append(1), doing.pump.deliver()))
    doing.pump.call_later(0, lambda: called.append(2))
    doing.pump.deliver()
    assert called == [1, 2]


def test_clicks_are_never_lost() -> None:
    doing = Doing()
    for number in range(100):
        doing.pump.put(click(number))
    doing.pump.deliver()
    assert doing.handled == [f"click {number}" for number in range(100)]


def test_what_comes_when_too_much_waits_counts_as_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipyweb.session.pump.MAX_WAITING", 100)
    doing = Doing()
    doing.pump.put(click(1))
    doing.pump.put(click(2))
    assert doing.done == ["click 2"]
    doing.pump.deliver()
    doing.pump.put(click(3))
    doing.pump.deliver()
    assert doing.handled == ["click 1", "click 3"]


def test_an_error_is_shown_and_the_next_message_handled(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(message: Message) -> None:
        if message.header["msg_id"] == "click 1":
            raise ValueError("no such thing")

    doing = Doing(fail)
    doing.pump.put(click(1))
    doing.pump.put(click(2))
    doing.pump.deliver()
    assert doing.done == ["click 1", "click 2"]
    assert "ValueError: no such thing" in capsys.readouterr().err


def test_its_descriptor_says_when_something_waits() -> None:
    doing = Doing()
    descriptor = doing.pump.fileno()
    doing.pump.deliver()
    assert not select.select([descriptor], [], [], 0)[0]
    for number in range(10):
        doing.pump.put(click(number))
    assert select.select([descriptor], [], [], 0)[0]
    doing.pump.deliver()
    assert not select.select([descriptor], [], [], 0)[0]


def test_waiting_delivers_what_comes_until_the_time_is_over() -> None:
    doing = Doing()
    thread = threading.Timer(0.1, doing.pump.put, (click(1),))
    thread.start()
    assert doing.pump.wait(2)
    thread.join()
    assert doing.handled == ["click 1"]


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs only now and then, as that of a notebook does."""
    made = asyncio.new_event_loop()
    monkeypatch.setattr("ipyweb.session.pump._idle", made)
    yield made
    made.close()


def test_while_one_waits_tasks_go_on_that_await_what_panes_say(loop: asyncio.AbstractEventLoop) -> None:
    clicked = loop.create_future()
    told: list[str] = []

    async def follow() -> None:
        told.append(await clicked)
        await asyncio.sleep(0.01)
        told.append("and on")

    doing = Doing(lambda message: clicked.set_result(message.header["msg_id"]))
    task = loop.create_task(follow())
    threading.Timer(0.1, doing.pump.put, (click(1),)).start()
    assert doing.pump.wait(1)
    assert (told, task.done()) == (["click 1", "and on"], True)


def test_ctrl_c_ends_waiting_with_tasks_too(loop: asyncio.AbstractEventLoop) -> None:
    task = loop.create_task(asyncio.sleep(60))
    loop.call_later(0.05, signal.raise_signal, signal.SIGINT)
    assert Doing().pump.wait(60) is False
    assert not task.done()
    task.cancel()


def test_ctrl_c_ends_waiting_and_loses_nothing() -> None:
    doing = Doing(lambda message: os.kill(os.getpid(), signal.SIGINT) or time.sleep(1))
    doing.pump.put(click(1))
    doing.pump.put(click(2))
    assert not doing.pump.wait(60)
    assert (doing.handled, doing.done) == (["click 1"], ["click 1"])
    assert select.select([doing.pump.fileno()], [], [], 0)[0]


class Prompt:
    """What prompt_toolkit gives an input hook; somebody types after some looks."""

    def __init__(self, looks: int) -> None:
        self._read, self._write = os.pipe()
        self._looks = looks

    def fileno(self) -> int:
        return self._read

    def input_is_ready(self) -> bool:
        self._looks -= 1
        return self._looks < 0


def test_ctrl_c_ends_waiting_even_where_a_callback_swallows_it() -> None:
    def stubborn(message: Message) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    doing = Doing(stubborn)
    doing.pump.put(click(1))
    doing.pump.put(click(2))
    assert doing.pump.wait() is False
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_ones_own_for_ctrl_c_is_left_alone() -> None:
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        doing = Doing(lambda message: signal.raise_signal(signal.SIGINT))
        doing.pump.put(click(1))
        assert doing.pump.wait(0.01) is True
    finally:
        signal.signal(signal.SIGINT, before)
    assert pressed == [signal.SIGINT]


def test_the_hook_delivers_until_somebody_types() -> None:
    doing = Doing()
    threading.Timer(0.05, doing.pump.put, (click(1),)).start()
    hook(doing.pump)(Prompt(1))
    assert doing.handled == ["click 1"]


def test_the_loop_of_a_toolkit_is_interrupted_for_what_comes() -> None:
    doing, looked = Doing(), list[bool]()

    def toolkit(context: Any) -> None:
        select.select([context.fileno()], [], [])
        looked.append(context.input_is_ready())

    threading.Timer(0.05, doing.pump.put, (click(1),)).start()
    hook(doing.pump, toolkit)(Prompt(1))
    assert (looked, doing.handled) == ([True], ["click 1"])


def test_a_toolkit_that_has_nothing_to_wait_for_is_asked_once_for_each_thing_that_comes() -> None:
    doing, asked = Doing(), list[Any]()
    threading.Timer(0.2, doing.pump.put, (click(1),)).start()
    hook(doing.pump, asked.append)(Prompt(1))
    assert (len(asked), doing.handled) == (1, ["click 1"])


class Events:
    def __init__(self) -> None:
        self.registered: dict[str, list[Any]] = {"pre_run_cell": [], "post_run_cell": []}

    def register(self, name: str, function: Any) -> None:
        self.registered[name].append(function)

    def unregister(self, name: str, function: Any) -> None:
        self.registered[name].remove(function)


class Shell:
    def __init__(self, simple_prompt: bool = False) -> None:
        self.events = Events()
        self.simple_prompt = simple_prompt
        self._inputhook: Any = None

    def run(self, cell: Callable[[], object] = lambda: None) -> None:
        for name, between in (("pre_run_cell", cell), ("post_run_cell", lambda: None)):
            for each in list(self.events.registered[name]):
                each()
            between()


def test_the_hook_is_there_between_cells_and_around_that_of_a_toolkit() -> None:
    doing, shell, seen = Doing(), Shell(), list[Any]()
    at_prompt = AtPrompt(shell, doing.pump)
    shell.run()
    assert shell._inputhook is not None

    def choose_toolkit() -> None:
        seen.append(shell._inputhook)
        shell._inputhook = print

    shell.run(choose_toolkit)
    assert seen == [None]
    assert shell._inputhook not in (None, print)
    shell.run(lambda: seen.append(shell._inputhook))
    assert seen == [None, print]
    at_prompt.end()
    assert shell._inputhook is print
    assert not any(shell.events.registered.values())


def test_after_each_cell_what_waits_is_delivered_even_at_a_simple_prompt() -> None:
    doing, shell = Doing(), Shell(simple_prompt=True)
    AtPrompt(shell, doing.pump)
    shell.run(lambda: doing.pump.put(click(1)))
    assert doing.handled == ["click 1"]
    assert shell._inputhook is None
