"""``/v1/messages``: what its fields become, its events, and refusals in its own shape."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.api.anthropic.blocks import Hints
from venom_core.api.anthropic.body import chat_body
from venom_core.sdk.errors import ContextLengthExceeded, QueueFull, UpstreamError
from venom_core.sdk.frames import Answer, Choice, Chunk, ToolCall, Usage, delta, finish
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer, say
from venom_core.testing.staging import client_of

HI: dict[str, Any] = {
    "model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}],
}  # fmt: skip
SCHEMA = {"type": "object"}
TOOLS = [{"name": "weather", "description": "Of a city.", "input_schema": SCHEMA}]
CALLED = [
    delta(role="assistant", reasoning="Which "),
    delta(reasoning="city?"),
    delta("I look."),
    delta(tool_calls=(ToolCall(0, "call_1", "weather", '{"city":'),)),
    delta(tool_calls=(ToolCall(1, "call_2", "weather", "{}"),)),
    delta(tool_calls=(ToolCall(0, arguments='"Łódź"}'),)),
    finish("tool_calls"),
    Chunk(usage=Usage(7, 5, 2)),
]


def events(text: str) -> list[Any]:
    """Return the data of each event; its name is its type."""
    found = []
    for part in text.split("\n\n"):
        if part and not part.startswith(":"):
            name, data = part.split("\n")
            found.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {found[-1]['type']}"
    return found


def told(body: dict[str, Any]) -> dict[str, Any]:
    return chat_body({"messages": [{"role": "user", "content": "hi"}], **body}, Hints())


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"max_tokens": 5, "temperature": 0.5, "top_k": 3},
         {"max_tokens": 5, "temperature": 0.5, "top_k": 3}),
        ({"stop_sequences": ["a", ""]}, {"stop": ["a"]}),
        ({"stop_sequences": [], "metadata": {"user_id": "u"}, "service_tier": "auto"}, {}),
        ({"thinking": {"type": "disabled"}}, {}),
        ({"thinking": {"type": "adaptive"}}, {}),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, {"reasoning_effort": "low"}),
        ({"thinking": {"type": "enabled", "budget_tokens": 9000}}, {"reasoning_effort": "medium"}),
        ({"thinking": {"type": "enabled", "budget_tokens": 32000}}, {"reasoning_effort": "high"}),
        ({"tools": TOOLS}, {"tools": [{"type": "function", "function": {
            "name": "weather", "description": "Of a city.", "parameters": SCHEMA}}]}),
        ({"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
         {"tool_choice": "required", "parallel_tool_calls": False}),
        ({"tool_choice": {"type": "tool", "name": "f"}},
         {"tool_choice": {"type": "function", "function": {"name": "f"}}}),
        ({"tool_choice": {"type": "none"}}, {"tool_choice": "none"}),
        ({"output_config": {"effort": "high"}}, {}),
        *(({**form}, {"response_format": {"type": "json_schema", "json_schema": {
            "name": "answer", "schema": SCHEMA, "strict": True}}})
          for form in ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
                       {"output_format": {"type": "json_schema", "schema": SCHEMA}})),
        ({"unheard_of": 1}, {"unheard_of": 1}),
    ],
    ids=lambda value: json.dumps(value)[:50],
)  # fmt: skip
def test_a_field_is_told_the_model_in_the_words_of_the_chat(
    given: dict[str, Any], made: dict[str, Any]
) -> None:
    body = told(given)
    assert body.pop("messages") == [{"role": "user", "content": "hi"}]
    assert body == made


def test_blocks_become_turns() -> None:
    hints = Hints()
    image = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    body = {
        "system": [
            {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "Be short."},
        ],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What?"}, {"type": "image", "source": image},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Łódź"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": [
                    {"type": "text", "text": "sun"}]},
                {"type": "text", "text": "And?"},
            ]},
            {"role": "system", "content": "It is late."},
            {"role": "assistant", "content": "{"},
        ],
    }  # fmt: skip
    assert chat_body(body, hints)["messages"] == [
        {"role": "system", "content": "Be kind.\n\nBe short."},
        {"role": "user", "content": [
            {"type": "text", "text": "What?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        ]},
        {"role": "assistant", "content": "I look.", "reasoning_content": "Hm.", "tool_calls": [
            {"id": "call_1", "type": "function",
             "function": {"name": "weather", "arguments": '{"city": "Łódź"}'}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sun"},
        {"role": "user", "content": "And?"},
        {"role": "system", "content": "It is late."},
        {"role": "assistant", "content": "{"},
    ]  # fmt: skip
    assert hints.names == {"cache_control"}


async def test_a_message(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(answer("Warsaw"))
    body = (await client.post("/v1/messages", json=HI)).json()
    assert body.pop("id").startswith("msg_")
    assert body == {
        "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Warsaw"}],
        "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 3, "cache_creation_input_tokens": 0,
                  "cache_read_input_tokens": 0, "output_tokens": 2},
    }  # fmt: skip


async def test_the_events_of_a_text_come_in_their_order(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(say("Wąż ", "🐍", usage=Usage(4, 2)))
    made = await client.post("/v1/messages", json={**HI, "stream": True})
    assert made.headers["content-type"].startswith("text/event-stream")
    found = events(made.text)
    assert [event["type"] for event in found] == [
        "message_start", "content_block_start", "content_block_delta", "content_block_delta",
        "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    assert found[0]["message"]["content"] == [] and found[0]["message"]["stop_reason"] is None
    assert [event["delta"]["text"] for event in found[2:4]] == ["Wąż ", "🐍"]
    assert found[5]["delta"]["stop_reason"] == "end_turn"
    assert found[5]["usage"]["input_tokens"] == 4 and found[5]["usage"]["output_tokens"] == 2


async def test_thought_text_and_calls_are_blocks_of_their_own(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(CALLED)
    asked = {**HI, "tools": TOOLS, "stream": True}
    found = events((await client.post("/v1/messages", json=asked)).text)
    blocks: dict[int, Any] = {}
    for event in found:
        if event["type"] == "content_block_start":
            blocks[event["index"]] = {**event["content_block"], "told": "", "ended": False}
        elif event["type"] == "content_block_delta":
            assert not blocks[event["index"]]["ended"]
            kind = event["delta"]["type"]
            blocks[event["index"]]["told"] += event["delta"][
                {"thinking_delta": "thinking", "text_delta": "text"}.get(kind, "partial_json")
            ]
        elif event["type"] == "content_block_stop":
            blocks[event["index"]]["ended"] = True
    assert [(one["type"], one["told"], one["ended"]) for one in blocks.values()] == [
        ("thinking", "Which city?", True), ("text", "I look.", True),
        ("tool_use", '{"city":"Łódź"}', True), ("tool_use", "{}", True),
    ]  # fmt: skip
    assert found[-2]["delta"]["stop_reason"] == "tool_use"
    assert found[-2]["usage"]["cache_read_input_tokens"] == 2


async def test_whole_and_streamed_are_the_same_message(client: httpx.AsyncClient) -> None:
    calls = (ToolCall(0, "call_1", "weather", '{"city":"Łódź"}'),)
    choice = Choice(
        role="assistant", reasoning="Which city?", content="I look.", tool_calls=calls,
        finish_reason="tool_calls",
    )  # fmt: skip
    scripted.SCRIPTS["m"] = Script([Answer((choice,), Usage(7, 5, 2))])
    whole = (await client.post("/v1/messages", json={**HI, "tools": TOOLS})).json()
    assert whole["content"] == [
        {"type": "thinking", "thinking": "Which city?", "signature": ""},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Łódź"}},
    ]
    assert whole["usage"]["input_tokens"] == 5 and whole["stop_reason"] == "tool_use"


@pytest.mark.parametrize(("reason", "stop"), [("length", "max_tokens"),
                                              ("content_filter", "refusal")])  # fmt: skip
async def test_why_a_message_ended(client: httpx.AsyncClient, reason: Any, stop: str) -> None:
    cut = Choice(role="assistant", content="W", finish_reason=reason)
    scripted.SCRIPTS["m"] = Script([Answer((cut,), Usage(1, 1))])
    assert (await client.post("/v1/messages", json=HI)).json()["stop_reason"] == stop


async def test_tokens_are_counted_by_the_engine(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(answer("Warsaw"))
    body = {"model": "m", "messages": HI["messages"]}
    counted = await client.post("/v1/messages/count_tokens", json=body)
    assert counted.json() == {"input_tokens": 3}
    assert counted.headers["venom-emulated"] == "count_tokens"
    assert scripted.SEEN.requests[-1].body["max_tokens"] == 1


async def test_hints_are_taken_and_said(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    text = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    messages = [{"role": "user", "content": [text]}]
    body = {**HI, "messages": messages, "context_management": edits}
    headers = {"anthropic-beta": "files-api-2025-04-14", "anthropic-version": "2023-06-01"}
    made = await client.post("/v1/messages", json=body, headers=headers)
    assert (
        made.headers["venom-ignored-hints"] == "anthropic-beta, cache_control, context_management"
    )
    assert made.headers["request-id"] == made.headers["x-request-id"]
    plain = await client.post("/v1/messages", json=HI)
    assert "venom-ignored-hints" not in plain.headers


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "system", "content": [{"type": "image"}]}]},
         "messages[0].content[0].type"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [5]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "document"}]}]},
         "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]},
         "messages[0].content[0].source"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
         "messages[0].content[0].tool_use_id"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a"}]}]},
         "messages[0].content[0].name"),
        ({"system": [{"type": "image"}]}, "system[0].type"),
        ({"temperature": 1.5}, "temperature"),
        ({"thinking": {"type": "enabled"}}, "thinking"),
        ({"thinking": {"type": "sometimes"}}, "thinking"),
        ({"tool_choice": {"type": "all"}}, "tool_choice.type"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools[0].type"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        *(({name: {"a": 1}}, name) for name in ("container", "mcp_servers")),
        ({"stop": ["a"]}, "stop"),
        ({"top_a": 1}, "top_a"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)  # fmt: skip
async def test_what_cannot_be_honoured_is_refused_by_name(
    client: httpx.AsyncClient, body: dict[str, Any], param: str
) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    refused = await client.post("/v1/messages", json={**HI, **body})
    assert refused.status_code == 400, refused.text
    found = refused.json()
    assert (found["type"], found["error"]["type"]) == ("error", "invalid_request_error")
    assert scripted.SEEN.requests == []
    assert found["error"]["param"] == param


@pytest.mark.parametrize(
    ("step", "status", "kind"),
    [
        (ContextLengthExceeded("Too long."), 400, "invalid_request_error"),
        (QueueFull("Full.", retry_after=1), 429, "rate_limit_error"),
        (UpstreamError("It broke off."), 502, "api_error"),
    ],
    ids=["context", "queue", "upstream"],
)
async def test_refusals_have_the_shape_of_this_wire(
    client: httpx.AsyncClient, step: Exception, status: int, kind: str
) -> None:
    scripted.SCRIPTS["m"] = Script([step])
    refused = await client.post("/v1/messages", json=HI)
    assert (refused.status_code, refused.json()["error"]["type"]) == (status, kind)
    scripted.SCRIPTS["m"] = Script([delta("Wa"), step])
    broken = events((await client.post("/v1/messages", json={**HI, "stream": True})).text)
    assert (broken[-1]["type"], broken[-1]["error"]["type"]) == ("error", kind)
    nobody = await client.post("/v1/messages", json={**HI, "model": "none"})
    assert (nobody.status_code, nobody.json()["error"]["type"]) == (404, "not_found_error")
    nowhere = await client.post("/v1/messages/batches", json=HI)
    assert (nowhere.status_code, nowhere.json()["type"]) == (404, "error")


async def test_a_key_is_taken_as_this_wire_sends_it(make_venom: MakeVenom) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    venom = make_venom()
    key = venom.store.keys().create("a")[0]
    async with client_of(venom) as client:
        refused = await client.post("/v1/messages", json=HI)
        assert (refused.status_code, refused.json()["error"]["type"]) == (
            401, "authentication_error",
        )  # fmt: skip
        made = await client.post("/v1/messages", json=HI, headers={"x-api-key": key})
        assert made.status_code == 200


async def test_models_are_listed_for_both_kinds_of_client(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    headers = {"anthropic-version": "2023-06-01"}
    listed = (await client.get("/v1/models", headers=headers)).json()
    [model] = [one for one in listed["data"] if one["id"] == "m"]
    assert model["type"] == "model" and model["display_name"] == "m"
    assert (listed["has_more"], listed["last_id"]) == (False, listed["data"][-1]["id"])
    assert (await client.get("/v1/models/m", headers=headers)).json() == model
    refused = await client.get("/v1/models/none", headers=headers)
    assert refused.json()["type"] == "error"
    assert (await client.get("/v1/models")).json()["object"] == "list"
