"""``/v1/responses``: what its fields become, what is refused and where, and whose a response is."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api.conftest import MakeVenom
from venom_core.api.responses.body import chat_body
from venom_core.api.responses.draft import ResponseDraft
from venom_core.sdk.errors import NotFound
from venom_core.sdk.frames import Frame, Usage, delta, finish
from venom_core.store.responses import KeptResponse, ResponseRepository
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer
from venom_core.testing.staging import client_of

SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"max_output_tokens": 5}, {"max_tokens": 5}),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning_effort": "low"}),
        ({"text": {"format": {"type": "text"}}}, {"response_format": {"type": "text"}}),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
            {
                "response_format": {
                    "type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA},
                }
            },
        ),
        (
            {"tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": None}]},
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}]},
        ),
        (
            {"tools": [{"type": "namespace", "name": "agents", "tools": [
                {"type": "function", "name": "f", "parameters": SCHEMA}]}]},
            {"tools": [
                {"type": "function", "function": {"name": "agents__f", "parameters": SCHEMA}}]},
        ),
        ({"client_metadata": {"a": "b"}}, {}),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "name": "f"}},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        ),
        ({"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
        (
            {"include": ["message.output_text.logprobs"]},
            {"logprobs": True, "top_logprobs": 0},
        ),
        ({"unheard_of": 1}, {"unheard_of": 1}),
        ({"store": False, "user": "u", "metadata": {"a": "b"}, "background": False}, {}),
        ({"truncation": "disabled", "service_tier": "auto", "temperature": 0.1},
         {"temperature": 0.1}),
    ],
    ids=lambda value: json.dumps(value)[:40],
)  # fmt: skip
def test_a_field_is_told_the_model_in_the_words_of_the_chat(
    given: dict[str, Any], told: dict[str, Any]
) -> None:
    body = chat_body({"input": "hi", **given}, ())
    assert body.pop("messages") == [{"role": "user", "content": "hi"}]
    assert body == told


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": "x", "background": True}, "background"),
        ({"input": "x", "truncation": "auto"}, "truncation"),
        ({"input": "x", "service_tier": "priority"}, "service_tier"),
        ({"input": "x", "text": {"verbosity": "low"}}, "text.verbosity"),
        ({"input": "x", "reasoning": {"summary": "detailed"}}, "reasoning.summary"),
        ({"input": "x", "stream_options": {"include_obfuscation": True}},
         "stream_options.include_obfuscation"),
        ({"input": "x", "include": ["file_search_call.results"]}, "include[0]"),
        ({"input": "x", "conversation": "c"}, "conversation"),
        *(({"input": "x", name: 1}, name)
          for name in ("prompt", "messages", "max_tokens", "n", "response_format", "top_a")),
        *(
            ({"input": "x", "tools": [{"type": kind}]}, "tools[0].type")
            for kind in ("web_search", "file_search", "code_interpreter", "computer", "mcp",
                         "image_generation", "custom", None)
        ),
        ({"input": "x", "tools": [{"type": "namespace", "name": "n", "tools": [
            {"type": "web_search"}]}]}, "tools[0].tools[0].type"),
        ({"input": "x", "tools": [{"type": "namespace", "name": "n", "tools": [5]}]},
         "tools[0].tools[0].type"),
        ({"input": "x", "tools": [{"type": "namespace", "name": "n"}]}, "tools[0]"),
        ({"input": "x", "tool_choice": {"type": "web_search"}}, "tool_choice.type"),
        ({"input": [{"type": "web_search_call"}]}, "input[0].type"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
         "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
         "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [5]}]}, "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
         "input[0].content[0].text"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        ({"input": "x", "temperature": 3}, "temperature"),
        ({"input": "x", "top_logprobs": 21}, "top_logprobs"),
        ({"input": "x", "metadata": {"a": 1}}, "metadata.a"),
        ({"input": "x", "max_output_tokens": 0}, "max_output_tokens"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)  # fmt: skip
async def test_what_cannot_be_honoured_is_refused_by_name(
    client: httpx.AsyncClient, body: dict[str, Any], param: str
) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    told = await client.post("/v1/responses", json={"model": "m", **body})
    assert told.status_code == 400, told.text
    error = told.json()["error"]
    assert (error["param"], bool(error["fix"])) == (param, True)
    assert scripted.SEEN.requests == []


async def test_a_response_is_its_keys_alone(make_venom: MakeVenom) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    venom = make_venom()
    ours, theirs = [
        {"Authorization": f"Bearer {venom.store.keys().create(name)[0]}"} for name in ("a", "b")
    ]
    async with client_of(venom) as client:
        asked = {"model": "m", "input": "hi"}
        made = (await client.post("/v1/responses", json=asked, headers=ours)).json()
        url = f"/v1/responses/{made['id']}"
        assert (await client.get(url, headers=ours)).json() == made
        on = {**asked, "previous_response_id": made["id"]}
        refused = [
            await client.get(url, headers=theirs),
            await client.get(f"{url}/input_items", headers=theirs),
            await client.post(f"{url}/cancel", headers=theirs),
            await client.delete(url, headers=theirs),
            await client.post("/v1/responses", json=on, headers=theirs),
        ]
        assert {one.status_code for one in refused} == {404}
        assert {one.json()["error"]["code"] for one in refused} == {"response_not_found"}
        assert (await client.get(url, headers=ours)).status_code == 200


async def test_an_input_is_listed_page_by_page(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    items = [{"role": "user", "content": str(number)} for number in range(5)]
    made = (await client.post("/v1/responses", json={"model": "m", "input": items})).json()
    url = f"/v1/responses/{made['id']}/input_items"

    def texts(page: Any) -> list[str]:
        return [item["content"][0]["text"] for item in page["data"]]

    first = (await client.get(f"{url}?limit=2")).json()
    assert (texts(first), first["has_more"]) == (["4", "3"], True)
    after = first["last_id"]
    second = (await client.get(f"{url}?after={after}")).json()
    assert (texts(second), second["has_more"]) == (["2", "1", "0"], False)
    up = (await client.get(f"{url}?order=asc&limit=1")).json()
    assert texts(up) == ["0"] and up["first_id"] == up["last_id"]
    for query in ("order=x", "limit=0", "limit=101", "limit=x", "after=none"):
        refused = await client.get(f"{url}?{query}")
        assert refused.status_code == 400, query
        assert refused.json()["error"]["param"] == query.split("=")[0]
    assert (await client.get(f"/v1/responses/{made['id']}?stream=true")).status_code == 400


async def test_the_oldest_go_where_one_keys_take_too_much(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venom_core.store.responses.MOST_BYTES", 1000)
    kept: ResponseRepository = make_venom().store.responses()
    for number in range(4):
        kept.add("k", KeptResponse(f"r{number}", None, [], {"output": ["x" * 400]}))
    kept.add("other", KeptResponse("o", None, [], {"output": ["x" * 400]}))
    left = []
    for key, name in (*(("k", f"r{number}") for number in range(4)), ("other", "o")):
        try:
            left.append(kept.get(key, name).id)
        except NotFound:
            continue
    assert left[-1] == "o" and "r3" in left and len(left) == 3


@given(st.lists(st.tuples(st.sampled_from(["content", "reasoning"]), st.text(min_size=1))))
def test_events_and_record_say_the_same(pieces: list[tuple[str, str]]) -> None:
    draft = ResponseDraft({}, "m")
    events = draft.news()
    for kind, text in pieces:
        draft.hear(Frame.of(delta(text if kind == "content" else None,
                                  reasoning=text if kind == "reasoning" else None)))  # fmt: skip
        events += draft.news()
    draft.hear(Frame.of(finish("stop")))
    draft.finish()
    events += draft.news()
    record = draft.record()
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[-1] == {
        "type": "response.completed", "sequence_number": len(events) - 1, "response": record,
    }  # fmt: skip
    for place, item in enumerate(record["output"]):
        heard = [event["delta"] for event in events
                 if event.get("output_index") == place and "delta" in event]  # fmt: skip
        assert "".join(heard) == item["content"][0]["text"] != ""
        [done] = [event for event in events if event["type"] == "response.output_item.done"
                  and event["output_index"] == place]  # fmt: skip
        assert done["item"] == item
    told = "".join(text for _, text in pieces)
    assert sum(len(item["content"][0]["text"]) for item in record["output"]) == len(told)


def test_usage_is_told_as_it_was_counted() -> None:
    from venom_core.sdk.frames import usage

    draft = ResponseDraft({}, "m")
    draft.hear(Frame.of(usage(7, 5, cached_tokens=2)))
    draft.finish()
    assert draft.record()["usage"] == {
        "input_tokens": 7, "input_tokens_details": {"cached_tokens": 2},
        "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 12,
    }  # fmt: skip
    assert Usage(7, 5, 2).cached_tokens == 2
