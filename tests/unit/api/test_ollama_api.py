"""Ollama's API as a facade: its lines, what its fields become, and refusals in its shape."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.api.ollama.body import chat_messages, generate_messages, parameters
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import Answer, Choice, Chunk, ToolCall, Usage, delta, finish
from venom_core.sdk.provider import Model, PullProgress
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer, say
from venom_core.testing.staging import client_of

HI: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
SCHEMA = {"type": "object"}
PNG = "iVBORw0KGgo="
CALL = {"function": {"name": "weather", "arguments": {"city": "Łódź"}}}


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["m"] = Script(answer("Warsaw"))


@pytest.mark.parametrize(
    ("given", "made", "hints"),
    [
        ({"options": {"num_predict": 5, "temperature": 0.5, "seed": 1, "stop": ["a"]}},
         {"max_tokens": 5, "temperature": 0.5, "seed": 1, "stop": ["a"]}, set()),
        *(({"options": {"num_predict": most}}, {}, set()) for most in (-1, -2, 0)),
        ({"options": {"num_ctx": 9, "num_gpu": 1, "temperature": None}}, {},
         {"options.num_ctx", "options.num_gpu"}),
        ({"format": "json"}, {"response_format": {"type": "json_object"}}, set()),
        ({"format": ""}, {}, set()),
        ({"format": SCHEMA}, {"response_format": {
            "type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}},
         set()),
        ({"think": True}, {"reasoning_effort": "medium"}, set()),
        ({"think": False}, {"reasoning_effort": "none"}, set()),
        ({"think": "high"}, {"reasoning_effort": "high"}, set()),
        ({"keep_alive": "5m"}, {}, {"keep_alive"}),
        ({"logprobs": True, "top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}, set()),
        ({"options": {"unheard_of": 1}}, {"unheard_of": 1}, set()),
    ],
    ids=lambda value: json.dumps(value, default=sorted)[:40],
)  # fmt: skip
def test_a_field_is_told_the_model_in_the_words_of_the_chat(
    given: dict[str, Any], made: dict[str, Any], hints: set[str]
) -> None:
    noted: set[str] = set()
    assert (parameters(given, noted), noted) == (made, hints)


def test_messages_become_turns_and_results_find_their_calls() -> None:
    other = {"function": {"name": "time", "arguments": {}}}
    body = {"messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "What?", "images": [PNG]},
        {"role": "assistant", "content": "", "thinking": "Hm.", "tool_calls": [CALL, other]},
        {"role": "tool", "content": "noon", "tool_name": "time"},
        {"role": "tool", "content": "sun"},
    ]}  # fmt: skip
    made = chat_messages(body)
    assert made[1]["content"] == [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ]
    first, second = made[2]["tool_calls"]
    assert made[2]["reasoning_content"] == "Hm."
    assert json.loads(first["function"]["arguments"]) == {"city": "Łódź"}
    assert [one["tool_call_id"] for one in made[3:]] == [second["id"], first["id"]]
    assert generate_messages({"prompt": "x", "system": "y"}) == [
        {"role": "system", "content": "y"}, {"role": "user", "content": "x"},
    ]  # fmt: skip


async def test_lines_come_as_they_are_said_and_the_last_counts(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["m"] = Script(say("Wąż ", "🐍", usage=Usage(4, 2)))
    made = await client.post("/api/chat", json=HI)
    assert made.headers["content-type"] == "application/x-ndjson"
    *said, last = lines(made.text)
    assert [one["message"] for one in said] == [
        {"role": "assistant", "content": "Wąż "}, {"role": "assistant", "content": "🐍"},
    ]  # fmt: skip
    assert {one["done"] for one in said} == {False}
    assert (last["done"], last["done_reason"]) == (True, "stop")
    assert (last["prompt_eval_count"], last["eval_count"]) == (4, 2)
    assert last["total_duration"] >= last["eval_duration"] > 0
    assert last["message"]["content"] == "" and last["model"] == "m"


async def test_whole_answers_of_both(client: httpx.AsyncClient) -> None:
    chat = (await client.post("/api/chat", json={**HI, "stream": False})).json()
    assert chat["message"] == {"role": "assistant", "content": "Warsaw"}
    asked = {"model": "m", "prompt": "Capital?", "stream": False}
    made = (await client.post("/api/generate", json=asked)).json()
    assert (made["response"], made["done"], made["eval_count"]) == ("Warsaw", True, 2)


async def test_thoughts_and_calls(client: httpx.AsyncClient) -> None:
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
    scripted.SCRIPTS["m"] = Script([
        delta(role="assistant", reasoning="Hm."),
        delta(tool_calls=(ToolCall(0, "call_1", "weather", '{"city":'),)),
        delta(tool_calls=(ToolCall(0, arguments='"Łódź"}'),)),
        finish("tool_calls"), Chunk(usage=Usage(1, 1)),
    ])  # fmt: skip
    found = lines((await client.post("/api/chat", json={**HI, "tools": tools})).text)
    assert found[0]["message"]["thinking"] == "Hm."
    [call] = found[1]["message"]["tool_calls"]
    assert call["function"] == {"index": 0, "name": "weather", "arguments": {"city": "Łódź"}}
    assert found[-1]["done_reason"] == "stop"
    whole = Choice(role="assistant", tool_calls=(ToolCall(0, "c", "weather", "{}"),),
                   finish_reason="tool_calls")  # fmt: skip
    scripted.SCRIPTS["m"] = Script([Answer((whole,), Usage(1, 1))])
    body = {**HI, "tools": tools, "stream": False}
    made = (await client.post("/api/chat", json=body)).json()
    assert made["message"]["tool_calls"][0]["function"]["arguments"] == {}


async def test_lists(client: httpx.AsyncClient) -> None:
    can = frozenset({"chat", "completion", "tools"})
    big = Model("big", "gguf", can, size_bytes=5, digest="sha256:ab",
                quantization="Q4_K_M", context_length=8192)  # fmt: skip
    scripted.SCRIPTS["big"] = Script([], big)
    tags = (await client.get("/api/tags")).json()["models"]
    [model] = [one for one in tags if one["name"] == "big"]
    assert (model["size"], model["digest"]) == (5, "ab")
    assert model["details"]["quantization_level"] == "Q4_K_M"
    assert model["capabilities"] == ["completion", "tools"]
    shown = (await client.post("/api/show", json={"model": "big"})).json()
    assert shown["model_info"]["general.context_length"] == 8192
    assert shown["capabilities"] == ["completion", "tools"]
    assert (await client.get("/api/version")).json()["version"].count(".") == 2
    loaded = (await client.get("/api/ps")).json()["models"]
    assert [(one["name"], one["size"]) for one in loaded] == [("m", 1000), ("big", 1000)]


async def test_a_model_is_loaded_and_unloaded_by_an_empty_question(
    client: httpx.AsyncClient,
) -> None:
    made = lines((await client.post("/api/generate", json={"model": "m"})).text)
    assert made[-1]["done_reason"] == "load" and made[-1]["response"] == ""
    gone = await client.post("/api/chat", json={"model": "m", "keep_alive": 0, "stream": False})
    assert gone.json()["done_reason"] == "unload"
    assert [one for one in scripted.SEEN.calls if one.endswith(" m")] == ["load m", "unload m"]


async def test_vectors(client: httpx.AsyncClient) -> None:
    made = (await client.post("/api/embed", json={"model": "m", "input": ["a", "b"]})).json()
    assert len(made["embeddings"]) == 2 and made["prompt_eval_count"] > 0
    one = (await client.post("/api/embeddings", json={"model": "m", "prompt": "a"})).json()
    assert one["embedding"] == made["embeddings"][0]
    for path, body in (("embed", {"input": []}), ("embeddings", {"prompt": ""})):
        empty = (await client.post(f"/api/{path}", json={"model": "m", **body})).json()
        assert [] in empty.values()


async def test_a_pull_is_told_and_a_model_is_renamed_and_deleted(
    client: httpx.AsyncClient,
) -> None:
    scripted.PULLS["new"] = [
        PullProgress("pulling", "Fetching.", 5, 10), PullProgress("completed", "Done.", 10, 10),
    ]  # fmt: skip
    told = lines((await client.post("/api/pull", json={"model": "scripted://new"})).text)
    assert told[0] == {"status": "pulling manifest"} and told[-1] == {"status": "success"}
    copied = await client.post("/api/copy", json={"source": "m", "destination": "mine"})
    assert (copied.status_code, copied.json()) == (200, {"status": "success"})
    assert (await client.post("/api/show", json={"model": "mine"})).status_code == 200
    gone = await client.request("DELETE", "/api/delete", json={"model": "m"})
    assert gone.status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("chat", {**HI, "model": "none"}, 404, "none"),
        ("chat", {"messages": []}, 400, "model"),
        ("chat", {**HI, "messages": [{"role": "king", "content": "x"}]}, 400, "king"),
        ("chat", {**HI, "messages": [{"role": "tool", "content": "x"}]}, 400, "No call"),
        ("chat", {**HI, "messages": [{"role": "user", "content": "x", "images": ["AA"]}]}, 400,
         "image"),
        ("chat", {**HI, "format": "xml"}, 400, "format"),
        ("chat", {**HI, "think": "often"}, 400, "think"),
        ("chat", {**HI, "options": {"mirostat": 1}}, 400, "mirostat"),
        ("generate", {"model": "m", "prompt": "x", "context": [1]}, 400, "context"),
        ("generate", {"model": "m", "prompt": "x", "template": "t"}, 400, "template"),
        ("show", {}, 400, "model"),
        ("show", {"model": "none"}, 404, "none"),
        ("pull", {"model": "scripted://../x"}, 400, ""),
        ("copy", {"source": "m"}, 400, "destination"),
        ("create", {"model": "x"}, 501, "Modelfile"),
        ("push", {"model": "x"}, 501, "publishes"),
    ],
    ids=lambda value: json.dumps(value)[:50] if isinstance(value, dict) else "",
)  # fmt: skip
async def test_refusals_have_the_shape_of_ollamas(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, word: str
) -> None:
    refused = await client.post(f"/api/{path}", json=body)
    assert refused.status_code == status, refused.text
    assert isinstance(refused.json()["error"], str) and word in refused.json()["error"]


async def test_an_answer_that_breaks_off_says_so_in_its_last_line(
    client: httpx.AsyncClient,
) -> None:
    scripted.SCRIPTS["m"] = Script([delta("Wa"), UpstreamError("It broke off.")])
    found = lines((await client.post("/api/chat", json=HI)).text)
    assert "It broke off." in found[-1]["error"] and "done" not in found[-1]


async def test_hints_are_said(client: httpx.AsyncClient) -> None:
    body = {**HI, "options": {"num_ctx": 4096}, "keep_alive": "5m"}
    made = await client.post("/api/chat", json=body)
    assert made.headers["venom-ignored-hints"] == "keep_alive, options.num_ctx"


async def test_scopes(make_venom: MakeVenom) -> None:
    from venom_core.store.keys import KeyRights

    venom = make_venom()
    key = venom.store.keys().create("chat", KeyRights(scopes=("chat",)))[0]
    headers = {"Authorization": f"Bearer {key}"}
    async with client_of(venom) as client:
        assert (await client.post("/api/chat", json=HI)).status_code == 401
        assert (await client.post("/api/chat", json=HI, headers=headers)).status_code == 200
        assert (await client.get("/api/tags", headers=headers)).status_code == 200
        refused = await client.request("DELETE", "/api/delete", json={"model": "m"},
                                       headers=headers)  # fmt: skip
        assert refused.status_code == 403 and isinstance(refused.json()["error"], str)


def test_results_without_a_name_are_of_the_calls_in_their_order() -> None:
    body = {"messages": [
        {"role": "assistant", "content": "", "tool_calls": [CALL, CALL]},
        {"role": "tool", "content": "sun"}, {"role": "tool", "content": "rain"},
    ]}  # fmt: skip
    called, *results = chat_messages(body)
    calls = [call["id"] for call in called["tool_calls"]]
    assert [one["tool_call_id"] for one in results] == calls and len(set(calls)) == 2
