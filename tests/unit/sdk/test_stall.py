"""One timer for all waits: it ends the wait that is too long and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from venom_core.sdk.stall import StallTimer
from venom_core.testing.deadlines import patience

LIMIT = 0.05


async def relay(
    source: AsyncGenerator[int, None], limit: float = LIMIT
) -> AsyncGenerator[int, None]:
    with StallTimer(limit) as timer:
        async for item in source:
            timer.since = None
            yield item
            timer.since = timer.now()


async def numbers(count: int, pause: float = 0.0) -> AsyncGenerator[int, None]:
    for number in range(count):
        await asyncio.sleep(pause)
        yield number


async def test_a_wait_that_is_too_long_ends_as_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        assert [item async for item in relay(numbers(1, pause=30))] == []
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_many_waits_may_be_longer_together_than_each() -> None:
    limit = patience(0.2)
    assert [item async for item in relay(numbers(8, pause=limit / 6), limit)] == list(range(8))


async def test_a_slow_reader_is_no_stall_and_ends_no_watch() -> None:
    async def two_and_silence() -> AsyncGenerator[int, None]:
        yield 0
        yield 1
        await asyncio.sleep(30)

    seen = []
    with pytest.raises(TimeoutError):
        async for item in relay(two_and_silence()):
            await asyncio.sleep(LIMIT * 3)
            seen.append(item)
    assert seen == [0, 1]


@pytest.mark.parametrize(("first", "then"), [(30.0, LIMIT), (LIMIT, 30.0)])
async def test_the_first_wait_has_a_limit_of_its_own(first: float, then: float) -> None:
    with pytest.raises(TimeoutError), StallTimer(first, then) as timer:
        if first > then:
            await asyncio.sleep(LIMIT * 3)
            timer.first_ended()
            timer.since = timer.now()
        await asyncio.sleep(patience(20))
    assert timer.seconds == LIMIT


async def test_cancelling_from_elsewhere_stays_a_cancelling() -> None:
    async def read() -> None:
        async for _ in relay(numbers(1, pause=30), limit=30):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_thousand_waits_set_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, made = asyncio.get_running_loop(), []
    call_later = loop.call_later

    def counted(delay: float, callback: object, *rest: object) -> asyncio.TimerHandle:
        made.append(delay)
        return call_later(delay, callback, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "call_later", counted)
    assert len([item async for item in relay(numbers(1000), limit=30)]) == 1000
    assert made == [30]
