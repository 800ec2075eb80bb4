"""Bounds on what an upstream streams: bytes in all, and so much between two turns of the loop."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import pytest

from tests.unit.turns import counted_turns
from venom_core.sdk import http, stream_reader
from venom_core.sdk.errors import UpstreamError, UpstreamIncomplete
from venom_core.sdk.frames import Answer
from venom_core.sdk.stream_reader import PIECE, StreamReader, pieces, read_answer


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    body = {"id": "a", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def fragment(text: str) -> bytes:
    return event({"tool_calls": [{"index": 0, "id": "c", "function": {"arguments": text}}]})


END = event({}, "tool_calls") + b"data: [DONE]\n\n"


async def test_a_stream_for_one_answer_is_put_together_in_many_turns() -> None:
    data = b"".join(fragment(f"{n},") for n in range(2000)) + END
    async with counted_turns() as turns:
        answer = (await read_answer(data)).event
    assert turns.count >= len(data) // PIECE
    assert isinstance(answer, Answer)
    [call] = answer.choices[0].tool_calls
    assert (call.id, call.arguments) == ("c", "".join(f"{n}," for n in range(2000)))
    assert answer.choices[0].finish_reason == "tool_calls"


async def test_fragments_of_a_call_are_joined_once() -> None:
    gathered = stream_reader.Gathered()
    for number in range(100):
        gathered.add(stream_reader.stream_frame(fragment(str(number))[6:-2]).event)
    [kept] = gathered._choices[0].calls.values()
    assert len(kept.arguments) == 100


async def test_a_stream_for_one_answer_that_breaks_off_is_told() -> None:
    with pytest.raises(UpstreamIncomplete):
        await read_answer(fragment("a") + b"data: [DONE]\n\n")


async def test_large_reads_are_cut_and_the_loop_turns_between() -> None:
    data = bytes(range(256)) * 1024
    async with counted_turns() as turns:
        found = [piece async for piece in pieces(data)]
    assert b"".join(found) == data
    assert max(map(len, found)) <= PIECE
    assert turns.count >= len(found) - 1
    assert [piece async for piece in pieces(b"")] == []


def test_the_bytes_of_a_stream_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_reader, "MAX_STREAM_BYTES", 10_000)
    reader, read = StreamReader(), 0
    with pytest.raises(UpstreamError, match="too large"):
        while read < 20_000:
            assert list(reader.feed(b": still here\n" * 10))
            read += 130
    assert 9_000 < read <= 10_000


async def test_clients_are_imported_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[threading.Thread] = []

    def imported() -> None:
        where.append(threading.current_thread())
        http._imported.set()

    monkeypatch.setattr(http, "_imported", threading.Event())
    monkeypatch.setattr(http, "_import_clients", imported)
    await http.prepare()
    await http.prepare()
    assert len(where) == 1
    assert where[0] is not threading.main_thread()


async def test_what_is_imported_is_what_clients_need() -> None:
    await http.prepare()
    assert "venom_core.sdk.upstream" in sys.modules
