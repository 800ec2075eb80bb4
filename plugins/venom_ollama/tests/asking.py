"""Requests of the tests here to the provider, and its settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from venom_core.sdk import ChatRequest, EmbedRequest, Frame, ProviderContext
from venom_core.testing.contexts import provider_context
from venom_core.testing.deadlines import patience
from venom_ollama.plugin import venom_providers
from venom_ollama.provider import OllamaProvider

#: Makes an open provider with these settings.
Make = Callable[..., Awaitable[OllamaProvider]]

SPEC = next(iter(venom_providers()))

#: The conversation of record 302 and its options, as an OpenAI body.
HELLO = {
    "messages": [{"role": "user", "content": "Say hello."}],
    "temperature": 0,
    "seed": 42,
    "max_tokens": 16,
}


def chat(body: dict[str, Any] | None = None, *, stream: bool = True, **more: Any) -> ChatRequest:
    values = {"model": "gemma3:270m", "request_id": "r1", "timeout": 10.0, **more}
    return ChatRequest(body=HELLO if body is None else body, stream=stream, **values)


def embed(*inputs: str, **more: Any) -> EmbedRequest:
    values = {"model": "gemma3-embed", "request_id": "r1", "timeout": 10.0, **more}
    return EmbedRequest(inputs=inputs, **values)


def make_context(tmp_path: Path, **settings: Any) -> ProviderContext:
    return provider_context(SPEC, tmp_path / "data", tmp_path / "models", settings)


async def collect(frames: AsyncIterator[Frame], into: list[Frame] | None = None) -> list[Frame]:
    """All frames; those before an error are in ``into``. Longer than eight seconds is a hang."""
    found: list[Frame] = [] if into is None else into
    async with asyncio.timeout(patience(8)):
        async for frame in frames:
            found.append(frame)  # noqa: PERF401 - what came before an error is kept
    return found
