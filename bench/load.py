"""The client, in a process of its own: ``python -m bench.load`` reads one JSON command a line on
standard input and answers each with one JSON line.

Raw sockets on uvloop, so that the client weighs as little as can be beside what is measured. Times
are in seconds on this process's monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

_FRAME = b"data: {"
_DONE = b"data: [DONE]"
_TIMEOUT = 120.0
CHAT = "/v1/chat/completions"


@dataclass(slots=True)
class Outcome:
    """The outcome; ``first`` and ``last`` are when the first and last body bytes arrived."""

    sent: float = 0.0
    first: float = 0.0
    last: float = 0.0
    body: bytearray = field(default_factory=bytearray)
    head: bytes = b""
    done: asyncio.Future[None] | None = None

    @property
    def status(self) -> int:
        return int(self.head[9:12] or 0)


class Connection(asyncio.Protocol):
    """One kept-alive connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._now: Outcome | None = None
        self._buffer = b""
        self._end = b""
        self._length = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is no subclass

    def data_received(self, data: bytes) -> None:
        now = self._now
        if now is None:
            return
        if not now.head:
            self._buffer += data
            head, mark, rest = self._buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            self._read_head(now, head)
            data, self._buffer = rest, b""
        if data:
            now.last = time.monotonic()
            if not now.first:
                now.first = now.last
            now.body += data
        ended = now.body.endswith(self._end) if self._end else len(now.body) >= self._length
        if ended and now.done is not None and not now.done.done():
            now.done.set_result(None)

    def _read_head(self, now: Outcome, head: bytes) -> None:
        now.head = head
        self._end = b""
        for line in head.lower().split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name == b"content-length":
                self._length = int(value)
            elif name == b"transfer-encoding":
                self._end = b"\r\n0\r\n\r\n"

    def connection_lost(self, error: Exception | None) -> None:
        now = self._now
        if now is not None and now.done is not None and not now.done.done():
            now.done.set_exception(ConnectionError("the server closed the connection"))

    def send(self, data: bytes) -> Outcome:
        """Write a request; its ``done`` is set when the answer is whole."""
        assert self._transport is not None
        outcome = Outcome(done=asyncio.get_running_loop().create_future())
        self._now = outcome
        self._buffer = b""
        outcome.sent = time.monotonic()
        self._transport.write(data)
        return outcome

    def close(self) -> None:
        if self._transport is not None:
            self._now = None
            self._transport.close()


def request_bytes(port: int, body: Any, path: str = CHAT, key: str | None = None) -> bytes:
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\nAccept: */*\r\n"
    )
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    return (head + authorization + "\r\n").encode() + data


async def _connect(port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    made = []
    for _ in range(count):
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        made.append(connection)
    await asyncio.sleep(0.05)  # the server accepts before the clock starts
    return made


def _check(outcome: Outcome) -> None:
    if outcome.status != 200:
        raise RuntimeError(f"{outcome.status}: {bytes(outcome.body[:300])!r}")


async def streams(
    port: int, count: int, body: dict[str, Any], path: str = CHAT, key: str | None = None
) -> dict[str, Any]:
    """``count`` streams begun at the same moment over open connections.

    Gives the frames counted, the seconds from the first request to the last byte, for each stream
    its time to the first byte of the body in milliseconds and the seconds from there to its last.
    """
    connections = await _connect(port, count)
    data = request_bytes(port, body | {"stream": True}, path, key)
    outcomes = [connection.send(data) for connection in connections]
    async with asyncio.timeout(_TIMEOUT):
        await asyncio.gather(*(outcome.done for outcome in outcomes if outcome.done))
    for connection in connections:
        connection.close()
    for outcome in outcomes:
        _check(outcome)
        if outcome.body.count(_DONE) != 1:
            raise RuntimeError(f"a stream ended without [DONE]: {bytes(outcome.body[-300:])!r}")
    return {
        "frames": sum(outcome.body.count(_FRAME) for outcome in outcomes),
        "seconds": max(o.last for o in outcomes) - min(o.sent for o in outcomes),
        "ttft_ms": [1000 * (outcome.first - outcome.sent) for outcome in outcomes],
        "flow_seconds": [outcome.last - outcome.first for outcome in outcomes],
    }


async def requests(port: int, count: int, connections: int, body: dict[str, Any]) -> dict[str, Any]:
    """``count`` requests in all over ``connections``, each sending the next at once."""
    data = request_bytes(port, body)
    times: list[float] = []

    async def one(connection: Connection, share: int) -> None:
        for _ in range(share):
            outcome = connection.send(data)
            assert outcome.done is not None
            await outcome.done
            _check(outcome)
            times.append(1000 * (outcome.last - outcome.sent))

    made = await _connect(port, connections)
    started = time.monotonic()
    async with asyncio.timeout(_TIMEOUT):
        await asyncio.gather(*(one(connection, count // connections) for connection in made))
    seconds = time.monotonic() - started
    for connection in made:
        connection.close()
    return {"count": len(times), "seconds": seconds, "latency_ms": times}


_COMMANDS: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
    "streams": streams,
    "requests": requests,
}


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        try:
            answer = await _COMMANDS[command.pop("do")](**command)
        except (RuntimeError, OSError, TimeoutError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def main() -> None:
    import uvloop

    uvloop.run(_serve())


if __name__ == "__main__":
    main()
