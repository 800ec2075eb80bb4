"""One fake Ollama for all tests here, in a process of its own, reset before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from venom_core.testing.ollama import FakeOllama


@pytest.fixture(scope="session")
def running_fake() -> Iterator[FakeOllama]:
    with FakeOllama() as fake:
        yield fake


@pytest.fixture
def fake(running_fake: FakeOllama) -> FakeOllama:
    running_fake.reset()
    return running_fake
