"""A server whose one provider does what a test's script says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.served import served
from tests.stage import stage
from venom_core.api.app import create_app
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.staging import venom_over

__all__ = ["stage"]  # used by being here


@pytest.fixture
async def base_url(tmp_path: Path) -> AsyncIterator[str]:
    """Serve and give the URL, with ``scripted.SCRIPTS`` for its models."""
    venom = venom_over(Settings.load(Paths.at(tmp_path), {}))
    async with served(create_app(venom)) as url:
        yield url
