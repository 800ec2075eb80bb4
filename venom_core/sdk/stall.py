"""One timer for all the waits of a stream.

``asyncio.timeout`` makes, sets and clears a timer for each wait, which costs about as much as all
the rest of relaying a token. This timer is set once; when it rings it looks how long the wait that
runs then has lasted, and either ends it or sets itself for what is left.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self


class StallTimer:
    """Bounds every single wait inside a ``with`` block to ``seconds``, and to ``then`` those after
    :meth:`first_ended`, where that is given.

    ``since`` is when the present wait began, on the clock ``now``; None says that the block waits
    for nothing and may be suspended for as long as it likes. Both are plain attributes, for they
    are set with every token. A wait that is too long is cancelled and leaves the block as
    ``TimeoutError``, and the timer is ``expired`` then; cancelling from elsewhere passes through.
    Enter it in the task that waits.
    """

    __slots__ = (
        *("_cancelling", "_handle", "_loop", "_longest", "_task", "_then"),
        *("expired", "now", "seconds", "since"),
    )

    def __init__(self, seconds: float, then: float | None = None) -> None:
        self.seconds = seconds
        self._then = seconds if then is None else then
        #: Seconds to the next look: a shorter limit that comes later must not be missed.
        self._longest = min(seconds, self._then)
        self.expired = False
        self.now = time.monotonic
        self.since: float | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._loop = asyncio.get_running_loop()
        self.since = self.now()
        self._handle = self._loop.call_later(self._longest, self._ring)
        return self

    def first_ended(self) -> None:
        """End the first wait; the block waits for nothing."""
        self.since = None
        self.seconds = self._then

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handle.cancel()
        if not self.expired or self._task.uncancel() > self._cancelling:
            return
        if isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error

    def _ring(self) -> None:
        left = self.seconds
        if self.since is not None:
            left -= self.now() - self.since
            if left <= 0:
                self.expired = True
                self._task.cancel()
                return
        self._handle = self._loop.call_later(min(left, self._longest), self._ring)
