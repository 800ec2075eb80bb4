"""Whatever goes wrong ends in a refusal of the SDK's tree, soon, never in a hang."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from plugins.venom_ollama.tests.asking import HELLO, Make, chat, collect, embed
from venom_core.sdk import Frame
from venom_core.sdk.errors import (
    Unavailable,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.deadlines import patience
from venom_core.testing.ollama import FakeOllama, load_records
from venom_ollama.provider import OllamaProvider

# Longer than any of these may take; a hang shows as TimeoutError here.
LIMIT = 8.0


def short() -> float:
    """Return seconds of silence that are soon over, and longer than an answer takes."""
    return patience(0.5)


def silence(kind: str) -> float:
    """Seconds of silence allowed: few where silence is the fault, else more than a busy machine
    needs."""
    return short() if kind in ("stall", "silent") else patience(10.0)


MIDSTREAM = [
    ("reset", UpstreamError),
    ("eof", UpstreamError),
    ("half_line", UpstreamIncomplete),
    ("bad_utf8", UpstreamError),
    ("garbage", UpstreamError),
    ("error_frame", UpstreamError),
    ("stall", UpstreamTimeout),
]


@pytest.mark.parametrize(("kind", "error"), MIDSTREAM)
@pytest.mark.parametrize("after", [0, 300])
@pytest.mark.parametrize("stream", [True, False])
async def test_faults_of_a_chat(
    provider: OllamaProvider,
    fake: FakeOllama,
    kind: str,
    error: type[VenomError],
    after: int,
    stream: bool,
) -> None:
    fake.fault("/api/chat", kind, after_bytes=after)
    frames: list[Frame] = []
    with pytest.raises(error):
        await collect(provider.chat(chat(stream=stream, timeout=silence(kind))), frames)
    # The good beginning came through, and nothing that looks like an end.
    assert len(frames) == (3 if after and stream else 0)
    assert all(f.event.choices[0].finish_reason is None for f in frames)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_proper_end_without_a_last_line(
    provider: OllamaProvider, fake: FakeOllama, stream: bool
) -> None:
    fake.fault("/api/chat", "cut", after_bytes=300)
    frames = await collect(provider.chat(chat(stream=stream)))
    *_, last = frames
    assert [choice.finish_reason for choice in last.event.choices] == ["length"]
    assert last.event.choices[0].finish_note == "Ollama ended the answer without saying why."
    assert "".join(c.content or "" for f in frames for c in f.event.choices)
    fake.fault("/api/chat", "cut")
    with pytest.raises(UpstreamIncomplete):
        await collect(provider.chat(chat(stream=stream)))


@pytest.mark.parametrize(("kind", "error"), MIDSTREAM)
async def test_faults_of_a_completion(
    provider: OllamaProvider, fake: FakeOllama, kind: str, error: type[VenomError]
) -> None:
    fake.scenario("any_prompt")
    fake.fault("/api/generate", kind, after_bytes=300)
    with pytest.raises(error):
        await collect(provider.complete(chat({"prompt": "x"}, timeout=silence(kind))))


@pytest.mark.parametrize(("kind", "error"), [pair for pair in MIDSTREAM if pair[0] != "stall"])
async def test_faults_of_a_pull(
    provider: OllamaProvider, fake: FakeOllama, kind: str, error: type[VenomError]
) -> None:
    fake.scenario("any_pull")
    fake.fault("/api/pull", kind, after_bytes=500)
    with pytest.raises(error):
        await collect(provider.pull("m"))


async def test_a_pull_that_stalls(
    provider: OllamaProvider, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venom_ollama.client.PULL_STALL_TIMEOUT", short())
    fake.scenario("any_pull")
    fake.fault("/api/pull", "stall", after_bytes=500)
    with pytest.raises(UpstreamTimeout):
        await collect(provider.pull("m"))


@pytest.mark.parametrize(
    ("kind", "error"), [("silent", UpstreamTimeout), ("refuse", UpstreamError)]
)
async def test_no_answer_at_all(
    provider: OllamaProvider, fake: FakeOllama, kind: str, error: type[VenomError]
) -> None:
    fake.fault("/api/chat", kind, times=0)
    with pytest.raises(error):
        await collect(provider.chat(chat(timeout=silence(kind))))


async def test_a_connection_that_breaks_before_the_answer_is_tried_again(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    fake.fault("/api/chat", "refuse", times=1)
    frames = await collect(provider.chat(chat()))
    assert len(frames) > 2
    assert [r["path"] for r in fake.requests()].count("/api/chat") == 2


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (500, "", "upstream_error"),
        (502, "<html>Bad Gateway</html>", "upstream_error"),
        (404, "404 page not found", "not_ollama"),
        (405, "405 method not allowed", "not_ollama"),
        (403, "", "ollama_refused"),
        (401, "who are you", "ollama_refused"),
        (503, "<html>", "queue_full"),
        (200, "<html>a router's page</html>", "not_ollama"),
        (204, "", "upstream_error"),
        (400, '{"error": {"message": "odd"}}', "invalid_request_error"),
    ],
)
async def test_answers_of_others_than_ollama(
    provider: OllamaProvider, fake: FakeOllama, status: int, body: str, code: str
) -> None:
    fake.fault(
        "/api/chat", "status", status=status, body=body, headers={"Content-Type": "text/html"}
    )
    with pytest.raises(VenomError) as caught:
        await collect(provider.chat(chat()))
    assert caught.value.code == code


WHOLE = ["refuse", "silent", "status"]
INSIDE = ["reset", "eof", "half_line", "bad_utf8", "garbage", "stall"]
SHORT_CALLS = {
    "models": "/api/tags",
    "ps": "/api/ps",
    "describe": "/api/show",
    "embed": "/api/embed",
    "load": "/api/generate",
    # Answered with an empty body, which has no middle to break in.
    "remove": "/api/delete",
}


@pytest.mark.parametrize(
    ("verb", "kind"),
    [(verb, kind) for verb in SHORT_CALLS for kind in WHOLE]
    + [(verb, kind) for verb in SHORT_CALLS if verb != "remove" for kind in INSIDE],
)
async def test_faults_of_the_short_calls(
    make: Make, fake: FakeOllama, verb: str, kind: str
) -> None:
    wait = silence(kind)
    provider = await make(request_timeout=wait, load_timeout=wait)
    await provider.ps()
    arguments: dict[str, Any] = {
        "describe": ("gemma3:270m",),
        "embed": (embed("hello world", timeout=wait),),
        "load": ("gemma3:270m",),
        "remove": ("gemma3-backup",),
    }
    fake.fault(SHORT_CALLS[verb], kind, times=0)
    async with asyncio.timeout(patience(LIMIT)):
        with pytest.raises(VenomError):
            await getattr(provider, verb)(*arguments.get(verb, ()))


@pytest.mark.parametrize("kind", ["refuse", "silent", "reset", "garbage", "stall", "status"])
async def test_health_never_raises(provider: OllamaProvider, fake: FakeOllama, kind: str) -> None:
    fake.fault("/api/version", kind, times=0)
    async with asyncio.timeout(patience(LIMIT)):
        health = await provider.health()
    assert health.status is ProviderStatus.UNAVAILABLE
    assert health.reason is not None
    assert health.reason.message.endswith(".")


async def test_a_port_that_speaks_no_http(make: Make) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        provider = await make(base_url=f"127.0.0.1:{port}")
        health = await provider.health()
        with pytest.raises(UpstreamError):
            await collect(provider.chat(chat(timeout=short())))
    assert health.status is ProviderStatus.UNAVAILABLE
    assert health.reason is not None
    assert health.reason.code == "not_ollama"


async def test_ollama_stopped_while_we_ran(make: Make) -> None:
    with FakeOllama() as fake:
        provider = await make(base_url=fake.url)
        await collect(provider.chat(chat()))
        fake.kill()
        with pytest.raises(Unavailable) as caught:
            await collect(provider.chat(chat()))
    assert caught.value.code == "ollama_down"
    assert (await provider.health()).status is ProviderStatus.UNAVAILABLE


@pytest.mark.parametrize("stream", [True, False])
async def test_what_comes_after_the_end_is_not_waited_for(
    provider: OllamaProvider, fake: FakeOllama, stream: bool
) -> None:
    """The answer is whole with its last line; an upstream that then keeps the body open costs its
    connection, not our patience."""
    fake.fault("/api/chat", "stall", after_bytes=len(load_records()["302_chat_stream"].answer.body))
    frames = await collect(provider.chat(chat(stream=stream, timeout=60)))
    assert frames[-1].event.usage is not None
    await asyncio.to_thread(fake.wait_for, lambda e: e["client_gone"])


async def test_connections_are_used_again(provider: OllamaProvider, fake: FakeOllama) -> None:
    # The end of the body comes a moment after the last line, as a real server's does.
    end = len(load_records()["302_chat_stream"].answer.body)
    fake.fault("/api/chat", "slow", delay_ms=15, after_bytes=end, times=0)
    for _ in range(6):
        await collect(provider.chat(chat()))
    used = {r["connection"] for r in fake.requests() if r["path"] == "/api/chat"}
    # One, or two where a busy machine was late with the end of a body.
    assert len(used) <= 2


@pytest.mark.parametrize("size", [1, 2, 7, 64])
async def test_slices_change_nothing(provider: OllamaProvider, fake: FakeOllama, size: int) -> None:
    whole = await collect(provider.chat(chat()))
    fake.fault("/api/chat", "split", size=size)
    cut = await collect(provider.chat(chat()))
    assert [repr(frame) for frame in cut] == [repr(frame) for frame in whole]


@pytest.mark.parametrize("stream", [True, False])
async def test_leaving_stops_the_generation(
    provider: OllamaProvider, fake: FakeOllama, stream: bool
) -> None:
    fake.settings(line_ms=30)
    frames = provider.chat(chat(stream=stream))
    if stream:
        assert (await anext(frames)).event.choices
        await frames.aclose()
    else:
        asking = asyncio.ensure_future(anext(frames))
        await asyncio.to_thread(fake.wait_for, lambda e: e["path"] == "/api/chat")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await frames.aclose()
    entry = await asyncio.to_thread(fake.wait_for, lambda e: e["client_gone"])
    assert entry["path"] == "/api/chat"
    assert entry["body_bytes"] < 1500


async def test_leaving_leaves_nothing_to_the_garbage_collector(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    """``aclose`` closes the upstream itself: every generator below it is closed on its return."""
    abandoned: list[str] = []
    hooks = sys.get_asyncgen_hooks()

    def note(generator: AsyncGenerator[Any, None]) -> None:
        abandoned.append(generator.__qualname__)
        assert hooks.finalizer is not None
        hooks.finalizer(generator)

    fake.scenario("any_pull")
    sys.set_asyncgen_hooks(finalizer=note)
    try:
        for generator in (provider.chat(chat()), provider.pull("m")):
            await anext(generator)
            await generator.aclose()
    finally:
        sys.set_asyncgen_hooks(finalizer=hooks.finalizer)
    assert [name for name in abandoned if "Ollama" in name] == []


async def test_many_at_once_do_not_mix(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.settings(line_ms=2)

    async def one(stream: bool) -> str:
        frames = await collect(provider.chat(chat(HELLO, stream=stream)))
        return "".join(c.content or "" for f in frames for c in f.event.choices)

    answers = await asyncio.gather(*(one(bool(n % 2)) for n in range(16)))
    assert len(set(answers)) == 1
