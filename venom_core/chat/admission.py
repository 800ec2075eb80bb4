"""Admission: how many requests run at a time, how many may wait, and who is told to come back."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterator

from venom_core.sdk.errors import QueueFull


class Admission:
    """A bounded queue before one provider.

    Args:
        limit: requests that run at a time.
        queue: requests that may wait; the next one is refused.
        wait: seconds that a request waits at most.
        settable: the settings of the chat path are what bounds this queue.
    """

    def __init__(self, limit: int, queue: int, wait: float, *, settable: bool = True) -> None:
        self._settable = settable
        self._limit = limit
        self._queue = queue
        self._wait = wait
        self._running = 0
        self._coming = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._listeners: dict[asyncio.Future[None], Callable[[int], None]] = {}
        self._mean_seconds = 5.0

    @property
    def running(self) -> int:
        return self._running

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether nobody runs, waits, or has been let through to wait."""
        return not (self._running or self._waiting or self._coming)

    @contextlib.contextmanager
    def coming(self) -> Iterator[None]:
        """Count who gets a provider in this block and enters at its end: that one is not to be
        closed in between."""
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    async def enter(self, on_position: Callable[[int], None] | None = None) -> None:
        """Take a place, waiting for one in order of arrival. Raises ``QueueFull``.

        Args:
            on_position: called where there is a wait: with 1 for the next in turn, 2 for the one
                after, again whenever that changes, and with 0 where the wait ended well.
        """
        if self._running < self._limit:  # then nobody waits: a place that is left goes to the next
            self._running += 1
            return
        if len(self._waiting) >= self._queue:
            raise self._full("The queue is full.")
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        if on_position is not None:
            self._listeners[place] = on_position
            on_position(len(self._waiting))
        try:
            async with asyncio.timeout(self._wait):
                await place
            if on_position is not None:
                on_position(0)
        except BaseException as error:
            if place.done() and not place.cancelled():
                self._hand_on()  # the place came in the same moment as the end of the wait
            elif place in self._waiting:
                self._waiting.remove(place)
                self._tell()
            if isinstance(error, TimeoutError):
                raise self._full(f"No place came free in {self._wait:g} s.") from error
            raise
        finally:
            self._listeners.pop(place, None)

    def leave(self, seconds: float) -> None:
        """Give the place back; ``seconds`` is how long the request took."""
        self._mean_seconds += 0.1 * (seconds - self._mean_seconds)
        self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                self._tell()
                return
        self._running -= 1

    def _tell(self) -> None:
        """Tell waiting requests their places where they asked for them; the others cost nothing."""
        if self._listeners:
            for number, place in enumerate(self._waiting, 1):
                if place in self._listeners:
                    self._listeners[place](number)

    def _full(self, why: str) -> QueueFull:
        ahead = len(self._waiting) + 1
        seconds = math.ceil(min(max(self._mean_seconds * ahead / self._limit, 1.0), 60.0))
        fix = f"Try again in {seconds} s, or raise VENOM_MAX_CONCURRENT or VENOM_QUEUE_SIZE."
        if not self._settable:
            fix = f"Try again in {seconds} s."
        return QueueFull(f"Too many requests at once. {why}", retry_after=seconds, fix=fix)
