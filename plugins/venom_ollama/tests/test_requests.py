"""From OpenAI's body to Ollama's."""

from __future__ import annotations

from typing import Any

import pytest

from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.testing.ollama import load_records
from venom_ollama.requests import chat_request, completion_request

USER = {"role": "user", "content": "x"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # noqa: E501


def chat(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return chat_request("m", {"messages": list(messages) or [USER], **more})


def test_the_least() -> None:
    assert chat() == {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}],
        "stream": True,
        "truncate": False,
        "shift": False,
    }


def test_every_option() -> None:
    body = chat(
        temperature=0, top_p=0.5, top_k=3, min_p=0.1, repeat_penalty=1.1, presence_penalty=0.2,
        frequency_penalty=0.3, seed=7, max_tokens=9, stop="END",
    )  # fmt: skip
    assert body["options"] == {
        "temperature": 0, "top_p": 0.5, "top_k": 3, "min_p": 0.1, "repeat_penalty": 1.1,
        "presence_penalty": 0.2, "frequency_penalty": 0.3, "seed": 7, "num_predict": 9,
        "stop": ["END"],
    }  # fmt: skip


def test_null_is_not_said() -> None:
    assert "options" not in chat(temperature=None, max_tokens=None, stop=None, seed=None)
    assert chat(tools=None, tool_choice=None, response_format=None, reasoning_effort=None) == chat()


def test_the_newer_name_of_the_limit_wins() -> None:
    assert chat(max_completion_tokens=5, max_tokens=9)["options"] == {"num_predict": 5}


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "8"])
def test_a_limit_that_ollama_would_take_for_none(value: Any) -> None:
    with pytest.raises(InvalidRequest):
        chat(max_tokens=value)


def test_roles_and_parts() -> None:
    turns = chat(
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": None, "reasoning_content": "hm"},
    )["messages"]
    assert turns == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a\nb"},
        {"role": "assistant", "content": "", "thinking": "hm"},
    ]


def test_a_round_of_tools() -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "Łódź"}'},
    }
    turns = chat(
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "12 C"},
    )["messages"]
    assert turns[1]["tool_calls"] == [
        {"id": "call_1", "function": {"name": "get_weather", "arguments": {"city": "Łódź"}}}
    ]
    assert turns[2] == {
        "role": "tool", "content": "12 C", "tool_call_id": "call_1", "tool_name": "get_weather"
    }  # fmt: skip


def test_images_as_data() -> None:
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    (turn,) = chat({"role": "user", "content": [{"type": "text", "text": "?"}, url]})["messages"]
    assert turn == {"role": "user", "content": "?", "images": [PIXEL]}


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x.png", "https://example.com/x.png", "http://x/;base64,aGVsbG8=", "file:///etc/passwd",
     "data:image/png,x", "data:image/png;base64,", "data:image/png;base64,!!!", "", None, 5],
)  # fmt: skip
def test_images_that_are_no_data(url: Any) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    with pytest.raises(InvalidRequest) as caught:
        chat(USER, {"role": "user", "content": [{"type": "text", "text": "?"}, part]})
    assert caught.value.param == "messages[1].content[1].image_url"


def test_formats() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert "format" not in chat(response_format={"type": "text"})
    assert chat(response_format={"type": "json_object"})["format"] == "json"
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    assert chat(response_format=wanted)["format"] == schema


@pytest.mark.parametrize(
    ("effort", "think"), [("none", False), ("low", "low"), ("high", "high"), ("max", "max")]
)
def test_thinking(effort: str, think: Any) -> None:
    assert chat(reasoning_effort=effort)["think"] == think


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
STRICT = {"type": "function", "function": {"name": "f", "strict": True}}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"tool_choice": "required", "tools": [TOOL]}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}, "tools": [TOOL]},
         "tool_choice"),
        ({"parallel_tool_calls": False, "tools": [TOOL]}, "parallel_tool_calls"),
        ({"tools": [TOOL, {"type": "web_search"}]}, "tools[1].type"),
        ({"tools": [STRICT]}, "tools[0].function.strict"),
        ({"reasoning_effort": "ultra"}, "reasoning_effort"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
    ],
)  # fmt: skip
def test_refused_by_name(more: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        chat(USER, **more)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "user", "content": "x", "name": "Ann"}, "messages[1].name"),
        ({"role": "user", "content": [{"type": "input_audio"}]}, "messages[1].content[0].type"),
    ],
)
def test_messages_refused_by_name(message: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        chat(USER, message)
    assert caught.value.param == param


@pytest.mark.parametrize("arguments", ["{", "[]", "5", '"x"'])
def test_arguments_that_are_no_object(arguments: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    with pytest.raises(InvalidRequest) as caught:
        chat({"role": "assistant", "tool_calls": [call]})
    assert caught.value.param == "messages[0].tool_calls[0].function.arguments"


def test_the_schema_that_is_missing() -> None:
    with pytest.raises(InvalidRequest):
        chat(response_format={"type": "json_schema", "json_schema": {"name": "x"}})


def test_completions() -> None:
    body = completion_request("m", {"prompt": "x", "logprobs": 3, "max_tokens": 4})
    assert body == {
        "model": "m", "prompt": "x", "raw": True, "stream": True, "truncate": False,
        "shift": False, "options": {"num_predict": 4}, "logprobs": True, "top_logprobs": 3,
    }  # fmt: skip
    filled = completion_request("m", {"prompt": "def f(", "suffix": "return x"})
    assert (filled["suffix"], "raw" in filled) == ("return x", False)


def test_bodies_are_those_that_were_recorded() -> None:
    """Our requests differ from recorded ones only in what always differs."""
    recorded = load_records()["306b_chat_format_schema_stream"].body
    schema = {"type": "json_schema", "json_schema": {"schema": recorded["format"]}}
    ours = chat_request(
        recorded["model"],
        {"messages": recorded["messages"], "response_format": schema, "temperature": 0,
         "max_tokens": 60},
    )  # fmt: skip
    assert ours == {**recorded, "stream": True, "truncate": False, "shift": False}
