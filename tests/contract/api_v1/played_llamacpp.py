"""The scripted provider under the name of an engine that readers of the examples know."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from venom_core.sdk.frames import Event, Frame, delta
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.spec import BuildFormat, ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus
from venom_core.testing import scripted
from venom_core.testing.scripted import ScriptedProvider, Step, answer, say
from venom_core.testing.staging import entry

ENTRY = entry("tests.contract.api_v1.played_llamacpp", "llamacpp")


@hookimpl
def venom_providers() -> list[ProviderSpec]:
    return [
        replace(
            spec,
            name="llamacpp",
            title="llama.cpp",
            summary="GGUF models in this process's own engine.",
            builds=(BuildFormat("onnx", ("int4", "fp16"), ("cpu", "cuda")),),
            environments=(),
            factory="tests.contract.api_v1.played_llamacpp:PlayedLlamacpp",
            preference=50,
        )
        for spec in scripted.venom_providers()
    ]


class PlayedLlamacpp(ScriptedProvider):
    """Greets and translates a greeting: in pieces where a stream is asked for, else whole."""

    async def health(self) -> Health:
        return Health(ProviderStatus.READY, version="b7200")

    def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return _said(request)

    def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return _said(request)


async def _said(request: ChatRequest) -> AsyncGenerator[Frame, None]:
    words = (
        ("Dzień", " dobry") if "Good day" in json.dumps(dict(request.body)) else ("Hello", " there")
    )
    if "everything" in json.dumps(dict(request.body)):
        for number in range(10_000):
            yield Frame.of(delta(f"word{number} "))
            await asyncio.sleep(0.005)
    steps: Sequence[Step] = say(*words) if request.stream else answer("".join(words))
    for step in steps:
        assert isinstance(step, Event)
        yield Frame.of(step)
