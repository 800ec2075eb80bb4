"""Fixtures of this provider's tests: providers over tiny models, in the test's own folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from venom_core.testing.contexts import provider_context
from venom_vllm.plugin import venom_providers
from venom_vllm.provider import VllmProvider

MakeProvider = Callable[..., VllmProvider]


@pytest.fixture
async def make_provider(tmp_path: Path) -> AsyncIterator[MakeProvider]:
    """Makes providers with a home in the test's folder and closes them after the test."""
    made: list[VllmProvider] = []

    def make(**settings: Any) -> VllmProvider:
        places = {"hub_cache": str(tmp_path / "cache"), "model_paths": (str(tmp_path / "places"),)}
        context = provider_context(
            venom_providers()[0], tmp_path / "data", tmp_path / "models", places | settings
        )
        made.append(VllmProvider(context))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()
