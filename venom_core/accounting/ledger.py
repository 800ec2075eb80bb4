"""The observer that keeps the usage ledger: sums in memory, written in batches off the path.

What is not written yet is at most ``WRITE_SECONDS`` old, or waits for a store that refuses writes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.store.ledger import Line, Tally

if TYPE_CHECKING:
    from venom_core.store.audit import Actor
    from venom_core.store.ledger import UsageRepository

log = logging.getLogger(__name__)

#: Less than the second that a killed process may lose: the write itself takes a moment too.
WRITE_SECONDS = 0.5
MAX_DELAY_SECONDS = 30.0
CLOSE_SECONDS = 15.0


def day_of(seconds: float) -> str:
    """Return the UTC day of a time on the wall clock, in seconds, as ``YYYY-MM-DD``."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


class Ledger:
    """Counts ``chat.finished``, ``embed.finished``, ``rerank.finished`` and ``request.refused``.

    Lives on one event loop.

    Args:
        repository: opens the store; called in a thread, and not before there is something to write.
        retention_days: days that are kept; 0 keeps all.
        clock: the wall clock in seconds.
    """

    def __init__(
        self,
        repository: Callable[[], UsageRepository],
        retention_days: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._repository = repository
        self.retention_days = retention_days
        self._clock = clock
        self._today = (0, "")
        self._pending: dict[tuple[str, str, str, str], Tally] = {}
        self._writer: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._hurry = asyncio.Event()
        self._pruned = ""

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        """Count what became of a request; other events are none."""
        if event.name == "chat.finished":
            tally = self._tally(event)
            tally.requests += 1
            data = event.data
            if data["prompt_tokens"] is None:
                tally.without_usage += 1
                tally.estimated_tokens += data["pieces"]
            else:
                tally.prompt_tokens += data["prompt_tokens"]
                tally.completion_tokens += data["completion_tokens"]
            first = data["ttft_seconds"]
            if first is not None and data["stream"]:
                tally.first_tokens += 1
                tally.first_token_seconds += first
                if (data["completion_tokens"] or 0) > 1:
                    tally.generation_tokens += data["completion_tokens"] - 1
                    tally.generation_seconds += data["duration_seconds"] - first
        elif event.name in ("embed.finished", "rerank.finished"):
            tally = self._tally(event)
            tally.requests += 1
            if event.data["prompt_tokens"] is None:
                tally.without_usage += 1
            else:
                tally.prompt_tokens += event.data["prompt_tokens"]
        elif event.name == "request.refused":
            tally = self._tally(event)
            tally.refused += 1
        else:
            return
        code = event.data["code"]
        if code is not None:
            tally.errors[code] = tally.errors.get(code, 0) + 1
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write_until_done())

    def _tally(self, event: ObservedEvent) -> Tally:
        seconds, data = self._clock(), event.data
        number = int(seconds // 86_400)
        if number != self._today[0]:
            self._today = (number, day_of(seconds))
        line = (self._today[1], data["key_id"] or "", data["provider"] or "", data["model"] or "")
        tally = self._pending.get(line)
        if tally is None:
            tally = self._pending[line] = Tally()
        return tally

    async def _write_until_done(self) -> None:
        delay = WRITE_SECONDS
        while self._pending:
            try:
                async with asyncio.timeout(delay):
                    await self._hurry.wait()
            except TimeoutError:
                pass
            if await self.flush():
                delay = WRITE_SECONDS
            elif self._hurry.is_set():
                log.error("usage of %d lines could not be written", len(self._pending))
                break
            else:
                delay = min(2 * delay, MAX_DELAY_SECONDS)
        self._writer = None

    async def flush(self) -> bool:
        """Write what is pending; whether that could be done. What could not stays pending."""
        await asyncio.sleep(0)  # what has just ended is reported on the loop's next turn
        async with self._writing:
            batch, self._pending = self._pending, {}
            if not batch:
                return True
            # Shielded: a write that goes on in its thread must not be taken for one that failed.
            writing = asyncio.ensure_future(asyncio.to_thread(self._write, batch))
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("usage is not written yet: %s", error)
                for line, tally in self._pending.items():
                    if line in batch:
                        batch[line].add(tally)
                    else:
                        batch[line] = tally
                self._pending = batch
                return False
            return True

    def _write(self, batch: dict[tuple[str, str, str, str], Tally]) -> None:
        repository = self._repository()
        repository.add({Line(*line): tally for line, tally in batch.items()})
        today = day_of(self._clock())
        if not self.retention_days or self._pruned == today:
            return
        oldest = date.fromisoformat(today) - timedelta(days=self.retention_days - 1)
        try:
            repository.prune(oldest.isoformat())
        except Exception as error:  # the batch is written: raising would write it once more
            log.warning("old usage is not removed yet: %s", error)
        else:
            self._pruned = today

    async def erase(self, key_id: str, actor: Actor) -> int:
        """Forget everything of a key, what is not written yet too; gives how many lines that was.

        Raises ``StorageError`` where the store cannot be written.
        """
        async with self._writing:
            pending = [line for line in self._pending if line[1] == key_id]
            erased = await asyncio.to_thread(lambda: self._repository().erase(key_id, actor))
            for line in pending:
                self._pending.pop(line, None)
            return erased

    async def close(self) -> None:
        """Write what is left, within a time; nothing may be observed afterwards."""
        await asyncio.sleep(0)  # as in flush
        self._hurry.set()
        if self._writer is not None:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._writer
            except TimeoutError:
                log.error("usage was not written in time")
