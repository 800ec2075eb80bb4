"""The application over the scripted provider, called without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.declared_answers import check_answers
from tests.stage import scripted_venom, stage
from venom_core.api.app import create_app
from venom_core.composition import Venom
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

__all__ = ["stage"]  # used by being here

MakeVenom = Callable[..., Venom]


@pytest.fixture
def make_venom(tmp_path: Path) -> MakeVenom:
    def make(**env: str) -> Venom:
        paths = Paths.at(tmp_path / "home")
        settings = Settings.load(paths, env)
        return scripted_venom(settings)

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


@pytest.fixture(autouse=True)
def declared_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Every answer of these tests is as its route declares."""
    with check_answers(monkeypatch) as checked:
        yield checked
