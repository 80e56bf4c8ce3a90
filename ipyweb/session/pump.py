"""What panes say is done on the thread that the user's code runs on, when that has time.

That is at an idle prompt, after each cell, and inside `wait`. On a thread of ours it would race with the user's code.
"""

import asyncio
import contextlib
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from ..comms import Message, Outbox

MAX_WAITING = 256 * 2**20
"""Bytes of messages that wait for the user's thread."""

Handler = Callable[[Message], None]
_local = threading.local()


def handled() -> str | None:
    """The id of the message that is being handled, if one is."""
    return getattr(_local, "message", None)


class Pump:
    """Messages from panes, on their way to the thread that handles them.

    Args:
        handle: does what a message says. What it raises is shown.
        done: called with the id of a message that has been handled, or that a newer one took the place of.
    """

    def __init__(self, handle: Handler, done: Callable[[str], None]) -> None:
        self._handle = handle
        self._done = done
        self._inbox = Outbox()
        self._calls: deque[Callable[[], object]] = deque()
        self._pipe: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def put(self, message: Message) -> None:
        """Queue a message, from any thread. An update takes the place of the one before it.

        What comes when too much waits already is dropped, and counts as handled.
        """
        dropped = message if self._inbox.bytes > MAX_WAITING else self._inbox.add(message)
        if dropped is not None:
            self._done(str(dropped.header.get("msg_id")))
        self._rouse()

    def call_later(self, seconds: float, function: Callable[[], object]) -> None:
        """Have a function called on the user's thread, when that has time.

        Args:
            seconds: before that; with none, it is called after the messages that wait.
            function: what it raises is shown.
        """
        if seconds <= 0:
            self._call(function)
            return
        timer = threading.Timer(seconds, self._call, (function,))
        timer.daemon = True
        timer.start()

    def _call(self, function: Callable[[], object]) -> None:
        self._calls.append(function)
        self._rouse()

    @property
    def waiting(self) -> bool:
        """Whether something is to be delivered."""
        return bool(len(self._inbox) or self._calls)

    def fileno(self) -> int:
        """A file descriptor that is readable while something is to be delivered."""
        with self._lock:
            if self._pipe is None:
                self._pipe = os.pipe()
                for each in self._pipe:
                    os.set_blocking(each, False)
                if self.waiting:
                    os.write(self._pipe[1], b"m")
            return self._pipe[0]

    def deliver(self) -> None:
        """Handle all that waits, on this thread.

        Raises:
            KeyboardInterrupt: somebody interrupts it; what is left waits on.
        """
        self._drain()
        try:
            while (message := self._inbox.take()) is not None:
                self._deliver(message)
            for _ in range(len(self._calls)):
                if self._calls:  # one of them may have delivered the others
                    shown(self._calls.popleft())
        except BaseException:
            self._rouse()
            raise

    def _deliver(self, message: Message) -> None:
        number = str(message.header.get("msg_id"))
        before, _local.message = handled(), number
        try:
            shown(lambda: self._handle(message))
        finally:
            _local.message = before
            self._done(number)

    def _drain(self) -> None:
        if self._pipe is not None:
            with contextlib.suppress(BlockingIOError):
                while os.read(self._pipe[0], 4096):
                    pass

    def _rouse(self) -> None:
        with self._lock:
            if self._pipe is not None:
                with contextlib.suppress(BlockingIOError):  # it says already that something waits
                    os.write(self._pipe[1], b"m")

    def wait(self, timeout: float | None = None) -> bool:
        """Deliver what comes until somebody presses Ctrl-C, or the time is over.

        Args:
            timeout: seconds; for ever when left out.

        Returns:
            Whether the time was over.
        """
        end = None if timeout is None else time.monotonic() + timeout
        descriptor = self.fileno()
        try:
            with _interrupts(self._wakeup) as pressed:
                while not pressed() and (end is None or time.monotonic() < end):
                    self.deliver()
                    _until_readable(descriptor, None if end is None else max(0.0, end - time.monotonic()))
                return not pressed()
        except KeyboardInterrupt:
            return False

    @property
    def _wakeup(self) -> int:
        """A file descriptor that ends a wait when it is written to."""
        self.fileno()
        assert self._pipe is not None
        return self._pipe[1]


_idle: asyncio.AbstractEventLoop | None = None


def go_on_with(loop: asyncio.AbstractEventLoop) -> None:
    """From now on, let the tasks of a loop that runs only now and then go on while this thread waits."""
    global _idle
    _idle = loop


def _until_readable(descriptor: int, seconds: float | None) -> None:
    """Wait until a descriptor can be read, or for so long; meanwhile tasks go on."""
    loop = _idle
    if loop is None or not _can_go_on(loop):
        select.select([descriptor], [], [], seconds)
        return
    over = loop.create_future()
    timer = None if seconds is None else loop.call_later(seconds, _settle, over)
    loop.add_reader(descriptor, _settle, over)
    try:
        loop.run_until_complete(over)
    finally:
        loop.remove_reader(descriptor)
        if timer is not None:
            timer.cancel()


def _can_go_on(loop: asyncio.AbstractEventLoop) -> bool:
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and not (loop.is_closed() or loop.is_running()) and bool(asyncio.all_tasks(loop))


def _settle(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_result(None)


@contextlib.contextmanager
def _interrupts(wakeup: int) -> Iterator[Callable[[], bool]]:
    """While it is entered, tells whether Ctrl-C was pressed, also where that was swallowed.

    A callback may do so, as IPython does while it shows a traceback. And one that is pressed just before a wait for a
    descriptor does not end that wait by itself.

    Args:
        wakeup: file descriptor that is written to when it is pressed.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False
        return
    pressed: list[int] = []

    def note(number: int, frame: Any) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    before = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.set_wakeup_fd(before)


def shown(function: Callable[[], object]) -> None:
    """Call a function, and show what it raises where the user looks."""
    try:
        function()
    except Exception:
        shell = _terminal()
        if shell is not None:
            shell.showtraceback()
        else:
            traceback.print_exc()


def _terminal() -> Any:
    """The IPython that somebody sits at; ``None`` in a script, where another shell may stand in for it."""
    module = sys.modules.get("IPython.terminal.interactiveshell")
    return None if module is None else module.TerminalInteractiveShell._instance


# -- at IPython's prompt ----------------------------------------------------------------------------------------------

NAME = "ipyweb"
"""The name of our input hook, as ``%gui`` knows it."""


class _Watching:
    """What an input hook of a toolkit sees of the prompt while the pump is watched too.

    It returns, as it does when somebody types, when either has something: its `fileno` is one for both.
    """

    def __init__(self, context: Any, pump: Pump, both: Any) -> None:
        self._context = context
        self._pump = pump
        self._both = both

    def fileno(self) -> int:
        return int(self._both.fileno())

    def input_is_ready(self) -> bool:
        return self._pump.waiting or bool(self._context.input_is_ready())


@contextlib.contextmanager
def _both(context: Any, pump: Pump) -> Iterator[Any]:
    """One file descriptor that is readable when the prompt's or the pump's is."""
    both: Any = select.epoll() if hasattr(select, "epoll") else select.kqueue()  # type: ignore[attr-defined,unused-ignore]
    try:
        for each in (context.fileno(), pump.fileno()):
            if hasattr(both, "register"):
                both.register(each, select.EPOLLIN)
            else:
                both.control([select.kevent(each)], 0)  # type: ignore[attr-defined,unused-ignore]
        yield both
    finally:
        both.close()


def hook(pump: Pump, toolkit: Callable[[Any], None] | None = None) -> Callable[[Any], None]:
    """An input hook for prompt_toolkit: what to do while the prompt waits for a key.

    Args:
        toolkit: the hook of a toolkit whose windows live at this prompt too.
    """

    def deliver_until_typed(context: Any) -> None:
        while not context.input_is_ready():
            if toolkit is not None:
                with _both(context, pump) as both:
                    toolkit(_Watching(context, pump, both))
            select.select([context.fileno(), pump.fileno()], [], [])  # Qt's returns at once where there is no screen
            _deliver_at_prompt(pump)

    return deliver_until_typed


def _deliver_at_prompt(pump: Pump) -> None:
    try:
        with _interruptible():
            pump.deliver()
    except KeyboardInterrupt:
        print("KeyboardInterrupt", file=sys.stderr)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """While it is entered Ctrl-C interrupts, which at a prompt is a key like any other."""
    wakeup = signal.set_wakeup_fd(-1)  # or the prompt's own loop would hear of it too
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with _keys_that_interrupt():
            yield
    finally:
        signal.signal(signal.SIGINT, handler)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)


@contextlib.contextmanager
def _keys_that_interrupt() -> Iterator[None]:
    try:
        import termios

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
    except Exception:  # no terminal, or one of Windows
        yield
        return
    modes = [*before]
    modes[3] |= termios.ISIG
    termios.tcsetattr(descriptor, termios.TCSANOW, modes)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


class AtPrompt:
    """Keeps our input hook at the prompt of an IPython shell, with that of a toolkit where there is one.

    While a cell runs it is out, since ``%matplotlib`` and ``%gui`` refuse to put in theirs beside another one. After
    ``%gui asyncio`` the prompt is a task of IPython's own loop and asks no hook; then that loop watches the pump.

    Args:
        shell: IPython's.
        pump: what is delivered.
    """

    def __init__(self, shell: Any, pump: Pump) -> None:
        self._shell = shell
        self._pump = pump
        self._own: Callable[[Any], None] | None = None
        self._toolkit: Callable[[Any], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        shell.events.register("pre_run_cell", self.before_cell)
        shell.events.register("post_run_cell", self.after_cell)

    def before_cell(self, *_: object) -> None:
        """Take our hook out, and leave the toolkit's."""
        if self._own is not None and self._shell._inputhook is self._own:
            self._shell._inputhook = self._toolkit
        self._own = None
        if self._loop is not None:
            self._loop.remove_reader(self._pump.fileno())
            self._loop = None

    def after_cell(self, *_: object) -> None:
        """Deliver what came while the cell ran, and put our hook in, around a toolkit's."""
        self._pump.deliver()
        if getattr(self._shell, "simple_prompt", True):
            return
        if getattr(self._shell, "_use_asyncio_inputhook", False):
            self._watch_in_loop()
        elif self._own is None:
            self._toolkit = self._shell._inputhook
            # Not by `enable_gui`, which knows one loop by its name, and refuses where another one runs.
            self._shell._inputhook = self._own = hook(self._pump, self._toolkit)

    def _watch_in_loop(self) -> None:
        from IPython.core.async_helpers import get_asyncio_loop

        self._loop = get_asyncio_loop()
        with contextlib.suppress(NotImplementedError):  # that of Windows watches no pipes
            self._loop.add_reader(self._pump.fileno(), _deliver_at_prompt, self._pump)

    def end(self) -> None:
        """Take it out for good."""
        self.before_cell()
        self._shell.events.unregister("pre_run_cell", self.before_cell)
        self._shell.events.unregister("post_run_cell", self.after_cell)
