"""Places in the queue (``Venom-Queue: 1``), over a socket: told to who asks, and to nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.served import client_served
from venom_core.api import queueing
from venom_core.api.app import create_app
from venom_core.composition import Venom
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience, until
from venom_core.testing.scripted import Pause, Script, say
from venom_core.testing.staging import venom_over

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
ASKS = {"Venom-Queue": "1"}


@asynccontextmanager
async def narrow(tmp_path: Path, **env: str) -> AsyncIterator[tuple[Venom, httpx.AsyncClient]]:
    """A server that answers one at a time, and a client of it."""
    settings = Settings.load(Paths.at(tmp_path), {"VENOM_MAX_CONCURRENT": "1", **env})
    venom = venom_over(settings)
    async with client_served(create_app(venom)) as client:
        yield venom, client


class Asked:
    """One streamed request; its lines are read as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = response.aiter_lines()

    async def line(self) -> str:
        async with asyncio.timeout(patience(5)):
            async for line in self.lines:
                if line:
                    return line
        return ""

    async def rest(self) -> list[str]:
        return [line async for line in self.lines if line]


async def ask(stack: AsyncExitStack, client: httpx.AsyncClient, **headers: str) -> Asked:
    path = "/v1/chat/completions"
    streaming = client.stream("POST", path, json=BODY, headers=headers)
    return Asked(await stack.enter_async_context(streaming))


async def test_places_are_told_and_move_up(tmp_path: Path) -> None:
    async with narrow(tmp_path) as (_, client), AsyncExitStack() as stack:
        scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(forever=True)])
        first = await ask(stack, client, **ASKS)
        assert (await first.line()).startswith("data: ")
        scripted.SCRIPTS["m"] = Script([Pause(0.2), *say("b")])  # a model that is loaded first
        second = await ask(stack, client, **ASKS)
        third = await ask(stack, client, **ASKS)
        assert [await second.line(), await third.line()] == [": queue 1", ": queue 2"]
        assert second.response.status_code == 200
        assert second.response.headers["venom-model"] == "scripted://m"
        assert second.response.headers["content-type"].startswith("text/event-stream")
        await first.response.aclose()
        assert await second.line() == ": queue 0"
        assert (await second.rest())[-1] == "data: [DONE]"
        told, turn, event, *_ = await third.rest()
        assert [told, turn] == [": queue 1", ": queue 0"]
        assert json.loads(event[6:])["choices"][0]["delta"]["content"] == "b"


async def test_one_who_leaves_moves_the_others_up(tmp_path: Path) -> None:
    async with narrow(tmp_path) as (venom, client), AsyncExitStack() as stack:
        scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(forever=True)])
        first = await ask(stack, client)
        assert (await first.line()).startswith("data: ")
        second = await ask(stack, client, **ASKS)
        third = await ask(stack, client, **ASKS)
        assert [await second.line(), await third.line()] == [": queue 1", ": queue 2"]
        await second.response.aclose()
        assert await third.line() == ": queue 1"
        await third.response.aclose()
        await until(lambda: venom.chat.queues()["scripted"] == (1, 0))
        await first.response.aclose()
        await until(lambda: venom.chat.queues()["scripted"] == (0, 0))


async def test_a_refusal_after_a_place_is_an_event(tmp_path: Path) -> None:
    async with (
        narrow(tmp_path, VENOM_QUEUE_TIMEOUT="0.3") as (_, client),
        AsyncExitStack() as stack,
    ):
        scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(forever=True)])
        first = await ask(stack, client)
        assert (await first.line()).startswith("data: ")
        late = await ask(stack, client, **ASKS)
        assert late.response.status_code == 200
        place, error, done = await late.rest()
        assert (place, done) == (": queue 1", "data: [DONE]")
        assert json.loads(error[6:])["error"]["code"] == "queue_full"


@pytest.mark.parametrize("headers", [{}, {"Venom-Queue": "0"}, {"Venom-Queue": "yes"}])
async def test_who_does_not_ask_gets_a_status(tmp_path: Path, headers: dict[str, str]) -> None:
    async with (
        narrow(tmp_path, VENOM_QUEUE_TIMEOUT="0.1") as (_, client),
        AsyncExitStack() as stack,
    ):
        scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(forever=True)])
        first = await ask(stack, client)
        assert (await first.line()).startswith("data: ")
        refused = await ask(stack, client, **headers)
        assert refused.response.status_code == 429
        whole = {**BODY, "stream": False}
        answer = await client.post("/v1/chat/completions", json=whole, headers=ASKS)
        assert answer.status_code == 429, "an answer in one piece has no place for notes"


async def test_no_wait_no_note(tmp_path: Path) -> None:
    async with narrow(tmp_path) as (_, client), AsyncExitStack() as stack:
        scripted.SCRIPTS["m"] = Script(say("a"))
        lines = await (await ask(stack, client, **ASKS)).rest()
        assert all(line.startswith("data: ") for line in lines)


async def test_a_long_wait_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "AGAIN_SECONDS", 0.05)
    async with narrow(tmp_path) as (_, client), AsyncExitStack() as stack:
        scripted.SCRIPTS["m"] = Script([*say("a")[:1], Pause(forever=True)])
        first = await ask(stack, client)
        assert (await first.line()).startswith("data: ")
        second = await ask(stack, client, **ASKS)
        assert [await second.line() for _ in range(3)] == [": queue 1"] * 3
