"""The application over the scripted provider, called without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from venom_core._version import __version__
from venom_core.api.app import create_app
from venom_core.composition import Venom
from venom_core.plugins.discovery import Found, Scan
from venom_core.plugins.host import PluginHost
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted

SCRIPTED = Found(
    id="scripted",
    value="venom_core.testing.scripted",
    api="v1",
    distribution="venom-scripted-test",
    version="1.0",
    origin="third_party",
)

MakeVenom = Callable[..., Venom]


@pytest.fixture(autouse=True)
def stage() -> Iterator[None]:
    scripted.reset()
    yield
    scripted.reset()


@pytest.fixture
def make_venom(tmp_path: Path) -> MakeVenom:
    def make(**env: str) -> Venom:
        paths = Paths.at(tmp_path / "home")
        settings = Settings.load(paths, env)
        return Venom(settings, PluginHost(settings, paths, lambda: Scan(__version__, (SCRIPTED,))))

    return make


@asynccontextmanager
async def client_of(venom: Venom, **options: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, started and closed around it."""
    app = create_app(venom)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8366", **options
        ) as client:  # type: ignore[arg-type]
            yield client


@pytest.fixture
async def client(make_venom: MakeVenom) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_venom()) as client:
        yield client
