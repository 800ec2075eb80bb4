"""One client's attacks on a started server: what it sends, and what it gets.

Each gives a word for the answer: the status and code, or how the connection ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass

from bench.bodies import CHAT, IMPORT, LARGEST, Sent
from bench.servers.hostile import CALLS, ENDLESS, TEXT

#: How long an attack without an end goes on.
SECONDS = 5.0
#: An answer that takes longer has not come.
LONGEST = 120.0
NAMES = 300_000


@dataclass(frozen=True, slots=True)
class Target:
    """A server with a key for it, and the port of the hostile upstream behind it."""

    port: int
    key: str
    upstream: int

    def head(
        self, method: str, path: str, length: int | None = None, *, keyed: bool = True
    ) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
        lines += [] if length is None else [f"Content-Length: {length}"]
        lines += [f"Authorization: Bearer {self.key}"] if keyed else []
        return "\r\n".join((*lines, "", "")).encode()


Attack = Callable[[Target], Coroutine[None, None, str]]


@contextlib.asynccontextmanager
async def _connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _answered(reader: asyncio.StreamReader) -> str:
    """Read one answer to its end; return its status and, of a refusal, its code."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, size, body = head[9:12].decode(), 0, b""
    length = _length(head)
    while length is None or size < length:
        piece = await reader.read(2**16)
        if not piece:
            break
        size += len(piece)
        body = (body + piece)[-4096:]
        if length is None and body.endswith(b"\r\n0\r\n\r\n"):
            break
    if status == "200" and size > 100_000:
        return f"{status}, {size / 1e6:.1f} MB"
    with contextlib.suppress(ValueError, AttributeError, KeyError):
        return f"{status} {json.loads(body)['error']['code']}"
    return status


def _length(head: bytes) -> int | None:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return None


async def send(target: Target, sent: Sent, body: bytes | None = None) -> str:
    """Send a request and read its answer."""
    body = sent.body if body is None else body
    try:
        async with asyncio.timeout(LONGEST), _connected(target.port) as (reader, writer):
            writer.write(target.head("POST", sent.path, len(body), keyed=sent.keyed))
            with contextlib.suppress(ConnectionError):  # the answer may come before its end
                writer.write(body)
                await writer.drain()
            return await _answered(reader)
    except TimeoutError:
        return f"nothing within {LONGEST:g} s"
    except (ConnectionError, asyncio.IncompleteReadError):
        return "closed"


def _counted(answers: Iterable[str]) -> str:
    counts = Counter(answers)
    return ", ".join(f"{count} x {answer}" for answer, count in counts.most_common())


def at_once(count: int, sent: Sent) -> Attack:
    """The same body over many connections."""

    async def attack(target: Target) -> str:
        return _counted(await asyncio.gather(*(send(target, sent) for _ in range(count))))

    return attack


def _held(count: int, path: str, beginning: bytes, drop: bytes, length: int | None) -> Attack:
    """Connections that begin and go on by drops."""

    async def one(target: Target) -> str:
        async with _connected(target.port) as (reader, writer):
            head = target.head("POST", path, length)
            writer.write((head if length else head[:-2]) + beginning)
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                await asyncio.sleep(0.1)
                with contextlib.suppress(ConnectionError):
                    writer.write(drop)
            return "open" if not reader.at_eof() else "closed"

    async def attack(target: Target) -> str:
        return _counted(await asyncio.gather(*(one(target) for _ in range(count))))

    return attack


def _chat(model: str, *, stream: bool) -> bytes:
    turns = [{"role": "user", "content": "hi"}]
    body = {"model": f"remote://{model}", "messages": turns, "stream": stream}
    return json.dumps(body).encode()


def _streamed(count: int, model: str, *, read: bool) -> Attack:
    """Streams that are read as fast as they come, or not at all."""

    async def one(target: Target) -> str:
        body = _chat(model, stream=True)
        async with _connected(target.port) as (reader, writer):
            writer.write(target.head("POST", CHAT, len(body)) + body)
            try:
                async with asyncio.timeout(SECONDS):
                    if read:
                        return await _answered(reader)
                    await asyncio.sleep(2 * SECONDS)
            except ConnectionError:
                return "closed"
            except TimeoutError:
                pass
        return f"open after {SECONDS:g} s"

    async def attack(target: Target) -> str:
        return _counted(await asyncio.gather(*(one(target) for _ in range(count))))

    return attack


def _whole(model: str) -> Attack:
    async def attack(target: Target) -> str:
        return await send(target, Sent(CHAT, lambda: _chat(model, stream=False)))

    return attack


async def _get(port: int, head: bytes) -> str:
    async with asyncio.timeout(LONGEST), _connected(port) as (reader, writer):
        writer.write(head)
        return await _answered(reader)


async def long_listing(target: Target) -> str:
    """Let the upstream list 300,000 names, ask for all models, and for one that is not there."""
    try:
        await _get(target.upstream, target.head("GET", f"/list?names={NAMES}"))
        first = await _get(target.port, target.head("GET", "/api/v1/models"))
        served = await _get(target.port, target.head("GET", "/v1/models"))
        body = _chat("organisation/name-00", stream=False).replace(b"remote://", b"")
        missing = await send(target, Sent(CHAT, lambda: body))
    finally:
        await _get(target.upstream, target.head("GET", "/list?names=0"))
        await _get(target.port, target.head("GET", "/api/v1/models"))
    return f"{first}; {served}; {missing}"


async def _described(target: Target) -> str:
    return await _get(target.port, target.head("GET", "/openapi.json", keyed=False))


async def _sessions(target: Target) -> str:
    """Read a long session back."""
    listing = await _body_of(target, "/api/v1/sessions")
    name = json.loads(listing)["sessions"][0]["id"]
    return await _get(target.port, target.head("GET", f"/api/v1/sessions/{name}"))


async def _body_of(target: Target, path: str) -> bytes:
    async with _connected(target.port) as (reader, writer):
        writer.write(target.head("GET", path))
        head = await reader.readuntil(b"\r\n\r\n")
        return await reader.readexactly(_length(head) or 0)


UNKEYED = Sent(IMPORT, lambda: b"[" * LARGEST, keyed=False)
KEYED = Sent(CHAT, lambda: _text_of(LARGEST))


def _text_of(size: int) -> bytes:
    return _chat("plain", stream=False).replace(b'"hi"', b'"' + b"a" * (size - 200) + b'"')


#: Every other attack of this kind; streams of each endless sort are added below.
ATTACKS: dict[str, Attack] = {
    "60 connections with 16 MB and no key": at_once(60, UNKEYED),
    "12 connections with 16 MB and a key": at_once(12, KEYED),
    "200 half-sent heads": _held(200, CHAT, b"X-A: ", b"a", None),
    "60 bodies by drops": _held(60, CHAT, b"[", b"1,", LARGEST),
    "20 streams that nobody reads": _streamed(20, "endless-events", read=False),
    **{f"upstream: {name}": _streamed(2, name, read=True) for name in ENDLESS},
    "upstream: a listing of 300,000 names": long_listing,
    "upstream: 200,000 events for one answer": _whole(CALLS),
    "upstream: an answer of 60 MB": _whole(TEXT),
    "reading a session of 15 MB": _sessions,
    "the description of the API": _described,
}  # fmt: skip
