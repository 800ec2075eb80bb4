"""A server with one model that speaks as much of the OpenAI wire as a provider needs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

MODEL = "tiny"
WORDS = ("War", "saw")


class OpenAIServer:
    """``url`` without ``/v1``; ``seen`` holds (path, headers, body) of each request."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.seen: list[tuple[str, dict[str, str], Any]] = []


@contextlib.asynccontextmanager
async def openai_server() -> AsyncIterator[OpenAIServer]:
    server: OpenAIServer

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            server.seen.append(await _read(reader))
            path, _, body = server.seen[-1]
            writer.write(_answer(path, body))
            await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    server = OpenAIServer(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()


async def _read(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return first.split(" ")[1], headers, json.loads(body or b"null")


def _answer(path: str, body: Any) -> bytes:
    if path == "/v1/models":
        return _http("application/json", {"object": "list", "data": [{"id": MODEL}]})
    usage = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
    whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "/srv/tiny.gguf"}
    if not body["stream"]:
        message = {"role": "assistant", "content": "".join(WORDS)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return _http("application/json", {**whole, "choices": [choice], "usage": usage})
    deltas: list[dict[str, Any]] = [{"content": word} for word in WORDS]
    deltas[0] = {"role": "assistant", **deltas[0]}
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    chunks.append({"choices": [], "usage": usage})
    events = [json.dumps({**whole, "object": "chat.completion.chunk", **c}) for c in chunks]
    text = "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"])
    return _http("text/event-stream", text)


def _http(kind: str, body: Any) -> bytes:
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + data
