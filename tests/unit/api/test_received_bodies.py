"""Large bodies that arrive together are received under one bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request

from venom_core.api import received_bodies
from venom_core.api.received_bodies import ReceivedBodies
from venom_core.sdk.errors import QueueFull
from venom_core.sdk.turns import SMALL
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer

PIECE = SMALL
PIECES = 8
#: Room for two and a half bodies.
BOUND = 20 * PIECE


@pytest.fixture(autouse=True)
def small_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_bodies, "MOST_BYTES", BOUND)


class Sender:
    """A client that sends a piece whenever it is asked for one, and counts what it sent."""

    def __init__(self, pieces: int = PIECES, *, size: int = PIECE, leaves: bool = False) -> None:
        self.left = pieces
        self.size = size
        self.leaves = leaves
        self.sent = 0
        self.stalled: asyncio.Event | None = None

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self.stalled is not None and self.left == 1:
            await self.stalled.wait()
        if self.leaves and self.left == 1:
            return {"type": "http.disconnect"}
        self.left -= 1
        self.sent += self.size
        return {"type": "http.request", "body": b"a" * self.size, "more_body": self.left > 0}

    def request(self) -> Request:
        return Request({"type": "http", "method": "POST", "headers": []}, self.receive)


async def kept(bodies: ReceivedBodies, sender: Sender) -> int:
    async with bodies.received(sender.request()) as body:
        await asyncio.sleep(0)
        return len(body)


async def settled() -> None:
    for _ in range(20 * PIECES):
        await asyncio.sleep(0)


async def test_the_bytes_of_all_bodies_have_one_bound() -> None:
    bodies, most, over = ReceivedBodies(), 0, 0
    senders = [Sender() for _ in range(12)]

    async def one(sender: Sender) -> None:
        nonlocal most, over
        async with bodies.received(sender.request()) as body:
            most = max(most, sum(one.sent for one in senders) - over)
            assert len(body) == PIECES * PIECE
        over += sender.sent

    await asyncio.gather(*(one(sender) for sender in senders))
    assert [sender.left for sender in senders] == [0] * 12
    # Beyond the bound: the rest of the first one, and of each other the piece at which it waits.
    assert most <= BOUND + (PIECES + 12) * PIECE < 12 * PIECES * PIECE


async def test_the_first_goes_on_and_the_others_after_it() -> None:
    bodies, stalled = ReceivedBodies(), asyncio.Event()
    senders = [Sender() for _ in range(4)]
    senders[0].stalled = stalled
    tasks = [asyncio.create_task(kept(bodies, sender)) for sender in senders]
    await settled()
    assert senders[3].left > 0, "there is no room for its end"
    stalled.set()
    assert await asyncio.wait_for(asyncio.gather(*tasks), 30) == [PIECES * PIECE] * 4


async def test_a_small_one_waits_for_nobody() -> None:
    bodies, stalled = ReceivedBodies(), asyncio.Event()
    senders = [Sender() for _ in range(4)]
    for sender in senders:
        sender.stalled = stalled
    tasks = [asyncio.create_task(kept(bodies, sender)) for sender in senders]
    await settled()
    assert await asyncio.wait_for(kept(bodies, Sender(2, size=100)), 30) == 200
    stalled.set()
    await asyncio.gather(*tasks)


async def test_what_a_client_that_leaves_had_sent_makes_room() -> None:
    bodies = ReceivedBodies()
    gone = [Sender(PIECES, leaves=True) for _ in range(8)]
    found = await asyncio.gather(*(kept(bodies, one) for one in gone), return_exceptions=True)
    assert [type(error) for error in found] == [ClientDisconnect] * 8
    first = Sender()
    first.stalled = asyncio.Event()
    begun = asyncio.create_task(kept(bodies, first))
    await settled()
    assert await kept(bodies, Sender()) == PIECES * PIECE, "beside one that is on its way"
    first.stalled.set()
    await begun


async def test_patience_ends_with_a_refusal_that_says_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_bodies, "PATIENCE", 0.01)
    bodies, stalled = ReceivedBodies(), asyncio.Event()
    senders = [Sender() for _ in range(4)]
    senders[0].stalled = stalled
    tasks = [asyncio.create_task(kept(bodies, sender)) for sender in senders]
    done, _ = await asyncio.wait(tasks, timeout=30, return_when=asyncio.FIRST_EXCEPTION)
    refused = next(task.exception() for task in done if task.exception())
    assert isinstance(refused, QueueFull) and refused.retry_after
    stalled.set()
    assert await tasks[0] == PIECES * PIECE
    await asyncio.wait(tasks)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/sessions/import"])
async def test_every_route_counts(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    monkeypatch.setattr(received_bodies, "PATIENCE", 0.01)
    arrived, hold = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"a":"' + b"a" * BOUND
        arrived.set()
        await hold.wait()
        yield b'"}'

    async def large() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"[" * PIECE

    first = asyncio.create_task(client.post(path, content=slow()))
    await asyncio.wait_for(arrived.wait(), 30)
    answered = await client.post(path, content=large())
    hold.set()
    told = answered.json()
    assert (answered.status_code, told.get("error", told)["code"]) == (429, "queue_full")
    assert int(answered.headers["retry-after"]) >= 1
    assert (await first).status_code in (400, 422)
