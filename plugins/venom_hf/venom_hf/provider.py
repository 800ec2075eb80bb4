"""Hugging Face as a provider: a source of models, and the runtime of those that are folders."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from venom_core.sdk.catalogue import (
    CatalogueEntry,
    NewsItem,
    NewsKind,
    RepositoryCard,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.disk import check_space
from venom_core.sdk.errors import (
    ModelNotCapable,
    ModelNotFound,
    NotSupported,
    Unavailable,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.folder_catalogue import FoundFolder
from venom_core.sdk.frames import Frame
from venom_core.sdk.hub_files import HubRef, default_cache
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest
from venom_core.sdk.openai_engine import Endpoint
from venom_core.sdk.pooled_engine import PooledEngineProvider
from venom_core.sdk.provider import (
    Model,
    ProviderContext,
    PullPlan,
    PullProgress,
)
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.sdk.tool_emulation import with_tools
from venom_hf.cache import CACHE, HubCache, model_of
from venom_hf.calls import Calls
from venom_hf.client import HuggingFaceClient, Plan
from venom_hf.description import held_model, remote_model
from venom_hf.downloads import Downloads
from venom_hf.memory import OVERHEAD_BYTES
from venom_hf.news import news_of
from venom_hf.references import parse_reference
from venom_hf.refusals import offline
from venom_hf.runtime import Runtime
from venom_hf.unfinished_pulls import UnfinishedPulls

T = TypeVar("T")


class HuggingFaceProvider(PooledEngineProvider):
    """The Hub, the cache that it shares with other programs on this machine, and transformers over
    its folders: one process for each model in use."""

    def __init__(self, context: ProviderContext) -> None:
        settings = context.settings
        super().__init__(
            context,
            max_loaded=cast(int, settings["max_loaded"]),
            keep_alive=cast(int, settings["keep_alive"]),
            overhead=OVERHEAD_BYTES,
        )
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
        self._runtime = Runtime(context, self._cache().folder)
        self._serving: dict[str, tuple[Model, FoundFolder]] = {}

    async def close(self) -> None:
        await self._downloads.close()
        await super().close()

    def look_for_engine(self) -> str | None:
        self._runtime.python()
        return self._runtime.version()

    async def health(self) -> Health:
        """Return how the last question to the Hub went, and whether an engine has ended; asks
        nobody. That nothing runs folders here is no fault: they are a source's then."""
        if self._offline:
            return Health(ProviderStatus.DEGRADED, Reason.of(offline()))
        if self._trouble is not None:
            return Health(ProviderStatus.DEGRADED, self._trouble)
        if await asyncio.to_thread(self._runtime.missing) is not None:
            return Health(ProviderStatus.READY)
        return await super().health()

    async def models(self) -> Sequence[Model]:
        listed = await asyncio.to_thread(self._listing)
        return [self._with_state(model) for model, _ in listed.values()]

    def _listing(self) -> dict[str, tuple[Model, FoundFolder | None]]:
        """Return every model by reference; with its folder, where it is one."""
        held = {str(one.ref): model_of(one) for one in self._cache().held()}
        found: dict[str, tuple[Model, FoundFolder | None]] = {
            ref: (model, None) for ref, model in held.items()
        }
        why_not = self._runtime.missing()
        for ref, folder in self._runtime.folders().items():
            if ref in held or folder.hub is None:
                found[ref] = self._runtime.lists(folder, why_not, held.get(ref)), folder
        return dict(sorted(found.items()))

    def _with_state(self, model: Model) -> Model:
        if not model.capabilities:
            return model
        return replace(model, loaded=self.pool.is_loaded(model.ref))

    async def describe(self, ref: str) -> Model:
        listed = await asyncio.to_thread(self._listing)
        model, folder = listed.get(ref, (None, None))
        if model is not None and (model.capabilities or (folder and folder.hub is None)):
            return self._with_state(model)
        wanted = parse_reference(ref)
        held = await asyncio.to_thread(held_model, self._cache(), wanted)
        if held is not None:
            reason = None if model is None else model.details.get("reason")
            return (
                held
                if reason is None
                else replace(held, details={**held.details, "reason": reason})
            )
        return await self._ask(remote_model, self._client, wanted)

    # -- answering ---------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def lease(self, ref: str) -> AsyncGenerator[Endpoint, None]:
        model, folder = await self._runnable(ref)
        python = await asyncio.to_thread(self._runtime.python)
        async with self.running(
            model.ref,
            lambda: self._runtime.command(model, folder, python, self.engines_folder),
            model.context_length,
            self._runtime.need(model),
        ) as endpoint:
            self._serving[model.ref] = model, folder
            yield endpoint

    async def _runnable(self, ref: str) -> tuple[Model, FoundFolder]:
        """Return a model that can be run, and its folder. Raises why it cannot."""
        if ref in self._serving and self.pool.is_loaded(ref):
            return self._serving[ref]  # a request to a running engine needs no look at the disk
        listed = await asyncio.to_thread(self._listing)
        if ref not in listed:
            raise ModelNotFound(
                f"Hugging Face's cache has no {ref!r}, and no folder of model_paths.",
                param="model",
                fix="venom list",
            )
        model, folder = listed[ref]
        if folder is None:
            raise ModelNotCapable(
                f"{ref} is a GGUF file, which transformers does not run here.",
                param="model",
                fix="Use it with the embedded engine: venom plugins install llamacpp",
            )
        if folder.folder.reason is not None:
            raise folder.folder.reason.error()
        if (why_not := await asyncio.to_thread(self._runtime.missing)) is not None:
            raise why_not
        return model, folder

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        self.require((await self._runnable(request.model))[0], "chat")
        async with contextlib.aclosing(with_tools(request, super().chat)) as frames:
            async for frame in frames:
                yield frame

    async def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        self.require((await self._runnable(request.model))[0], "completion")
        async with contextlib.aclosing(super().complete(request)) as frames:
            async for frame in frames:
                yield frame

    async def embed(self, request: EmbedRequest) -> Embeddings:
        self.require((await self._runnable(request.model))[0], "embedding")
        return await super().embed(request)

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
        listed = await asyncio.to_thread(self._listing)
        folder = listed[ref][1] if ref in listed else None
        if folder is not None and folder.hub is None:
            raise NotSupported(
                f"{ref} is a folder that a person keeps, which Venom does not own.",
                fix="Delete it where it lies: a folder of model_paths.",
            )
        await self.pool.unload(ref)
        self._serving.pop(ref, None)
        await asyncio.to_thread(self._cache().remove, parse_reference(ref))

    def _cache(self) -> HubCache:
        return HubCache(Path(str(self._cache_dir)) if self._cache_dir else default_cache())
