"""Fixtures of this provider's tests: providers over tiny models, in the test's own folder."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.provider import ProviderContext
from venom_vllm.plugin import venom_providers
from venom_vllm.provider import VllmProvider

MakeProvider = Callable[..., VllmProvider]


def values(home: Path, **settings: Any) -> dict[str, Any]:
    spec = venom_providers()[0]
    found = {setting.name: setting.default for setting in spec.settings}
    places = (str(home / "places"),)
    return found | {"hub_cache": str(home / "cache"), "model_paths": places, **settings}


@pytest.fixture
async def make_provider(tmp_path: Path) -> AsyncIterator[MakeProvider]:
    """Makes providers with a home in the test's folder and closes them after the test."""
    made: list[VllmProvider] = []

    def make(**settings: Any) -> VllmProvider:
        spec, given = venom_providers()[0], values(tmp_path, **settings)
        log = logging.getLogger("vllm")
        made.append(
            VllmProvider(ProviderContext(spec, given, tmp_path / "data", tmp_path / "models", log))
        )
        return made[-1]

    yield make
    for provider in made:
        await provider.close()
