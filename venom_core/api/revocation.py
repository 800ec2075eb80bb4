"""The end of what is under way when its key is revoked: streams, feeds, waits for a model."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import Request

from venom_core.sdk.errors import InvalidApiKey, VenomError

if TYPE_CHECKING:
    from venom_core.api.security import Caller

T = TypeVar("T")
log = logging.getLogger(__name__)

#: How long a revoked key may still pass, and what it has begun may still go on after that.
KEYS_FRESH_SECONDS = 2.0


class UnderWay:
    """The requests that have lasted for a while, each with what ends it; one task looks after all.

    Args:
        allowed: whether a caller would still be let in.
    """

    def __init__(self, allowed: Callable[[Caller], Awaitable[bool]]) -> None:
        self._allowed = allowed
        self._ends: dict[Callable[[], None], Caller] = {}
        self._looking: asyncio.Task[None] | None = None

    def add(self, caller: Caller, end: Callable[[], None]) -> None:
        """Call ``end`` once the caller is no longer let in."""
        self._ends[end] = caller
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="revocation")

    def remove(self, end: Callable[[], None]) -> None:
        """Forget a request that is over."""
        self._ends.pop(end, None)
        if not self._ends and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self) -> None:
        while True:
            for caller in set(self._ends.values()):
                try:
                    allowed = await self._allowed(caller)
                except VenomError as error:  # the store is busy: the next look tells
                    log.warning("whether a key is revoked is not known: %s", error.message)
                    continue
                for end, whose in list(self._ends.items()):
                    if whose == caller and not allowed:
                        end()
            await asyncio.sleep(KEYS_FRESH_SECONDS)


class until_revoked:  # noqa: N801 - a context manager, named as it reads
    """Run the block; where its caller is no longer let in, cancel it and raise ``InvalidApiKey``.

    A block that is over soon costs one timer.
    """

    def __init__(self, under_way: UnderWay, caller: Caller) -> None:
        self._under_way = under_way
        self._caller = caller
        self._revoked = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(KEYS_FRESH_SECONDS, self._begin)

    def _begin(self) -> None:
        self._under_way.add(self._caller, self._end)

    def _end(self) -> None:
        if not self._revoked:
            self._revoked = True
            self._task.cancel()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        self._under_way.remove(self._end)
        if self._revoked and isinstance(error, asyncio.CancelledError):
            self._task.uncancel()
            raise InvalidApiKey(
                "The key of this request was revoked, has expired or was signed out.",
                fix="Send a key that is valid; make one with: venom keys create NAME",
            ) from None


def while_allowed(request: Request) -> until_revoked:
    """Return the guard for a request that was let in."""
    guard: Callable[[], until_revoked] = request.state.while_allowed
    return guard()


async def pieces_while_allowed(
    request: Request, pieces: AsyncGenerator[T, None]
) -> AsyncGenerator[T, None]:
    """Pass on the pieces of an answer whose status is sent: where the key is revoked it ends."""
    with contextlib.suppress(InvalidApiKey):
        async with while_allowed(request), contextlib.aclosing(pieces):
            async for piece in pieces:
                yield piece
