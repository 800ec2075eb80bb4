"""The application over the scripted provider, called without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.declared_answers import check_answers
from tests.stage import stage
from venom_core.composition import Venom
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.staging import client_of, venom_over

__all__ = ["stage"]  # used by being here

MakeVenom = Callable[..., Venom]


@pytest.fixture
def make_venom(tmp_path: Path) -> MakeVenom:
    def make(**env: str) -> Venom:
        paths = Paths.at(tmp_path / "home")
        settings = Settings.load(paths, env)
        return venom_over(settings)

    return make


@pytest.fixture
async def client(make_venom: MakeVenom) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_venom()) as client:
        yield client


@pytest.fixture(autouse=True)
def declared_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Every answer of these tests is as its route declares."""
    with check_answers(monkeypatch) as checked:
        yield checked
