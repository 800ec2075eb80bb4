from __future__ import annotations

import asyncio

import pytest

from venom_core.chat.admission import Admission
from venom_core.sdk.errors import QueueFull
from venom_core.testing.deadlines import patience


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_places_go_in_order_of_arrival() -> None:
    gate = Admission(limit=1, queue=3, wait=5)
    await gate.enter()
    order: list[int] = []

    async def one(number: int) -> None:
        await gate.enter()
        order.append(number)
        gate.leave(0.1)

    tasks = [asyncio.create_task(one(number)) for number in range(3)]
    await settle()
    assert (gate.running, gate.waiting) == (1, 3)
    gate.leave(0.1)
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2]
    assert (gate.running, gate.waiting) == (0, 0)


async def test_one_more_than_the_queue_holds_is_told_when_to_come_back() -> None:
    gate = Admission(limit=1, queue=0, wait=0.05)
    await gate.enter()
    with pytest.raises(QueueFull, match=r"The queue is full\.") as raised:
        await asyncio.wait_for(gate.enter(), patience(10))
    assert raised.value.retry_after is not None
    assert 1 <= raised.value.retry_after <= 60
    gate.leave(1)
    await gate.enter()
    assert gate.running == 1


async def test_waiting_ends_with_a_refusal_and_takes_no_place() -> None:
    gate = Admission(limit=1, queue=1, wait=0.01)
    await gate.enter()
    with pytest.raises(QueueFull):
        await gate.enter()
    assert gate.waiting == 0
    gate.leave(0)
    assert gate.running == 0


async def test_a_caller_who_leaves_the_queue_frees_it() -> None:
    gate = Admission(limit=1, queue=1, wait=5)
    await gate.enter()
    waiting = asyncio.create_task(gate.enter())
    await settle()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert gate.waiting == 0
    gate.leave(0)
    assert gate.running == 0


async def test_a_place_given_to_a_caller_who_leaves_in_that_moment_goes_on() -> None:
    gate = Admission(limit=1, queue=2, wait=5)
    await gate.enter()
    first, second = (asyncio.create_task(gate.enter()) for _ in range(2))
    await settle()
    gate.leave(0)  # the place is first's now, and it has not run yet
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.wait_for(second, patience(1))
    assert (gate.running, gate.waiting) == (1, 0)


async def test_a_place_is_not_given_to_who_has_just_left() -> None:
    gate = Admission(limit=1, queue=2, wait=5)
    await gate.enter()
    first, second = (asyncio.create_task(gate.enter()) for _ in range(2))
    await settle()
    first.cancel()  # it has not run since: it is in the queue still
    gate.leave(0)
    await asyncio.wait_for(second, patience(5))
    await asyncio.gather(first, return_exceptions=True)
    assert (gate.running, gate.waiting) == (1, 0)


async def retry_after(gate: Admission) -> int:
    with pytest.raises(QueueFull) as raised:
        await gate.enter()
    return raised.value.retry_after or 0


async def test_who_is_refused_is_told_to_come_back_after_as_long_as_answers_take() -> None:
    gate = Admission(limit=1, queue=0, wait=5)
    await gate.enter()
    before = await retry_after(gate)
    for seconds, expected in ((30.0, 30), (1e6, 60), (0.0, 1)):
        for _ in range(300):
            gate.leave(seconds)
            await gate.enter()
        assert await retry_after(gate) == expected
    assert before == 5


async def test_those_who_wait_are_told_their_places() -> None:
    gate = Admission(limit=1, queue=3, wait=5)
    told: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    await gate.enter(told["a"].append)
    assert told["a"] == [], "there was no wait"
    a = asyncio.create_task(gate.enter(told["a"].append))
    unasked = asyncio.create_task(gate.enter())
    b = asyncio.create_task(gate.enter(told["b"].append))
    await settle()
    assert (told["a"], told["b"]) == ([1], [3])
    unasked.cancel()
    await settle()
    assert (told["a"][-1], told["b"][-1]) == (1, 2)
    gate.leave(0)
    await a
    assert (told["a"][-1], told["b"]) == (0, [3, 2, 1])
    b.cancel()
    await asyncio.gather(b, unasked, return_exceptions=True)
    assert told["b"][-1] == 1, "who leaves is told nothing more"
    assert gate._listeners == {}
    gate.leave(0)
    assert (gate.running, gate.waiting) == (0, 0)
