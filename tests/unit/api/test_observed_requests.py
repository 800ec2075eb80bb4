"""Observers are told of every request, however it ended, and never a word of the client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.served import served
from tests.unit.api.conftest import MakeVenom
from venom_core.api.app import create_app
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import Chunk, Usage, delta, finish
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience, until
from venom_core.testing.scripted import Pause, Script, answer, say

HI = {"model": "m", "messages": [{"role": "user", "content": "a secret question"}]}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: What every event of a request says.
ALWAYS = {
    "request_id", "key_id", "operation", "provider", "model", "runs_at", "code",
    "duration_seconds", "traceparent",
}  # fmt: skip


class Observer:
    """Keeps the events of requests."""

    def __init__(self) -> None:
        self.seen: list[ObservedEvent] = []

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        if event.name.endswith(".finished") or event.name == "request.refused":
            self.seen.append(event)

    async def one(self) -> dict[str, Any]:
        """Return the data of the only event, once it is there."""
        await until(lambda: bool(self.seen))
        (event,) = self.seen
        assert event.data.keys() >= ALWAYS
        assert event.data["duration_seconds"] >= 0
        assert "secret" not in json.dumps(dict(event.data))
        return {"event": event.name, **event.data}


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.fixture
async def client(make_venom: MakeVenom, observer: Observer) -> AsyncIterator[httpx.AsyncClient]:
    """A client over a socket: one that leaves is seen."""
    venom = make_venom(VENOM_QUEUE_SIZE="0", VENOM_MAX_CONCURRENT="1")
    venom.host.add_observer("test", observer)
    async with (
        served(create_app(venom)) as url,
        httpx.AsyncClient(base_url=url, timeout=patience(30)) as client,
    ):
        yield client


async def test_a_stream_that_ended(client: httpx.AsyncClient, observer: Observer) -> None:
    steps = say("a", "b", usage=Usage(7, 2, cached_tokens=5))
    scripted.SCRIPTS["m"] = Script(steps, Model("m", "folder", runs_at="far.example"))
    body = {**HI, "stream": True, "temperature": 0.5, "max_tokens": 9, "stop": "secret"}
    await client.post("/v1/chat/completions", json=body, headers={"traceparent": PARENT})
    told = await observer.one()
    assert told["event"] == "chat.finished"
    assert told["ttft_seconds"] <= told["duration_seconds"]
    expected = {
        "operation": "chat", "provider": "scripted", "model": "m", "code": None, "stream": True,
        "prompt_tokens": 7, "completion_tokens": 2, "cached_tokens": 5, "pieces": 2,
        "finish_reasons": ["stop"], "runs_at": "far.example", "traceparent": PARENT,
        "parameters": {"temperature": 0.5, "max_tokens": 9},
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected


async def test_a_whole_answer(client: httpx.AsyncClient, observer: Observer) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    await client.post("/v1/chat/completions", json=HI)
    told = await observer.one()
    assert (told["stream"], told["code"], told["finish_reasons"]) == (False, None, ["stop"])
    assert told["traceparent"] is told["runs_at"] is None
    assert told["parameters"] == {}


async def test_choices_are_told_in_their_order(
    client: httpx.AsyncClient, observer: Observer
) -> None:
    steps = [
        delta("a", index=0, role="assistant"), delta("b", index=1, role="assistant"),
        finish("length", index=1), finish("stop", index=0), Chunk(usage=Usage(1, 2)),
    ]  # fmt: skip
    scripted.SCRIPTS["m"] = Script(steps)
    await client.post("/v1/chat/completions", json={**HI, "stream": True, "n": 2})
    told = await observer.one()
    assert (told["finish_reasons"], told["parameters"]) == (["stop", "length"], {"n": 2})


async def test_one_that_the_client_left(client: httpx.AsyncClient, observer: Observer) -> None:
    scripted.SCRIPTS["m"] = Script([delta("a", role="assistant"), Pause(forever=True)])
    async with client.stream("POST", "/v1/chat/completions", json={**HI, "stream": True}) as left:
        assert left.status_code == 200
    told = await observer.one()
    assert (told["event"], told["code"]) == ("chat.finished", "client_gone")
    assert told["finish_reasons"] == []


async def test_one_that_failed(client: httpx.AsyncClient, observer: Observer) -> None:
    scripted.SCRIPTS["m"] = Script([UpstreamError("a secret of the engine")])
    await client.post("/v1/chat/completions", json=HI, headers={"traceparent": PARENT})
    told = await observer.one()
    assert (told["event"], told["code"]) == ("chat.finished", "upstream_error")
    assert told["traceparent"] == PARENT


@pytest.mark.parametrize(
    ("path", "body", "operation"),
    [
        ("/v1/chat/completions", HI, "chat"),
        ("/v1/completions", {"model": "m", "prompt": "secret"}, "completion"),
        ("/v1/embeddings", {"model": "m", "input": "secret"}, "embed"),
        ("/v1/rerank", {"model": "m", "query": "secret", "documents": ["secret"]}, "rerank"),
        ("/api/v1/llm/simple/stream", {"content": "secret", "model": "m"}, "chat"),
        ("/api/v1/translate", {"text": "secret", "target_lang": "de"}, "chat"),
    ],
)
async def test_one_that_was_refused(
    client: httpx.AsyncClient, observer: Observer, path: str, body: Any, operation: str
) -> None:
    body = {**body, "model": "secret-model"} if "model" in body else body
    await client.post(path, json=body, headers={"traceparent": PARENT})
    told = await observer.one()
    assert (told["event"], told["operation"]) == ("request.refused", operation)
    assert told["provider"] is told["model"] is None
    assert told["code"] in ("model_not_found", "no_model")
    assert told["traceparent"] == PARENT


@pytest.mark.parametrize(
    ("path", "body", "event"),
    [
        ("/v1/embeddings", {"model": "m", "input": "secret"}, "embed.finished"),
        ("/v1/rerank", {"model": "m", "query": "q", "documents": ["secret"]}, "rerank.finished"),
    ],
)
async def test_numbers_are_told_too(
    client: httpx.AsyncClient, observer: Observer, path: str, body: Any, event: str
) -> None:
    capability = "embedding" if event == "embed.finished" else "rerank"
    model = Model("m", "folder", capabilities=frozenset({capability}))  # type: ignore[arg-type]
    scripted.SCRIPTS["m"] = Script([], model)
    response = await client.post(path, json=body, headers={"traceparent": PARENT})
    assert response.status_code == 200, response.text
    told = await observer.one()
    assert (told["event"], told["operation"]) == (event, event.partition(".")[0])
    assert (told["traceparent"], told["code"]) == (PARENT, None)
    assert told["prompt_tokens"] is not None


async def test_a_translation_is_in_the_trace(client: httpx.AsyncClient, observer: Observer) -> None:
    scripted.SCRIPTS["m"] = Script(say("Hallo"), Model("m", "folder", languages=("en", "de")))
    body = {"text": "a secret", "target_lang": "de", "source_lang": "en"}
    response = await client.post("/api/v1/translate", json=body, headers={"traceparent": PARENT})
    assert response.status_code == 200, response.text
    assert (await observer.one())["traceparent"] == PARENT


@pytest.mark.parametrize(
    "given",
    [
        "", "nonsense", PARENT.upper(), PARENT + "-more", PARENT[:-1], "00", "01" + PARENT[2:],
        "00-" + "0" * 32 + PARENT[35:], PARENT[:36] + "0" * 16 + "-01", "x" * 5000,
    ],
    ids=range(10),
)  # fmt: skip
async def test_a_place_in_a_trace_that_is_none(
    client: httpx.AsyncClient, observer: Observer, given: str
) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    headers = {"traceparent": given}
    response = await client.post("/v1/chat/completions", json=HI, headers=headers)
    assert response.status_code == 200
    assert (await observer.one())["traceparent"] is None


async def test_one_too_many_names_the_model(client: httpx.AsyncClient, observer: Observer) -> None:
    scripted.SCRIPTS["m"] = Script([Pause(forever=True)])
    first = asyncio.create_task(client.post("/v1/chat/completions", json=HI))
    await until(lambda: scripted.SEEN.running == 1)
    second = await client.post("/v1/chat/completions", json=HI)
    told = await observer.one()
    assert second.status_code == 429
    assert (told["code"], told["provider"], told["model"]) == ("queue_full", "scripted", "m")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
