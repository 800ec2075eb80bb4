"""A real server on a real port, in this process, so that a test sees both its sides."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

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
    config = uvicorn.Config(create_app(venom), log_level="error", access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        server.force_exit = True
        await asyncio.wait_for(serving, 10)
    scripted.reset()
