"""Large JSON is read and written one after the other, and the event loop turns between two.

One takes a part of a tenth of a second; a dozen that arrive together would be a second in which
nobody else is heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

#: Bytes that are read or written at once: it costs a millisecond.
SMALL = 64 * 1024

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def _turn() -> asyncio.Lock:
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())


async def in_turn(size: int, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, done at once for a small body, else when its turn has come.

    Args:
        size: bytes of the body that it reads.
    """
    if size <= SMALL:
        return work()
    async with _turn():
        found = work()
        await asyncio.sleep(0)  # the next one is not of this turn of the loop
        return found


async def written_in_turn(work: Callable[[], bytes]) -> bytes:
    """Return the bytes that ``work`` writes; only then is their size known, so each has its turn.

    A small one waits for large ones, and nobody waits for it.
    """
    async with _turn():
        written = work()
        if len(written) > SMALL:
            await asyncio.sleep(0)
        return written
