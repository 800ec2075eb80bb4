"""A fake Ollama in a process of its own, and providers that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.venom_ollama.tests.asking import Make, make_context
from venom_core.testing.ollama import FakeOllama
from venom_ollama.provider import OllamaProvider


@pytest.fixture(scope="session")
def running_fake() -> Iterator[FakeOllama]:
    with FakeOllama() as fake:
        yield fake


@pytest.fixture
def fake(running_fake: FakeOllama) -> FakeOllama:
    running_fake.reset()
    return running_fake


@pytest.fixture
async def make(fake: FakeOllama, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes open providers with the settings given; closes them."""
    made: list[OllamaProvider] = []

    async def make_one(**settings: Any) -> OllamaProvider:
        provider = OllamaProvider(make_context(tmp_path, **{"base_url": fake.url, **settings}))
        await provider.open()
        made.append(provider)
        return provider

    yield make_one
    for provider in made:
        await provider.close()


@pytest.fixture
async def provider(make: Make) -> OllamaProvider:
    return await make()
