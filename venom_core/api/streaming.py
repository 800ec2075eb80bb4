"""The parts of every streamed answer: a head, pings while it is silent, and an eye on the
client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Message, Receive, Send

PING_SECONDS = 15.0
WATCH_AFTER = 0.02
_SSE_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",
}


class until_disconnect:  # noqa: N801 - a context manager, named as it reads
    """Run the block; if the client leaves meanwhile, cancel it at once and swallow the cancelling.

    The request's body must have been read. Closing the upstream is the block's own ``finally``. The
    watch begins after ``WATCH_AFTER`` seconds: an answer that is there by then needs none.
    """

    __slots__ = ("_left", "_receive", "_task", "_timer", "_watcher")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = False
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER, self._begin)

    def _begin(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        self._task.cancel()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if not self._left or not isinstance(error, asyncio.CancelledError):
            return False
        self._task.uncancel()
        return True


def start_events(headers: dict[str, str]) -> Message:
    raw = [(k.lower().encode(), v.encode()) for k, v in {**_SSE_HEADERS, **headers}.items()]
    return {"type": "http.response.start", "status": 200, "headers": raw}


@dataclass(slots=True)
class Clock:
    """The time at which something was last sent, on the monotonic clock."""

    sent_at: float


PING = b": ping\n\n"


async def ping(send: Send, clock: Clock) -> None:
    """Send comments on a silent stream, so that nothing between us and the client gives it up."""
    while True:
        silent = time.monotonic() - clock.sent_at
        if silent >= PING_SECONDS:
            await send({"type": "http.response.body", "body": PING, "more_body": True})
            clock.sent_at = time.monotonic()
            silent = 0.0
        await asyncio.sleep(PING_SECONDS - silent)


class Events:
    """Named events with JSON data, to one client."""

    def __init__(self, send: Send) -> None:
        self._out = send
        self._clock = Clock(time.monotonic())

    async def send(self, name: str, data: Mapping[str, Any]) -> None:
        self._clock.sent_at = time.monotonic()
        await self._out(
            {"type": "http.response.body", "body": _event(name, data), "more_body": True}
        )

    async def end(self, name: str, data: Mapping[str, Any]) -> None:
        """Send the last event."""
        await self._out({"type": "http.response.body", "body": _event(name, data)})

    @contextlib.asynccontextmanager
    async def pinged(self) -> AsyncIterator[None]:
        """Send comments during the block, while nothing else is sent."""
        pings = asyncio.create_task(ping(self._out, self._clock))
        try:
            yield
        finally:
            pings.cancel()


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    # Plain ASCII: half an emoji, which engines send at times, is no UTF-8.
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
