"""A scripted engine: a server that speaks the OpenAI wire and breaks it on demand.

For faults that a real engine will not show when asked: a reset, an end without a finish, half a
line, bytes that are no UTF-8, silence. It is a fake and stands for no engine in particular.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Fault = Literal["eof", "reset", "stall"]


@dataclass(slots=True)
class Reply:
    """The engine's answer to the next chat, completion or embedding.

    Args:
        chunks: raw bytes, each sent as one HTTP chunk; see :func:`sse` and :func:`whole`.
        status: other than 200 makes it a refusal, with ``chunks`` for its body.
        fault: what happens after the last chunk instead of a lawful end of the body.
        headers: beside the content type.
        before: seconds before the status line.
    """

    chunks: Sequence[bytes] = ()
    status: int = 200
    fault: Fault | None = None
    headers: dict[str, str] = field(default_factory=dict)
    before: float = 0.0


#: Makes the reply to a request of its path and its body.
Speaks = Callable[[str, Any], Reply]


@dataclass(slots=True)
class ScriptedEngine:
    """Listens on ``url``; replies with ``reply``, or with what that makes of path and body; to
    ``/v1/models`` with ``listing`` where there is one. What is in ``once`` answers first, each one
    request. Remembers what it was sent."""

    models: list[str] = field(default_factory=lambda: ["m"])
    listing: Reply | None = None
    reply: Reply | Speaks = field(default_factory=Reply)
    once: list[Reply | Callable[[Reply], Reply]] = field(default_factory=list)
    url: str = ""
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    connections: int = 0
    serving: int = 0
    gone: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client, or the test, is done with this connection
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        path = first.split()[1]
        asked = json.loads(body) if body else None
        self.requests.append((path, headers, asked))
        if path == "/v1/models":
            listed = json.dumps({"data": [{"id": name} for name in self.models]}).encode()
            return await _write(writer, self.listing or Reply([listed]))
        self.serving += 1
        watch = asyncio.create_task(reader.read(1))
        work = asyncio.create_task(_write(writer, self._reply_to(path, asked)))
        try:
            await asyncio.wait({watch, work}, return_when=asyncio.FIRST_COMPLETED)
            self.gone += not work.done()
        finally:
            watch.cancel()
            work.cancel()
            _, kept = await asyncio.gather(watch, work, return_exceptions=True)
            self.serving -= 1
        return kept is True

    def _reply_to(self, path: str, body: Any) -> Reply:
        usual = self.reply if isinstance(self.reply, Reply) else self.reply(path, body)
        if not self.once:
            return usual
        next_one = self.once.pop(0)
        return next_one if isinstance(next_one, Reply) else next_one(usual)


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Send the reply; False when the connection must not be used again."""
    if reply.before:
        await asyncio.sleep(reply.before)
    extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    head = f"HTTP/1.1 {reply.status} X\r\ntransfer-encoding: chunked\r\n{extra}\r\n"
    writer.write(head.encode())
    for chunk in reply.chunks:
        writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0)
    if reply.fault == "stall":
        await asyncio.sleep(1e6)
    if reply.fault == "reset":
        writer.transport.abort()
    if reply.fault == "eof":
        writer.close()
    if reply.fault is None:
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    return reply.fault is None


@contextlib.asynccontextmanager
async def scripted_engine(reply: Reply | Speaks | None = None) -> AsyncIterator[ScriptedEngine]:
    """Run a scripted engine on a free loopback port, for the time of the block."""
    engine = ScriptedEngine(reply=reply or Reply())
    server = await asyncio.start_server(engine._serve, "127.0.0.1", 0)
    engine.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield engine
    finally:
        server.close()
        tasks = set(engine._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def sse(*events: dict[str, Any] | str) -> list[bytes]:
    """Return each event as one chunk of a stream; a string goes in as it is (``[DONE]``)."""
    return [
        b"data: " + (event if isinstance(event, str) else json.dumps(event)).encode() + b"\n\n"
        for event in events
    ]


def chunk(content: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a chat chunk as an engine sends it, with a path for its model's name."""
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "e", "model": "/srv/models/secret.gguf", "choices": [choice], **more}


def whole(content: str) -> list[bytes]:
    """Return a whole answer as one chunk."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 1}
    body = {"id": "e", "model": "/srv/models/secret.gguf", "choices": [choice], "usage": usage}
    return [json.dumps(body).encode()]
