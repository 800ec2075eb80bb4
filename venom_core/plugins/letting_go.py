"""Awaiting foreign code that may go on after it was cancelled.

A task that is cancelled has to wait until the code in it lets go. Foreign code that catches the
``CancelledError`` and goes on would hold the request, its place in the queue and the end of the
server. Here it is given a grace, in which it may put its things in order, and is then left behind:
a task of its own goes on with it, and whoever waited goes on without it.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from venom_core.plugins.isolation import GRACE_SECONDS, leave_behind


class Leash:
    """One piece of foreign code, awaited step by step in the present task.

    Args:
        swallowed: told once when it went on after it was cancelled.
    """

    __slots__ = ("_swallowed", "is_left_behind")

    def __init__(self, swallowed: Callable[[], None]) -> None:
        self._swallowed = swallowed
        self.is_left_behind = False

    async def wait(self, work: Awaitable[Any]) -> Any:
        """Await ``work`` from its beginning, as :meth:`resume` does it."""
        steps: Any = work.__await__()
        try:
            waiting = steps.send(None)
        except StopIteration as end:
            return end.value
        return await self.resume(steps, waiting)

    @types.coroutine
    def resume(self, steps: Any, waiting: object) -> Generator[Any, Any, Any]:
        """Await the rest of what is under way and waits for ``waiting``.

        Raises what it raises, and ``CancelledError`` where it went on after it was cancelled: by
        returning, or by waiting for longer than the grace.
        """
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        while True:  # every token that is streamed comes through here
            try:
                yield waiting
            except BaseException as thrown:
                return (yield from self._thrown(steps, thrown, _Cancelling(task, before)))
            try:
                waiting = steps.send(None)
            except StopIteration as end:
                return end.value

    def _thrown(
        self, steps: Any, thrown: BaseException | None, cancelling: _Cancelling
    ) -> Generator[Any, Any, Any]:
        """Throw into the code what its task was thrown, and await the rest."""
        try:
            while True:
                if thrown is None:
                    waiting = steps.send(None)
                    cancelling.settle()
                elif cancelling.is_over:
                    self._leave(steps)
                    raise cancelling.error or thrown from None
                else:
                    waiting = cancelling.throw(steps, thrown)
                    if isinstance(thrown, GeneratorExit):  # nobody may wait here any more
                        raise thrown
                thrown = None
                try:
                    yield waiting
                except BaseException as error:
                    thrown = error
        except StopAsyncIteration:
            cancelling.settle()
            if cancelling.error is None:
                raise
            raise cancelling.error from None
        except StopIteration as end:
            cancelling.settle()
            if cancelling.error is None:
                return end.value
            self._swallowed()
            raise cancelling.error from None
        finally:
            cancelling.end()

    def _leave(self, steps: Any) -> None:
        self.is_left_behind = True
        self._swallowed()
        leave_behind(asyncio.create_task(_rest(steps), name="left behind"))


class _Cancelling:
    """Throws errors into foreign code, and gives it a grace to let go where its task was
    cancelled; then that is cancelled once more.

    Args:
        before: how often the task had been cancelled when the wait began.

    An error that it waited for is its own to handle, and so is the end of a task that it cancelled.

    A time limit of its own, or a group of tasks, cancels the task too, and takes that back when the
    error has reached it: there is nothing to let go of. What lies between may put its things in
    order first, step by step.
    """

    __slots__ = ("_asked", "_before", "_task", "_timer", "error", "is_over")

    def __init__(self, task: asyncio.Task[Any], before: int) -> None:
        self._task = task
        self._before = before
        self._timer: asyncio.TimerHandle | None = None
        self._asked = 0
        self.error: BaseException | None = None
        self.is_over = False

    def throw(self, steps: Any, thrown: BaseException) -> object:
        """Throw an error into the code, and return what it waits for next. Raises what it raises,
        ``StopIteration`` where it returns."""
        if self.error is None and self._ends(thrown):
            self.error, self._asked = thrown, self._task.cancelling()
        waiting = steps.throw(thrown)
        if self.settle() and self._timer is None and not isinstance(thrown, GeneratorExit):
            self._timer = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._ring)
        return waiting

    def _ends(self, thrown: BaseException) -> bool:
        if isinstance(thrown, asyncio.CancelledError):
            return self._task.cancelling() > self._before
        return isinstance(thrown, GeneratorExit)

    def settle(self) -> bool:
        """Return whether the code is to let go; forget the cancelling where whoever asked for it
        has taken it back."""
        if self.error is not None and self._task.cancelling() < self._asked:
            self.error = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        return self.error is not None

    def _ring(self) -> None:
        self.is_over = True
        self._task.cancel()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.is_over:
            self._task.uncancel()  # ours; whoever else cancelled it has counted his own


async def _rest(steps: Any) -> None:
    await _driven(steps)


@types.coroutine
def _driven(steps: Any) -> Generator[Any, Any, None]:
    try:
        waiting = steps.throw(asyncio.CancelledError())
        while True:
            try:
                yield waiting
            except BaseException as thrown:
                waiting = steps.throw(thrown)
            else:
                waiting = steps.send(None)
    except (StopIteration, StopAsyncIteration):
        return
