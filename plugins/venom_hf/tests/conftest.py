from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from venom_core.sdk.provider import ProviderContext, PullProgress
from venom_core.testing.contexts import provider_context
from venom_core.testing.deadlines import patience
from venom_core.testing.hub import FakeHub
from venom_hf.plugin import venom_providers
from venom_hf.provider import HuggingFaceProvider

Opened = Callable[..., AbstractAsyncContextManager[HuggingFaceProvider]]
REPO = "org/tiny"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def opened(tmp_path: Path, cache: Path, hub: FakeHub) -> Opened:
    """Opens a provider over the fake Hub."""

    @contextlib.asynccontextmanager
    async def make(**settings: object) -> AsyncIterator[HuggingFaceProvider]:
        provider = HuggingFaceProvider(context_of(hub, cache, tmp_path, **settings))
        await provider.open()
        try:
            yield provider
        finally:
            await provider.close()

    return make


def context_of(hub: FakeHub, cache: Path, data: Path, **settings: object) -> ProviderContext:
    values = {"endpoint": hub.url, "cache_dir": str(cache), "timeout": patience(10.0), **settings}
    return provider_context(venom_providers()[0], data, data, values)


def tensors(size: int = 2000, seed: int = 0) -> bytes:
    """A safetensors file of one tensor, of ``size`` bytes of numbers."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    one_round = bytes((place * 7 + seed) % 251 for place in range(251))
    numbers = (one_round * (size // 251 + 1))[:size]
    return struct.pack("<Q", len(header)) + header + numbers


def gguf(size: int = 2000, seed: int = 0) -> bytes:
    return b"GGUF" + bytes((place * 11 + seed) % 253 for place in range(size))


FILES = {"config.json": b'{"a": 1}', "tokenizer.json": b"{}", "model.safetensors": tensors()}


async def pulled(provider: HuggingFaceProvider, ref: str = REPO) -> list[PullProgress]:
    async with contextlib.aclosing(provider.pull(ref)) as steps:
        return [step async for step in steps]


def halves(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.incomplete"))
