"""The stream that a client reads where a plugin breaks the law of the chat interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.contract.openai.asking import (
    BODY,
    client,
    engine,
)
from tests.stage import stage
from venom_core.sdk.frames import Choice, Chunk, Frame, FrameKind, Usage, delta, finish
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.engine import ScriptedEngine
from venom_core.testing.scripted import Script, answer
from venom_core.testing.wire_law import lawful

__all__ = ["client", "engine", "stage"]  # used by being here


class Odd(BaseException):
    """Nothing that an except clause expects."""


RAW = b'{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":null}]}'
PLUGINS: dict[str, list[Any]] = {
    "cancelled": [asyncio.CancelledError()],
    "interrupted": [KeyboardInterrupt()],
    "exits": [SystemExit(1)],
    "closes": [GeneratorExit()],
    "odd": [Odd()],
    "stops": [StopAsyncIteration()],
    "raw and broken": [Frame.raw(FrameKind.DELTA, b"{x}")],
    "raw and no object": [Frame.raw(FrameKind.DELTA, b"[]")],
    "raw with an error": [Frame.raw(FrameKind.DELTA, b'{"error": {"message": "x"}}')],
    "raw and empty": [Frame.raw(FrameKind.DELTA, b"")],
    "an answer": answer("b"),
    "no choices": [Chunk(None)],  # type: ignore[arg-type]
    "no text": [delta(object())],  # type: ignore[arg-type]
}


@pytest.mark.parametrize("steps", PLUGINS.values(), ids=PLUGINS)
async def test_a_plugin_that_breaks_the_law(client: httpx.AsyncClient, steps: list[Any]) -> None:
    scripted.SCRIPTS["m"] = Script([delta("a"), *steps])
    response = await client.post("/v1/chat/completions", json={**BODY, "model": "scripted://m"})
    answer = lawful(response.content)
    assert answer.text == "a"
    assert answer.error is not None
    assert answer.error["code"] in ("upstream_error", "upstream_incomplete")
    assert scripted.SEEN.running == 0


@pytest.mark.parametrize("steps", PLUGINS.values(), ids=PLUGINS)
async def test_the_page_is_told_of_it_too(client: httpx.AsyncClient, steps: list[Any]) -> None:
    scripted.SCRIPTS["m"] = Script([delta("a"), *steps])
    response = await client.post(
        "/api/v1/llm/simple/stream", json={"content": "hi", "model": "scripted://m"}
    )
    names = [line[7:] for line in response.text.split("\n") if line.startswith("event: ")]
    assert names == ["start", "content", "error"]


SENT: dict[str, list[Any]] = {
    "raw in lines": [Frame.raw(FrameKind.DELTA, RAW.replace(b":", b":\n\n")), finish("stop")],
    "raw of another kind": [Frame.raw(FrameKind.DELTA, RAW.replace(b"null", b'"stop"'))],
    "usage first": [Chunk(usage=Usage(1, 2)), delta("b"), finish("stop")],
    "nothing": [Chunk(), delta("b"), Chunk(), finish("stop"), Chunk()],
    "an error behind the finish": [delta("b"), finish("stop"), asyncio.CancelledError()],
    "NaN": [Chunk((Choice(content="b", logprobs={"content": [float("nan")]}),)), finish("stop")],
}


@pytest.mark.parametrize("steps", SENT.values(), ids=SENT)
async def test_a_plugins_frames_are_sent_by_the_law(
    client: httpx.AsyncClient, steps: list[Any]
) -> None:
    scripted.SCRIPTS["m"] = Script([delta("a"), *steps])
    response = await client.post("/v1/chat/completions", json={**BODY, "model": "scripted://m"})
    answer = lawful(response.content)
    assert answer.error is None
    assert (answer.text, answer.reasons) == ("ab", {0: "stop"})


@pytest.mark.parametrize(
    ("path", "body", "ending"),
    [("/v1/chat/completions", BODY, b"data: [DONE]\n\n"),
     ("/v1/completions", {"prompt": "hi", "stream": True}, b"data: [DONE]\n\n"),
     ("/api/v1/llm/simple/stream", {"content": "hi"}, b"event: error\ndata: ")],
)  # fmt: skip
async def test_a_task_that_is_cancelled_ends_its_stream(
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: dict[str, Any],
    ending: bytes,
) -> None:
    """By a plugin, or because the server stops: the client has not left and is told."""

    async def play(*_: object) -> AsyncIterator[Frame]:
        yield Frame.of(delta("a"))
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    scripted.SCRIPTS["m"] = Script([])
    monkeypatch.setattr(scripted.ScriptedProvider, "_play", play)
    sent: list[bytes] = []
    asked = iter([{"type": "http.request", "body": json.dumps({**body, "model": "scripted://m"})
                   .encode(), "more_body": False}])  # fmt: skip

    async def receive() -> Any:
        message = next(asked, None)
        return message if message is not None else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    headers = [(b"host", b"127.0.0.1:8366"), (b"content-type", b"application/json")]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
             "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"",
             "scheme": "http", "headers": headers, "client": ("127.0.0.1", 5),
             "server": ("127.0.0.1", 8366)}  # fmt: skip
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    answering = asyncio.create_task(transport.app(scope, receive, send))  # type: ignore[arg-type]
    await asyncio.wait({answering})
    assert answering.cancelled()
    told = b"".join(sent)
    if path.startswith("/v1"):
        assert told.endswith(ending)
        said = lawful(told)
        assert said.error is not None
        assert (said.text, said.error["code"]) == ("a", "upstream_incomplete")
    else:
        assert told.count(ending) == 1
        assert told.rstrip().rpartition(b"\n\n")[2].startswith(ending)


@pytest.mark.parametrize("steps", PLUGINS.values(), ids=PLUGINS)
async def test_a_translation_ends_in_an_error_too(
    client: httpx.AsyncClient, engine: ScriptedEngine, steps: list[Any]
) -> None:
    engine.models = []  # no other model answers
    model = Model("m", "folder", languages=("pl", "en", "de"))
    scripted.SCRIPTS["m"] = Script([delta("Dzień dobry, to jest tekst. " * 20), *steps], model)
    body = {"text": "Good day, this is a text.", "target_lang": "pl", "use_cache": False}
    response = await client.post("/api/v1/translate/stream", json=body)
    names = [line[7:] for line in response.text.split("\n") if line.startswith("event: ")]
    assert names[-1:] == ["error"], response.text
    assert names.count("error") == 1
