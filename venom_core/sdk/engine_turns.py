"""The order in which requests generate: so many at a time, a bounded queue before them, and turns.

Everything here is for threads, since an engine blocks. Both queues are first come, first served.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from venom_core.sdk.errors import QueueFull, Unavailable

#: Seconds after which whoever waits looks whether its client is still there.
LOOK = 0.1


class ClientGone(Exception):
    """Nobody reads the answer any more."""


@dataclass(slots=True)
class Figures:
    """Counts since the engine started, for ``/health``."""

    running: int = 0
    waiting: int = 0
    generated_tokens: int = 0
    finished: int = 0
    cancelled: int = 0
    refused: int = 0


class Turns:
    """Places for answers, and turns among those that have one.

    Args:
        places: answers that are generated at a time.
        most_waiting: requests that may wait for a place; a further one is ``queue_full``.
    """

    def __init__(self, places: int, most_waiting: int) -> None:
        self._places = places
        self._most_waiting = most_waiting
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self.tickets = self._served = 0
        self._turned = threading.Condition()
        self.figures = Figures()
        self.closing = False

    def close(self) -> None:
        """Send away whoever waits, and let nobody in."""
        with self._changed:
            self.closing = True
            self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait until no answer is being generated; False where some still are."""
        with self._changed:
            return self._changed.wait_for(lambda: self.figures.running == 0, seconds)

    @contextlib.contextmanager
    def place(self, gone: Callable[[], bool]) -> Iterator[None]:
        """Hold one of the places.

        Args:
            gone: whether the client went away; looked at while waiting.

        Raises ``QueueFull``, ``ClientGone``, and ``Unavailable`` where the engine is ending.
        """
        with self._changed:
            self._enter(gone)
            self.figures.running += 1
        try:
            yield
        finally:
            with self._changed:
                self.figures.running -= 1
                self._changed.notify_all()

    def _enter(self, gone: Callable[[], bool]) -> None:
        if self.closing:
            raise ending()
        if self.figures.running < self._places and not self._queue:
            return
        if len(self._queue) >= self._most_waiting:
            self.figures.refused += 1
            raise QueueFull(
                f"{len(self._queue)} requests wait for this model already.",
                retry_after=5,
                fix="Try again in a moment.",
            )
        mine = object()
        self._queue.append(mine)
        try:
            while self._queue[0] is not mine or self.figures.running >= self._places:
                self.figures.waiting = len(self._queue)
                self._changed.wait(LOOK)
                if self.closing:
                    raise ending()
                if gone():
                    raise ClientGone
        finally:
            self._queue.remove(mine)
            self.figures.waiting = len(self._queue)
            self._changed.notify_all()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the engine for one step. A lock of threading's may be taken again at once by whoever
        let go of it; here whoever came first is next."""
        with self._turned:
            ticket, self.tickets = self.tickets, self.tickets + 1
            self._turned.wait_for(lambda: self._served == ticket)
        try:
            yield
        finally:
            with self._turned:
                self._served += 1
                self._turned.notify_all()


def ending() -> Unavailable:
    """Return the refusal of an engine that is being stopped."""
    return Unavailable(
        "The engine is being stopped.", code="engine_stopped", fix="Try again.", retry_after=1
    )
