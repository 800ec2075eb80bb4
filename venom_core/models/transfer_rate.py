"""The rate of a transfer, and the time until its end."""

from __future__ import annotations

import time
from collections import deque

WINDOW_SECONDS = 10.0


class TransferRate:
    """The rate over the last ten seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._total: int | None = None

    def note(self, bytes_done: int, bytes_total: int | None) -> None:
        now = time.monotonic()
        self._total = bytes_total
        self._seen.append((now, bytes_done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()

    @property
    def eta_seconds(self) -> float | None:
        """Return the seconds to the last byte; None while that cannot be told."""
        rate = self.bytes_per_second
        if self._total is None or rate is None:
            return None
        return max(0, self._total - self._seen[-1][1]) / rate

    @property
    def bytes_per_second(self) -> float | None:
        """Return the rate; None while that cannot be told."""
        if len(self._seen) < 2:
            return None
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        if last <= first or ended <= began:
            return None
        return (last - first) / (ended - began)
