"""Bodies of requests, received under one bound: many large ones together are not kept in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from starlette.requests import Request

from venom_core.sdk.errors import QueueFull
from venom_core.sdk.turns import SMALL, in_turn

T = TypeVar("T")

#: Bytes that all bodies together may have while they are received. The one that began first goes on
#: beyond, or bodies that wait for each other would wait for ever.
MOST_BYTES = 64 * 1024 * 1024
#: Seconds that a body waits for others to be read.
PATIENCE = 30.0
RETRY_AFTER = 2.0


class ReceivedBodies:
    """The bodies that are being received on one event loop, by when they began."""

    def __init__(self) -> None:
        self._sizes: dict[object, int] = {}
        self._bytes = 0
        self._released = asyncio.Condition()
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[bytes]:
        """Receive a body and give it; it counts until the context ends.

        Raises ``QueueFull`` where the others leave no room in time.
        """
        mine = object()
        self._sizes[mine] = 0
        try:
            pieces = []
            async for piece in request.stream():
                pieces.append(piece)
                self._sizes[mine] += len(piece)
                self._bytes += len(piece)
                if self._bytes > MOST_BYTES:
                    await self._room_for(mine)
            body = b"".join(pieces)
            pieces.clear()
            yield body
        finally:
            self._bytes -= self._sizes.pop(mine)
            if self._waiting:
                async with self._released:
                    self._released.notify_all()

    async def _room_for(self, mine: object) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE), self._released:
                await self._released.wait_for(lambda: self._may_go_on(mine))
        except TimeoutError as error:
            raise QueueFull(
                "Too many large requests arrive at once.", retry_after=RETRY_AFTER
            ) from error
        finally:
            self._waiting -= 1

    def _may_go_on(self, mine: object) -> bool:
        return (
            self._bytes <= MOST_BYTES
            or self._sizes[mine] <= SMALL
            or next(iter(self._sizes)) is mine
        )


_received: WeakKeyDictionary[asyncio.AbstractEventLoop, ReceivedBodies] = WeakKeyDictionary()


async def read_body(request: Request, work: Callable[[bytes], T]) -> T:
    """Receive the body of a request and return what ``work`` makes of it, in its turn.

    Raises ``QueueFull`` where other bodies leave no room in time.
    """
    loop = asyncio.get_running_loop()
    bodies = _received.get(loop) or _received.setdefault(loop, ReceivedBodies())
    async with bodies.received(request) as body:
        return await in_turn(len(body), lambda: work(body))
