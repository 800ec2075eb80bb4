"""The law of the chat interface, for any script and any cut."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.sdk.errors import ContextLengthExceeded, UpstreamError
from venom_core.sdk.frames import (
    Answer,
    Choice,
    Chunk,
    Envelope,
    Frame,
    FrameKind,
    ModelSplice,
    ToolCall,
    Usage,
    encode,
    kind_of,
)
from venom_core.sdk.openai_engine import answer_frame, stream_frame
from venom_core.sdk.sse import DONE, EventSplitter

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


def test_splice_leaves_text_that_looks_like_a_key_alone() -> None:
    said = json.dumps(
        {"model": "/a/b", "choices": [{"delta": {"content": '"model":"/x"'}}]}
    ).encode()
    spliced = ModelSplice('a"b')(said)
    assert spliced is not None
    assert json.loads(spliced) == {
        "model": 'a"b', "choices": [{"delta": {"content": '"model":"/x"'}}],
    }  # fmt: skip


def test_a_splice_that_knows_its_stream_still_looks_at_each_frame() -> None:
    put = ModelSplice("m")
    assert put(b'{"model":"/p","x":1}') == b'{"model":"m","x":1}'
    said = json.dumps({"content": '"model":"/p"', "model": "/p"}, separators=(",", ":")).encode()
    for data in (said, b'{"model":"/q"}', b'{"model": "/p"}', said):
        assert json.loads(put(data) or b"") == {**json.loads(data), "model": "m"}
    assert put(b'{"model":"/p","x":{"model":"/p"}}') is None
    assert put(b'{"x":1}') is None


@pytest.mark.parametrize("body", [b'{"choices":[]}', b'{"model":"/p","x":{"model":"/p"}}'])
def test_a_body_without_exactly_one_model_is_rebuilt(body: bytes) -> None:
    assert ModelSplice("m")(body) is None
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
    with pytest.raises(ContextLengthExceeded, match=r"5000 tokens, the context 4096"):
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
    real = json.loads
    monkeypatch.setattr(json, "loads", lambda data: decoded.append(data) or real(data))
    frame = stream_frame(
        b'{"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],'
        b'"usage":null}'
    )
    frame.json(ENVELOPE)
    assert frame.kind is FrameKind.DELTA
    assert decoded == []


def test_an_empty_chunk_says_that_upstream_is_alive() -> None:
    assert kind_of(Chunk()) is FrameKind.DELTA
