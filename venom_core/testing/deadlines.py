"""Wait for what must happen, for as long as a machine that may be busy needs.

A test waits for a state and never asserts a time; what bounds the wait is there for what would hang
for ever. One factor, measured between the tests, stretches every such bound::

    await until(lambda: provider.closed)
    answer = await within(provider.chat(request))
    child.wait(timeout=patience(10))
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
#: The fixed work, and the seconds that it takes on an idle machine of two cores.
_ROUNDS = 3_000_000
_IDLE_SECONDS = 0.05
_LARGEST = 20.0
#: Seconds that a measurement is good for.
_GOOD_FOR = 5.0

_slowness = 0.0
_measured_at = float("-inf")


def patience(seconds: float) -> float:
    """Return ``seconds`` of an idle machine as seconds of this one."""
    if not _slowness:
        measure()
    return seconds * _slowness


def measure() -> float:
    """Measure how much slower than an idle machine this one is, and return the largest factor so
    far: what was busy once in a run is soon busy again. Blocks for some 0.04 s."""
    global _slowness, _measured_at  # noqa: PLW0603 -- one machine, one factor
    began = time.perf_counter()
    for _ in range(_ROUNDS):
        pass
    _measured_at = time.perf_counter()
    factor = (_measured_at - began) / _IDLE_SECONDS
    _slowness = min(max(factor, _slowness, 1.0), _LARGEST)
    return _slowness


def measure_if_old() -> None:
    """Measure again where the last time is some seconds ago; for a hook between two tests."""
    if time.perf_counter() - _measured_at > _GOOD_FOR:
        measure()


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    """Return whether the condition becomes true in time."""
    began = time.monotonic()
    while not condition():
        if _is_over(began, seconds):
            return bool(condition())
        time.sleep(0.02)
    return True


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait, off the event loop, until the condition is true. Raises ``TimeoutError``."""
    began = time.monotonic()
    while not condition():
        if _is_over(began, seconds) and not condition():
            raise TimeoutError(f"not within {patience(seconds):.0f} s")
        await asyncio.sleep(0.005)


async def within(work: Awaitable[T], seconds: float = 20.0) -> T:
    """Return what ``work`` returns. Raises ``TimeoutError`` where it goes on, and then does not
    wait for it, even if it goes on after it was cancelled; ``asyncio.timeout`` would."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=patience(seconds))
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task}, timeout=patience(seconds))
        raise
    if not task.done():
        task.cancel()
        raise TimeoutError(f"not within {patience(seconds):.0f} s")
    return task.result()


def _is_over(began: float, seconds: float) -> bool:
    if time.monotonic() - began <= patience(seconds):
        return False
    measure()  # the load may have come during the wait
    return time.monotonic() - began > patience(seconds)
