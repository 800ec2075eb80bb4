"""A client that goes away closes the upstream, wherever the answer is."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from venom_core.sdk.frames import Usage, delta
from venom_core.testing import scripted
from venom_core.testing.deadlines import until
from venom_core.testing.scripted import Pause, Script, answer, say

HI = [{"role": "user", "content": "hi"}]


async def sent(base_url: str, **body: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request written by hand, so that the test owns the socket."""
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    raw = json.dumps({"model": "m", "messages": HI, **body}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(raw)}"
    writer.write(head.encode() + b"\r\nContent-Type: application/json\r\n\r\n" + raw)
    await writer.drain()
    return reader, writer


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("abort", [True, False])
async def test_before_the_first_frame(base_url: str, stream: bool, abort: bool) -> None:
    scripted.SCRIPTS["m"] = Script([Pause(forever=True)])
    _, writer = await sent(base_url, stream=stream)
    await until(lambda: scripted.SEEN.running == 1)
    if abort:
        writer.transport.abort()
    else:
        writer.close()
    await until(lambda: scripted.SEEN.running == 0)
    assert scripted.SEEN.closed == 1


async def test_in_mid_stream_while_upstream_is_silent(base_url: str) -> None:
    scripted.SCRIPTS["m"] = Script([delta("a", role="assistant"), Pause(forever=True)])
    reader, writer = await sent(base_url, stream=True)
    assert b'"content":"a"' in await reader.readuntil(b'"a"}')
    writer.close()
    await until(lambda: scripted.SEEN.running == 0)
    assert scripted.SEEN.closed == 1


async def test_in_mid_stream_while_upstream_speaks(base_url: str) -> None:
    scripted.SCRIPTS["m"] = Script([delta("word ") for _ in range(100_000)])
    reader, writer = await sent(base_url, stream=True)
    await reader.readuntil(b"data: ")
    writer.transport.abort()
    await until(lambda: scripted.SEEN.running == 0)
    assert scripted.SEEN.closed == 1


async def test_while_waiting_in_the_queue(base_url: str) -> None:
    scripted.SCRIPTS["m"] = Script([Pause(forever=True)])
    connections = [await sent(base_url) for _ in range(3)]
    await until(lambda: scripted.SEEN.running == 3)
    for _, writer in connections:
        writer.transport.abort()
    await until(lambda: scripted.SEEN.running == 0)
    scripted.SCRIPTS["m"] = Script(answer("x"))
    reader, writer = await sent(base_url)
    assert b" 200 " in await reader.readline()
    writer.close()


async def test_a_kept_connection_serves_the_next_request(base_url: str) -> None:
    """The watch for a disconnect must not outlive its request."""
    scripted.SCRIPTS["m"] = Script(say("a", usage=Usage(1, 1)))
    reader, writer = await sent(base_url, stream=True)
    await reader.readuntil(b"[DONE]\n\n")
    await reader.readuntil(b"0\r\n\r\n")
    raw = json.dumps({"model": "m", "messages": HI, "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(raw)}"
    writer.write(head.encode() + b"\r\n\r\n" + raw)
    assert b" 200 " in await reader.readline()
    await reader.readuntil(b"[DONE]\n\n")
    writer.close()
    assert len(scripted.SEEN.requests) == 2
    assert scripted.SEEN.closed == 0
