"""Bodies and answers of today's clients and servers, passed on with one meaning in both modes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.venom_remote.tests.conftest import Opened
from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.sdk.frames import Envelope, FrameKind
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


ANSWERED = b'{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]}'
UNKNOWN = {"messages": BEGUN[:1], "user": "u", "mirostat": 2, "max_completion_tokens": 5}


async def test_fields_that_nobody_here_knows_are_passed_on(
    engine: ScriptedEngine, opened: Opened
) -> None:
    engine.reply = Reply([ANSWERED])
    async with opened(engine.url) as provider:
        asked = ChatRequest("m", UNKNOWN, False, "r")
        assert [frame async for frame in provider.chat(asked)]
    assert engine.requests[-1][2] == {**UNKNOWN, "model": "m", "stream": False}


async def test_where_the_setting_says_so_they_are_refused_by_name(
    engine: ScriptedEngine, opened: Opened
) -> None:
    engine.reply = Reply([ANSWERED])
    async with opened(engine.url, unknown_fields="refuse") as provider:
        before = len(engine.requests)
        for ask in (provider.chat, provider.complete):
            with pytest.raises(UnsupportedParameter) as raised:
                await anext(ask(ChatRequest("m", UNKNOWN, False, "r")))
            assert raised.value.param == "mirostat"
        assert len(engine.requests) == before
        known = {name: value for name, value in UNKNOWN.items() if name != "mirostat"}
        assert [frame async for frame in provider.chat(ChatRequest("m", known, False, "r"))]


EVENTS = [
    b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
]


@pytest.mark.parametrize("words", ["Unknown field stream_options", "include_usage is no field"])
async def test_a_server_that_does_not_count_in_streams_is_asked_once(
    engine: ScriptedEngine, opened: Opened, words: str
) -> None:
    def reply(path: str, body: Any) -> Reply:
        if "stream_options" in body:
            return Reply([json.dumps({"error": {"message": words}}).encode()], status=400)
        return Reply(EVENTS)

    async with opened(engine.url) as provider:
        engine.reply = reply
        for _ in range(2):
            asked = ChatRequest("m", {"messages": BEGUN[:1]}, True, "r")
            frames = [frame async for frame in provider.chat(asked)]
            assert any(FrameKind.FINISH in frame.kind for frame in frames)
    sent = ["stream_options" in body for _, _, body in engine.requests if body]
    assert sent == [True, False, False]


async def test_any_other_refusal_is_told_and_not_asked_again(
    engine: ScriptedEngine, opened: Opened
) -> None:
    error = {"message": "too hot", "param": "temperature", "code": "out_of_range"}
    async with opened(engine.url) as provider:
        engine.reply = Reply([json.dumps({"error": error}).encode()], status=400)
        with pytest.raises(InvalidRequest) as raised:
            await anext(provider.chat(ChatRequest("m", {"messages": BEGUN[:1]}, True, "r")))
    assert (raised.value.param, raised.value.code) == ("temperature", "out_of_range")
    assert "too hot" in raised.value.message
    assert len([body for _, _, body in engine.requests if body]) == 1
