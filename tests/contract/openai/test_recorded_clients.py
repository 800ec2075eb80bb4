"""Requests of the field's clients, recorded, against the application over a fake engine.

``make test-clients`` runs the clients themselves; these are what they sent, kept so that each is
tried in seconds and without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clients.exchange import KEY, play, recorded
from tests.clients.fake_engine import MODELS, reply_to
from tests.contract.openai.asking import REMOTE
from tests.served import served
from tests.stage import stage
from venom_core.api.app import create_app
from venom_core.chat.parameters import apply_policy
from venom_core.sdk.messages import MessageBody
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.engine import ScriptedEngine, scripted_engine
from venom_core.testing.staging import venom_over
from venom_ollama.plugin import venom_providers

__all__ = ["stage"]  # used by being here

FILES = recorded()
#: The clients whose requests are kept.
CLIENTS = {
    "aider", "continue", "haystack-ai", "instructor", "jdk-httpclient", "langchain-openai",
    "litellm", "llama-index-llms-openai-like", "openai-js", "openai-python", "openai-python-3",
    "pydantic-ai-slim", "vercel-ai-js",
}  # fmt: skip
REQUESTS = {
    f"{client}: {request['name']}": request
    for client, file in FILES.items()
    for request in file["requests"]
}


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine() as engine:
        engine.models, engine.reply = MODELS, reply_to
        yield engine


@pytest.fixture
async def url(tmp_path: Path, engine: ScriptedEngine) -> AsyncIterator[str]:
    (tmp_path / "key").write_text(KEY)
    env = {"VENOM_REMOTE__URLS": engine.url, "VENOM_API_KEY_FILE": str(tmp_path / "key")}
    settings = Settings.load(Paths.at(tmp_path / "home"), env)
    async with served(create_app(venom_over(settings, (REMOTE,)))) as url:
        yield url


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_a_recorded_request(
    url: str, engine: ScriptedEngine, request_: Mapping[str, Any]
) -> None:
    assert await asyncio.to_thread(play, url, request_) == request_["outcome"]
    if "body" in request_ and request_["outcome"]["status"] == 200:
        assert_passed_on(request_["body"], engine)


def assert_passed_on(sent: Mapping[str, Any], engine: ScriptedEngine) -> None:
    """Everything that asks for something reaches the engine; messages word for word."""
    asked = [body for path, _, body in engine.requests if path.startswith("/v1/") and body]
    got = asked[-1]
    for name, value in sent.items():
        if name == "messages":
            assert [words(turn) for turn in got["messages"]] == [words(turn) for turn in value]
            assert all(turn.keys() <= MessageBody.__annotations__.keys() for turn in got[name])
        elif name == "prompt":
            assert [body["prompt"] for body in asked] == as_list(value)
        elif name == "input":
            assert got["input"] == as_list(value)
        elif name not in ("stream", "stream_options", "encoding_format") and value not in NO_WORD:
            assert got[name] == value


#: Values that are no word at all.
NO_WORD: tuple[Any, ...] = (None, "", [], {}, -1)


def words(turn: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a turn says, in the one form that providers see."""
    role = "system" if turn["role"] == "developer" else turn["role"]
    calls = [call["function"] for call in turn.get("tool_calls") or ()]
    return role, turn.get("content") or None, calls, turn.get("tool_call_id")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_default_provider_honours_every_parameter_that_they_send() -> None:
    (ollama,) = venom_providers()
    for name, request in REQUESTS.items():
        body = request.get("body", {})
        if "messages" in body:
            kept, left_out = apply_policy(body, ollama.parameters, "strict", model=name)
            assert (kept.get("tools"), left_out) == (body.get("tools") or None, ())


def test_every_client_is_kept_and_says_where_it_is_from() -> None:
    assert set(FILES) == CLIENTS
    for client, file in FILES.items():
        assert file["source"].startswith(("recorded from ", "written from ")), client
        assert file["requests"], client
