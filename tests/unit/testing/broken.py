"""Providers that break one rule each of what is not an answer, and nothing else on purpose."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.unit.testing.breaking import breaks
from tests.unit.testing.lawful import ENGINE, Lawful
from venom_core.sdk import (
    BuildProgress,
    BuildRequest,
    CatalogueEntry,
    Embeddings,
    EmbedRequest,
    EngineStatus,
    Health,
    LoadedModel,
    Model,
    NewsItem,
    ProviderContext,
    ProviderStatus,
    PullProgress,
    RepositoryCard,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.errors import InvalidRequest, Unavailable, UpstreamError
from venom_core.sdk.provider import PullPlan

# -- declaration


@breaks("capabilities_match_methods")
class NoChat(Lawful):
    chat = Lawful.__mro__[1].chat  # type: ignore[assignment]


# -- life


@breaks("making_does_nothing")
class WritesWhenMade(Lawful):
    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        context.data_dir.mkdir(parents=True)


@breaks("making_does_nothing")
class StartsTaskWhenMade(Lawful):
    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self.task = asyncio.ensure_future(asyncio.sleep(0.1))


@breaks("open_and_close_repeat")
class ClosesOnce(Lawful):
    closed = False

    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


@breaks("closing_leaves_nothing")
class LeavesTask(Lawful):
    async def open(self) -> None:
        self.task = asyncio.create_task(asyncio.sleep(600), name="watching")


@breaks("closing_leaves_nothing")
class LeavesProcess(Lawful):
    async def open(self) -> None:
        sleep = [sys.executable, "-c", "import time; time.sleep(30)"]
        self.child = await asyncio.to_thread(subprocess.Popen, sleep)
        LEFT.append(self.child)


LEFT: list[subprocess.Popen[bytes]] = []


@breaks("health_is_told")
class RaisesHealth(Lawful):
    async def health(self) -> Health:
        raise UpstreamError("no")


@breaks("health_is_told")
class NoReason(Lawful):
    async def health(self) -> Health:
        return Health(ProviderStatus.DEGRADED)


@breaks("in_time")
class SlowListing(Lawful):
    slow = False

    async def models(self) -> Sequence[Model]:
        if self.slow:
            await asyncio.sleep(600)
        return await super().models()

    async def health(self) -> Health:
        self.slow = True
        return await super().health()


@breaks("unreachable_is_a_state")
class ReadyWhileDown(Lawful):
    async def health(self) -> Health:
        return Health(ProviderStatus.READY)


@breaks("unreachable_is_a_state")
class OpensOnlyWhileUp(Lawful):
    async def open(self) -> None:
        if self._down:
            raise Unavailable("It is down.")


@breaks("unreachable_is_refused_with_a_fix")
class WrongErrorWhileDown(Lawful):
    def _check(self, ref: str) -> None:
        if self._down:
            raise UpstreamError("It is down.", fix="Wait.")
        super()._check(ref)


# -- listing


class Lists(Lawful):
    """Lists its models otherwise."""

    def other(self, model: Model) -> Any:
        raise NotImplementedError

    async def models(self) -> Sequence[Model]:
        return [self.other(model) for model in await super().models()]


@breaks("declared_types")
class ListsNames(Lists):
    def other(self, model: Model) -> Any:
        return model.ref


@breaks("declared_types")
class ListsTextSizes(Lists):
    def other(self, model: Model) -> Any:
        return replace(model, quantization=4)  # type: ignore[arg-type]


@breaks("declared_types")
class ListsNewAbilities(Lists):
    def other(self, model: Model) -> Any:
        return replace(model, capabilities=frozenset({"flying"}))  # type: ignore[arg-type]


@breaks("printable_text")
class ListsEscapes(Lists):
    def other(self, model: Model) -> Any:
        return replace(model, title="\x1b[31mred")


@breaks("unique_names")
class ListsTwice(Lawful):
    async def models(self) -> Sequence[Model]:
        found = await super().models()
        return [*found, replace(found[0], ref=found[0].ref.upper())]


@breaks("listing_repeats")
class ListsAtRandom(Lawful):
    count = 0

    async def models(self) -> Sequence[Model]:
        self.count += 1
        return [*await super().models(), Model(f"new-{self.count}", "folder")]


@breaks("possible_numbers")
class ListsNegative(Lists):
    def other(self, model: Model) -> Any:
        return replace(model, size_bytes=-1)


@breaks("possible_numbers")
class ListsMegabytes(Lists):
    def other(self, model: Model) -> Any:
        return replace(model, size_bytes=2, location=Path(__file__).resolve())


@breaks("listings_show_no_path")
class ListsPaths(Lists):
    def other(self, model: Model) -> Any:
        return replace(model, details={"file": "/srv/models/secret.gguf"})


@breaks("describing_agrees_with_listing")
class DescribesAnother(Lawful):
    async def describe(self, ref: str) -> Model:
        return replace(await super().describe(ref), size_bytes=7)


@breaks("unknown_models_are_not_found")
class AnswersForAny(Lawful):
    async def embed(self, request: EmbedRequest) -> Embeddings:
        return Embeddings(((1.0,),), 1)


@breaks("unknown_models_are_not_found")
class RefusesOtherwise(Lawful):
    def _check(self, ref: str) -> None:
        if ref == "no-such-model":
            raise InvalidRequest("no")
        super()._check(ref)


# -- catalogue


@breaks("search_pages_follow_each_other")
class OnePage(Lawful):
    async def search(self, query: str, filters: SearchFilters, limit: int, page: int) -> SearchPage:
        return await super().search(query, filters, limit, 1)


@breaks("trending_keeps_its_limit")
class AllTrends(Lawful):
    async def trending(self, limit: int) -> Sequence[CatalogueEntry]:
        return await super().trending(limit + 1)


@breaks("news_is_newest_first")
class OldNews(Lawful):
    async def news(self, kind: Any, month: str | None, lang: str, limit: int) -> list[NewsItem]:
        return (await super().news(kind, month, lang, limit))[::-1]


@breaks("cards_add_up")
class WrongSum(Lawful):
    async def card(self, ref: str) -> RepositoryCard:
        return replace(await super().card(ref), download_bytes=1)


# -- memory


@breaks("loaded_models_are_listed")
class ForgetsLoaded(Lawful):
    async def ps(self) -> Sequence[LoadedModel]:
        return []


@breaks("unloading_takes_a_model_out")
class KeepsLoaded(Lawful):
    async def unload(self, ref: str) -> None:
        pass


@breaks("unloading_takes_a_model_out")
class UnloadsOnce(Lawful):
    async def unload(self, ref: str) -> None:
        ENGINE.loaded.remove(ref)


@breaks("engines_are_what_runs")
class NoProcess(Lawful):
    async def engines(self) -> Sequence[EngineStatus]:
        return [EngineStatus("acme", "running", pid=None)]


@breaks("an_engine_is_started_once")
class StartsAnother(Lawful):
    started = 0

    async def engines(self) -> Sequence[EngineStatus]:
        pid = os.getpid() if self.started < 2 else os.getppid()
        return [EngineStatus("acme", "running", pid=pid)]

    async def start_engine(self) -> None:
        self.started += 1


# -- transfers


@breaks("unknown_pulls_are_not_found")
class PullsAnything(Lawful):
    async def plan_pull(self, ref: str) -> PullPlan:
        return PullPlan(ref, 300)


@breaks("unknown_pulls_are_not_found")
class ForgetsLoudly(Lawful):
    async def forget_pull(self, ref: str) -> None:
        raise KeyError(ref)


@breaks("leaving_a_pull_stops_it")
class NeverStops(Lawful):
    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        try:
            async for step in super().pull(ref):
                yield step
        finally:
            yield PullProgress("pulling", "And on.", 0, 300)


@breaks("pull_progress_only_grows")
class Falls(Lawful):
    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        steps = [step async for step in super().pull(ref)]
        for step in (steps[0], steps[2], steps[1], steps[3]):
            yield step


@breaks("pull_progress_only_grows")
class NeverCompletes(Lawful):
    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        for step in [step async for step in super().pull(ref)][:-1]:
            yield step


@breaks("pulled_models_are_listed")
class OtherPlan(Lawful):
    async def plan_pull(self, ref: str) -> PullPlan:
        return replace(await super().plan_pull(ref), bytes_total=3)


@breaks("pulled_models_are_listed")
class OtherName(Lawful):
    async def plan_pull(self, ref: str) -> PullPlan:
        return replace(await super().plan_pull(ref), ref="another")


@breaks("removed_models_are_gone")
class KeepsRemoved(Lawful):
    async def remove(self, ref: str) -> None:
        self._check(ref)


@breaks("removed_models_are_gone")
class RemovesTwice(Lawful):
    async def remove(self, ref: str) -> None:
        ENGINE.models.pop(ref, None)


# -- builds


@breaks("unbuildable_folders_are_refused")
class BuildsAnything(Lawful):
    async def plan_build(self, request: BuildRequest) -> PullPlan:
        return PullPlan("built", 300)


@breaks("unbuildable_folders_are_refused")
class FailsAtNothing(Lawful):
    async def plan_build(self, request: BuildRequest) -> PullPlan:
        if not await asyncio.to_thread((request.folder / "weights").is_file):
            raise UpstreamError("It failed.", fix="Look.")
        return await super().plan_build(request)


@breaks("leaving_a_build_stops_it")
class BuildsOn(Lawful):
    async def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        try:
            async for step in super().build(request):
                yield step
        finally:
            ENGINE.models["built-int8"] = 300


@breaks("leaving_a_build_stops_it")
class ForgetsOnce(Lawful):
    forgotten = False

    async def forget_build(self, request: BuildRequest) -> None:
        if self.forgotten:
            raise FileNotFoundError("gone already")
        self.forgotten = True


@breaks("build_progress_only_grows")
class FallsBack(Lawful):
    async def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        steps = [step async for step in super().build(request)]
        for step in (steps[1], steps[0], steps[2]):
            yield step


@breaks("build_progress_only_grows")
class NeverBuilt(Lawful):
    async def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        for step in [step async for step in super().build(request)][:-1]:
            yield step


@breaks("built_models_are_listed")
class ListsEarly(Lawful):
    async def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        steps = [step async for step in super().build(request)]
        for step in steps:
            yield step


@breaks("built_models_are_listed")
class ListsNoBuild(Lawful):
    async def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        async for step in super().build(request):
            ENGINE.models.pop("built-int8", None)
            yield step


@breaks("built_models_are_listed")
class BuildsTwice(Lawful):
    async def plan_build(self, request: BuildRequest) -> PullPlan:
        there = ENGINE.models.pop("built-int8", None)
        plan = await super().plan_build(request)
        if there is not None:
            ENGINE.models["built-int8"] = there
        return plan
