"""Tools on the real engine: every answer is a call that can be read, whatever the model is good
for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.frames import FrameKind
from venom_core.sdk.messages import ChatRequest
from venom_core.testing.contexts import opened, provider_context
from venom_llamacpp.plugin import venom_providers
from venom_llamacpp.provider import LlamaCppProvider

pytestmark = [
    pytest.mark.engines,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]
# It was never taught to call a tool: what it answers is right in form through the schema alone.
MODEL = "smollm2:135m"
NUMBERS = {
    "type": "object",
    "properties": {
        "a": {"type": "integer", "enum": [1, 2, 3]},
        "next": {"anyOf": [{"$ref": "#/$defs/leaf"}, {"type": "null"}]},
    },
    "$defs": {"leaf": {"type": "object", "properties": {"b": {"const": 4}}, "required": ["b"]}},
    "required": ["a", "next"],
    "additionalProperties": False,
}
LEVEL = {
    "type": "object",
    "properties": {"level": {"type": "string", "enum": ["low", "high"]}},
    "required": ["level"],
}


def tool(name: str, parameters: Any) -> dict[str, Any]:
    function = {"name": name, "description": f"Set the {name}", "parameters": parameters}
    return {"type": "function", "function": function}


TOOLS = [tool("light", LEVEL), tool("numbers", NUMBERS), tool("stop", None)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(
    real_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LlamaCppProvider]:
    data = tmp_path_factory.mktemp("data")
    context = provider_context(venom_providers()[0], data, real_models)
    async with opened(LlamaCppProvider(context)) as made:
        yield made


async def called(
    provider: LlamaCppProvider, *, stream: bool, **more: Any
) -> tuple[list[tuple[str, str]], str, Any]:
    """Return the calls, the words and the finish reason of an answer with its usage."""
    messages = [{"role": "user", "content": "Set the light to high."}]
    body = {"messages": messages, "tools": TOOLS, "temperature": 0, "max_tokens": 200, **more}
    request = ChatRequest(MODEL, body, stream, "test")
    frames = [frame async for frame in provider.chat(request)]
    assert request.sent.emulated == ("tools",)
    assert any(FrameKind.USAGE in frame.kind for frame in frames)
    choices = [choice for frame in frames for choice in frame.event.choices]
    fragments = [call for choice in choices for call in choice.tool_calls]
    calls = [
        (first.name, "".join(one.arguments for one in fragments if one.index == first.index))
        for first in fragments
        if first.name is not None
    ]
    words = "".join(choice.content or "" for choice in choices)
    return calls, words, choices[-1].finish_reason


@pytest.mark.parametrize("name", ["light", "numbers", "stop"])
async def test_a_named_tool_is_called_with_arguments_of_its_schema(
    provider: LlamaCppProvider, name: str
) -> None:
    choice = {"type": "function", "function": {"name": name}}
    streamed = await called(provider, stream=True, tool_choice=choice, seed=1)
    assert streamed == await called(provider, stream=False, tool_choice=choice, seed=1)
    ((called_name, arguments),), words, reason = streamed
    assert (called_name, words, reason) == (name, "", "tool_calls")
    given = json.loads(arguments)
    if name == "light":
        assert given["level"] in ("low", "high")
    elif name == "numbers":
        assert given["a"] in (1, 2, 3) and given["next"] in (None, {"b": 4})
    else:
        assert given == {}


async def test_a_required_call_is_one_of_the_tools(provider: LlamaCppProvider) -> None:
    calls, words, reason = await called(provider, stream=True, tool_choice="required")
    assert [name in ("light", "numbers", "stop") for name, _ in calls] == [True]
    assert isinstance(json.loads(calls[0][1]), dict) and not words and reason == "tool_calls"


@pytest.mark.parametrize("stream", [True, False])
async def test_where_it_may_choose_the_answer_is_a_call_or_words(
    provider: LlamaCppProvider, stream: bool
) -> None:
    hello = [{"role": "user", "content": "hi"}]
    calls, words, reason = await called(provider, stream=stream, messages=hello)
    assert (len(calls), bool(words), reason) in ((1, False, "tool_calls"), (0, True, "stop"))


async def test_a_call_that_is_cut_says_so(provider: LlamaCppProvider) -> None:
    calls, words, reason = await called(provider, stream=True, tool_choice="required", max_tokens=3)
    assert reason == "length" and not words and len(calls) <= 1


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("param", ["tools", "response_format"])
async def test_a_schema_that_the_engine_cannot_follow_names_its_field(
    provider: LlamaCppProvider, param: str, stream: bool
) -> None:
    strange = {"type": "object", "properties": {"a": {"type": "strange"}}}
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": strange}}
    more = {"tools": [tool("x", strange)]} if param == "tools" else {"response_format": schema}
    body = {"messages": [{"role": "user", "content": "hi"}], **more}
    with pytest.raises(InvalidRequest) as raised:
        await anext(provider.chat(ChatRequest(MODEL, body, stream, "test")))
    assert raised.value.param == param
    assert "unrecognized type strange" in raised.value.message
