from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.provider import ProviderContext
from venom_core.testing.deadlines import patience
from venom_core.testing.engine import ScriptedEngine, scripted_engine
from venom_remote import provider
from venom_remote.plugin import venom_providers
from venom_remote.provider import RemoteProvider

Opened = Callable[..., AbstractAsyncContextManager[RemoteProvider]]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is called silent because the machine is busy."""
    monkeypatch.setattr(provider, "LIST_TIMEOUT", patience(provider.LIST_TIMEOUT))


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine() as engine:
        yield engine


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Opens a provider over the given URLs."""

    @contextlib.asynccontextmanager
    async def make(*urls: str, **settings: object) -> AsyncIterator[RemoteProvider]:
        spec = venom_providers()[0]
        values = {setting.name: setting.default for setting in spec.settings}
        context = ProviderContext(
            spec,
            {**values, "urls": urls, **settings},  # type: ignore[dict-item]
            tmp_path,
            tmp_path,
            logging.getLogger("test"),
        )
        remote = RemoteProvider(context)
        await remote.open()
        try:
            await remote.models()
            yield remote
        finally:
            await remote.close()

    return make


def request(model: str = "m", *, stream: bool = True, timeout: float = 5.0) -> ChatRequest:
    body = {"messages": [{"role": "user", "content": "hi"}]}
    return ChatRequest(model, body, stream, "req-1", timeout)
