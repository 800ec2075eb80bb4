"""Bodies and answers of today's clients and servers, passed on with one meaning in both modes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.venom_remote.tests.conftest import Opened
from venom_core.sdk.frames import Envelope
from venom_core.sdk.messages import ChatRequest, EmbedRequest
from venom_core.sdk.prefill import without_beginning
from venom_core.testing.engine import Reply, ScriptedEngine

BEGUN = [{"role": "user", "content": "capital?"}, {"role": "assistant", "content": "It is "}]
LLAMA = {"timings": {"prompt_n": 3}}


def answered(content: Any, **more: Any) -> bytes:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"model": "m", "choices": [choice], **more}).encode()


@pytest.mark.parametrize(
    ("content", "more", "messages", "said"),
    [
        ("It is Warsaw.", LLAMA, BEGUN, "Warsaw."),
        ("It is It is", LLAMA, BEGUN, "It is"),
        ("Warsaw.", LLAMA, BEGUN, "Warsaw."),
        ("It is Ł", LLAMA, [{"role": "assistant", "content": [
            {"type": "text", "text": "It "}, {"type": "text", "text": "is "}]}], "Ł"),
        ("It is Warsaw.", {}, BEGUN, "It is Warsaw."),
        ("It is Warsaw.", {"timings": None}, BEGUN, "It is Warsaw."),
        ("It is Warsaw.", LLAMA, BEGUN[:1], "It is Warsaw."),
        ("It is Warsaw.", LLAMA, [], "It is Warsaw."),
        ("It is", LLAMA, [{"role": "assistant", "content": None}], "It is"),
        (None, LLAMA, BEGUN, None),
    ],
)  # fmt: skip
async def test_an_answer_holds_what_its_stream_would(
    engine: ScriptedEngine, opened: Opened, content: Any, more: Any, messages: Any, said: Any
) -> None:
    engine.reply = Reply([answered(content, **more)])
    async with opened(engine.url) as provider:
        asked = ChatRequest("m", {"messages": messages}, False, "r")
        frames = [frame async for frame in provider.chat(asked)]
    body = json.loads(frames[0].json(Envelope("x", 1, "m")))
    assert body["choices"][0]["message"]["content"] == said
    assert frames[0].event.choices[0].content == said


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"timings":{}}', answered(5, **LLAMA)])
def test_what_is_no_answer_is_left_for_whoever_reads_it_next(data: bytes) -> None:
    assert without_beginning(data, BEGUN) == data


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"inputs": ("a", "b")}, ["a", "b"]),
        ({"inputs": (), "tokens": ((1, 2), (3,))}, [[1, 2], [3]]),
    ],
)
async def test_inputs_are_texts_or_tokens(
    engine: ScriptedEngine, opened: Opened, given: dict[str, Any], sent: list[Any]
) -> None:
    rows = [{"index": place, "embedding": [0.5]} for place in range(2)]
    engine.reply = Reply([json.dumps({"data": rows}).encode()])
    async with opened(engine.url) as provider:
        found = await provider.embed(EmbedRequest("m", request_id="r", **given))
    assert engine.requests[-1][2]["input"] == sent
    assert len(found.vectors) == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("chatcmpl-abc", "cmpl-abc"),
        ("cmpl-abc", "cmpl-abc"),
        ("abc", "cmpl-abc"),
        ("", "cmpl-ours"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_relayed_completion_has_an_id_of_its_kind(
    engine: ScriptedEngine, opened: Opened, given: str, told: str, stream: bool
) -> None:
    choice = {"index": 0, "text": '"id":"x"', "finish_reason": "stop"}
    data = json.dumps({"choices": [choice], "model": "m", "id": given}).encode()
    engine.reply = Reply([b"data: " + data + b"\n\ndata: [DONE]\n\n" if stream else data])
    async with opened(engine.url) as provider:
        asked = ChatRequest("m", {"prompt": "a"}, stream, "r")
        frames = [frame async for frame in provider.complete(asked)]
    envelope = Envelope("cmpl-ours", 1, "m", wire="completion")
    sent = [json.loads(frame.json(envelope)) for frame in frames]
    assert {event["id"] for event in sent} == {told}
    assert sent[0]["choices"][0]["text"] == '"id":"x"'
