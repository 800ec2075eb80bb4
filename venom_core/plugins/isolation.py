"""Running foreign code so that it can hurt neither the event loop nor whoever waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

#: Whoever gives up waits so long for the work to let go of what it holds.
GRACE_SECONDS = 5.0


class WorkEndedError(Exception):
    """The work raised something that must not reach the event loop: see ``cause``."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


def contained(error: BaseException) -> Exception:
    """Return what may be raised in the place of what foreign code raised.

    ``SystemExit``, ``KeyboardInterrupt`` and their like end an event loop, and a ``TimeoutError``
    or ``CancelledError`` would be taken for ours. (Only the main thread hears of a real Ctrl-C,
    and there it cancels the main task: what a plugin raises is its own doing.)
    """
    ambiguous = isinstance(error, StopIteration | StopAsyncIteration | TimeoutError)
    if isinstance(error, Exception) and not ambiguous:
        return error
    return WorkEndedError(error)


def cause_of(error: BaseException) -> BaseException:
    """Return what the foreign code itself raised."""
    return error.cause if isinstance(error, WorkEndedError) else error


def cancels_us(error: BaseException) -> bool:
    """Whether this is the cancellation of the running task, and not one that a plugin made up."""
    if not isinstance(error, asyncio.CancelledError):
        return False
    task = asyncio.current_task()
    return bool(task and task.cancelling())


async def in_thread(work: Callable[[], T], *, name: str, timeout: float) -> T:
    """Run ``work`` in a thread of its own and await the result.

    A thread cannot be stopped from outside. One that misses the deadline is left behind, and it is
    a daemon, so that it does not keep the process from ending; the workers of an executor would.

    Raises:
        TimeoutError: after ``timeout`` seconds.
        Exception: what ``work`` raised, :func:`contained`.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def deliver(result: T | None, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as raised:
            error = contained(raised)
        with contextlib.suppress(RuntimeError):  # the loop has ended before this thread did
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(timeout):
        return await outcome


async def bounded(
    call: Callable[[], object], timeout: float, swallowed: Callable[[], None] = lambda: None
) -> Any:
    """Call an async function and await it for at most ``timeout`` seconds, even if it ignores being
    cancelled.

    Args:
        swallowed: told where it still runs a grace after it was cancelled.

    Raises:
        TimeoutError: after ``timeout`` seconds.
        Exception: what it raised, :func:`contained`; ``TypeError`` where it is not async.
    """
    task = asyncio.create_task(_contained(call))
    try:
        done, _ = await asyncio.wait({task}, timeout=timeout)
    except asyncio.CancelledError:
        task.cancel()
        leave_behind(task)
        await asyncio.wait({task}, timeout=GRACE_SECONDS)
        if not task.done():
            swallowed()
        raise
    if not done:
        task.cancel()
        leave_behind(task)
        asyncio.get_running_loop().call_later(
            GRACE_SECONDS, lambda: None if task.done() else swallowed()
        )
        raise TimeoutError
    if task.cancelled():  # by itself; passed on, it would look like ours
        raise WorkEndedError(asyncio.CancelledError())
    return task.result()


async def _contained(call: Callable[[], object]) -> object:
    try:
        pending = call()
        if not inspect.isawaitable(pending):
            raise TypeError(f"an async method returned {type(pending).__name__}")
        return await pending
    except BaseException as error:
        if cancels_us(error) or _is_collected(error):
            raise
        raised = contained(error)
        if raised is error:
            raise
        raise raised from error


def _is_collected(error: BaseException) -> bool:
    """Whether the interpreter takes away what still runs, and not a plugin raised this: there is no
    event loop any more."""
    return isinstance(error, GeneratorExit) and asyncio._get_running_loop() is None


#: Not ended yet, and nobody waits for them; asyncio itself holds tasks by weak references only.
_left_behind: set[asyncio.Task[Any]] = set()


def leave_behind(task: asyncio.Task[Any]) -> None:
    """Hold a task that nobody waits for until it ends."""
    _left_behind.add(task)
    task.add_done_callback(_left_behind.discard)
    task.add_done_callback(retrieve)


def retrieve(task: asyncio.Task[Any]) -> None:
    """Look at the exception, so that asyncio does not report one nobody waited for."""
    if not task.cancelled():
        task.exception()
