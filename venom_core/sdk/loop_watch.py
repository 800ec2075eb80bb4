"""A watch on an event loop: finds out who keeps it from everything else.

A thread asks the loop for a sign of life. While none comes it looks, again and again, at what the
loop's thread is doing; who is seen there at every look for too long is named.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Generic, TypeVar

T = TypeVar("T")

#: Looks in the time after which somebody is named.
LOOKS = 10


class LoopWatch(Generic[T]):
    """Watches the running event loop from :meth:`start` to :meth:`stop`, both called on it.

    What stands still for another reason is nobody's fault: a machine that has no turn for us. A
    look that comes late counts for more than one only where the process was at work meanwhile: then
    somebody held the lock of the interpreter, and no look could come earlier.

    Args:
        whose: whose work is under way in a stack, given its innermost frame; None where it is
            nobody's. Called in the watch's thread.
        blocked: told whose work it is, the innermost frame and the loop, once for each time that it
            stands still. Called in the watch's thread, while it does.
        seconds: so long may the loop stand still.
        rest: seconds between a sign of life and the next question.
    """

    def __init__(
        self,
        whose: Callable[[FrameType], T | None],
        blocked: Callable[[T, FrameType, asyncio.AbstractEventLoop], None],
        seconds: float,
        rest: float,
    ) -> None:
        self._whose = whose
        self._blocked = blocked
        self._pause = seconds / LOOKS
        self._rest = rest
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            loop, ident = asyncio.get_running_loop(), threading.get_ident()
            self._thread = threading.Thread(
                target=self._watch, args=(loop, ident), name="loop watch", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def join(self, seconds: float) -> None:
        """Wait for the thread of a watch that was stopped."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _watch(self, loop: asyncio.AbstractEventLoop, ident: int) -> None:
        while not self._stopped.wait(self._rest):
            alive = threading.Event()
            try:
                loop.call_soon_threadsafe(alive.set)
            except RuntimeError:  # the loop has ended
                return
            self._look(loop, ident, alive)

    def _look(self, loop: asyncio.AbstractEventLoop, ident: int, alive: threading.Event) -> None:
        """Look at the loop's thread until the loop gives a sign of life."""
        seen, told = 0, False
        last: T | None = None
        clocks = time.monotonic(), time.process_time()
        while not alive.wait(self._pause):
            if self._stopped.is_set() or loop.is_closed():
                return
            before, clocks = clocks, (time.monotonic(), time.process_time())
            frame = sys._current_frames().get(ident)
            if told or frame is None or (who := self._whose(frame)) is None:
                seen, last = 0, None
                continue
            busy = min(now - then for now, then in zip(clocks, before, strict=True))
            seen = max(1, int(busy / self._pause)) + (seen if who == last else 0)
            last = who
            if seen >= LOOKS:
                told = True
                self._blocked(who, frame, loop)
