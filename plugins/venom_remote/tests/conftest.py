from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from venom_core.sdk.messages import ChatRequest
from venom_core.testing import contexts
from venom_core.testing.contexts import provider_context
from venom_core.testing.deadlines import patience
from venom_core.testing.engine import ScriptedEngine, scripted_engine
from venom_remote import provider
from venom_remote.plugin import venom_providers
from venom_remote.provider import RemoteProvider

Opened = Callable[..., AbstractAsyncContextManager[RemoteProvider]]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is called silent because the machine is busy."""
    monkeypatch.setattr(provider, "LIST_TIMEOUT", patience(4 * provider.LIST_TIMEOUT))


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine() as engine:
        yield engine


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Opens a provider over the given URLs."""

    @contextlib.asynccontextmanager
    async def make(*urls: str, **settings: object) -> AsyncIterator[RemoteProvider]:
        values = {"urls": urls, **settings}
        context = provider_context(venom_providers()[0], tmp_path, tmp_path, values)
        async with contexts.opened(RemoteProvider(context)) as remote:
            await remote.models()
            yield remote

    return make


def request(model: str = "m", *, stream: bool = True, timeout: float = 5.0) -> ChatRequest:
    body = {"messages": [{"role": "user", "content": "hi"}]}
    return ChatRequest(model, body, stream, "req-1", timeout)
