"""A provider that plays scripts: for what a real engine will not do on demand.

It is a plugin like any other (``venom_core.testing.scripted`` is its manifest and its factory), so
the host, the chat path and the API treat it as they treat all. A test puts scripts into
``SCRIPTS`` by model name and reads from ``SEEN`` what the provider was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from venom_core.sdk.errors import ModelNotFound
from venom_core.sdk.frames import Answer, Choice, Chunk, Event, Frame, Usage, delta, finish
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest, Reranked, RerankRequest
from venom_core.sdk.provider import (
    BuildProgress,
    BuildRequest,
    LoadedModel,
    Model,
    Provider,
    PullPlan,
    PullProgress,
)
from venom_core.sdk.spec import BuildFormat, Capability, EngineEnvironment, ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds of silence; ``forever`` hangs until the stream is closed."""

    seconds: float = 0.0
    forever: bool = False


T = TypeVar("T")
Step = Event | Frame | Pause | BaseException


@dataclass(slots=True)
class Script:
    """A model: the steps of its answer, and what the registry says of it."""

    steps: Sequence[Step]
    model: Model | None = None


@dataclass(slots=True)
class Seen:
    """The requests to the provider, and how often an answer was closed before its end."""

    requests: list[ChatRequest] = field(default_factory=list)
    embeds: list[EmbedRequest] = field(default_factory=list)
    reranks: list[RerankRequest] = field(default_factory=list)
    closed: int = 0
    running: int = 0
    calls: list[str] = field(default_factory=list)


def say(*words: str, usage: Usage | None = None) -> list[Step]:
    """Return the steps of a lawful stream."""
    deltas = [delta(word, role=None if index else "assistant") for index, word in enumerate(words)]
    end: list[Step] = [finish("stop"), Chunk(usage=usage or Usage(3, len(words)))]
    return [*deltas, *end]


def answer(text: str) -> list[Step]:
    """Return the one step of a whole answer."""
    return [Answer((Choice(role="assistant", content=text, finish_reason="stop"),), Usage(3, 2))]


SCRIPTS: dict[str, Script] = {}
SEEN = Seen()
#: The steps of the next pulls, by name; the last may be an exception.
PULLS: dict[str, Sequence[PullProgress | Pause | Exception]] = {}
#: What the next pulls would take, by name.
PLANS: dict[str, PullPlan] = {}
#: The steps of the next builds, by the reference of their source; the last may be an exception.
BUILDS: dict[str, Sequence[BuildProgress | Pause | Exception]] = {}


def reset() -> None:
    """Forget every script and everything seen."""
    global SEEN  # noqa: PLW0603 -- one process-wide stage is what a scripted plugin is
    SCRIPTS.clear()
    PULLS.clear()
    PLANS.clear()
    BUILDS.clear()
    SEEN = Seen()


#: What nobody publishes: a test that installs it brings the packages.
ENVIRONMENT = EngineEnvironment(
    name="scripted-tools",
    title="Tools of scripts",
    summary="Makes scripts.",
    packages=("acme-engine==1.0",),
    modules=("acme_engine",),
    download_bytes=2_000_000,
    disk_bytes=3_000_000,
)


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        ProviderSpec(
            name="scripted",
            title="Scripted",
            summary="Plays scripts in tests.",
            factory="venom_core.testing.scripted:ScriptedProvider",
            capabilities=frozenset(
                {
                    Capability.CHAT,
                    Capability.COMPLETE,
                    Capability.EMBED,
                    Capability.RERANK,
                    Capability.DESCRIBE,
                    Capability.LOAD,
                    Capability.UNLOAD,
                    Capability.PS,
                    Capability.PULL,
                    Capability.REMOVE,
                    Capability.BUILD,
                }
            ),
            parameters=frozenset({"temperature", "max_tokens", "stop", "tools", "n"}),
            builds=(BuildFormat("script", ("int8", "fp32"), ("cpu", "cuda")),),
            environments=(ENVIRONMENT,),
        )
    ]


class ScriptedProvider(Provider):
    """Plays ``SCRIPTS``."""

    async def health(self) -> Health:
        return Health(ProviderStatus.READY, version="scripted")

    async def models(self) -> Sequence[Model]:
        SEEN.calls.append("models")
        return [script.model or Model(name, "folder") for name, script in SCRIPTS.items()]

    async def describe(self, ref: str) -> Model:
        script = SCRIPTS.get(ref)
        if script is None:
            raise ModelNotFound(f"There is no script {ref!r}.")
        return script.model or Model(ref, "folder", details={"steps": len(script.steps)})

    def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return self._play(request)

    def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return self._play(request)

    async def _play(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        SEEN.requests.append(request)
        SEEN.running += 1
        ended = False
        try:
            for step in SCRIPTS[request.model].steps:
                if isinstance(step, Pause):
                    await asyncio.sleep(1e9 if step.forever else step.seconds)
                elif isinstance(step, BaseException):
                    raise step
                else:
                    yield step if isinstance(step, Frame) else Frame.of(step)
            ended = True
        finally:
            SEEN.running -= 1
            SEEN.closed += not ended

    async def embed(self, request: EmbedRequest) -> Embeddings:
        SEEN.embeds.append(request)
        vectors = tuple((float(len(item)), 0.5) for item in request.inputs)
        return Embeddings(vectors, sum(map(len, request.inputs)))

    async def rerank(self, request: RerankRequest) -> Reranked:
        SEEN.reranks.append(request)
        return Reranked(tuple(float(len(one)) for one in request.documents), len(request.query))

    async def load(self, ref: str) -> None:
        SEEN.calls.append(f"load {ref}")

    async def unload(self, ref: str) -> None:
        SEEN.calls.append(f"unload {ref}")

    async def ps(self) -> Sequence[LoadedModel]:
        return [LoadedModel(ref, 1000) for ref in SCRIPTS]

    async def plan_pull(self, ref: str) -> PullPlan:
        return PLANS.get(ref, PullPlan(ref))

    async def forget_pull(self, ref: str) -> None:
        SEEN.calls.append(f"forget {ref}")

    def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        SEEN.calls.append(f"pull {ref}")
        return _played(PULLS.get(ref, [ModelNotFound(f"There is no script {ref!r}.")]))

    async def plan_build(self, request: BuildRequest) -> PullPlan:
        return PullPlan(built_name(request))

    def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        SEEN.calls.append(f"build {built_name(request)}")
        return _played(BUILDS.get(request.source, []))

    async def forget_build(self, request: BuildRequest) -> None:
        SEEN.calls.append(f"forget {built_name(request)}")

    async def remove(self, ref: str) -> None:
        if SCRIPTS.pop(ref, None) is None:
            raise ModelNotFound(f"There is no script {ref!r}.")


def built_name(request: BuildRequest) -> str:
    """Return the name that the scripted provider gives to what it builds."""
    source = request.source.partition("://")[2]
    return f"{source}-{request.precision}-{request.execution_provider}"


async def _played(steps: Sequence[T | Pause | Exception]) -> AsyncGenerator[T, None]:
    ended = False
    try:
        for step in steps:
            if isinstance(step, Pause):
                await asyncio.sleep(1e9 if step.forever else step.seconds)
            elif isinstance(step, Exception):
                raise step
            else:
                yield step
        ended = True
    finally:
        SEEN.closed += not ended
