"""Places in the queue, for a client that asked for them with ``Venom-Queue: 1``.

The first note commits the status: from then on a refusal is an event of the stream. So nobody who
has not asked gets one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.types import Send

if TYPE_CHECKING:
    from venom_core.chat.stream import ChatStream

AGAIN_SECONDS = 15.0


def as_comment(place: int) -> bytes:
    """Return a note that clients pass over which know nothing of places."""
    return b": queue %d\n\n" % place


class QueueNotes:
    """Sends the place while a call is opened: each new place, and the last one again on a long
    wait, so that nothing between us and the client gives it up. 0 means: its turn has come, and
    the first token has not.

    Args:
        start: sends the head of the answer, from what is known of the stream to be.
        note: a place as it is sent.
    """

    def __init__(
        self,
        start: Callable[[ChatStream], Awaitable[None]],
        send: Send,
        note: Callable[[int], bytes] = as_comment,
    ) -> None:
        self._start = start
        self._note = note
        self._send = send
        self._place = 0
        self._new = asyncio.Event()
        self._over = False
        self._sender: asyncio.Task[None] | None = None

    @property
    def begun(self) -> bool:
        """Return whether the status is committed."""
        return self._sender is not None

    def tell(self, stream: ChatStream, place: int) -> None:
        self._place = place
        self._new.set()
        if self._sender is None:
            self._sender = asyncio.create_task(self._notes(stream))

    async def during(self, opening: Awaitable[ChatStream]) -> ChatStream:
        """Await ``opening``; when it has ended, so have the notes."""
        try:
            return await opening
        finally:
            self._over = True
            self._new.set()
            if self._sender is not None:
                # Not cancelled: a note that is half sent would spoil what comes after it.
                await asyncio.wait({self._sender})

    async def _notes(self, stream: ChatStream) -> None:
        await self._start(stream)
        while not self._over:
            self._new.clear()
            note = self._note(self._place)
            await self._send({"type": "http.response.body", "body": note, "more_body": True})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._new.wait()
