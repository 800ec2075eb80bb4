"""The provider as the core sees it: whatever a plugin's own does, here it keeps its promise.

What it raises outside the tree of ``venom_core.sdk.errors`` becomes ``upstream_error`` or
``upstream_timeout``, what it returns is checked, each wait is bounded, and the fault is logged once
with the provider's name. Nobody who was handed a provider needs a guard of his own.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from weakref import WeakSet

from venom_core.plugins.border import Border
from venom_core.plugins.breaches import BreachError, Breaches, undeclared
from venom_core.plugins.faults import Call, Faults
from venom_core.plugins.guarded_streams import GuardedStream
from venom_core.plugins.isolation import bounded, cause_of
from venom_core.plugins.reasons import reason
from venom_core.sdk import law
from venom_core.sdk.catalogue import (
    CatalogueEntry,
    NewsItem,
    NewsKind,
    RepositoryCard,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Frame
from venom_core.sdk.memory_estimate import MemoryNeed
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest, Reranked, RerankRequest
from venom_core.sdk.provider import (
    BuildProgress,
    BuildRequest,
    EngineMetrics,
    EngineStatus,
    LoadedModel,
    Model,
    Provider,
    ProviderContext,
    PullPlan,
    PullProgress,
)
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import Health, ProviderStatus, Reason

T = TypeVar("T")
logger = logging.getLogger(__name__)

#: Seconds that a call may take. What a model has to be loaded or run for is in :class:`Waits`;
#: ``pull`` is the silence between two of its steps, in which a large file is verified, and so is
#: ``build``, whose steps take minutes.
SECONDS: Final[dict[str, float]] = {
    "build": 1800.0,
    "card": 30.0,
    "close": 15.0,
    "describe": 60.0,  # the header of a file elsewhere is several megabytes
    "engines": 5.0,
    "estimate": 60.0,
    "forget_build": 60.0,  # gigabytes of half-made files
    "forget_pull": 15.0,
    "health": 5.0,
    "metrics": 1.0,  # somebody's scrape waits for it
    "models": 3.0,
    "news": 30.0,
    "plan_build": 15.0,
    "plan_pull": 15.0,
    "ps": 3.0,
    "pull": 900.0,
    "remove": 300.0,
    "search": 30.0,
    "start_engine": 120.0,
    "stop_engine": 30.0,
    "trending": 30.0,
    "unload": 30.0,
}

#: Seconds between two looks whether answers have ended.
DRAIN_POLL = 0.02


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
        breaches: Breaches | None = None,
    ) -> None:
        super().__init__(context)
        self.inner = inner
        self.faults = Faults(context.spec, missing, breaches or Breaches(context.spec.name))
        self._waits = waits
        self._border = Border(self.faults)
        self._under_way: WeakSet[AsyncGenerator[Any, None]] = WeakSet()
        self._asked_for = 0

    async def drain(self, seconds: float) -> bool:
        """Wait until no answer, pull, load, embedding or ranking is under way; return False where
        one still is after so many seconds."""
        ends = asyncio.get_running_loop().time() + seconds
        while self._asked_for or any(_is_under_way(one) for one in self._under_way):
            if asyncio.get_running_loop().time() > ends:
                return False
            await asyncio.sleep(DRAIN_POLL)
        return True

    def _noted(self, work: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        self._under_way.add(work)
        return work

    @property
    def endpoint(self) -> str | None:
        return self._told("endpoint", lambda: self.inner.endpoint, optional=True)

    def canonical(self, ref: str) -> str:
        return self._told("canonical", lambda: self.inner.canonical(ref)) or ref

    def _told(
        self, method: str, ask: Callable[[], object], *, optional: bool = False
    ) -> str | None:
        """Return what is told without awaiting: a text."""
        call = Call(self.faults, method)
        try:
            value = ask()
            if isinstance(value, str) or (optional and value is None):
                return value
            raise undeclared(value, "text")
        except VenomError:
            raise
        except BaseException as error:
            raise call.faults.failed(method, error) from error

    async def open(self) -> None:
        await self._ask("open", _nothing, seconds=self._waits.open)

    async def open_plainly(self) -> None:
        """Open it as the host does: raises ``TimeoutError``, what it raised, contained, and no
        refusal of our own."""
        await self._run("open", self._waits.open, _nothing)

    async def close(self) -> None:
        """Never raises: whoever closes can do nothing about it."""
        try:
            await self._run("close", SECONDS["close"], _nothing)
        except TimeoutError:
            self.faults.note(law.IN_TIME, "close")
        except BreachError as error:
            self.faults.note(error.rule, "close", error.what)
        except Exception as error:
            self.faults.log("close", cause_of(error))

    async def health(self) -> Health:
        """Never raises: what keeps the provider from telling is its health."""
        title, name, seconds = self.context.spec.title, self._name, SECONDS["health"]
        if (gone := self.faults.gone) is not None:
            return Health(ProviderStatus.UNAVAILABLE, gone)
        try:
            return await self._run("health", seconds, self._border.one("health", Health))
        except VenomError as error:
            return Health(ProviderStatus.UNAVAILABLE, Reason.of(error))
        except TimeoutError:
            self.faults.note(law.IN_TIME, "health")
            message = f"{title} did not tell its health within {seconds:g} s."
            why = reason("health_timeout", message, f"venom plugins retry {name}")
            return Health(ProviderStatus.UNAVAILABLE, why)
        except BreachError as error:
            self.faults.note(error.rule, "health", error.what)
            message = f"{title} did not tell its health as declared."
            why = reason("health_failed", message, "The server's log has the details.")
            return Health(ProviderStatus.FAILED, why)
        except Exception as error:
            cause = cause_of(error)
            self.faults.log("health", cause)
            self.faults.breaches.count(law.ONLY_REFUSALS, "health")
            message = f"{title} raised {type(cause).__name__} when asked for its health."
            why = reason("health_failed", message, "The server's log has the details.")
            return Health(ProviderStatus.FAILED, why)

    async def models(self) -> Sequence[Model]:
        return await self._each("models", Model)

    def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return self._noted(self._frames("chat", request))

    def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return self._noted(self._frames("complete", request))

    async def embed(self, request: EmbedRequest) -> Embeddings:
        check = self._border.embeddings(request.wanted)
        self._asked_for += 1
        try:
            return await self._ask(
                "embed", check, request, seconds=self._waits.answer, loads=request.model
            )
        finally:
            self._asked_for -= 1

    async def rerank(self, request: RerankRequest) -> Reranked:
        check = self._border.scores(len(request.documents))
        self._asked_for += 1
        try:
            return await self._ask(
                "rerank", check, request, seconds=self._waits.answer, loads=request.model
            )
        finally:
            self._asked_for -= 1

    async def describe(self, ref: str) -> Model:
        return await self._one("describe", Model, ref)

    async def estimate(self, ref: str, context: int | None = None) -> MemoryNeed:
        return await self._one("estimate", MemoryNeed, ref, context)

    async def load(self, ref: str) -> None:
        self._asked_for += 1
        try:
            await self._ask("load", _nothing, ref, seconds=self._waits.answer, loads=ref)
        finally:
            self._asked_for -= 1

    async def unload(self, ref: str) -> None:
        await self._ask("unload", _nothing, ref)

    async def ps(self) -> Sequence[LoadedModel]:
        return await self._each("ps", LoadedModel)

    async def plan_pull(self, ref: str) -> PullPlan:
        return await self._one("plan_pull", PullPlan, ref)

    def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        return self._noted(self._steps("pull", PullProgress, lambda: self.inner.pull(ref)))

    async def forget_pull(self, ref: str) -> None:
        await self._ask("forget_pull", _nothing, ref)

    async def plan_build(self, request: BuildRequest) -> PullPlan:
        return await self._one("plan_build", PullPlan, request)

    def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        return self._steps("build", BuildProgress, lambda: self.inner.build(request))

    async def forget_build(self, request: BuildRequest) -> None:
        await self._ask("forget_build", _nothing, request)

    async def remove(self, ref: str) -> None:
        await self._ask("remove", _nothing, ref)

    async def search(self, query: str, filters: SearchFilters, limit: int, page: int) -> SearchPage:
        return await self._one("search", SearchPage, query, filters, limit, page)

    async def trending(self, limit: int) -> Sequence[CatalogueEntry]:
        return await self._each("trending", CatalogueEntry, limit)

    async def news(
        self, kind: NewsKind, month: str | None, lang: str, limit: int
    ) -> Sequence[NewsItem]:
        return await self._each("news", NewsItem, kind, month, lang, limit)

    async def card(self, ref: str) -> RepositoryCard:
        return await self._one("card", RepositoryCard, ref)

    async def engines(self) -> Sequence[EngineStatus]:
        return await self._each("engines", EngineStatus)

    async def start_engine(self) -> None:
        await self._ask("start_engine", _nothing)

    async def stop_engine(self) -> None:
        await self._ask("stop_engine", _nothing)

    async def metrics(self) -> Sequence[EngineMetrics]:
        return await self._each("metrics", EngineMetrics)

    # -- one call ----------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self.context.spec.name

    async def _one(self, method: str, kind: type[T], *arguments: object) -> T:
        return await self._ask(method, self._border.one(method, kind), *arguments)

    async def _each(self, method: str, kind: type[T], *arguments: object) -> Sequence[T]:
        return await self._ask(method, self._border.each(method, kind), *arguments)

    async def _ask(
        self,
        method: str,
        check: Callable[[object], Awaitable[T]],
        *arguments: object,
        seconds: float | None = None,
        loads: str | None = None,
    ) -> T:
        seconds = SECONDS[method] if seconds is None else seconds
        try:
            return await self._run(method, seconds, check, *arguments)
        except VenomError:
            raise
        except TimeoutError as error:
            loading = None if loads is None else await self._loading(loads)
            raise loading or self.faults.late(method, seconds) from error
        except Exception as error:
            raise self.faults.failed(method, cause_of(error)) from error

    async def _loading(self, ref: str) -> VenomError | None:
        """Return the refusal that says how far the engine of a model is; None where none starts."""
        if Capability.ENGINES not in self.context.spec.capabilities:
            return None
        try:
            engines = await self.engines()
        except VenomError:
            return None
        starting = (one for one in engines if one.state == "starting" and one.model == ref)
        engine = next(starting, None)
        return None if engine is None else self.faults.loading(ref, engine.progress)

    async def _run(
        self,
        method: str,
        seconds: float,
        check: Callable[[object], Awaitable[T]],
        *arguments: object,
    ) -> T:
        """Return a method's answer, checked. Raises ``TimeoutError``, or what it raised."""
        call = Call(self.faults, method)

        async def work() -> T:
            pending = getattr(self.inner, call.method)(*arguments)
            if not inspect.isawaitable(pending):
                raise undeclared(pending, "coroutine")
            return await check(await pending)

        answer: T = await bounded(work, seconds, call.swallowed)
        return answer

    def _steps(
        self, method: str, kind: type[T], make: Callable[[], object]
    ) -> AsyncGenerator[T, None]:
        wait = SECONDS[method]
        stream = GuardedStream(Call(self.faults, method), make, wait, wait)
        return stream.items(lambda step: (self._border.item(method, kind, step),))

    def _frames(self, method: str, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        waits = self._waits
        stream = GuardedStream(
            Call(self.faults, method), lambda: getattr(self.inner, method)(request), waits.answer,
            waits.stall, lambda: self._loading(request.model),
        )  # fmt: skip
        return stream.frames(request)


def _is_under_way(work: object) -> bool:
    """Return whether an async generator has not ended; asking costs its reader nothing."""
    return getattr(work, "ag_frame", None) is not None


async def _nothing(value: object) -> None:
    """Take whatever is returned where nothing is promised, but work that was not awaited."""
    if inspect.iscoroutine(value):
        raise undeclared(value, "None")
