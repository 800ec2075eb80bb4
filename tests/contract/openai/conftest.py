"""A server whose one provider does what a test's script says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.served import served
from venom_core._version import __version__
from venom_core.api.app import create_app
from venom_core.composition import Venom
from venom_core.plugins.discovery import Found, Scan
from venom_core.plugins.host import PluginHost
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted

SCRIPTED = Found(
    "scripted", "venom_core.testing.scripted", "v1", "venom-scripted-test", "1", "third_party"
)


@pytest.fixture
async def base_url(tmp_path: Path) -> AsyncIterator[str]:
    """Where the server listens, with ``scripted.SCRIPTS`` for its models."""
    scripted.reset()
    paths = Paths.at(tmp_path)
    settings = Settings.load(paths, {})
    venom = Venom(settings, PluginHost(settings, paths, lambda: Scan(__version__, (SCRIPTED,))))
    async with served(create_app(venom)) as url:
        yield url
    scripted.reset()
