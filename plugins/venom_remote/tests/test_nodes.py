"""Several servers as one provider."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from plugins.venom_remote.tests.conftest import Opened, request
from venom_core.sdk.errors import (
    InvalidRequest,
    ModelLoading,
    ModelNotFound,
    Unavailable,
    UpstreamError,
)
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.engine import Reply, ScriptedEngine, chunk, scripted_engine, sse
from venom_remote import provider as provider_module
from venom_remote.provider import RemoteProvider

ANSWER = sse(chunk("a"), chunk(finish="stop"), "[DONE]")
DEAD = "http://127.0.0.1:9"


def chats(engine: ScriptedEngine) -> int:
    return sum(path == "/v1/chat/completions" for path, *_ in engine.requests)


async def test_models_are_merged_and_each_goes_to_a_server_that_has_it(opened: Opened) -> None:
    async with scripted_engine() as one, scripted_engine() as two:
        one.models, two.models = ["a", "both"], ["b", "both"]
        one.reply = two.reply = Reply(ANSWER)
        async with opened(one.url, f"{two.url}/v1/") as provider:
            assert [model.ref for model in await provider.models()] == ["a", "b", "both"]
            _ = [frame async for frame in provider.chat(request("b"))]
            assert (chats(one), chats(two)) == (0, 1)
            with pytest.raises(ModelNotFound):
                _ = [frame async for frame in provider.chat(request("c"))]


async def test_the_least_busy_server_gets_the_next_request(opened: Opened) -> None:
    async with scripted_engine() as one, scripted_engine() as two:
        one.reply = two.reply = Reply(ANSWER[:1], fault="stall")
        async with opened(one.url, two.url) as provider:
            streams = [provider.chat(request()) for _ in range(4)]
            for stream in streams:
                await anext(stream)
            assert (one.serving, two.serving) == (2, 2)
            for stream in streams:
                await stream.aclose()


async def test_a_dead_server_is_left_out_and_tried_again(opened: Opened) -> None:
    async with (
        scripted_engine() as living,
        opened(DEAD, living.url, retry_after=3600.0) as provider,
    ):
        health = await provider.health()
        assert health.status is ProviderStatus.DEGRADED
        assert health.reason is not None
        assert health.reason.code == "servers_down"
        dead = provider._nodes[0]
        buried = dead.dead_until
        await provider.models()
        assert dead.dead_until == buried, "a dead server was asked before its time"
        dead.dead_until = time.monotonic() - 1
        dead.url = living.url
        await provider.models()
        assert (await provider.health()).status is ProviderStatus.READY


async def test_a_server_that_dies_under_a_request_is_left_out_of_the_next(opened: Opened) -> None:
    async with scripted_engine() as one, scripted_engine() as two:
        one.reply, two.reply = Reply(fault="reset"), Reply(ANSWER)
        async with opened(one.url, two.url) as provider:
            with pytest.raises(UpstreamError):
                _ = [frame async for frame in provider.chat(request())]
            for _ in range(3):
                assert [frame async for frame in provider.chat(request())]
            assert chats(two) == 3


async def test_a_refusal_of_one_request_buries_nobody(opened: Opened) -> None:
    async with scripted_engine() as one, opened(one.url) as provider:
        one.reply = Reply([b'{"error":{"message":"no"}}'], 400)
        with pytest.raises(InvalidRequest, match="refused"):
            _ = [frame async for frame in provider.chat(request())]
        assert (await provider.health()).status is ProviderStatus.READY


async def test_all_dead_and_none_configured_are_said(opened: Opened) -> None:
    with pytest.raises(Unavailable) as raised:
        async with opened(DEAD):
            pass
    assert raised.value.code == "servers_down"
    async with opened() as provider:
        assert await provider.models() == []
        health = await provider.health()
        assert health.reason is not None
        assert health.reason.code == "no_servers"


async def test_a_place_is_given_back_whatever_happens(opened: Opened) -> None:
    async def read(provider: RemoteProvider) -> None:
        async with contextlib.aclosing(provider.chat(request())) as frames:
            async for _ in frames:
                pass

    async with scripted_engine() as one, opened(one.url) as provider:
        node = provider._nodes[0]
        for reply in (Reply(ANSWER), Reply(fault="eof"), Reply(ANSWER[:1], fault="stall")):
            one.reply, node.dead_until = reply, 0.0
            task = asyncio.create_task(read(provider))
            await asyncio.wait({task}, timeout=0.5)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert node.busy == 0


async def test_a_server_gone_since_the_last_look_costs_no_request(opened: Opened) -> None:
    async with scripted_engine() as one:
        one.reply = Reply(ANSWER)
        async with opened(one.url, one.url) as provider:
            provider._nodes[0].url = DEAD
            assert [frame async for frame in provider.chat(request())]
            assert provider._nodes[0].dead_until > time.monotonic()
            assert chats(one) == 1


async def test_a_server_that_accepts_and_is_silent_hides_no_other(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "LIST_TIMEOUT", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with scripted_engine() as one, opened(url, one.url) as provider:
        assert [model.ref for model in await provider.models()] == ["m"]
        assert (await provider.health()).status is ProviderStatus.DEGRADED
    server.close()


async def test_a_server_that_is_loading_is_alive(opened: Opened) -> None:
    async with scripted_engine() as one, opened(one.url) as provider:
        one.reply = Reply([b'{"error":{"message":"Loading model"}}'], 503)
        with pytest.raises(ModelLoading):
            _ = [frame async for frame in provider.chat(request())]
        assert (await provider.health()).status is ProviderStatus.READY


async def test_a_port_that_speaks_no_http(opened: Opened) -> None:
    async def ssh(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        writer.close()

    server = await asyncio.start_server(ssh, "127.0.0.1", 0)
    with pytest.raises(Unavailable):
        async with opened(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
            pass
    server.close()


async def test_credentials_in_a_url_become_a_header(opened: Opened) -> None:
    async with scripted_engine() as one:
        async with opened(one.url.replace("http://", "http://me:secret@")) as provider:
            assert [model.ref for model in await provider.models()] == ["m"]
        assert one.requests[0][1]["authorization"] == "Basic bWU6c2VjcmV0"
