"""Asking a scripted server through the plugin ``remote`` and the whole application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from venom_core._version import __version__
from venom_core.plugins.discovery import Found
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.engine import Reply, ScriptedEngine, chunk, scripted_engine, sse
from venom_core.testing.staging import SCRIPTED, client_of, venom_over
from venom_core.testing.wire_law import Streamed, lawful

REMOTE = Found(
    id="remote",
    value="venom_remote.plugin",
    api="v1",
    distribution="venom-remote",
    version=__version__,
    origin="first_party",
)
BODY = {"messages": [{"role": "user", "content": "hi"}], "stream": True}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
A, B, END, DONE = (*sse(chunk("Hel"), chunk("lo"), chunk(finish="stop"), "[DONE]"),)
COUNTS = sse({"id": "e", "model": "m", "choices": [], "usage": USAGE})[0]


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine() as engine:
        yield engine


@pytest.fixture
async def client(tmp_path: Path, engine: ScriptedEngine) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings.load(Paths.at(tmp_path / "home"), {"VENOM_REMOTE__URLS": engine.url})
    async with client_of(venom_over(settings, (SCRIPTED, REMOTE))) as client:
        yield client


class Asker:
    """Asks the server behind the plugin ``remote``, which replies with what is given."""

    def __init__(self, client: httpx.AsyncClient, engine: ScriptedEngine) -> None:
        self._client, self._engine = client, engine

    async def post(self, *chunks: bytes, wire: str = "chat", **more: Any) -> httpx.Response:
        reply = {key: more.pop(key) for key in ("fault", "status", "headers") if key in more}
        return await self.reply(Reply(chunks, **reply), wire, **more)

    async def reply(self, reply: Reply, wire: str = "chat", **more: Any) -> httpx.Response:
        """Ask, and have the server reply with this."""
        self._engine.reply = reply
        path, body = "/v1/chat/completions", {**BODY, "model": "remote://m", **more}
        if wire == "completion":
            path, body["prompt"] = "/v1/completions", body.pop("messages") and "hi"
        return await self._client.post(path, json=body)

    async def stream(self, *chunks: bytes, choices: int = 1, **more: Any) -> Streamed:
        response = await self.post(*chunks, **more)
        assert response.status_code == 200, response.text
        return lawful(response.content, choices=choices)


@pytest.fixture
def ask(client: httpx.AsyncClient, engine: ScriptedEngine) -> Asker:
    return Asker(client, engine)


def data(body: Any, newline: bytes = b"\n") -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"data: " + text + newline * 2


def choice(**parts: Any) -> dict[str, Any]:
    return {"id": "e", "model": "m", "choices": [{"index": 0, "finish_reason": None, **parts}]}


def said(content: Any) -> dict[str, Any]:
    return choice(delta={"content": content})
