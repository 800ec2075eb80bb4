"""The law of the chat interface, for any script and any cut."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.sdk import delta_shape, frames, stream_reader, wire_objects
from venom_core.sdk.errors import ContextLengthExceeded, UpstreamError
from venom_core.sdk.frames import (
    Answer,
    Choice,
    Chunk,
    Envelope,
    Frame,
    FrameKind,
    ToolCall,
    Usage,
    delta,
    encode,
    finish,
    kind_of,
    usage,
)
from venom_core.sdk.sse import DONE, EventSplitter
from venom_core.sdk.stream_reader import StreamReader, answer_frame, stream_frame

ENVELOPE = Envelope("chatcmpl-1", 1_700_000_000, "asked-for")

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        '"model":"x"',
        '\\"usage\\":{',
        '"finish_reason":"stop"',
        "data: [DONE]",
        "\r\n\r\n",
        '"error":1',
    ]
)
NEWLINES = ["\n", "\r\n", "\r"]
tool_calls = st.builds(ToolCall, st.integers(0, 3), st.none() | text, st.none() | text, text)
deltas = st.builds(
    Choice,
    index=st.integers(0, 2),
    role=st.none() | st.just("assistant"),
    content=st.none() | text,
    reasoning=st.none() | text,
    tool_calls=st.lists(tool_calls, max_size=2).map(tuple),
)
usages = st.builds(
    Usage, st.integers(0, 10**6), st.integers(0, 10**6), st.none() | st.integers(0, 10**6)
)
chunks = st.one_of(
    deltas.map(lambda choice: Chunk((choice,))),
    st.sampled_from(["stop", "length", "tool_calls"]).flatmap(
        lambda reason: deltas.map(lambda choice: Chunk((replace(choice, finish_reason=reason),)))
    ),
    usages.map(lambda usage: Chunk((), usage)),
    st.tuples(deltas, usages).map(
        lambda pair: Chunk((replace(pair[0], finish_reason="stop"),), pair[1])
    ),
)
answers = st.builds(
    Answer,
    st.lists(deltas.map(lambda c: replace(c, role="assistant", finish_reason="stop")), min_size=1,
             max_size=3).map(tuple),
    st.none() | usages,
)  # fmt: skip
# On the wire an absent identifier takes its type with it, and the calls of an answer are in order.
whole_calls = answers.map(
    lambda answer: replace(
        answer,
        choices=tuple(
            replace(c, tool_calls=tuple(replace(t, index=i, id=t.id or "id", name=t.name or "f")
                                        for i, t in enumerate(c.tool_calls)))
            for c in answer.choices
        ),
    )
)  # fmt: skip


def wire(event: Chunk | Answer) -> bytes:
    """Return what an engine that speaks the wire would send for the event."""
    return json.dumps(encode(event, replace(ENVELOPE, model="/models/secret/path.gguf"))).encode()


@given(chunks)
def test_both_views_of_a_chunk_are_equal(event: Chunk) -> None:
    typed, relayed = Frame.of(event), stream_frame(wire(event))
    assert relayed.kind == typed.kind
    assert relayed.event == typed.event == event
    assert json.loads(relayed.json(ENVELOPE)) == json.loads(typed.json(ENVELOPE))


@given(whole_calls)
def test_both_views_of_an_answer_are_equal(event: Answer) -> None:
    typed, relayed = Frame.of(event), answer_frame(wire(event))
    assert relayed.kind == typed.kind
    assert relayed.event == event
    assert json.loads(relayed.json(ENVELOPE)) == json.loads(typed.json(ENVELOPE))


@given(
    st.lists(chunks, max_size=8),
    st.lists(st.integers(1, 40)),
    st.sampled_from(NEWLINES),
)
def test_any_cut_of_the_bytes_gives_the_same_events(
    script: list[Chunk], cuts: list[int], newline: str
) -> None:
    events = [wire(event) for event in script] + [DONE]
    stream = b"".join(
        f": ping{newline}data: ".encode() + data + (newline * 2).encode() for data in events
    )
    splitter, seen, rest = EventSplitter(), [], stream
    for size in cuts:
        seen += splitter.feed(rest[:size])
        rest = rest[size:]
    seen += splitter.feed(rest)
    assert seen == events


def test_an_event_without_its_blank_line_is_none() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b'data: {"half": ') == []
    assert splitter.feed(b"1}\n") == []
    assert splitter.feed(b"\n") == [b'{"half": 1}']


def test_a_byte_order_mark_is_no_part_of_a_line() -> None:
    for pieces in ([b"\xef\xbb\xbfdata: a\n\n"], [b"\xef", b"\xbb\xbfda", b"ta: a\n\n"]):
        splitter = EventSplitter()
        assert [event for piece in pieces for event in splitter.feed(piece)] == [b"a"]


@given(chunks)
def test_no_frame_names_the_engines_path(event: Chunk) -> None:
    assert b"/models/secret" not in stream_frame(wire(event)).json(ENVELOPE)


@given(chunks)
def test_split_usage_parts_are_usage_alone_or_not_at_all(event: Chunk) -> None:
    for frame in (Frame.of(event), stream_frame(wire(event))):
        parts = list(frame.split_usage())
        assert all(p.kind is FrameKind.USAGE or FrameKind.USAGE not in p.kind for p in parts)
        assert [p.event.usage for p in parts if p.event.usage] == (
            [event.usage] if event.usage else []
        )
        assert [c for p in parts for c in p.event.choices] == list(event.choices)


def relayed(reader: StreamReader, body: dict[str, Any] | bytes) -> dict[str, Any]:
    """Return what a client sees of one event of a stream."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    (frame,) = reader.feed(b"data: " + data + b"\n\n")
    sent = frame.json(ENVELOPE)
    assert b"\n" not in sent
    return json.loads(sent)


def saying(text: str, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {"id": "e", "model": "/srv/m", "choices": [choice], **more}


def test_text_that_looks_like_a_key_is_left_alone() -> None:
    reader = StreamReader()
    for text in ("a", '"model":"/x"', '"content":"b"', "\\", '"}],"choices":[', "a"):
        assert relayed(reader, saying(text))["choices"][0]["delta"] == {"content": text}


def test_a_reader_that_knows_its_stream_still_looks_at_each_event() -> None:
    reader = StreamReader()
    for more in ({}, {"model": "/q"}, {"created": 5}, {"x": {"model": "/p"}}, {"usage": None}, {}):
        sent = relayed(reader, saying("a", **more))
        assert sent["model"] == "asked-for"
        assert sent["choices"] == saying("a")["choices"]
    finish = saying("b")
    finish["choices"][0]["finish_reason"] = "stop"
    assert relayed(reader, finish)["choices"][0]["finish_reason"] == "stop"
    for broken in (b'"a"', b"\x01", b"\\", b"\\x"):
        data = json.dumps(saying("TEXT")).encode().replace(b"TEXT", broken)
        with pytest.raises(UpstreamError):
            relayed(reader, data)


@pytest.mark.parametrize("body", [b'{"choices":[]}', b'{"model":"/p","x":{"model":"/p"}}'])
def test_a_body_gets_the_name_that_the_client_asked_for(body: bytes) -> None:
    assert json.loads(Frame.raw(FrameKind.DELTA, body).json(ENVELOPE))["model"] == "asked-for"


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"null", b"[1]", b'{"choices": 5, "usage": {"a": 1}}', b"\xff{}", b'{"a":"\xff"}',
     b'{"choices":[{"finish_reason":"stop"'],
)  # fmt: skip
def test_garbage_is_an_upstream_error(data: bytes) -> None:
    with pytest.raises(UpstreamError):
        stream_frame(data)


def test_an_error_event_is_raised_with_its_numbers_and_without_paths() -> None:
    context = {"code": 400, "type": "exceed_context_size_error", "message": "too long",
               "n_prompt_tokens": 5000, "n_ctx": 4096}  # fmt: skip
    with pytest.raises(ContextLengthExceeded, match=r"4096 tokens\. .* 5000 tokens"):
        stream_frame(json.dumps({"error": context}).encode())
    with pytest.raises(UpstreamError) as raised:
        stream_frame(b'{"error":{"message":"cannot open /opt/models/secret.gguf"}}')
    assert "secret" not in raised.value.message


def test_reasoning_is_relayed_under_its_common_name() -> None:
    frame = stream_frame(b'{"model":"m","choices":[{"index":0,"delta":{"reasoning":"hm"}}]}')
    assert json.loads(frame.json(ENVELOPE))["choices"][0]["delta"] == {"reasoning_content": "hm"}
    assert frame.event.choices[0].reasoning == "hm"


def test_a_plain_delta_is_relayed_without_being_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    real = wire_objects.load_object

    def load(data: bytes) -> dict[str, Any]:
        decoded.append(data)
        return real(data)

    for module in (wire_objects, frames, delta_shape, stream_reader):
        if hasattr(module, "load_object"):
            monkeypatch.setattr(module, "load_object", load)
    reader = StreamReader()
    for _ in range(2):
        assert relayed(reader, saying("a"))["choices"] == saying("a")["choices"]
    assert decoded, "the first one is, and what stands around its text"
    decoded.clear()
    for text in ("b", "", "za\u017c\u00f3\u0142\u0107", "a\nb"):
        assert relayed(reader, saying(text))["choices"] == saying(text)["choices"]
    assert decoded == []


@pytest.mark.parametrize(
    "beat", [b": x\n\n", b"\n", b"data:\n\n", b"event: ping\n\n", b"data: {}\n\n"]
)
def test_a_heartbeat_says_that_upstream_is_alive(beat: bytes) -> None:
    """A frame restarts the clock of whoever waits, and carries nothing that would be sent."""
    reader = StreamReader()
    list(reader.feed(b"data: " + json.dumps(saying("a")).encode() + b"\n\n"))
    (frame,) = reader.feed(beat)
    assert frame.event == Chunk()
    assert list(reader.feed(b"data: {")) == [], "half an event may wait for ever for its end"


def test_an_empty_chunk_says_that_upstream_is_alive() -> None:
    assert kind_of(Chunk()) is FrameKind.DELTA


def test_the_helpers_make_the_frames_of_a_stream() -> None:
    ids = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000}
    made = [delta("War", role="assistant"), finish("length", index=1), usage(7, 2, cached_tokens=3)]
    frames = [Frame.of(event) for event in made]
    assert [frame.kind for frame in frames] == [FrameKind.DELTA, FrameKind.FINISH, FrameKind.USAGE]
    assert [json.loads(frame.json(ENVELOPE)) for frame in frames] == [
        ids | {"model": "asked-for"} | body
        for body in (
            {
                "choices": [
                    {
                        "index": 0,
                        "delta": {"role": "assistant", "content": "War"},
                        "finish_reason": None,
                    }
                ]
            },
            {"choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]},
            {
                "choices": [],
                "usage": {
                    "prompt_tokens": 7,
                    "completion_tokens": 2,
                    "total_tokens": 9,
                    "prompt_tokens_details": {"cached_tokens": 3},
                },
            },
        )
    ]


def test_a_choice_is_made_with_keywords_only() -> None:
    """Its fields are many and grow: by place one would be taken for another."""
    with pytest.raises(TypeError, match="positional"):
        Choice(0, "assistant", "War")  # type: ignore[misc]
