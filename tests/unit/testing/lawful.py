"""A provider that keeps every rule, with an engine in memory; tests break it one by one."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from venom_core.sdk import (
    Answer,
    CatalogueEntry,
    ChatRequest,
    Choice,
    Chunk,
    Embeddings,
    EmbedRequest,
    EngineStatus,
    Frame,
    Health,
    LoadedModel,
    Model,
    NewsItem,
    Provider,
    ProviderStatus,
    PullProgress,
    Reason,
    RepositoryCard,
    RepositoryFile,
    SearchFilters,
    SearchPage,
    ToolCall,
    Usage,
)
from venom_core.sdk.errors import (
    Conflict,
    ContextLengthExceeded,
    InvalidRequest,
    ModelNotFound,
    UpstreamError,
    UpstreamIncomplete,
)
from venom_core.sdk.messages import Reranked, RerankRequest
from venom_core.sdk.provider import BuildProgress, BuildRequest, PullPlan
from venom_core.testing import Ask, Subject, Upstream

WORDS = ("one ", "two ", "three ", "four ", "five ")
CONTEXT = 64
DOWN = Reason("acme_down", "Acme does not answer.", "Start it: acme serve")


@dataclass
class Engine(Upstream):
    """The engine in memory: what it was sent, what it makes, and what is to go wrong next."""

    sent: Mapping[str, Any] = field(default_factory=dict)
    running: int = 0
    fault: str | None = None
    refused: tuple[int, str] | None = None
    models: dict[str, int] = field(default_factory=lambda: {"tiny": 100, "small": 200})
    loaded: set[str] = field(default_factory=set)

    async def serving(self, provider: Provider) -> int:
        return self.running

    async def received(self) -> Mapping[str, Any]:
        return self.sent

    async def hold(self) -> None:
        self.fault = "hold"

    async def break_off(self) -> None:
        self.fault = "break"

    async def refuse(self, status: int, words: str) -> None:
        self.refused = status, words

    async def answer(self, body: Mapping[str, Any]) -> AsyncGenerator[str, None]:
        self.sent, fault, self.fault = body, self.fault, None
        if self.refused is not None:
            (_, _), self.refused = self.refused, None
            raise UpstreamError("The engine refused.")
        self.running += 1
        try:
            for place, word in enumerate(_kept(body)):
                yield word
                if fault == "hold":
                    await asyncio.sleep(1e6)
                if fault == "break":
                    raise UpstreamIncomplete("The engine broke off.")
                if not place % 2:
                    await asyncio.sleep(0)
        finally:
            self.running -= 1


ENGINE = Engine()


def _kept(body: Mapping[str, Any]) -> list[str]:
    words = list(WORDS[: body.get("max_tokens") or len(WORDS)])
    for place, word in enumerate(words):
        if any(stop in word for stop in body.get("stop") or ()):
            return words[:place]
    return words


def _reason(body: Mapping[str, Any]) -> Any:
    kept = _kept(body)
    limit = body.get("max_tokens")
    return "length" if limit is not None and len(kept) == limit < len(WORDS) else "stop"


def vector(text: str, size: int = 4) -> tuple[float, ...]:
    digest = hashlib.sha256(text.encode()).digest()
    return tuple(byte / 255 - 0.5 for byte in digest[:size])


class Lawful(Provider):
    """Keeps every rule; what a test breaks is one of its methods."""

    # -- life

    async def health(self) -> Health:
        if self._down:
            return Health(ProviderStatus.UNAVAILABLE, DOWN)
        return Health(ProviderStatus.READY, version="1")

    @property
    def _down(self) -> bool:
        return self.context.settings["url"] == "nowhere"

    def canonical(self, ref: str) -> str:
        return ref.lower()

    def _check(self, ref: str) -> None:
        if self._down:
            raise DOWN.error()
        if ref not in ENGINE.models:
            raise ModelNotFound("There is no such model.", param="model", fix="venom list")

    # -- models

    async def models(self) -> Sequence[Model]:
        if self._down:
            raise DOWN.error()
        return [self.model(name, size) for name, size in ENGINE.models.items()]

    def model(self, name: str, size: int) -> Model:
        return Model(name, "folder", size_bytes=size, context_length=CONTEXT, title=name.title())

    async def describe(self, ref: str) -> Model:
        self._check(ref)
        return self.model(ref, ENGINE.models[ref])

    # -- answers

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        self._check(request.model)
        if len(str(request.body["messages"])) > 500:
            raise ContextLengthExceeded.counted(500, CONTEXT, fix="Shorten it.")
        if request.body.get("tools"):
            for frame in self.calling(request):
                yield frame
            return
        async with contextlib.aclosing(self._answer(request, "assistant")) as frames:
            async for frame in frames:
                yield frame

    async def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        self._check(request.model)
        async with contextlib.aclosing(self._answer(request, None)) as frames:
            async for frame in frames:
                yield frame

    async def _answer(self, request: ChatRequest, role: str | None) -> AsyncGenerator[Frame, None]:
        reason = _reason(request.body)
        thought = "hm" if request.body.get("reasoning_effort") and role else None
        words = ENGINE.answer(self.sends(request.body))
        texts: list[str] = []
        try:
            async for word in words:
                if request.stream:
                    first = not texts
                    yield self.piece(word, role if first else None, thought if first else None)
                texts.append(word)
        finally:
            await words.aclose()
        usage = self.usage(len(texts))
        for frame in self.end(request.stream, "".join(texts), role, thought, reason, usage):
            yield frame

    def sends(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return dict(body)

    def piece(self, word: str, role: str | None, thought: str | None) -> Frame:
        return Frame.of(Chunk((Choice(index=0, role=role, content=word, reasoning=thought),)))

    def end(
        self,
        stream: bool,
        text: str,
        role: str | None,
        thought: str | None,
        reason: Any,
        usage: Usage | None,
    ) -> list[Frame]:
        if not stream:
            choice = Choice(
                index=0, role=role, content=text, reasoning=thought, finish_reason=reason
            )
            return [Frame.of(Answer((choice,), usage))]
        last = Frame.of(Chunk((Choice(index=0, finish_reason=reason),)))
        return [last, *([Frame.of(Chunk(usage=usage))] if usage else [])]

    def usage(self, count: int) -> Usage | None:
        return Usage(3, count)

    def calling(self, request: ChatRequest) -> list[Frame]:
        arguments = json.dumps({"city": "Łódź"})
        if not request.stream:
            call = ToolCall(0, "call_1", "get_weather", arguments)
            choice = Choice(
                index=0, role="assistant", tool_calls=(call,), finish_reason="tool_calls"
            )
            return [Frame.of(Answer((choice,), Usage(3, 4)))]
        first = ToolCall(0, "call_1", "get_weather", arguments[:5])
        second = ToolCall(0, None, None, arguments[5:])
        events = [
            Chunk((Choice(index=0, role="assistant", tool_calls=(first,)),)),
            Chunk((Choice(index=0, tool_calls=(second,)),)),
            Chunk((Choice(index=0, finish_reason="tool_calls"),)),
            Chunk(usage=Usage(3, 4)),
        ]
        return [Frame.of(event) for event in events]

    async def embed(self, request: EmbedRequest) -> Embeddings:
        self._check(request.model)
        size = request.dimensions or 4
        return Embeddings(tuple(vector(text, size) for text in request.inputs), len(request.inputs))

    async def rerank(self, request: RerankRequest) -> Reranked:
        self._check(request.model)
        return Reranked(tuple(float(len(one)) for one in request.documents), 1)

    # -- memory

    async def load(self, ref: str) -> None:
        self._check(ref)
        ENGINE.loaded.add(ref)

    async def unload(self, ref: str) -> None:
        ENGINE.loaded.discard(ref)

    async def ps(self) -> Sequence[LoadedModel]:
        return [LoadedModel(ref, ENGINE.models.get(ref)) for ref in sorted(ENGINE.loaded)]

    async def engines(self) -> Sequence[EngineStatus]:
        return [EngineStatus("acme", "running", pid=os.getpid(), memory_bytes=1 << 20)]

    async def start_engine(self) -> None:
        """The one of :meth:`engines` runs always."""

    async def stop_engine(self) -> None:
        raise Conflict("It is this process.", code="engine_not_ours", fix="Leave it.")

    # -- files

    async def plan_pull(self, ref: str) -> PullPlan:
        if ref != "large":
            raise ModelNotFound("The source has no such model.", fix="venom search")
        return PullPlan(ref, 300)

    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        await self.plan_pull(ref)
        for done in (0, 100, 300):
            yield PullProgress("pulling", "Fetching.", done, 300)
            await asyncio.sleep(0)
        ENGINE.models["large"] = 300
        yield PullProgress("completed", "There.", 300, 300)

    async def remove(self, ref: str) -> None:
        self._check(ref)
        del ENGINE.models[ref]

    async def plan_build(self, request: BuildRequest) -> PullPlan:
        ref = f"built-{request.precision}"
        if not await asyncio.to_thread((request.folder / "weights").is_file):
            raise InvalidRequest("The folder has no weights.", code="not_buildable")
        if ref in ENGINE.models:
            raise Conflict("It is built already.", code="already_built")
        return PullPlan(ref, 300)

    async def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        plan = await self.plan_build(request)
        yield BuildProgress("building", "Building.", 20)
        yield BuildProgress("building", "Building.", 50)
        ENGINE.models[plan.ref] = 300
        yield BuildProgress("completed", "There.", 100)

    # -- catalogue

    async def search(self, query: str, filters: SearchFilters, limit: int, page: int) -> SearchPage:
        if self._down:
            raise DOWN.error()
        found = [CatalogueEntry(f"model-{number}", size_bytes=10) for number in range(5)]
        return SearchPage(found[(page - 1) * limit : page * limit], 5)

    async def trending(self, limit: int) -> Sequence[CatalogueEntry]:
        return (await self.search("", SearchFilters(), limit, 1)).entries

    async def news(self, kind: Any, month: str | None, lang: str, limit: int) -> list[NewsItem]:
        times = ("2026-11-02T00:00:00Z", "2026-11-01T00:00:00Z")
        url = "https://example.org/a"
        return [NewsItem("News", url, "Short.", time, (), "Acme") for time in times][:limit]

    async def card(self, ref: str) -> RepositoryCard:
        if ref != "large":
            raise ModelNotFound("There is no such card.")
        file = RepositoryFile("a", 300, None, True)
        return RepositoryCard(CatalogueEntry(ref), None, (file,), 300)


TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
HELLO = [{"role": "user", "content": "Say hello."}]


async def lawful(folder: Path) -> AsyncIterator[Subject]:
    """A new engine, and everything that can be asked of it."""
    ENGINE.__init__()  # type: ignore[misc]
    long = [{"role": "user", "content": "word " * 200}]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    (folder / "source").mkdir()
    (folder / "source/weights").touch()
    yield Subject(
        build=BuildRequest("law://source", folder / "source", "law", "int8", "cpu"),
        chat=Ask("tiny"),
        complete=Ask("tiny"),
        embed=Ask("tiny"),
        too_long=Ask("tiny", {"messages": long}),
        stop=Ask("tiny", {"stop": ["three"]}),
        tools=Ask("tiny", {"tools": [TOOL]}),
        image=Ask("tiny", {"messages": [{"role": "user", "content": [image]}]}),
        reasoning=Ask("tiny", {"reasoning_effort": "low"}),
        pull="large",
        card="large",
        unreachable={"url": "nowhere"},
        upstream=ENGINE,
        seconds=20,
    )
