"""Figures over the last minutes, for charts: what requests did always, the machine while somebody
looks.

Requests and tokens are counted as events tell them, which costs nothing in between. Processor,
memory and graphics cards have to be asked: that is done while the charts were asked for lately, and
ends with the last watcher.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from venom_core.runtime.figures import FigureReader, Figures
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl

log = logging.getLogger(__name__)

#: Seconds of one point, and how many of them are kept.
INTERVAL = 2.0
POINTS = 300
#: Seconds after the last question in which the machine is still asked.
PATIENCE = 60.0
_ENDED = ("chat.finished", "embed.finished", "rerank.finished")


@dataclass(slots=True)
class Point:
    """One interval. ``tokens`` are those that were generated in it, counted when their answer has
    ended; ``figures`` None where the machine was not asked."""

    requests: int = 0
    refused: int = 0
    tokens: float = 0.0
    figures: Figures | None = None


class Charts:
    """Keeps the last ten minutes. Lives on one event loop.

    Args:
        figures: reads the machine.
        clock: seconds that never go back, whatever becomes of the time of day.
    """

    def __init__(self, figures: FigureReader, clock: Callable[[], float] = time.monotonic) -> None:
        self._figures = figures
        self._clock = clock
        self._points: dict[int, Point] = {}
        self._asked_at = float("-inf")
        self._newest: Figures | None = None
        self._sampler: asyncio.Task[None] | None = None

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        """Count a request that ended or was refused; other events are none."""
        if event.name in _ENDED:
            self._point(self._now()).requests += 1
            if event.name == "chat.finished":
                self._spread(event)
        elif event.name == "request.refused":
            self._point(self._now()).refused += 1

    def _spread(self, event: ObservedEvent) -> None:
        """Give an answer's tokens to the intervals in which they were generated."""
        data = event.data
        tokens, took = data.get("completion_tokens"), data.get("duration_seconds")
        if not tokens or took is None:
            return
        end = self._clock()
        begin = end - min(max(took - (data.get("ttft_seconds") or 0.0), 0.0), POINTS * INTERVAL)
        if end - begin < INTERVAL / 100:
            self._point(self._now()).tokens += tokens
            return
        for number in range(int(begin // INTERVAL), int(end // INTERVAL) + 1):
            part = min(end, (number + 1) * INTERVAL) - max(begin, number * INTERVAL)
            self._point(number).tokens += tokens * max(part, 0.0) / (end - begin)

    @property
    def newest(self) -> Figures | None:
        """Return the machine's last figures, None before the first look."""
        return self._newest

    def _now(self) -> int:
        return int(self._clock() // INTERVAL)

    def _point(self, number: int) -> Point:
        point = self._points.get(number)
        if point is None:
            point = self._points[number] = Point()
            oldest = self._now() - POINTS
            for old in [key for key in self._points if key < oldest]:
                del self._points[old]
        return point

    async def read(
        self, seconds: float, known: float = float("inf")
    ) -> list[tuple[float, float, Point]]:
        """Return every interval of the last seconds, the oldest first, each with how many seconds
        ago it began and how long it is; the present one is as long as it has lasted.

        Args:
            known: how many seconds ago that interval began from which on they are wanted.
        """
        self._asked_at = self._clock()
        if self._sampler is None:
            await self._sample()
            if self._sampler is None:
                self._sampler = asyncio.create_task(self._keep_sampling(), name="sample figures")
        now = self._clock()
        newest = int(now // INTERVAL)
        count = min(POINTS, max(1, round(seconds / INTERVAL)))
        found = []
        oldest = newest - count + 1
        if known < count * INTERVAL:
            oldest = max(oldest, min(newest, round((now - known) / INTERVAL)))
        for number in range(oldest, newest + 1):
            began = number * INTERVAL
            found.append((now - began, min(INTERVAL, now - began), self._points.get(number)))
        return [(ago, length, point or Point()) for ago, length, point in found]

    async def _keep_sampling(self) -> None:
        try:
            while self._clock() - self._asked_at < PATIENCE:
                await asyncio.sleep(INTERVAL)
                await self._sample()
        finally:
            self._sampler = None

    async def _sample(self) -> None:
        try:
            figures = await self._figures.read()
        except OSError as error:  # a disk that is gone: the next look may find it
            log.info("the machine's figures could not be read: %s", error)
            return
        self._newest = self._point(self._now()).figures = figures

    async def close(self) -> None:
        """Ask the machine no more."""
        if self._sampler is not None:
            self._sampler.cancel()
            await asyncio.gather(self._sampler, return_exceptions=True)
