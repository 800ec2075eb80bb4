"""The client for OpenAI-compatible engines, under every fault that its upstream can show."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.venom_remote.tests.conftest import Opened, request
from venom_core.sdk.errors import (
    ContextLengthExceeded,
    InvalidRequest,
    ModelLoading,
    ModelNotFound,
    RateLimited,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.frames import Envelope, Frame, FrameKind
from venom_core.sdk.messages import EmbedRequest
from venom_core.testing.deadlines import until
from venom_core.testing.engine import Reply, ScriptedEngine, chunk, sse, whole

ENVELOPE = Envelope("x", 1, "asked")
USAGE = {"prompt_tokens": 3, "completion_tokens": 2}
LAWFUL = sse(
    chunk("Hel"), chunk("lo"), chunk(finish="stop"), {"model": "m", "choices": [], "usage": USAGE},
    "[DONE]",
)  # fmt: skip


async def collect(provider: Any, **options: Any) -> list[Frame]:
    return [frame async for frame in provider.chat(request(**options))]


async def test_a_stream_is_relayed_with_the_clients_name(
    engine: ScriptedEngine, opened: Opened
) -> None:
    engine.reply = Reply(LAWFUL)
    async with opened(engine.url, api_key="k" * 20) as provider:
        frames = await collect(provider)
    assert [frame.kind for frame in frames] == [
        FrameKind.DELTA, FrameKind.DELTA, FrameKind.FINISH, FrameKind.USAGE,
    ]  # fmt: skip
    assert all(b"secret" not in frame.json(ENVELOPE) for frame in frames)
    _, headers, body = engine.requests[-1]
    assert headers["authorization"] == "Bearer " + "k" * 20
    assert headers["x-request-id"] == "req-1"
    assert body["model"] == "m"
    assert body["stream_options"] == {"include_usage": True}


async def test_a_whole_answer(engine: ScriptedEngine, opened: Opened) -> None:
    engine.reply = Reply(whole("Warsaw"))
    async with opened(engine.url) as provider:
        frames = await collect(provider, stream=False)
    assert [frame.kind for frame in frames] == [FrameKind.ANSWER | FrameKind.USAGE]
    assert frames[0].event.choices[0].content == "Warsaw"
    assert "stream_options" not in engine.requests[-1][2]


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"message": "This model's maximum context length is 2048 tokens"},
         ContextLengthExceeded),
        (400, {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 8},
         ContextLengthExceeded),
        (400, {"message": "temperature too hot"}, InvalidRequest),
        (401, {"message": "bad key sk-secret"}, Unavailable),
        (404, {"message": "no such model"}, ModelNotFound),
        (429, {"message": "slow down"}, RateLimited),
        (503, {"message": "Loading model"}, ModelLoading),
        (500, {"message": "CUDA error in /opt/engine/kernel.cu"}, UpstreamError),
        (302, {}, UpstreamError),
        (504, {}, UpstreamTimeout),
    ],
)  # fmt: skip
async def test_each_refusal_has_its_class(
    engine: ScriptedEngine, opened: Opened, status: int, error: Any, expected: type[VenomError]
) -> None:
    headers = {"retry-after": "7", "location": "http://127.0.0.1:9/steal"}
    engine.reply = Reply([json.dumps({"error": error}).encode()], status, headers=headers)
    async with opened(engine.url, api_key="k" * 20) as provider:
        with pytest.raises(expected) as raised:
            await collect(provider)
    assert type(raised.value) is expected
    assert "/opt/engine" not in raised.value.message
    assert "sk-secret" not in raised.value.message
    if status == 429:
        assert raised.value.retry_after == 7


@pytest.mark.parametrize("fault", ["eof", "reset"])
@pytest.mark.parametrize("sent", [0, 1])
async def test_a_connection_that_breaks(
    engine: ScriptedEngine, opened: Opened, fault: Any, sent: int
) -> None:
    engine.reply = Reply(LAWFUL[:sent], fault=fault)
    seen = []
    async with opened(engine.url) as provider:
        with pytest.raises(UpstreamError):
            async for frame in provider.chat(request()):
                seen.append(frame)  # noqa: PERF401 -- kept when it raises
    assert len(seen) == sent


async def test_silence_ends_at_its_deadline(engine: ScriptedEngine, opened: Opened) -> None:
    engine.reply = Reply(LAWFUL[:1], fault="stall")
    async with opened(engine.url) as provider:
        with pytest.raises(UpstreamTimeout):
            await collect(provider, timeout=0.2)


@pytest.mark.parametrize(
    "bytes_", [b"data: {half\n\n", b"data: \xff\xfe\n\n", b'data: {"a":"\xff"}\n\n', b"data: 5\n\n"]
)
async def test_garbage_in_a_stream(engine: ScriptedEngine, opened: Opened, bytes_: bytes) -> None:
    engine.reply = Reply([LAWFUL[0], bytes_, *LAWFUL[1:]])
    async with opened(engine.url) as provider:
        with pytest.raises(UpstreamError):
            await collect(provider)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None,
          max_examples=60)  # fmt: skip
@given(at=st.integers(0, 600), fault=st.sampled_from(["eof", "reset", None]), flip=st.booleans())
async def test_a_fault_at_any_byte_gives_a_prefix_and_no_foreign_exception(
    engine: ScriptedEngine, opened: Opened, at: int, fault: Any, flip: bool
) -> None:
    data = b"".join(LAWFUL)[: at or None]
    engine.reply = Reply([data[:-1] + b"\xff" if flip else data], fault=fault)
    text = ""
    async with opened(engine.url) as provider:
        with contextlib.suppress(UpstreamError):
            async for frame in provider.chat(request()):
                text += "".join(c.content or "" for c in frame.event.choices)
    assert "Hello".startswith(text)


async def test_closing_the_stream_closes_the_upstream(
    engine: ScriptedEngine, opened: Opened
) -> None:
    engine.reply = Reply(LAWFUL[:1], fault="stall")
    async with opened(engine.url) as provider:
        frames = provider.chat(request())
        await anext(frames)
        assert engine.serving == 1
        await frames.aclose()
        await until(lambda: not engine.serving)
    assert engine.gone == 1


async def test_connections_are_kept_and_reused(engine: ScriptedEngine, opened: Opened) -> None:
    engine.reply = Reply(LAWFUL)
    async with opened(engine.url) as provider:
        for _ in range(5):
            await collect(provider)
    assert engine.connections == 1


async def test_embeddings_come_in_the_order_of_the_inputs(
    engine: ScriptedEngine, opened: Opened
) -> None:
    rows = [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]
    engine.reply = Reply([json.dumps({"data": rows, "usage": {"prompt_tokens": 4}}).encode()])
    async with opened(engine.url) as provider:
        result = await provider.embed(EmbedRequest("m", ("a", "b"), "req"))
        assert result.vectors == ((1.0,), (2.0,))
        with pytest.raises(UpstreamError):
            await provider.embed(EmbedRequest("m", ("a", "b", "c"), "req"))
