"""Hugging Face as a provider: a source, which installs models and runs none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from venom_core.sdk.catalogue import (
    CatalogueEntry,
    NewsItem,
    NewsKind,
    RepositoryCard,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.disk import check_space
from venom_core.sdk.errors import Unavailable, UpstreamTimeout, VenomError
from venom_core.sdk.hub_files import HubRef, default_cache
from venom_core.sdk.provider import (
    Model,
    Provider,
    ProviderContext,
    PullPlan,
    PullProgress,
)
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_hf.cache import CACHE, HubCache, model_of
from venom_hf.calls import Calls
from venom_hf.client import HuggingFaceClient, Plan
from venom_hf.description import held_model, remote_model
from venom_hf.downloads import Downloads
from venom_hf.news import news_of
from venom_hf.references import parse_reference
from venom_hf.refusals import offline
from venom_hf.unfinished_pulls import UnfinishedPulls

T = TypeVar("T")


class HuggingFaceProvider(Provider):
    """The Hub and the cache that it shares with other programs on this machine."""

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        settings = context.settings
        self._offline = bool(settings["offline"])
        self._timeout = float(settings["timeout"])  # type: ignore[arg-type]
        token = settings["token"]
        self._client = HuggingFaceClient(
            str(settings["endpoint"]),
            str(token) if token else None,
            offline=self._offline,
            timeout=self._timeout,
        )
        self._cache_dir = settings["cache_dir"]
        self._calls = Calls(self._timeout)
        self._downloads = Downloads(context.logger)
        self._unfinished = UnfinishedPulls(context.data_dir / "pulls")
        self._trouble: Reason | None = None

    async def close(self) -> None:
        await self._downloads.close()

    async def health(self) -> Health:
        """Return how the last question went; asks none of its own."""
        if self._offline:
            return Health(ProviderStatus.DEGRADED, Reason.of(offline()))
        if self._trouble is not None:
            return Health(ProviderStatus.DEGRADED, self._trouble)
        return Health(ProviderStatus.READY)

    async def models(self) -> Sequence[Model]:
        held = await asyncio.to_thread(self._cache().held)
        return [model_of(one) for one in held]

    async def describe(self, ref: str) -> Model:
        wanted = parse_reference(ref)
        held = await asyncio.to_thread(held_model, self._cache(), wanted)
        if held is not None:
            return held
        return await self._ask(remote_model, self._client, wanted)

    # -- the catalogue -----------------------------------------------------------------------

    async def search(self, query: str, filters: SearchFilters, limit: int, page: int) -> SearchPage:
        return await self._ask(self._client.search, query, filters, limit, page)

    async def trending(self, limit: int) -> Sequence[CatalogueEntry]:
        return await self._ask(self._client.trending, limit)

    async def news(
        self, kind: NewsKind, month: str | None, lang: str, limit: int
    ) -> Sequence[NewsItem]:
        return await self._ask(news_of, self._client, kind, month, limit)

    async def card(self, ref: str) -> RepositoryCard:
        return await self._ask(self._client.card, parse_reference(ref))

    async def _ask(self, function: Callable[..., T], *arguments: Any) -> T:
        try:
            answer = await self._calls.run(function, *arguments)
        except (Unavailable, UpstreamTimeout) as error:
            self._trouble = Reason.of(error)
            raise
        except VenomError:
            self._trouble = None  # it answered, if not as wished
            raise
        self._trouble = None
        return answer

    # -- files -------------------------------------------------------------------------------

    async def plan_pull(self, ref: str) -> PullPlan:
        plan, name = await self._plan(ref)
        missing = await self._missing(plan)
        total = plan.choice.size_bytes
        return PullPlan(name, total, total - missing, folder=self._cache().folder)

    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        plan, name = await self._plan(ref)
        missing, total = await self._missing(plan), plan.choice.size_bytes
        cache = self._cache()
        await asyncio.to_thread(check_space, cache.folder, missing, name, CACHE)
        await asyncio.to_thread(self._unfinished.record, name, plan)
        token = await asyncio.to_thread(self._client.token)
        steps = self._downloads.run(
            plan, total - missing, cache.folder, self._client.endpoint, token, self._timeout
        )
        async with contextlib.aclosing(steps):
            async for step in steps:
                yield step
        await asyncio.to_thread(self._unfinished.forget, name)
        yield PullProgress("completed", f"{name} is in the Hugging Face cache.", total, total)

    async def _plan(self, ref: str) -> tuple[Plan, str]:
        """Return what a pull takes, and the reference under which it will be listed."""
        wanted = parse_reference(ref)
        plan = await self._ask(self._client.plan, wanted)
        return plan, str(HubRef(wanted.repo, plan.choice.label, wanted.revision))

    async def _missing(self, plan: Plan) -> int:
        return await asyncio.to_thread(
            self._cache().missing_bytes, plan.repo, plan.commit, plan.choice.files
        )

    async def forget_pull(self, ref: str) -> None:
        name = str(parse_reference(ref))
        unfinished = await asyncio.to_thread(self._unfinished.find, name)
        if unfinished is not None:
            await asyncio.to_thread(self._cache().discard, unfinished)
            await asyncio.to_thread(self._unfinished.forget, name)

    async def remove(self, ref: str) -> None:
        await asyncio.to_thread(self._cache().remove, parse_reference(ref))

    def _cache(self) -> HubCache:
        return HubCache(Path(str(self._cache_dir)) if self._cache_dir else default_cache())
