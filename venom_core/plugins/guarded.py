"""The provider as the core sees it: whatever a plugin's own does, here it keeps its promise.

What it raises outside the tree of ``venom_core.sdk.errors`` becomes ``upstream_error`` or
``upstream_timeout``, what it returns is checked, each wait is bounded, and the fault is logged once
with the provider's name. Nobody who was handed a provider needs a guard of his own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from venom_core.plugins.engine_packages import is_there, missing_library
from venom_core.plugins.isolation import bounded, cancels_us, cause_of, timed
from venom_core.plugins.reasons import reason
from venom_core.sdk.bounded_json import MOST_ROWS
from venom_core.sdk.catalogue import (
    CatalogueEntry,
    NewsItem,
    NewsKind,
    RepositoryCard,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.cleaning import cleaned
from venom_core.sdk.errors import UpstreamError, UpstreamTimeout, VenomError
from venom_core.sdk.frames import Frame, FrameKind
from venom_core.sdk.memory_estimate import MemoryNeed
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest
from venom_core.sdk.plausible import plausible, plausible_embeddings, plausible_frame
from venom_core.sdk.provider import (
    EngineStatus,
    LoadedModel,
    Model,
    Provider,
    ProviderContext,
    PullPlan,
    PullProgress,
)
from venom_core.sdk.stall import StallTimer
from venom_core.sdk.states import Health, ProviderStatus, Reason

T = TypeVar("T")
logger = logging.getLogger(__name__)

#: Seconds that a call may take. What a model has to be loaded or run for is in :class:`Waits`;
#: ``pull`` is the silence between two of its steps, in which a large file is verified.
SECONDS: Final[dict[str, float]] = {
    "card": 30.0,
    "close": 15.0,
    "describe": 60.0,  # the header of a file elsewhere is several megabytes
    "engines": 5.0,
    "estimate": 60.0,
    "forget_pull": 15.0,
    "health": 5.0,
    "models": 3.0,
    "news": 30.0,
    "plan_pull": 15.0,
    "ps": 3.0,
    "pull": 900.0,
    "remove": 300.0,
    "search": 30.0,
    "trending": 30.0,
    "unload": 30.0,
}

#: What an answer may take in all: far more than the longest context holds, or anybody waits for.
MOST_FRAMES = 1 << 20
LONGEST_ANSWER_SECONDS = 12 * 3600.0
#: After so many items that came without a wait everybody else has a turn.
FAIR_ITEMS = 64


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds that the settings give: to open; before the first frame, or to load a model; between
    two frames."""

    open: float = 20.0
    answer: float = 600.0
    stall: float = 120.0


class GuardedProvider(Provider):
    """A provider with every method guarded; ``inner`` is the plugin's own object."""

    def __init__(
        self,
        inner: Provider,
        context: ProviderContext,
        waits: Waits,
        missing: Callable[[Reason], None] = lambda _: None,
    ) -> None:
        super().__init__(context)
        self.inner = inner
        self._missing = missing
        self._gone: tuple[str, Reason] | None = None
        self._waits = waits
        self._blocking: set[str] = set()

    @property
    def endpoint(self) -> str | None:
        try:
            return _checked(self.inner.endpoint, str, optional=True)
        except VenomError:
            raise
        except BaseException as error:
            raise self._failed("endpoint", error) from error

    def canonical(self, ref: str) -> str:
        try:
            return _checked(self.inner.canonical(ref), str)
        except VenomError:
            raise
        except BaseException as error:
            raise self._failed("canonical", error) from error

    async def open(self) -> None:
        await self._ask("open", _nothing, seconds=self._waits.open)

    async def close(self) -> None:
        """Never raises: whoever closes can do nothing about it."""
        try:
            await bounded(self.inner.close, SECONDS["close"], self.blocked("close"))
        except TimeoutError:
            logger.warning("provider %s did not close in time", self._name)
        except Exception as error:
            self._log("close", cause_of(error))

    async def health(self) -> Health:
        """Never raises: what keeps the provider from telling is its health."""
        title, name, seconds = self.context.spec.title, self._name, SECONDS["health"]
        if self._gone is not None and not is_there(self._gone[0]):
            return Health(ProviderStatus.UNAVAILABLE, self._gone[1])
        try:
            return await self._answer("health", seconds, _health)
        except VenomError as error:
            return Health(ProviderStatus.UNAVAILABLE, Reason.of(error))
        except TimeoutError:
            message = f"{title} did not tell its health within {seconds:g} s."
            why = reason("health_timeout", message, f"venom plugins retry {name}")
            return Health(ProviderStatus.UNAVAILABLE, why)
        except Exception as error:
            cause = cause_of(error)
            self._log("health", cause)
            message = f"{title} raised {type(cause).__name__} when asked for its health."
            why = reason("health_failed", message, "The server's log has the details.")
            return Health(ProviderStatus.FAILED, why)

    async def models(self) -> Sequence[Model]:
        return await self._ask("models", _each(Model))

    def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return self._frames("chat", request)

    def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return self._frames("complete", request)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        found = await self._ask("embed", _one(Embeddings), request, seconds=self._waits.answer)
        try:
            return await plausible_embeddings(found, len(request.inputs), self._name)
        except (TypeError, ValueError) as error:
            raise self._failed("embed", error) from error

    async def describe(self, ref: str) -> Model:
        return await self._ask("describe", _one(Model), ref)

    async def estimate(self, ref: str, context: int | None = None) -> MemoryNeed:
        return await self._ask("estimate", _one(MemoryNeed), ref, context)

    async def load(self, ref: str) -> None:
        await self._ask("load", _nothing, ref, seconds=self._waits.answer)

    async def unload(self, ref: str) -> None:
        await self._ask("unload", _nothing, ref)

    async def ps(self) -> Sequence[LoadedModel]:
        return await self._ask("ps", _each(LoadedModel))

    async def plan_pull(self, ref: str) -> PullPlan:
        return await self._ask("plan_pull", _one(PullPlan), ref)

    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        wait = SECONDS["pull"]
        steps = self._stream("pull", PullProgress, wait, wait, lambda: self.inner.pull(ref))
        async with contextlib.aclosing(steps):
            async for step in steps:
                yield cleaned(step)

    async def forget_pull(self, ref: str) -> None:
        await self._ask("forget_pull", _nothing, ref)

    async def remove(self, ref: str) -> None:
        await self._ask("remove", _nothing, ref)

    async def search(self, query: str, filters: SearchFilters, limit: int, page: int) -> SearchPage:
        return await self._ask("search", _one(SearchPage), query, filters, limit, page)

    async def trending(self, limit: int) -> Sequence[CatalogueEntry]:
        return await self._ask("trending", _each(CatalogueEntry), limit)

    async def news(
        self, kind: NewsKind, month: str | None, lang: str, limit: int
    ) -> Sequence[NewsItem]:
        return await self._ask("news", _each(NewsItem), kind, month, lang, limit)

    async def card(self, ref: str) -> RepositoryCard:
        return await self._ask("card", _one(RepositoryCard), ref)

    async def engines(self) -> Sequence[EngineStatus]:
        return await self._ask("engines", _each(EngineStatus))

    # -- one call ----------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self.context.spec.name

    async def _ask(
        self,
        method: str,
        check: Callable[[object], T],
        *arguments: object,
        seconds: float | None = None,
    ) -> T:
        seconds = SECONDS[method] if seconds is None else seconds
        try:
            return await self._answer(method, seconds, check, *arguments)
        except VenomError:
            raise
        except TimeoutError as error:
            raise self._late(seconds) from error
        except Exception as error:
            raise self._failed(method, cause_of(error)) from error

    async def _answer(
        self, method: str, seconds: float, check: Callable[[object], T], *arguments: object
    ) -> T:
        async def work() -> T:
            return plausible(check(await getattr(self.inner, method)(*arguments)), self._name)

        answer: T = await bounded(work, seconds, self.blocked(method))
        return answer

    # -- one stream --------------------------------------------------------------------------

    def _frames(self, method: str, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        waits = self._waits
        return self._stream(
            method, Frame, waits.answer, waits.stall, lambda: getattr(self.inner, method)(request)
        )

    async def _stream(
        self, method: str, kind: type[T], first: float, wait: float, make: Callable[[], Any]
    ) -> AsyncGenerator[T, None]:
        """Relay a generator. Nearly all of a long answer is the inner loop: one check an item, and
        one timer for all the waits. ``aclose()`` closes the plugin's own."""
        source: AsyncIterator[Any] | None = None
        item: Any
        timer = StallTimer(first, wait)
        timer.since = timer.now()
        usual = FrameKind.DELTA if kind is Frame else None
        items, ends = 0, timer.since + LONGEST_ANSWER_SECONDS
        try:
            source = _iterator(make())
            with timer:
                item = await timed(anext(source), self.blocked(method))
                timer.first_ended()
                for one in self._possible(item, kind):
                    yield one
                timer.since = timer.now()
                async for item in source:
                    timer.since = None
                    if usual is not None and type(item) is kind and item.kind is usual:  # type: ignore[attr-defined]
                        yield item
                    else:
                        for one in self._possible(item, kind):
                            yield one
                    items += 1
                    if not items % FAIR_ITEMS:
                        await asyncio.sleep(0)  # what comes all at once keeps nobody else waiting
                        if kind is Frame and (items >= MOST_FRAMES or timer.now() > ends):
                            raise self._endless()
                    timer.since = timer.now()
        except StopAsyncIteration as error:
            if source is None:
                raise self._failed(method, error) from error
            # else it ended before its first item
        except BaseException as error:
            fault = self._fault(method, error, timer)
            if fault is error:
                raise
            raise fault from error
        finally:
            if source is not None:
                await self._end(method, source)

    def _possible(self, item: Any, kind: type[T]) -> Sequence[T]:
        """Return an item whose numbers can be; nothing for one that says nothing without them."""
        _checked(item, kind)
        check: Any = plausible_frame if kind is Frame else plausible
        good = check(item, self._name)
        return () if good is None else (good,)

    async def _end(self, method: str, source: AsyncIterator[Any]) -> None:
        """Close the plugin's own generator, in the task that reads it."""
        close = getattr(source, "aclose", None)
        if close is None:
            return
        try:
            async with asyncio.timeout(SECONDS["close"]):
                await close()
        except BaseException as error:
            if cancels_us(error):
                raise
            self._log(method, error)

    def _fault(self, method: str, error: BaseException, timer: StallTimer) -> BaseException:
        """Return what to raise in the place of ``error``: itself where that is a refusal, or where
        our reader leaves."""
        left = isinstance(error, GeneratorExit) and timer.since is None
        if left or isinstance(error, VenomError) or cancels_us(error):
            return error
        if isinstance(error, TimeoutError) and timer.expired:
            return self._silent(timer.seconds)
        return self._failed(method, error)

    # -- what is said of a fault -------------------------------------------------------------

    def _late(self, seconds: float) -> UpstreamTimeout:
        return UpstreamTimeout(
            f"{self.context.spec.title} did not answer within {seconds:g} s.",
            fix="Try again, or see: venom doctor",
        )

    def _silent(self, seconds: float) -> UpstreamTimeout:
        return UpstreamTimeout(
            f"{self.context.spec.title} sent nothing for {seconds:g} s.",
            fix="Try again; larger VENOM_ANSWER_TIMEOUT and VENOM_STALL_TIMEOUT wait longer.",
        )

    def _endless(self) -> UpstreamError:
        return UpstreamError(
            f"{self.context.spec.title} did not end its answer.",
            fix="Limit the answer with max_tokens, or choose another model: venom list",
        )

    def _failed(self, method: str, error: BaseException) -> VenomError:
        self._log(method, error)
        title = self.context.spec.title
        if isinstance(error, ModuleNotFoundError) and error.name:
            gone = missing_library(self.context.spec, error)
            if gone is not None:
                self._gone = error.name.partition(".")[0], gone
                self._missing(gone)
                return gone.error()
        if isinstance(error, TimeoutError):
            return UpstreamTimeout(
                f"{title} ran into a time limit of its own.", fix="Try again, or see: venom doctor"
            )
        return UpstreamError(
            f"{title} failed at this.",
            fix="The server's log has the details; venom doctor checks the provider.",
        )

    def _log(self, method: str, error: BaseException) -> None:
        logger.warning("provider %s failed in %s", self._name, method, exc_info=error)

    def blocked(self, method: str) -> Callable[[float], None]:
        """Return what names the method that kept the event loop from everything else."""

        def blocked(seconds: float) -> None:
            if method not in self._blocking:  # it will do so each time
                self._blocking.add(method)
                logger.warning(
                    "provider %s kept everything else waiting for %.1f s in %s: blocking work"
                    " belongs in a thread", self._name, seconds, method,
                )  # fmt: skip

        return blocked


def _checked(value: object, kind: type[T], *, optional: bool = False) -> T:
    if isinstance(value, kind) or (optional and value is None):
        return value  # type: ignore[return-value]
    raise TypeError(f"it gave {type(value).__name__} and no {kind.__name__}")


def _one(kind: type[T]) -> Callable[[object], T]:
    return lambda value: cleaned(_checked(value, kind))


def _each(kind: type[T]) -> Callable[[object], Sequence[T]]:
    def check(value: object) -> Sequence[T]:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise TypeError(f"it gave {type(value).__name__} and no sequence of {kind.__name__}")
        return tuple(cleaned(_checked(item, kind)) for item in value[: MOST_ROWS + 1])

    return check


def _nothing(_value: object) -> None:
    return None


def _health(value: object) -> Health:
    health = _checked(value, Health)
    _checked(health.status, ProviderStatus)
    _checked(health.reason, Reason, optional=True)
    _checked(health.version, str, optional=True)
    return cleaned(health)


def _iterator(value: Any) -> AsyncIterator[Any]:
    if isinstance(value, AsyncIterator):
        return value
    if hasattr(value, "close"):
        value.close()  # a coroutine that nobody would await
    raise TypeError(f"it gave {type(value).__name__} and no async generator")
