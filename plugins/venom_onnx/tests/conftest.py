"""Fixtures of this provider's tests: providers over tiny models, in the test's own folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.provider import ProviderContext
from venom_core.testing.contexts import provider_context
from venom_onnx.plugin import venom_providers
from venom_onnx.provider import OnnxProvider

MakeProvider = Callable[..., OnnxProvider]


def context(home: Path, **settings: Any) -> ProviderContext:
    values = {"hub_cache": str(home / "cache"), "threads": 1, **settings}
    return provider_context(venom_providers()[0], home / "data", home / "models", values)


@pytest.fixture
async def make_provider(tmp_path: Path) -> AsyncIterator[MakeProvider]:
    """Makes providers with a home in the test's folder and closes them after the test."""
    made: list[OnnxProvider] = []

    def make(**settings: Any) -> OnnxProvider:
        made.append(OnnxProvider(context(tmp_path, **settings)))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()


@pytest.fixture(scope="session")
def context_at() -> Callable[..., ProviderContext]:
    """Makes contexts with a home in the given folder."""
    return context
