"""Tool calls out of an answer that is held to a schema: whole and in pieces cut anywhere."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter, UpstreamError, VenomError
from venom_core.sdk.frames import Answer, Choice, Chunk, Frame, FrameKind, Usage
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.tool_emulation import EmulatedTools, with_emulated_tools, with_tools

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
HI = [{"role": "user", "content": "hi"}]


def tool(name: str = "weather", parameters: Any = CITY) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def asked(**more: Any) -> ChatRequest:
    body = {"messages": HI, "tools": [tool(), tool("time")], **more}
    return ChatRequest("m", body, stream=True, request_id="r")


def emulated(**more: Any) -> EmulatedTools:
    found = with_emulated_tools(asked(**more))[1]
    assert found is not None
    return found


def schema_of(tools: EmulatedTools) -> Any:
    return tools.body["response_format"]["json_schema"]["schema"]


def names_of(tools: EmulatedTools) -> list[str]:
    schema = schema_of(tools)
    branches = schema.get("anyOf", [schema])
    return [name for one in branches for name in one["properties"]["name"]["enum"]]


async def said(
    tools: EmulatedTools, text: str, *, step: int = 0, reason: Any = "stop"
) -> tuple[str, list[tuple[str, str]], str | None]:
    """Return words, calls and the finish reason of an answer; ``step``: characters of a piece, 0
    for one answer that is not streamed."""

    async def frames() -> AsyncGenerator[Frame, None]:
        if not step:
            choice = Choice(role="assistant", content=text, finish_reason=reason)
            yield Frame.of(Answer((choice,), Usage(7, 3)))
            return
        yield Frame.of(Chunk((Choice(role="assistant"),)))
        for begin in range(0, len(text), step):
            yield Frame.of(Chunk((Choice(content=text[begin : begin + step]),)))
        yield Frame.of(Chunk((Choice(finish_reason=reason),)))
        yield Frame.of(Chunk(usage=Usage(7, 3)))

    found = [frame async for frame in tools.read(frames())]
    assert sum(FrameKind.USAGE in frame.kind for frame in found) == 1
    choices = [choice for frame in found for choice in frame.event.choices]
    calls: list[list[str]] = []
    for call in (call for choice in choices for call in choice.tool_calls):
        if call.name is not None:
            assert call.id and call.id.startswith("call_")
            calls.append([call.name, ""])
        calls[call.index][1] += call.arguments
    words = "".join(choice.content or "" for choice in choices)
    reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
    assert len(reasons) == 1 and choices[-1].finish_reason == reasons[0]
    return words, [(name, arguments) for name, arguments in calls], reasons[0]


CALL = '{\n  "name": "weather",\n  "arguments": {\n    "city": "Par}is \\" }}"\n  }\n}\n'
ARGUMENTS = '{\n    "city": "Par}is \\" }}"\n  }'
WORDS = r'{"name": "reply", "arguments": {"text": "a \"q\"\n\ud83d\ude00 \ud83dx é }} END z"}}'


@pytest.mark.parametrize("step", [0, 1, 2, 3, 5, 7, 1000])
@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        (CALL, {}, ("", [("weather", ARGUMENTS)], "tool_calls")),
        (CALL, {"tool_choice": "required"}, ("", [("weather", ARGUMENTS)], "tool_calls")),
        (CALL, {"stop": ["\n", "Par"]}, ("", [("weather", ARGUMENTS)], "tool_calls")),
        ('{"name":"time","arguments":{}}', {}, ("", [("time", "{}")], "tool_calls")),
        (WORDS, {}, ('a "q"\n😀 \ud83dx é }} END z', [], "stop")),
        (WORDS, {"stop": "END"}, ('a "q"\n😀 \ud83dx é }} ', [], "stop")),
        (
            '{"name":"reply","arguments":{"text":{"a":[1,{}]}} }',
            {"response_format": {"type": "json_object"}},
            ('{"a":[1,{}]}', [], "stop"),
        ),
        (
            '{"name":"reply","arguments":{"text": 4}}',
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"type": "integer"}},
                }
            },
            ("4", [], "stop"),
        ),
    ],
)
async def test_one_answer_reads_alike_however_it_is_cut(
    step: int, text: str, more: Mapping[str, Any], expected: Any
) -> None:
    assert await said(emulated(**more), text, step=step) == expected


@pytest.mark.parametrize("step", [0, 1, 4])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"name": "weather", "arguments": {"city": "Pa', ("", [("weather", '{"city": "Pa')])),
        ('{"name": "weather", "arguments": {"city": "P"}', ("", [("weather", '{"city": "P"}')])),
        ('{"name": "weather", "arguments": {"city": "P"}}', ("", [("weather", '{"city": "P"}')])),
        ('{"name": "wea', ("", [])),
        ('{"name": "reply", "arguments": {"text": "half a se', ("half a se", [])),
        ("", ("", [])),
    ],
)
async def test_an_answer_that_is_cut_ends_for_its_length(
    step: int, text: str, expected: Any
) -> None:
    assert await said(emulated(), text, step=step, reason="length") == (*expected, "length")


@pytest.mark.parametrize(
    "text",
    ["", "Hello!", "x" * 5000, '{"name": "weather", "arguments": {"city": }}', '{"name": "weather'],
)
async def test_what_is_no_call_is_a_fault_of_the_engine(text: str) -> None:
    for step in (0, 3):
        with pytest.raises(UpstreamError):
            await said(emulated(), text, step=step)


def test_the_engine_gets_a_schema_and_no_word_of_which_tool_is_called() -> None:
    request, tools = with_emulated_tools(
        asked(stop=["x"], parallel_tool_calls=False, temperature=0, tool_choice="required")
    )
    assert tools is not None
    assert set(request.body) == {"messages", "tools", "temperature", "response_format"}
    assert request.sent.body == request.body and request.sent.emulated == ("tools",)
    assert names_of(tools) == ["weather", "time"]
    assert request.body["messages"] == HI
    one = emulated(tool_choice={"type": "function", "function": {"name": "time"}})
    assert names_of(one) == ["time"] and one.body["tools"] == [tool("time")]


def test_words_are_a_tool_of_their_own_that_no_tool_of_the_client_is() -> None:
    tools = emulated(tools=[tool("reply"), tool("reply_")])
    assert names_of(tools) == ["reply__", "reply", "reply_"]
    shown = [one["function"]["name"] for one in tools.body["tools"]]
    assert shown == names_of(tools)
    assert "use reply__." in tools.body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("system", "content"),
    [
        ({"role": "system", "content": "Be brief."}, "Be brief.\n\nCall the function"),
        ({"role": "system", "content": [{"type": "text", "text": "Be"}]}, "Be"),
    ],
)
def test_the_clients_system_prompt_stays_first(system: Any, content: str) -> None:
    messages = emulated(messages=[system, *HI]).body["messages"]
    assert [message["role"] for message in messages] == ["system", "user"]
    told = messages[0]["content"]
    if isinstance(told, list):
        assert told[0]["text"] == content and "Call the function" in told[1]["text"]
    else:
        assert told.startswith(content)


@pytest.mark.parametrize("tools", [{}, {"tool_choice": "none", "tools": [tool()]}])
def test_without_tools_to_call_nothing_is_emulated(tools: dict[str, Any]) -> None:
    body = {"messages": HI, "response_format": {"type": "json_object"}, "stop": ["x"], **tools}
    request, found = with_emulated_tools(ChatRequest("m", body, stream=False, request_id="r"))
    assert found is None and request.sent.emulated == () and request.sent.body is None
    assert set(request.body) == {"messages", "response_format", "stop"}


def test_references_lead_to_where_a_tools_schema_lies_in_the_joint_one() -> None:
    node = {
        "type": "object",
        "properties": {
            "next": {"$ref": "#"}, "all": {"$ref": "#/$defs/a"}, "$ref": {"type": "null"},
        },
        "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}},
        "default": {"$ref": "#/no/schema"},
    }  # fmt: skip
    own = schema_of(emulated(tools=[tool(parameters=node)]))["$defs"]["tool1"]
    assert own["properties"]["next"] == {"$ref": "#/$defs/tool1"}
    assert own["properties"]["all"] == {"$ref": "#/$defs/tool1/$defs/a"}
    assert own["properties"]["$ref"] == {"type": "null"}
    assert own["$defs"]["a"]["items"] == {"$ref": "#/$defs/tool1/$defs/a"}
    assert own["default"] == {"$ref": "#/no/schema"}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


CYCLE = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}


@pytest.mark.parametrize(
    "parameters",
    [
        CYCLE, {"$ref": "#"}, {"anyOf": [{"$ref": "#"}, {"type": "object"}]},
        {"type": "object", "properties": {"a": CYCLE}},
        {"type": "object", "properties": {"a": {"allOf": [{"$ref": "#/properties/a"}]}}},
        {"$ref": "https://example.org/schema"}, {"$ref": "#/$defs/none"}, {"$ref": 4},
        {"$ref": "#a"}, {"type": "string"}, {"type": ["object", "null"]}, nested(400), [1], "text",
        {"type": "object", "properties": {"a": {"$ref": "#/required/9"}}, "required": ["a"]},
    ],
)  # fmt: skip
def test_a_schema_that_no_answer_can_follow_names_its_field(parameters: Any) -> None:
    with pytest.raises(InvalidRequest) as raised:
        emulated(tools=[tool("first"), tool(parameters=parameters)])
    assert raised.value.param == "tools[1].function.parameters"


@pytest.mark.parametrize(
    "parameters", [None, {}, {"properties": {}}, nested(20), {"type": "object"}]
)
def test_schemas_of_objects_pass(parameters: Any) -> None:
    assert schema_of(emulated(tools=[tool(parameters=parameters)]))["$defs"]["tool1"]["type"]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [tool(""), tool()]}, "tools[0].function.name"),
        ({"tools": [tool("x" * 300)]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {"name": 4}}]}, "tools[0].function.name"),
        ({"tools": [tool(), tool()]}, "tools[1].function.name"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "other"}}},
         "tool_choice.function.name"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format"),
    ],
)  # fmt: skip
def test_what_cannot_be_emulated_is_refused_by_name(more: dict[str, Any], param: str) -> None:
    with pytest.raises(VenomError) as raised:
        emulated(**more)
    assert isinstance(raised.value, InvalidRequest | UnsupportedParameter)
    assert raised.value.param == param


def test_the_joint_schema_is_json() -> None:
    assert json.loads(json.dumps(schema_of(emulated()))) == schema_of(emulated())


@pytest.mark.parametrize(
    ("more", "param", "told"),
    [
        ({}, "response_format", "tools"),
        ({}, "messages", "messages"),
        ({"tool_choice": "none"}, "response_format", "response_format"),
    ],
    ids=["the-tools-schema", "another-field", "the-clients-schema"],
)
async def test_a_refusal_names_the_field_that_the_client_sent(
    more: dict[str, Any], param: str, told: str
) -> None:
    async def chat(request: ChatRequest) -> AsyncGenerator[Frame, None]:
        raise InvalidRequest("No.", param=param, code="c", fix="f")
        yield  # a generator

    with pytest.raises(InvalidRequest, match="No") as refused:
        async for _ in with_tools(asked(**more), chat):
            pass
    assert (refused.value.param, refused.value.code, refused.value.fix) == (told, "c", "f")


@pytest.mark.parametrize(
    ("choice", "native"),
    [({}, True), ({"tool_choice": "auto"}, True), ({"tool_choice": "required"}, False)],
)
def test_an_engine_that_reads_the_models_calls_is_sent_what_the_client_sent(
    choice: dict[str, Any], native: bool
) -> None:
    given = replace(asked(**choice), native_tools=True)
    request, tools = with_emulated_tools(given)
    assert (request is given, tools is None) == (native, native)
    assert (request.sent.emulated == ()) is native


def test_where_no_tool_may_be_called_none_is_shown_natively_either() -> None:
    request, tools = with_emulated_tools(replace(asked(tool_choice="none"), native_tools=True))
    assert tools is None and not {"tools", "tool_choice"} & request.body.keys()
