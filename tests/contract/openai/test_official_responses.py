"""The real ``openai`` client's responses, whole and in events, against the real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import openai
import pytest

from venom_core.sdk.errors import ContextLengthExceeded, UpstreamError
from venom_core.sdk.frames import Answer, Choice, Chunk, ToolCall, Usage, delta, finish
from venom_core.testing import scripted
from venom_core.testing.deadlines import until
from venom_core.testing.scripted import Pause, Script, answer, say

TOOL: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
CALLED = [
    delta(role="assistant", reasoning="Which "),
    delta(reasoning="city?"),
    delta("I look."),
    delta(tool_calls=(ToolCall(0, "call_1", "weather"),)),
    delta(tool_calls=(ToolCall(0, arguments='{"city":'),)),
    delta(tool_calls=(ToolCall(0, arguments='"Łódź"}'),)),
    delta(tool_calls=(ToolCall(1, "call_2", "weather", "{}"),)),
    finish("tool_calls"),
    Chunk(usage=Usage(7, 5, 2)),
]


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{base_url}/v1", api_key="none-needed", max_retries=0
    ) as client:
        yield client


def messages() -> Sequence[Any]:
    """Return the messages that the model was sent last."""
    return list(scripted.SEEN.requests[-1].body["messages"])


def script(*steps: Any) -> None:
    scripted.SCRIPTS["m"] = Script(list(steps))


async def test_a_text(client: openai.AsyncOpenAI) -> None:
    script(*answer("Warsaw"))
    made = await client.responses.create(model="m", input="hi", instructions="Be short.")
    assert (made.output_text, made.status, made.model) == ("Warsaw", "completed", "m")
    assert made.usage is not None and made.usage.total_tokens == 5
    assert messages() == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "hi"},
    ]


async def test_the_events_of_a_text_come_in_their_order(client: openai.AsyncOpenAI) -> None:
    script(*say("Wąż ", "🐍", usage=Usage(4, 2)))
    stream = await client.responses.create(model="m", input="hi", stream=True)
    events = [event async for event in stream]
    assert [event.type for event in events] == [
        "response.created", "response.in_progress", "response.output_item.added",
        "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
        "response.output_text.done", "response.content_part.done", "response.output_item.done",
        "response.completed",
    ]  # fmt: skip
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    assert (last.response.output_text, last.response.status) == ("Wąż 🐍", "completed")
    assert last.response.usage is not None and last.response.usage.input_tokens == 4
    assert events[0].type == "response.created" and events[0].response.status == "in_progress"


async def test_thought_text_and_calls_are_items_of_their_own(client: openai.AsyncOpenAI) -> None:
    script(*CALLED)
    stream = await client.responses.create(model="m", input="hi", tools=[TOOL], stream=True)
    events = [event async for event in stream]
    last = events[-1]
    assert last.type == "response.completed"
    output = last.response.output
    assert [item.type for item in output] == [
        "reasoning", "message", "function_call", "function_call",
    ]  # fmt: skip
    assert output[0].type == "reasoning" and output[0].content
    assert output[0].content[0].text == "Which city?"
    assert output[2].type == "function_call" and output[3].type == "function_call"
    assert (output[2].arguments, output[2].call_id) == ('{"city":"Łódź"}', "call_1")
    assert output[3].arguments == "{}"
    done = [event for event in events if event.type == "response.output_item.done"]
    assert [event.output_index for event in done] == [0, 1, 2, 3]
    assert [event.item.id for event in done] == [item.id for item in output]
    added = [event for event in events if event.type == "response.output_item.added"]
    assert [event.item.id for event in added] == [item.id for item in output]


async def test_whole_and_streamed_are_the_same_response(client: openai.AsyncOpenAI) -> None:
    call = ToolCall(0, "call_1", "weather", '{"city":"Łódź"}')
    choice = Choice(
        role="assistant", reasoning="Which city?", content="I look.", tool_calls=(call,),
        finish_reason="tool_calls",
    )  # fmt: skip
    script(Answer((choice,), Usage(7, 5, 2)))
    whole = await client.responses.create(model="m", input="hi", tools=[TOOL])
    script(*CALLED[:6], *CALLED[7:])
    stream = await client.responses.create(model="m", input="hi", tools=[TOOL], stream=True)
    last = [event async for event in stream][-1]
    assert last.type == "response.completed"

    def plain(made: Any) -> Any:
        told = made.model_dump(exclude={"id", "created_at"})
        return {**told, "output": [{**item, "id": ""} for item in told["output"]]}

    assert plain(whole) == plain(last.response)


async def test_a_tool_loop_over_previous_responses(client: openai.AsyncOpenAI) -> None:
    script(*CALLED[:6], *CALLED[7:])
    first = await client.responses.create(model="m", input="Weather?", tools=[TOOL], stream=True)
    begun = [event async for event in first][-1]
    assert begun.type == "response.completed"
    script(*answer("Sun."))
    second = await client.responses.create(
        model="m", previous_response_id=begun.response.id, tools=[TOOL],
        input=[{"type": "function_call_output", "call_id": "call_1", "output": "sun"}],
    )  # fmt: skip
    assert second.output_text == "Sun."
    assert messages() == [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant", "content": "I look.", "reasoning_content": "Which city?",
            "tool_calls": [
                {"id": "call_1", "type": "function",
                 "function": {"name": "weather", "arguments": '{"city":"Łódź"}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sun"},
    ]  # fmt: skip
    third = await client.responses.create(
        model="m", previous_response_id=second.id, input="Thanks", instructions="Be kind."
    )
    assert third.previous_response_id == second.id
    assert [one["role"] for one in messages()] == [
        "system", "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip


async def test_a_function_of_a_namespace(client: openai.AsyncOpenAI) -> None:
    called = ToolCall(0, "call_1", "agents__close", "{}")
    script(Answer((Choice(role="assistant", tool_calls=(called,), finish_reason="tool_calls"),)))
    tools: Any = [{"type": "namespace", "name": "agents", "description": "Of agents.", "tools": [
        {"type": "function", "name": "close", "parameters": {"type": "object"}, "strict": False},
    ]}]  # fmt: skip
    made = await client.responses.create(model="m", input="hi", tools=tools)
    told = made.output[0].model_dump()
    assert (told["name"], told["namespace"]) == ("close", "agents")
    script(*answer("Closed."))
    item = {k: told[k] for k in ("type", "call_id", "name", "namespace", "arguments")}
    result = {"type": "function_call_output", "call_id": "call_1", "output": "done"}
    given: Any = [item, result]
    await client.responses.create(model="m", input=given, tools=tools)
    assert messages()[0]["tool_calls"][0]["function"]["name"] == "agents__close"


async def test_a_picture(client: openai.AsyncOpenAI) -> None:
    script(*answer("A cat."))
    picture = "data:image/png;base64,AAAA"
    await client.responses.create(
        model="m", max_output_tokens=9, temperature=0.5,
        input=[{"role": "user", "content": [
            {"type": "input_text", "text": "What?"},
            {"type": "input_image", "image_url": picture, "detail": "low"},
        ]}],
    )  # fmt: skip
    body = scripted.SEEN.requests[-1].body
    assert (body["max_tokens"], body["temperature"]) == (9, 0.5)
    assert messages()[0]["content"] == [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": picture, "detail": "low"}},
    ]


async def test_an_answer_that_was_cut_is_incomplete(client: openai.AsyncOpenAI) -> None:
    for streamed in (False, True):
        cut = Choice(role="assistant", content="Wa", finish_reason="length")
        script(*([delta("Wa"), finish("length")] if streamed else [Answer((cut,), Usage(1, 1))]))
        made: Any = await client.responses.create(model="m", input="hi", stream=streamed)
        if streamed:
            made = [event async for event in made][-1].response
        assert made.status == "incomplete"
        assert made.incomplete_details.reason == "max_output_tokens"
        assert made.output[0].status == "incomplete"


async def test_a_response_is_kept_read_and_deleted(client: openai.AsyncOpenAI) -> None:
    script(*answer("Warsaw"))
    made = await client.responses.create(model="m", input="hi", metadata={"a": "b"})
    found = await client.responses.retrieve(made.id)
    assert found.model_dump() == made.model_dump() and found.metadata == {"a": "b"}
    items = await client.responses.input_items.list(made.id)
    [item] = items.data
    assert item.type == "message" and item.content[0].text == "hi"  # type: ignore[union-attr]
    with pytest.raises(openai.BadRequestError, match="not made in the background"):
        await client.responses.cancel(made.id)
    await client.responses.delete(made.id)
    for asked in (client.responses.retrieve(made.id), client.responses.input_items.list(made.id)):
        with pytest.raises(openai.NotFoundError):
            await asked
    with pytest.raises(openai.NotFoundError, match="There is no response"):
        await client.responses.create(model="m", input="x", previous_response_id=made.id)


async def test_what_is_not_to_be_stored_is_not(client: openai.AsyncOpenAI) -> None:
    script(*CALLED[:3], *say("")[-2:])
    include: Any = ["reasoning.encrypted_content"]
    stream = await client.responses.create(
        model="m", input="hi", store=False, stream=True, include=include
    )
    made = [event async for event in stream][-1]
    assert made.type == "response.completed"
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(made.response.id)
    kept: Any = [{k: v for k, v in item.model_dump().items() if v is not None}
                 for item in made.response.output]  # fmt: skip
    kept[0].pop("content")
    script(*answer("b"))
    await client.responses.create(
        model="m", store=False, input=[*kept, {"role": "user", "content": "And?"}]
    )
    assert messages()[0]["reasoning_content"] == "Which city?"


async def test_refusals(client: openai.AsyncOpenAI) -> None:
    script(ContextLengthExceeded("Too long.", fix="Shorten it."))
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="m", input="hi")
    assert refused.value.code == "context_length_exceeded"
    script(delta("Wa"), UpstreamError("It broke off."))
    stream = await client.responses.create(model="m", input="hi", stream=True)
    last = [event async for event in stream][-1]
    assert last.type == "response.failed" and last.response.status == "failed"
    assert last.response.error is not None
    assert "It broke off." in last.response.error.message


async def test_leaving_reaches_the_engine(client: openai.AsyncOpenAI) -> None:
    script(delta("a"), Pause(forever=True))
    stream = await client.responses.create(model="m", input="hi", stream=True)
    async for event in stream:
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    await until(lambda: scripted.SEEN.closed == 1)
    await asyncio.sleep(0)
    assert scripted.SEEN.running == 0
