"""The official ``ollama`` client for Python agrees with the fake: it is the reference of how
Ollama's answers are to be read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import ollama
import pytest

from venom_core.testing.ollama import FakeOllama, load_records

CHAT = load_records()["302_chat_stream"]


def recorded(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in load_records()[name].answer.body.splitlines()]


@pytest.fixture
async def client(fake: FakeOllama) -> AsyncIterator[ollama.AsyncClient]:
    async with ollama.AsyncClient(host=fake.url, trust_env=False) as client:
        yield client


async def test_list(client: ollama.AsyncClient) -> None:
    listed = await client.list()
    assert [m.model for m in listed.models] == [
        m["name"] for m in recorded("130_tags")[0]["models"]
    ]
    assert listed.models[0].details is not None
    assert listed.models[0].details.quantization_level == "Q4_K_M"


async def test_show(client: ollama.AsyncClient) -> None:
    shown = await client.show("gemma3:270m")
    assert shown.capabilities == ["completion"]
    assert shown.modelinfo is not None
    assert shown.modelinfo["gemma3.context_length"] == 32768


async def test_chat_stream(client: ollama.AsyncClient) -> None:
    parts = [
        part
        async for part in await client.chat(
            "gemma3:270m", CHAT.body["messages"], options=CHAT.body["options"], stream=True
        )
    ]
    lines = recorded("302_chat_stream")
    assert [part.message.content for part in parts] == [x["message"]["content"] for x in lines]
    assert parts[-1].done_reason == "length"
    assert parts[-1].prompt_eval_count == 12


async def test_chat(client: ollama.AsyncClient) -> None:
    answer = await client.chat("gemma3:270m", CHAT.body["messages"], options=CHAT.body["options"])
    assert answer.message.content == recorded("303_chat_nostream")[0]["message"]["content"]


async def test_tool_calls(client: ollama.AsyncClient) -> None:
    body = load_records()["308b_chat_tools_forced_schema"].body
    answer = await client.chat(
        body["model"], body["messages"], tools=body["tools"], format=body["format"],
        options=body["options"],
    )  # fmt: skip
    assert answer.message.tool_calls is not None
    (call,) = answer.message.tool_calls
    assert (call.function.name, call.function.arguments) == ("get_weather", {"city": "Paris"})


async def test_generate(client: ollama.AsyncClient) -> None:
    body = load_records()["207_generate_raw"].body
    answer = await client.generate(body["model"], body["prompt"], raw=True, options=body["options"])
    assert answer.response == recorded("207_generate_raw")[0]["response"]


async def test_embed(client: ollama.AsyncClient) -> None:
    answer = await client.embed("gemma3-embed", ["hello world", "goodbye"])
    assert [list(v) for v in answer.embeddings] == recorded("453_embed_list")[0]["embeddings"]


async def test_pull_progress(client: ollama.AsyncClient) -> None:
    steps = [
        step
        async for step in await client.pull(
            "127.0.0.1:5555/library/gemma3:270m", insecure=True, stream=True
        )
    ]
    lines = recorded("620_pull_stream")
    assert [step.status for step in steps] == [line["status"] for line in lines]
    assert [step.completed for step in steps] == [line.get("completed") for line in lines]


async def test_pull_that_fails_in_its_stream(client: ollama.AsyncClient) -> None:
    with pytest.raises(ollama.ResponseError, match="file does not exist"):
        async for _ in await client.pull("127.0.0.1:5555/library/nope", insecure=True, stream=True):
            pass


async def test_ps(client: ollama.AsyncClient) -> None:
    (loaded,) = (await client.ps()).models
    assert (loaded.model, loaded.context_length) == ("gemma3:270m", 4096)
    assert loaded.expires_at is not None
    assert loaded.expires_at.year == 2026


async def test_delete_and_copy(client: ollama.AsyncClient) -> None:
    assert (await client.delete("gemma3-backup")).status == "success"
    assert (await client.copy("gemma3:270m", "gemma3-backup")).status == "success"


@pytest.mark.parametrize(
    ("record", "status", "words"),
    [
        ("309_chat_unknown_model", 404, "model 'nope' not found"),
        ("463_chat_on_embed_model", 400, '"gemma3-embed" does not support chat'),
        ("318_chat_think", 400, '"gemma3:270m" does not support thinking'),
    ],
)
async def test_refusals(client: ollama.AsyncClient, record: str, status: int, words: str) -> None:
    body = load_records()[record].body
    with pytest.raises(ollama.ResponseError) as caught:
        async for _ in await client.chat(**{**body, "stream": True}):
            pass
    assert (caught.value.status_code, caught.value.error) == (status, words)


async def test_refusal_in_mid_stream(client: ollama.AsyncClient) -> None:
    body = load_records()["703_runner_killed_midstream"].body
    count = 0
    with pytest.raises(ollama.ResponseError, match="unexpected EOF"):
        async for _ in await client.generate(
            body["model"], body["prompt"], raw=True, options=body["options"], stream=True
        ):
            count += 1
    assert count == len(recorded("703_runner_killed_midstream")) - 1


async def test_unrecorded(client: ollama.AsyncClient) -> None:
    with pytest.raises(ollama.ResponseError) as caught:
        await client.chat("gemma3:270m", [{"role": "user", "content": "never asked"}])
    assert caught.value.status_code == 501


async def test_leaving_reaches_the_fake(client: ollama.AsyncClient, fake: FakeOllama) -> None:
    fake.settings(line_ms=20)
    stream = await client.chat(
        "gemma3:270m", CHAT.body["messages"], options=CHAT.body["options"], stream=True
    )
    await anext(stream)
    await stream.aclose()
    assert fake.wait_for(lambda e: e["client_gone"])["answered_by"] == "302_chat_stream"
