"""Bounds on what a remote server sends: a listing, an answer, and what is read in one go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.venom_remote.tests.conftest import Opened, request
from venom_core.sdk import openai_engine, stream_reader
from venom_core.sdk.bounded_json import MOST_ROWS
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.stream_reader import PIECE, StreamReader
from venom_core.testing.engine import Reply, ScriptedEngine, chunk, sse, whole


def listing(count: int) -> bytes:
    names = ["m", *(f"organisation/name-{number}" for number in range(count))]
    return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()


async def test_of_300_000_names_the_first_are_listed(
    engine: ScriptedEngine, opened: Opened
) -> None:
    engine.listing = Reply([listing(300_000)])
    async with opened(engine.url) as remote:
        assert len(await remote.models()) == MOST_ROWS + 1


async def test_a_listing_beyond_the_bytes_says_so(
    engine: ScriptedEngine, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(engine.url) as remote:
        monkeypatch.setattr(openai_engine, "MAX_LISTING_BYTES", 10_000)
        engine.listing = Reply([listing(2000)])
        assert [model.ref for model in await remote.models()] == ["m"]  # as it was known before
        health = await remote.health()
        assert health.reason is not None
        assert "too large" in health.reason.message


async def test_much_at_once_is_read_in_pieces(
    engine: ScriptedEngine, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    feed = StreamReader.feed

    def noted(self: StreamReader, data: bytes) -> Any:
        sizes.append(len(data))
        return feed(self, data)

    monkeypatch.setattr(StreamReader, "feed", noted)
    events = b"".join(sse(chunk("a"), chunk("b", "stop"), "[DONE]"))
    engine.reply = Reply([b":\n" * 500_000 + events])
    async with opened(engine.url) as remote:
        frames = [frame async for frame in remote.chat(request())]
    assert "".join(c.content or "" for f in frames for c in f.event.choices) == "ab"
    assert sum(sizes) >= 1_000_000
    assert max(sizes) <= PIECE


async def test_an_answer_that_is_too_long_is_none(
    engine: ScriptedEngine, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_engine, "MAX_ANSWER_BYTES", 10_000)
    monkeypatch.setattr(stream_reader, "MAX_ANSWER_BYTES", 10_000)
    engine.reply = Reply(whole("a" * 20_000))
    async with opened(engine.url) as remote:
        for stream in (True, False):
            with pytest.raises(UpstreamError, match="too large"):
                _ = [frame async for frame in remote.chat(request(stream=stream))]
