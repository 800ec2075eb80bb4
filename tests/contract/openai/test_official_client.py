"""The real ``openai`` client against the real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest

from venom_core.sdk.errors import ContextLengthExceeded, QueueFull, UpstreamError
from venom_core.sdk.frames import Answer, Choice, ToolCall, Usage, delta, finish
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer, say

HI = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{base_url}/v1", api_key="none-needed", max_retries=0
    ) as client:
        yield client


async def test_a_chat(client: openai.AsyncOpenAI) -> None:
    scripted.SCRIPTS["m"] = Script(answer("Warsaw"))
    result = await client.chat.completions.create(model="m", messages=HI)
    assert result.choices[0].message.content == "Warsaw"
    assert result.choices[0].finish_reason == "stop"
    assert result.usage is not None
    assert result.usage.total_tokens == 5


async def test_a_stream_with_usage(client: openai.AsyncOpenAI) -> None:
    scripted.SCRIPTS["m"] = Script(say("Wąż ", "🐍", usage=Usage(4, 2)))
    stream = await client.chat.completions.create(
        model="m", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "Wąż 🐍"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens == 4


async def test_a_stream_without_usage_can_be_indexed(client: openai.AsyncOpenAI) -> None:
    scripted.SCRIPTS["m"] = Script(say("a", "b"))
    stream = await client.chat.completions.create(model="m", messages=HI, stream=True)
    assert [chunk.choices[0].finish_reason async for chunk in stream][-1] == "stop"


async def test_tool_calls_whole_and_in_fragments(client: openai.AsyncOpenAI) -> None:
    call = ToolCall(0, "call_1", "weather", '{"city":"Łódź"}')
    choice = Choice(role="assistant", tool_calls=(call,), finish_reason="tool_calls")
    whole = Answer((choice,), Usage(1, 1))
    scripted.SCRIPTS["m"] = Script([whole])
    result = await client.chat.completions.create(model="m", messages=HI, tools=[TOOL])
    assert result.choices[0].message.tool_calls is not None
    assert result.choices[0].message.tool_calls[0].function.arguments == '{"city":"Łódź"}'
    scripted.SCRIPTS["m"] = Script(
        [
            delta(role="assistant", tool_calls=(ToolCall(0, "call_1", "weather"),)),
            delta(tool_calls=(ToolCall(0, arguments='{"city":'),)),
            delta(tool_calls=(ToolCall(0, arguments='"Łódź"}'),)),
            finish("tool_calls"),
        ]
    )
    async with client.chat.completions.stream(model="m", messages=HI, tools=[TOOL]) as stream:
        final = await stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert [(c.id, c.function.name, c.function.arguments) for c in calls] == [
        ("call_1", "weather", '{"city":"Łódź"}')
    ]


async def test_models_completions_embeddings(client: openai.AsyncOpenAI) -> None:
    scripted.SCRIPTS["org/m:q4"] = Script(answer(" Warsaw"))
    assert [model.id async for model in client.models.list()] == ["org/m:q4"]
    assert (await client.models.retrieve("org/m:q4")).owned_by == "scripted"
    completion = await client.completions.create(model="org/m:q4", prompt="The capital is")
    assert completion.choices[0].text == " Warsaw"
    # The client asks for base64 by itself and decodes it.
    vectors = await client.embeddings.create(model="org/m:q4", input=["a", "abc"])
    assert [row.embedding for row in vectors.data] == [[1.0, 0.5], [3.0, 0.5]]


async def test_refusals_are_the_clients_own_exceptions(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(model="nope", messages=HI)
    assert missing.value.code == "model_not_found"
    scripted.SCRIPTS["m"] = Script([ContextLengthExceeded("Too long.")])
    with pytest.raises(openai.BadRequestError) as long:
        await client.chat.completions.create(model="m", messages=HI, stream=True)
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError) as parameter:
        await client.chat.completions.create(model="m", messages=HI, seed=1)
    assert (parameter.value.code, parameter.value.param) == ("unsupported_parameter", "seed")
    scripted.SCRIPTS["m"] = Script([QueueFull("Full.", retry_after=1)])
    with pytest.raises(openai.RateLimitError) as full:
        await client.chat.completions.create(model="m", messages=HI)
    assert full.value.response.headers["retry-after"] == "1"


async def test_a_fault_in_mid_stream_reaches_the_client_as_an_exception(
    client: openai.AsyncOpenAI,
) -> None:
    scripted.SCRIPTS["m"] = Script([delta("a", role="assistant"), UpstreamError("It broke.")])
    stream = await client.chat.completions.create(model="m", messages=HI, stream=True)
    seen = []
    with pytest.raises(openai.APIError, match="It broke"):
        async for chunk in stream:
            seen.append(chunk.choices[0].delta.content)  # noqa: PERF401 -- kept when it raises
    assert seen == ["a"]


async def test_the_synchronous_client(base_url: str) -> None:
    scripted.SCRIPTS["m"] = Script(say("a", "b"))

    def ask() -> str:
        with openai.OpenAI(base_url=f"{base_url}/v1", api_key="x", max_retries=0) as client:
            stream = client.chat.completions.create(model="m", messages=HI, stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    assert await asyncio.to_thread(ask) == "ab"
