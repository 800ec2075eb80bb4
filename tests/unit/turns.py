"""Turns of the event loop, counted while something works."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(slots=True)
class Turns:
    """``count`` is how many there were since the block began."""

    count: int = 0


@contextlib.asynccontextmanager
async def counted_turns() -> AsyncIterator[Turns]:
    turns = Turns()

    async def turn() -> None:
        while True:
            await asyncio.sleep(0)
            turns.count += 1

    task = asyncio.create_task(turn())
    await asyncio.sleep(0)
    try:
        yield turns
    finally:
        task.cancel()
        await asyncio.wait({task})
