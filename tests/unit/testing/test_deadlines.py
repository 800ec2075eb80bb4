"""Waiting for what may not come."""

from __future__ import annotations

import asyncio

import pytest

from venom_core.testing import deadlines
from venom_core.testing.deadlines import within


async def test_what_comes_in_time_is_handed_on() -> None:
    async def answer() -> int:
        return 5

    async def fail() -> None:
        raise ValueError("late")

    assert await within(answer()) == 5
    with pytest.raises(ValueError, match="late"):
        await within(fail())


async def test_what_goes_on_after_it_was_cancelled_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "patience", lambda _seconds: 0.05)
    released, cancelled = asyncio.Event(), asyncio.Event()

    async def go_on() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                cancelled.set()

    work = asyncio.create_task(go_on())
    with pytest.raises(TimeoutError, match="not within"):
        await within(work)
    async with asyncio.timeout(60):
        await cancelled.wait()
        assert not work.done()
        released.set()
        await work


async def test_whoever_waits_and_is_cancelled_takes_the_work_along() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(1e6)
        finally:
            ended.set()

    waiting = asyncio.create_task(within(work()))
    async with asyncio.timeout(60):
        await began.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert ended.is_set()
