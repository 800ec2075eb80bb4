"""The stream that a client reads, whatever its server or its plugin does: liberal in what is read,
strict in what is sent. Each case is a row."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.contract.openai.asking import (
    COUNTS,
    DONE,
    END,
    USAGE,
    A,
    Asker,
    B,
    ask,
    choice,
    client,
    data,
    engine,
    said,
)
from tests.stage import stage
from venom_core.plugins import guarded_streams
from venom_core.testing.engine import Reply, chunk, whole
from venom_core.testing.wire_law import lawful

__all__ = ["ask", "client", "engine", "stage"]  # used by being here

PRETTY = b"".join(
    b"data: %s\n" % line for line in json.dumps(chunk("Hel"), indent=2).encode().split(b"\n")
)

READ = {
    "as it should be": [A, B, END, COUNTS, DONE],
    "an event in two lines": [A.replace(b' "choices"', b'\ndata: "choices"'), B, END, DONE],
    "an event in many lines": [PRETTY + b"\n", B, END, DONE],
    "CR LF": [part.replace(b"\n", b"\r\n") for part in (A, B, END, DONE)],
    "CR": [part.replace(b"\n", b"\r") for part in (A, B, END, DONE)],
    "one byte at a time": [bytes([byte]) for byte in A + B + END + DONE],
    "CR LF, one byte at a time": [
        bytes([byte]) for byte in (A + B + END + DONE).replace(b"\n", b"\r\n")
    ],
    "all at once": [A + B + END + COUNTS + DONE],
    "byte order mark": [b"\xef\xbb\xbf" + A, B, END, DONE],
    "byte order mark in pieces": [b"\xef", b"\xbb", b"\xbf" + A, B, END, DONE],
    "byte order mark in an event": [data(b"\xef\xbb\xbf" + A[6:-2]), B, END, DONE],
    "blank lines first": [b"\r\n\n\n" + A, B, END, DONE],
    "no blank behind the colon": [A.replace(b"data: ", b"data:"), B, END, DONE],
    "blanks around JSON": [data(b" \t" + A[6:-2] + b"  "), B, END, DONE],
    "blanks around [DONE]": [A, B, END, data(b"  [DONE]\t ")],
    "comments": [b": hi\n\n", A, b":\n\n", b": OPENROUTER PROCESSING\n\n" + B, b":x\n" + END, DONE],
    "other fields": [b"event: message\nid: 1\nretry: 5\nfoo: bar\nfoo\n" + A, B, END, DONE],
    "events without data": [b"event: ping\n\n", A, b"data:\n\n", b"data: \n\n", b"data\n\n" + B,
                            b"data: \ndata:\n\n", END, DONE],
    "null and {}": [data(b"null"), A, data(b"{}"), B, data(b" null "), END, DONE],
    "ping": [data({"type": "ping"}), A, B, END, DONE],
    "no choices": [data({"id": "e", "choices": []}), A, data({"id": "e", "choices": None}), B, END,
                   data({"id": "e", "choices": [], "usage": None}), DONE],
    "an empty choice": [data({"id": "e", "choices": [None]}), A, B, END, DONE],
    "usage null": [data({**chunk("Hel"), "usage": None}), data({**chunk("lo"), "usage": {}}), END,
                   DONE],
    "usage that is none": [data({**chunk("Hel"), "usage": "many"}),
                           data({**chunk("lo"), "usage": [1]}), END, DONE],
    "error null": [data({**chunk("Hel"), "error": None}), data({**chunk("lo"), "error": ""}), END,
                   DONE],
    "no reason yet": [data(choice(delta={"content": "Hel"}, finish_reason="")),
                      data(choice(delta={"content": "lo"}, finish_reason=False)), END, DONE],
    "no delta": [data(choice(delta=None)), data(choice()), A, B, END, DONE],
    "nulls in a delta": [data(choice(delta={"role": None, "content": "Hel", "tool_calls": None,
                                            "function_call": None, "reasoning": None})),
                         data(choice(delta={"role": "", "content": "lo", "tool_calls": []})),
                         data(choice(delta={"content": None}, finish_reason="stop")), DONE],
    "no index": [data({"id": "e", "choices": [{"delta": {"content": "Hel"}}]}),
                 data({"id": "e", "choices": [{"index": None, "delta": {"content": "lo"}}]}),
                 data({"id": "e", "choices": [{"index": 0.0, "finish_reason": "stop"}]}), DONE],
    "message for delta": [data(choice(message={"content": "Hel"})), B, END, DONE],
    "a list of parts": [data(said([{"type": "text", "text": "Hel"}])), data(said(["l", "o"])), END,
                        DONE],
    "an answer in one event": [data({"id": "e", "choices": [{"message": {"content": "Hello"},
                               "finish_reason": "stop"}], "usage": USAGE}), DONE],
    "JSON beside the protocol": [A, json.dumps(chunk("lo")).encode() + b"\n", END, DONE],
    "another id each": [data({**chunk("Hel"), "id": "1", "created": 1}),
                        data({**chunk("lo"), "id": "2", "created": 2}),
                        data({**chunk(finish="stop"), "id": None, "created": None}), DONE],
    "another model and object each": [data({**chunk("Hel"), "object": "x", "model": "/srv/x"}),
                                      data({**chunk("lo"), "object": "y", "model": None}), END,
                                      DONE],
    "content behind the finish": [A, B, END, data(chunk("more")), COUNTS, DONE],
    "a choice that was not asked for": [A, *[data({"id": "e", "choices": [
        {"index": 1, "delta": {"content": "no"}}]})] * 4, data({"id": "e", "choices": [
            {"index": 1, "finish_reason": "stop"}]}), B, END, DONE],
    "two finishes": [A, B, END, END, data(chunk(finish="length")), DONE],
    "content and a second finish": [A, B, END, data(chunk("x", finish="stop")), DONE],
    "usage in each chunk": [data({**chunk("Hel"), "usage": USAGE}),
                            data({**chunk("lo"), "usage": USAGE}),
                            data({**chunk(finish="stop"), "usage": USAGE}), COUNTS, DONE],
    "usage before the finish": [A, B, COUNTS, END, DONE],
    "usage beside an empty choice": [A, B, END, data({**choice(delta={}), "usage": USAGE}), DONE],
    "broken behind the finish": [A, B, END, data(b"{"), DONE],
    "an error behind the finish": [A, B, END, data({"error": {"message": "late"}}), DONE],
    "no [DONE]": [A, B, END],
    "NaN": [data(json.dumps({**chunk("Hel"), "x": float("nan")}).encode()),
            data(json.dumps({**chunk("lo"), "x": [float("-inf")], "y": 1}).encode()),
            data(A[6:-2].replace(b"Hel", b"").replace(b'"id"', b'"x": 1e999, "id"')), END, DONE],
    "keys that the wire does not know": [data({**chunk("Hel"), "obfuscation": "ab", "p": [1]}), B,
                                         END, DONE],
}  # fmt: skip


@pytest.mark.parametrize("include_usage", [False, True])
@pytest.mark.parametrize("chunks", READ.values(), ids=READ)
async def test_what_is_read(ask: Asker, chunks: list[bytes], include_usage: bool) -> None:
    answer = await ask.stream(*chunks, stream_options={"include_usage": include_usage})
    assert answer.error is None
    assert answer.text == "Hello"
    assert answer.reasons == {0: "stop"}
    if not include_usage:
        assert answer.usage is None
    elif b'"prompt_tokens"' in b"".join(chunks):
        assert answer.usage == USAGE


TEXTS = {
    "plain": "a",
    "none": "",
    "quotes": 'say "hi" \\',
    "lines": "a\nb\r\nc\u2028d\u0085e\x00\x1b[1m",
    "an event": "\n\ndata: [DONE]\n\ndata: {}\n\n",
    "a key": '"finish_reason":"stop"',
    "an error": '{"error": {"message": "x"}}',
    "letters": "Zażółć gęślą jaźń",
    "emoji": "\U0001f600",
}


@pytest.mark.parametrize("ascii_", [True, False])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_text_comes_through_as_it_is(ask: Asker, text: str, ascii_: bool) -> None:
    event = data(json.dumps(chunk(text), ensure_ascii=ascii_).encode())
    assert (await ask.stream(A, event, event, event, END, DONE)).text == "Hel" + text * 3


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"a\xffb", "a\ufffdb"), (b"\xc5", "\ufffd"), (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
     (b"\\ud83d", "\ufffd"), (b"\\ud83d\\ude00", "\U0001f600"), (b"\\u017c\\n", "ż\n")],
)  # fmt: skip
async def test_a_byte_that_is_no_text_is_shown(ask: Asker, raw: bytes, text: str) -> None:
    event = data(json.dumps(chunk("TEXT")).encode().replace(b"TEXT", raw))
    assert (await ask.stream(A, event, event, B, END, DONE)).text == f"Hel{text}{text}lo"


PARTS = {
    "reasoning": ([said(None), choice(delta={"reasoning": "h"}), choice(delta={"reasoning": "m"}),
                   choice(delta={"reasoning_content": "!"})], "reasoning", "hm!"),
    "calls": ([choice(delta={"tool_calls": [{"index": 0, "id": "c", "type": "function",
                                             "function": {"name": "f", "arguments": ""}}]}),
               choice(delta={"tool_calls": [{"index": 0, "function": {"arguments": '{"a'}}]}),
               choice(delta={"tool_calls": [{"index": 0, "function": {"arguments": '": 1'}}]}),
               choice(delta={"tool_calls": [{"index": 0, "function": {"arguments": '}'}}]})],
              "arguments", '{"a": 1}'),
    "calls without an index": ([choice(delta={"tool_calls": [{"id": "c", "function": {
        "name": "f", "arguments": None}}]}), choice(delta={"tool_calls": [{"function": {
            "arguments": {"a": 1}}}]})], "arguments", '{"a": 1}'),
}  # fmt: skip


@pytest.mark.parametrize(("chunks", "part", "expected"), PARTS.values(), ids=PARTS)
async def test_parts_of_an_answer(ask: Asker, chunks: list[Any], part: str, expected: str) -> None:
    answer = await ask.stream(*map(data, chunks), END, DONE)
    assert getattr(answer, part) == expected
    assert all(
        isinstance(call["index"], int)
        for sent in answer.chunks
        for call in sent["choices"][0]["delta"].get("tool_calls", ())
    )


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("STOP", "stop"), ("eos_token", "stop"), ("end_turn", "stop"), ("max_tokens", "length"),
     ("function_call", "tool_calls"), ("tool_use", "tool_calls"), ("of its own", "stop")],
)  # fmt: skip
async def test_reasons_are_the_wires(ask: Asker, reason: str, expected: str) -> None:
    assert (await ask.stream(A, data(chunk(finish=reason)), DONE)).reasons == {0: expected}


WORDS = {"message": "the GPU fell off", "type": "server_error", "code": "gpu_gone", "param": "seed"}
ENDS = {
    "nothing more": ([A], "upstream_incomplete", ""),
    "[DONE] too early": ([A, DONE, END], "upstream_incomplete", ""),
    "no JSON between braces": ([A, data(b"{not json}"), END, DONE], "upstream_error", ""),
    "no JSON in a known shape": ([A, B, data(A[6:-2].replace(b"Hel", b'H"l')), END, DONE],
                                 "upstream_error", ""),
    "another end of the same length": ([A, B, data(A[6:-2].replace(b"null", b"nulx")), END, DONE],
                                       "upstream_error", ""),
    "half an escape": ([A, B, data(A[6:-2].replace(b"Hel", b"H\\")), END, DONE],
                       "upstream_error", ""),
    "a control character": ([A, B, data(A[6:-2].replace(b"Hel", b"H\x07")), END, DONE],
                            "upstream_error", ""),
    "two objects": ([A, data(A[6:-2] + b"\ndata: " + B[6:-2]), END, DONE], "upstream_error", ""),
    "an event within": ([A, data(b'{"x": 1}\ndata:\ndata: {"choices": []}')], "upstream_error", ""),
    "a number": ([A, data(b"5"), END, DONE], "upstream_error", ""),
    "a list": ([A, data(b"[{}]"), END, DONE], "upstream_error", ""),
    "nested": ([A, data(b'{"id":' + b"[" * 90_000 + b"]" * 90_000 + b"}"), END], "upstream_error",
               ""),
    "another object": ([A, data({"hello": "world"}), END, DONE], "upstream_error", ""),
    "choices that are none": ([A, data({"choices": "x"}), END, DONE], "upstream_error", ""),
    "content that is none": ([A, data(said(5)), END, DONE], "upstream_error", ""),
    "an error": ([A, data({"error": WORDS}), END, DONE], "gpu_gone", "the GPU fell off"),
    "an error event": ([A, b"event: error\n" + data({"error": WORDS})], "gpu_gone",
                       "the GPU fell off"),
    "an error as text": ([A, data({"error": "the GPU fell off"})], "upstream_error",
                         "the GPU fell off"),
    "an error of vLLM": ([A, data({"object": "error", **WORDS, "code": 500}), DONE],
                         "upstream_error", "the GPU fell off"),
    "an error beside the protocol": ([A, b'{"detail": "the GPU fell off"}\n'], "upstream_error",
                                     "the GPU fell off"),
    "an error within a choice": ([A, data(choice(finish_reason="error", error=WORDS)), DONE],
                                 "gpu_gone", "the GPU fell off"),
    "a failed answer": ([A, data(chunk(finish="error")), DONE], "upstream_error", ""),
    "an error that imitates an event": ([A, data({"error": {"message": "x\n\ndata: [DONE]\n\n"}})],
                                        "upstream_error", "x\n\ndata: [DONE]"),
}  # fmt: skip


@pytest.mark.parametrize(("chunks", "code", "words"), ENDS.values(), ids=ENDS)
async def test_what_ends_in_an_error(
    ask: Asker, chunks: list[bytes], code: str, words: str
) -> None:
    answer = await ask.stream(*chunks)
    assert answer.text.startswith("Hel")
    assert answer.error is not None
    assert answer.error["code"] == code
    assert words in answer.error["message"]
    if words and code == "gpu_gone":
        assert answer.error["param"] == "seed"


@pytest.mark.parametrize("fault", ["eof", "reset"])
async def test_a_connection_that_breaks(ask: Asker, fault: str) -> None:
    broken = await ask.stream(A, B, fault=fault)
    assert broken.error is not None
    late = await ask.stream(A, B, END, fault=fault)
    assert (late.error, late.text) == (None, "Hello")


async def test_silence_behind_the_finish_is_bounded(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_streams, "SETTLE_SECONDS", 0.05)
    answer = await ask.stream(A, B, END, fault="stall")
    assert (answer.text, answer.error) == ("Hello", None)


async def test_choices_end_each(ask: Asker) -> None:
    def of(index: int, **parts: Any) -> dict[str, Any]:
        return {"index": index, "finish_reason": None, **parts}

    both = {"id": "e", "choices": [of(0, delta={"content": "a"}), of(1, delta={"content": "b"})]}
    first = {"id": "e", "choices": [of(0, delta={}, finish_reason="stop")]}
    rest = {
        "id": "e",
        "choices": [
            of(0, delta={"content": "no"}),
            of(1, delta={"content": "c"}),
            of(1, finish_reason="length"),
            of(1, delta={"content": "no"}),
        ],
    }
    answer = await ask.stream(*map(data, (both, first, both, rest)), DONE, n=2, choices=2)
    assert (answer.text, answer.reasons) == ("abbc", {0: "stop", 1: "length"})


FAILURES = {
    "an object": json.dumps({"error": WORDS}).encode(),
    "a text": b'{"error": "the GPU fell off"}',
    "in lines": json.dumps({"error": WORDS}, indent=2).encode(),
    "with a byte order mark": b"\xef\xbb\xbf " + json.dumps({"error": WORDS}).encode(),
    "of vLLM": json.dumps({"object": "error", **WORDS}).encode(),
    "of FastAPI": b'{"detail": "the GPU fell off"}',
    "as an event": b"event: error\n" + data({"error": WORDS}),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_an_error_with_status_200(ask: Asker, failure: bytes, stream: bool) -> None:
    response = await ask.post(failure, stream=stream)
    assert response.status_code == 502
    assert "the GPU fell off" in response.json()["error"]["message"]


@pytest.mark.parametrize("pieces", [1, 7])
async def test_json_where_a_stream_was_asked_for(ask: Asker, pieces: int) -> None:
    sent = whole("Hello")[0]
    size = len(sent) // pieces
    chunks = [sent[place : place + size] for place in range(0, len(sent), size)]
    answer = await ask.stream(*chunks, stream_options={"include_usage": True})
    assert (answer.text, answer.reasons) == ("Hello", {0: "stop"})
    assert answer.usage is not None
    assert answer.usage["completion_tokens"] == 1
    calls = {"role": "assistant", "content": None,
             "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}  # fmt: skip
    body = {"choices": [{"message": calls, "finish_reason": "tool_calls"}]}
    answer = await ask.stream(json.dumps(body, indent=1).encode())
    assert (answer.arguments, answer.reasons) == ("{}", {0: "tool_calls"})


async def test_a_stream_where_json_was_asked_for(ask: Asker) -> None:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a"'}}
    more = {"index": 0, "function": {"arguments": ": 1}"}}
    response = await ask.post(
        b": hi\n\n", A, B, *map(data, (choice(delta={"reasoning": "hm"}),
        choice(delta={"tool_calls": [call]}), choice(delta={"tool_calls": [more]}))), END, COUNTS,
        DONE, stream=False,
    )  # fmt: skip
    body = response.json()
    assert body["object"] == "chat.completion"
    assert body["usage"] == USAGE
    (only,) = body["choices"]
    assert only["finish_reason"] == "stop"
    message = only["message"]
    assert (message["content"], message["reasoning_content"]) == ("Hello", "hm")
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a": 1}'}
    cut = await ask.post(A, B, DONE, stream=False)
    assert (cut.status_code, cut.json()["error"]["code"]) == (502, "upstream_incomplete")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("page", [b"<html>busy</html>", b"OK", b"[]", b"5", b'{"hello": "world"}'])
async def test_what_is_no_answer_at_all(ask: Asker, page: bytes, stream: bool) -> None:
    response = await ask.post(page, stream=stream)
    assert (response.status_code, response.json()["error"]["code"]) == (502, "upstream_error")


async def test_completions_end_alike(ask: Asker) -> None:
    def text(text: Any, reason: Any = None) -> bytes:
        return data({"choices": [{"index": 0, "text": text, "finish_reason": reason}]})

    answer = await ask.stream(
        text("Hel"), text(None), text("lo"), text("", "stop"), text("no"), DONE, wire="completion"
    )
    assert (answer.text, answer.reasons) == ("Hello", {0: "stop"})
    assert {sent["object"] for sent in answer.chunks} == {"text_completion"}
    assert (await ask.stream(text("x"), data(b"{x}"), wire="completion")).error is not None


LOST = {
    "closes": Reply((), fault="eof"),
    "breaks off": Reply([A], fault="reset"),
    "a proxy says that it is away": Reply([b"<html>"], 503),
    "refuses one body": Reply([b'{"error": {"message": "no"}}'], 500),
    "wants to be paid": Reply((), 402),
    "forbids": Reply([b'{"error": {"message": "not you"}}'], 403),
    "an odd event": Reply([data(b"{odd}")]),
}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
async def test_the_only_server_is_asked_again_at_once(
    ask: Asker, client: httpx.AsyncClient, lost: Reply
) -> None:
    for _ in range(2):
        refused = await ask.reply(lost)
        assert refused.status_code != 200 or lawful(refused.content).error is not None
        assert "is down" not in refused.text
        for path in ("/readyz", "/api/v1/plugins", "/v1/models"):
            await client.get(path)
        assert (await ask.stream(A, B, END, DONE)).text == "Hello"
