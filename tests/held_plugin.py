"""Fake plugins whose answers go on until a test lets them end: one is called ``vllm``, which light
leaves out, and one starts engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from venom_core.sdk.frames import Frame, delta, finish
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.provider import EngineStatus, LoadedModel, Model
from venom_core.sdk.spec import Capability, ProviderSpec
from venom_core.testing.scripted import ScriptedProvider

MODEL = "held"


class Held:
    """Tells what the provider did; ``go`` lets every answer end."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.running = 0
        self.broken_off = 0
        self.closed: list[str] = []
        self.memory: set[str] = set()
        self.unloaded: list[str] = []


HELD = Held()


def reset() -> Held:
    """Forget what was done; the new state is ``HELD``."""
    global HELD
    HELD = Held()
    return HELD


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    abilities = {Capability.CHAT, Capability.LOAD, Capability.UNLOAD, Capability.PS}
    return [
        ProviderSpec(
            name="vllm",
            title="Held",
            summary="Answers when a test lets it.",
            factory="tests.held_plugin:HeldProvider",
            capabilities=frozenset({*abilities, Capability.ENGINES}),
            preference=25,
        )
    ]


class HeldProvider(ScriptedProvider):
    """Has one model, whose answer is two words with the wait between them."""

    async def models(self) -> Sequence[Model]:
        return [Model(MODEL, "folder")]

    async def describe(self, ref: str) -> Model:
        return Model(ref, "folder")

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        held, ended = HELD, False
        held.running += 1
        held.memory.add(request.model)
        try:
            yield Frame.of(delta("one", role="assistant"))
            await held.go.wait()
            yield Frame.of(delta("two"))
            yield Frame.of(finish("stop"))
            ended = True
        finally:
            held.running -= 1
            held.broken_off += not ended

    async def load(self, ref: str) -> None:
        HELD.memory.add(ref)

    async def unload(self, ref: str) -> None:
        HELD.memory.discard(ref)
        HELD.unloaded.append(ref)

    async def ps(self) -> Sequence[LoadedModel]:
        return [LoadedModel(ref, 1000) for ref in sorted(HELD.memory)]

    async def engines(self) -> Sequence[EngineStatus]:
        return [EngineStatus(name=ref, state="running", model=ref) for ref in HELD.memory]

    async def close(self) -> None:
        HELD.closed.append(self.context.spec.name)
        HELD.memory.clear()
