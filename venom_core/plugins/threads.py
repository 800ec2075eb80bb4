"""Running foreign code off the event loop with a deadline that holds even if the code does not."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T], *, name: str, timeout: float) -> T:
    """Run ``work`` in a thread of its own and await the result.

    A thread cannot be stopped from outside. One that misses the deadline is left behind, and it is
    a daemon, so that it does not keep the process from ending; the workers of an executor would.

    Raises:
        TimeoutError: after ``timeout`` seconds.
        WorkEndedError: ``work`` raised what would mean something else here: a ``TimeoutError``, or
            ``SystemExit``, ``KeyboardInterrupt`` and their like, which end an event loop. (Only
            the main thread hears of a real Ctrl-C, so it was the work's own doing.)
        Exception: whatever else ``work`` raised.
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
        except Exception as raised:
            ambiguous = isinstance(raised, StopIteration | TimeoutError)
            error = WorkEndedError(raised) if ambiguous else raised
        except BaseException as raised:
            error = WorkEndedError(raised)
        with contextlib.suppress(RuntimeError):  # the loop has ended before this thread did
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(timeout):
        return await outcome


class WorkEndedError(Exception):
    """The work raised something that must not reach the event loop: see ``cause``."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause
