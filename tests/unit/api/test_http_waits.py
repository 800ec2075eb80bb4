"""Each wait for a client is bounded: a clock that the test moves, and a real stream unread."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from tests.served import served
from tests.unit.api.conftest import MakeVenom
from venom_core.api.app import create_app
from venom_core.cli import http_waits
from venom_core.cli.http_waits import (
    BODY_BYTES_A_SECOND,
    BODY_SECONDS,
    HEAD_SECONDS,
    MAX_HEAD_BYTES,
    UNREAD_BYTES,
    UNREAD_SECONDS,
    BoundedWaits,
)
from venom_core.testing import scripted
from venom_core.testing.deadlines import until
from venom_core.testing.scripted import Script, say

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
WHOLE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.cancelled = at, call, False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """The part of a loop that a protocol uses, with a time that stands still."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(timer := Timer(self.now + seconds, call))
        return timer

    def create_task(self, work: Any) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work)

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [t for t in self.timers if not t.cancelled and t.at <= end]:
            timer = min(due, key=lambda t: t.at)
            self.timers.remove(timer)
            self.now = timer.at
            timer.call()
        self.now = end


class Wire(asyncio.Transport):
    """The client's side: what it was sent, and what of it lies unread."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.unread, self.closed, self.aborted = b"", 0, False, False

    def write(self, data: Any) -> None:
        self.sent += data

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Client:
    """One connection to an application that reads the body, and answers when it is let."""

    def __init__(self, *, read: bool = True) -> None:
        self.read = read
        self.clock, self.wire, self.let = Clock(), Wire(), asyncio.Event()
        config = uvicorn.Config(self._app, interface="asgi3", log_level="critical")
        loop = cast(asyncio.AbstractEventLoop, self.clock)
        self.server = BoundedWaits(config, ServerState(), {}, loop)
        self.server.connection_made(self.wire)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        while self.read and (await receive()).get("more_body"):
            pass
        await self.let.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(self, data: bytes, wait: float = 0.0) -> None:
        self.server.data_received(data)
        for _ in range(3):
            await asyncio.sleep(0)
        self.clock.pass_by(wait)

    @property
    def status(self) -> int | None:
        return int(self.wire.sent.split()[1]) if self.wire.sent else None

    async def leave(self) -> None:
        self.server.connection_lost(None)
        self.let.set()
        await asyncio.gather(*self.server.tasks)


SLOW: dict[str, tuple[list[tuple[bytes, float]], int | None]] = {
    "nothing": ([(b"", HEAD_SECONDS + 1)], None),
    "blank lines": ([(b"\r\n", 20)] * 3, 408),
    "half a line": ([(WHOLE[:7], HEAD_SECONDS + 1)], 408),
    "half a head": ([(WHOLE[:-2], HEAD_SECONDS + 1)], 408),
    "a header now and then": ([(WHOLE[:-2], 5), *[(b"X-A: b\r\n", 5)] * 9], 408),
    "no body": ([(HEAD, BODY_SECONDS + 1)], 408),
    "a body by drops": ([(HEAD, 5), *[(b"a", 5)] * 20], 408),
    "an endless chunk": (
        [(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n", 99)], 408),
    "headers without end": ([(WHOLE[:-2], 0), *[(b"X-A: " + b"b" * 995, 0)] * 66], 431),
}  # fmt: skip


@pytest.mark.parametrize(("pieces", "status"), SLOW.values(), ids=SLOW)
async def test_a_request_that_does_not_arrive_is_ended(
    pieces: list[tuple[bytes, float]], status: int | None
) -> None:
    client = Client()
    for piece, wait in pieces:
        if not client.wire.is_closing():
            if piece:
                await client.send(piece, wait)
            else:
                client.clock.pass_by(wait)
    assert client.wire.is_closing()
    assert client.status == status
    await client.leave()


GOOD: dict[str, list[tuple[bytes, float]]] = {
    "a request under way": [(WHOLE, 5 * HEAD_SECONDS)],
    "a head in pieces": [(WHOLE[:9], 20), (WHOLE[9:], 5 * HEAD_SECONDS)],
    "a head of the largest size": [(b"GET / HTTP/1.1\r\nX-A: " + b"b" * (MAX_HEAD_BYTES - 99), 1)],
    "a body at a modest pace": [(HEAD, 0), *[(b"a" * BODY_BYTES_A_SECOND, 2)] * 40],
    "the next begins during an answer": [(WHOLE, 0), (WHOLE[:9], 5 * HEAD_SECONDS)],
}


@pytest.mark.parametrize("pieces", GOOD.values(), ids=GOOD)
async def test_one_that_goes_on_is_not(pieces: list[tuple[bytes, float]]) -> None:
    client = Client()
    for piece, wait in pieces:
        await client.send(piece, wait)
    assert not client.wire.is_closing()
    assert client.status is None
    await client.leave()


async def test_a_body_that_we_do_not_read_is_not_late() -> None:
    client = Client(read=False)
    await client.send(HEAD + b"a" * 100_000, 5 * BODY_SECONDS)
    assert not client.wire.is_closing()
    await client.leave()


async def test_a_second_request_of_a_connection_is_bounded_too() -> None:
    client = Client()
    client.let.set()
    await client.send(WHOLE)
    await asyncio.gather(*client.server.tasks)
    assert client.status == 204
    for piece in (b"\r\n", WHOLE[:9]):
        await client.send(piece, 4)
        assert not client.wire.is_closing()
    client.clock.pass_by(HEAD_SECONDS)
    assert client.wire.closed
    assert b" 408 " in client.wire.sent
    await client.leave()


async def test_nothing_is_left_to_fire_after_a_connection() -> None:
    client = Client()
    await client.send(HEAD)
    client.server.pause_writing()
    await client.leave()
    assert [t for t in client.clock.timers if not t.cancelled] == []


@pytest.mark.parametrize(("read", "ended"), [(0, True), (1, True), (UNREAD_BYTES, False)])
async def test_who_reads_nothing_is_left(read: int, ended: bool) -> None:
    client = Client()
    await client.send(WHOLE)
    client.wire.unread = 1_000_000
    client.server.pause_writing()
    for _ in range(5):
        client.wire.unread -= read
        client.clock.pass_by(UNREAD_SECONDS)
    await client.leave()
    assert client.wire.aborted is ended


@pytest.mark.parametrize("paused", [False, True])
async def test_a_closed_connection_does_not_wait_for_its_reader(paused: bool) -> None:
    client = Client()
    client.let.set()
    client.wire.unread = 5
    await client.send(WHOLE.replace(b"Host", b"Connection: close\r\nHost"))
    if paused:
        client.server.pause_writing()
        client.server.resume_writing()
    await asyncio.gather(*client.server.tasks)
    assert (client.wire.closed, client.wire.aborted) == (True, False)
    client.clock.pass_by(UNREAD_SECONDS)
    assert client.wire.aborted
    await client.leave()


async def test_a_stream_that_nobody_reads_gives_its_place_back(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_waits, "UNREAD_SECONDS", 0.05)
    scripted.SCRIPTS["m"] = Script(say(*["word " * 20_000] * 500))
    body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"a"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
    async with served(create_app(make_venom())) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(head % len(body) + b"Content-Type: application/json\r\n\r\n" + body)
            await until(lambda: scripted.SEEN.requests)
            await until(lambda: scripted.SEEN.running == 0 and scripted.SEEN.closed == 1)
