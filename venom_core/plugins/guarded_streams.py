"""One generator of a provider, relayed: each wait is bounded, each item is looked at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from types import AsyncGeneratorType
from typing import Any, Protocol, TypeVar

from venom_core.plugins.breaches import BreachError, undeclared
from venom_core.plugins.faults import Call
from venom_core.plugins.frame_law import FrameLaw
from venom_core.plugins.isolation import cancels_us
from venom_core.plugins.letting_go import Leash
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Frame, FrameKind
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.stall import StallTimer

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
logger = logging.getLogger(__name__)

#: What an answer may take in all: far more than the longest context holds, or anybody waits for.
MOST_FRAMES = 1 << 20
LONGEST_ANSWER_SECONDS = 12 * 3600.0
#: After so many items that came without a wait everybody else has a turn.
FAIR_ITEMS = 64
#: Seconds for what a provider sends behind its last finish: its usage, and the end.
SETTLE_SECONDS = 10.0
#: Seconds in which a generator that is closed has to end.
CLOSE_SECONDS = 15.0


class Taken(Protocol[T_co]):
    """Takes items: :meth:`take` each, and :meth:`end` behind the last."""

    @property
    def is_whole(self) -> bool:
        """Whether all is there, and what comes now can only be its tail."""

    def take(self, item: Any) -> Sequence[T_co]:
        """Return what is handed on of an item."""

    def end(self) -> Sequence[T_co]:
        """Return what is handed on at the end."""


class GuardedStream:
    """A generator of a provider; :meth:`frames` or :meth:`items` relays it.

    Args:
        call: of the provider whose generator it is, for what is said of its faults.
        make: makes the generator.
        first, wait: seconds before the first item and between two.
        why_late: returns what to refuse with where not even the first came in its time; None where
            nothing is known.
    """

    def __init__(
        self,
        call: Call,
        make: Callable[[], Any],
        first: float,
        wait: float,
        why_late: Callable[[], Awaitable[VenomError | None]] | None = None,
    ) -> None:
        self.call = call
        self.faults = call.faults
        self.method = call.method
        self._make = make
        self._why_late = why_late
        self._has_begun = False
        self._timer = StallTimer(first, wait)
        self._leash = Leash(call.swallowed)
        self._source: AsyncIterator[Any] | None = None
        self._began = 0.0

    def frames(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        """Relay the frames that answer a request, by the law."""
        call = self.call
        name = self.faults.spec.name
        taken = FrameLaw(request, name, lambda rule: call.faults.note(rule, call.method))
        return self._relay(taken, taken.open if request.stream else frozenset())

    def items(self, take: Callable[[Any], Sequence[T]]) -> AsyncGenerator[T, None]:
        """Relay items as ``take`` hands them on."""
        return self._relay(_Each(take), None)

    async def _relay(
        self, taken: Taken[Any], opened: set[int] | frozenset[int] | None
    ) -> AsyncGenerator[Any, None]:
        """Relay a generator. Nearly all of a long answer is the inner loop: one look at an item,
        and one timer for all the waits. ``aclose()`` closes the plugin's own."""
        timer, leash = self._timer, self._leash
        delta, items, plain = FrameKind.DELTA, 0, opened is not None
        timer.since = self._began = timer.now()
        try:
            source = self._source = _iterator(self._make())
            following = _following(source)
            with timer:
                while True:
                    try:
                        steps = following()
                        item = steps.send(None)
                    except StopIteration as end:
                        item = end.value
                    else:
                        item = await leash.resume(steps, item)
                    timer.since = None
                    if (
                        plain
                        and type(item) is Frame
                        and item.kind is delta
                        and (shape := item.shape) is not None
                        and shape.index in opened  # type: ignore[operator]
                    ):
                        yield item  # nearly every frame: nothing to look at
                    else:
                        for one in taken.take(item):
                            yield one
                        if taken.is_whole:
                            break
                    if not items % FAIR_ITEMS:
                        await self._turn(items, plain)
                    items += 1
                    timer.since = timer.now()
        except BaseException as error:
            await self._late(error)
            self._ended(error)
        else:
            for one in await self._tail(taken):
                yield one
        finally:
            await self._end()
        for one in self._rest(taken):
            yield one

    async def _turn(self, items: int, is_answer: bool) -> None:
        """Let everybody else have a turn, where this is not the first item: what comes all at once
        keeps nobody waiting. Raises where an answer does not come to its end."""
        if not items:
            self._has_begun = True
            self._timer.first_ended()
            return
        await asyncio.sleep(0)
        ends = self._began + LONGEST_ANSWER_SECONDS
        if is_answer and (items >= MOST_FRAMES or self._timer.now() > ends):
            raise self.faults.endless()

    async def _tail(self, taken: Taken[T]) -> Sequence[T]:
        """Return what comes behind the last finish, where nothing but usage may: the answer is
        whole, whatever becomes of its upstream now."""
        source, items = self._source, 0
        found: Sequence[T] = ()
        assert source is not None
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                while True:
                    item = await self._leash.wait(source.__anext__())
                    found = taken.take(item) or found  # the last usage counts
                    items += 1
                    if not items % FAIR_ITEMS:
                        await asyncio.sleep(0)
        except StopAsyncIteration:
            pass
        except BreachError as error:
            raise self.faults.failed(self.method, error) from error
        except BaseException as error:
            if cancels_us(error):
                raise
            name = self.faults.spec.name
            logger.info("provider %s behind the end of its answer: %r", name, error)
        return found

    def _rest(self, taken: Taken[T]) -> Sequence[T]:
        try:
            return taken.end()
        except BreachError as error:
            raise self.faults.failed(self.method, error) from error

    async def _end(self) -> None:
        """Close the plugin's own generator, in the task that reads it."""
        close = getattr(self._source, "aclose", None)
        if close is None or self._leash.is_left_behind:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._leash.wait(close())
        except BaseException as error:
            if cancels_us(error):
                raise
            self.faults.log(self.method, error)

    async def _late(self, error: BaseException) -> None:
        """Raise why not even the first item came in its time, where somebody knows."""
        is_late = isinstance(error, TimeoutError) and self._timer.expired
        if self._has_begun or not is_late or self._why_late is None:
            return
        if (why := await self._why_late()) is not None:
            raise why from error

    def _ended(self, error: BaseException) -> None:
        """Raise what is promised in the place of ``error``; return at the generator's end."""
        if isinstance(error, StopAsyncIteration) and self._source is not None:
            return
        if (fault := self._fault(error)) is error:
            raise error
        raise fault from error

    def _fault(self, error: BaseException) -> BaseException:
        """Return what to raise in the place of ``error``: itself where that is a refusal, or where
        our reader leaves."""
        timer = self._timer
        left = isinstance(error, GeneratorExit) and timer.since is None
        if left or isinstance(error, VenomError) or cancels_us(error):
            return error
        if isinstance(error, TimeoutError) and timer.expired:
            return self.faults.silent(self.method, timer.seconds)
        return self.faults.failed(self.method, error)


class _Each:
    """Items that stand for themselves."""

    is_whole = False

    def __init__(self, take: Callable[[Any], Sequence[Any]]) -> None:
        self.take = take

    def end(self) -> Sequence[Any]:
        return ()


def _following(source: AsyncIterator[Any]) -> Callable[[], Any]:
    """Return what makes the steps of the next item: those of a generator are their own."""
    if isinstance(source, AsyncGeneratorType):
        return source.__anext__
    return lambda: source.__anext__().__await__()


def _iterator(value: Any) -> AsyncIterator[Any]:
    if isinstance(value, AsyncIterator):
        return value
    raise undeclared(value, "async generator")
