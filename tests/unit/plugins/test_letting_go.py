"""Providers that go on after they were cancelled, and how they are left behind."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from tests.unit.guards import guarded
from venom_core.plugins import guarded_streams, isolation, letting_go
from venom_core.plugins.guarded import SECONDS, GuardedProvider, Waits
from venom_core.sdk.errors import UpstreamError, UpstreamTimeout
from venom_core.sdk.frames import Frame, FrameKind, delta, finish
from venom_core.sdk.messages import ChatRequest
from venom_core.testing.deadlines import until, within

CHAT = ChatRequest("m", {}, True, "r")
LONG = 1e6
T = TypeVar("T")


@pytest.fixture(autouse=True)
async def released(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """Let go of what is held at the end of a test, whatever became of it; a grace is short."""
    for module in (isolation, letting_go):
        monkeypatch.setattr(module, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(guarded_streams, "CLOSE_SECONDS", 0.05)
    event = asyncio.Event()
    yield event
    event.set()


async def held(released: asyncio.Event) -> None:
    """Wait, and go on whenever that is cancelled."""
    while not released.is_set():
        try:
            await released.wait()
        except asyncio.CancelledError:
            continue


def provider(chat: Callable[[Any], Any], waits: Waits | None = None) -> GuardedProvider:
    async def engines() -> tuple[()]:
        return ()

    inner = SimpleNamespace(chat=chat, engines=engines)
    return guarded(inner, waits=waits or Waits(LONG, LONG, LONG))


def rules(one: GuardedProvider) -> list[str]:
    return [breach["rule"] for breach in one.faults.breaches.records()]


async def soon(work: Awaitable[T]) -> T:
    """Return what work returns, where that is not much later than its grace."""
    return await within(work, 5)


async def gone(released: asyncio.Event) -> None:
    """Let what was left behind end, and wait for it."""
    released.set()
    await until(lambda: not isolation._left_behind)


async def read(one: GuardedProvider) -> list[Frame]:
    return [frame async for frame in one.chat(CHAT)]


async def leave(reading: asyncio.Task[Any]) -> None:
    """Cancel a reader, which then is not held."""
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(reading)


@pytest.mark.parametrize("place", ["before the first frame", "between two"])
async def test_a_silent_stream_that_swallows_its_end_is_a_timeout(
    released: asyncio.Event, place: str
) -> None:
    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        if place == "between two":
            yield Frame.of(delta("a"))
        await held(released)
        yield Frame.of(finish("stop"))

    one = provider(chat, Waits(0.05, 0.05, 0.05))
    with pytest.raises(UpstreamTimeout):
        await soon(read(one))
    assert rules(one) == ["in_time", "lets_go"]
    assert len(isolation._left_behind) == 1
    await gone(released)


async def quiet_time() -> None:
    """Wait for as long as a limit of the caller's own allows."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(LONG)


async def quiet_end() -> None:
    """Wait for as long as a limit allows, for what then puts its things in order."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            try:
                await asyncio.sleep(LONG)
            finally:
                for _ in range(3):
                    await asyncio.sleep(0)


async def quiet_group() -> None:
    """Wait for tasks of which one fails, so that the others are cancelled."""

    async def failing() -> None:
        raise ValueError

    with contextlib.suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(failing())
            await asyncio.sleep(LONG)


async def refused() -> None:
    """Connect to where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with contextlib.suppress(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def failed() -> None:
    """Wait for a future that fails."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_exception, OSError())
    with contextlib.suppress(OSError):
        await future


async def given_up() -> None:
    """Cancel a task, and wait until it has ended."""
    task = asyncio.create_task(asyncio.sleep(LONG))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


#: What a provider may await and handle, and nobody cancels it.
HANDLED = [quiet_time, quiet_end, quiet_group, refused, failed, given_up]


@pytest.mark.parametrize("waiting", HANDLED)
async def test_what_it_handles_itself_is_no_cancelling(
    waiting: Callable[[], Awaitable[None]],
) -> None:
    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        await waiting()
        await asyncio.sleep(0.1)  # for longer than the grace
        await waiting()
        yield Frame.of(delta("a"))
        await waiting()
        yield Frame.of(finish("stop"))
        await waiting()

    one = provider(chat)
    frames = await soon(read(one))
    assert ([frame.kind for frame in frames], rules(one)) == (
        [FrameKind.DELTA, FrameKind.FINISH], [],
    )  # fmt: skip


@pytest.mark.parametrize("waiting", HANDLED)
async def test_a_reader_that_leaves_after_such_a_limit_is_not_held(
    released: asyncio.Event, waiting: Callable[[], Awaitable[None]]
) -> None:
    began = asyncio.Event()

    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        await waiting()
        began.set()
        await held(released)
        yield Frame.of(finish("stop"))

    one = provider(chat)

    reading = asyncio.create_task(read(one))
    await soon(began.wait())
    await leave(reading)
    assert rules(one) == ["lets_go"]
    await gone(released)


@pytest.mark.parametrize("place", ["before the first frame", "between two"])
async def test_a_reader_that_leaves_is_not_held(released: asyncio.Event, place: str) -> None:
    began = asyncio.Event()

    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        if place == "between two":
            yield Frame.of(delta("a"))
        began.set()
        await held(released)
        yield Frame.of(finish("stop"))

    one = provider(chat)

    reading = asyncio.create_task(read(one))
    await soon(began.wait())
    await leave(reading)
    assert reading.cancelling() == 1, "our own cancelling is taken back"
    assert rules(one) == ["lets_go"]
    await gone(released)


async def test_one_that_yields_on_after_it_was_cancelled_is_closed(
    released: asyncio.Event,
) -> None:
    seen: list[str] = []

    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        try:
            while not released.is_set():
                try:
                    await released.wait()
                except asyncio.CancelledError:
                    seen.append("swallowed")
                yield Frame.of(delta("a"))
        finally:
            seen.append("closed")

    one = provider(chat, Waits(0.05, 0.05, 0.05))
    with pytest.raises(UpstreamTimeout):
        await soon(read(one))
    assert seen == ["swallowed", "closed"]
    assert rules(one) == ["in_time", "lets_go"]
    assert not isolation._left_behind


async def test_one_that_ends_when_it_is_cancelled_does_not_hide_it() -> None:
    began = asyncio.Event()

    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        yield Frame.of(delta("a"))
        began.set()
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            return

    one = provider(chat)

    reading = asyncio.create_task(read(one))
    await soon(began.wait())
    await leave(reading)
    assert rules(one) == []


async def test_one_that_puts_its_things_in_order_has_its_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(letting_go, "GRACE_SECONDS", LONG)
    seen: list[str] = []
    began = asyncio.Event()

    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        try:
            began.set()
            await asyncio.sleep(LONG)
            yield Frame.of(delta("a"))
        finally:
            for _ in range(3):
                await asyncio.sleep(0)
            seen.append("in order")

    one = provider(chat)

    reading = asyncio.create_task(read(one))
    await soon(began.wait())
    await leave(reading)
    assert (seen, rules(one)) == (["in order"], [])


async def test_closing_a_generator_that_does_not_end_is_given_up(released: asyncio.Event) -> None:
    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        try:
            yield Frame.of(delta("a"))
            yield Frame.of(delta("b"))
        finally:
            await held(released)

    one = provider(chat)

    async def leave_early() -> None:
        frames = one.chat(CHAT)
        await anext(frames)
        await frames.aclose()

    await soon(leave_early())
    assert rules(one) == ["lets_go"]
    await gone(released)


async def test_one_that_spins_is_left_behind_too(released: asyncio.Event) -> None:
    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        while not released.is_set():
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                continue
        yield Frame.of(delta("a"))

    one = provider(chat, Waits(0.05, 0.05, 0.05))
    with pytest.raises(UpstreamTimeout):
        await soon(read(one))
    await gone(released)


async def test_what_is_raised_after_the_cancelling_is_the_cancelling(
    released: asyncio.Event,
) -> None:
    """A plugin that makes an error of its own of it is not asked what it thinks."""

    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        yield Frame.of(delta("a"))
        try:
            await released.wait()
        except asyncio.CancelledError:
            raise ValueError("secret") from None

    one = provider(chat, Waits(0.05, 0.05, 0.05))
    with pytest.raises(UpstreamError) as raised:
        await soon(read(one))
    assert "secret" not in str(raised.value.record())


@pytest.mark.parametrize("how", ["late", "cancelled"])
async def test_a_call_that_goes_on_is_noted(
    monkeypatch: pytest.MonkeyPatch, released: asyncio.Event, how: str
) -> None:
    monkeypatch.setitem(SECONDS, "describe", 0.05 if how == "late" else LONG)
    began = asyncio.Event()

    async def describe(_ref: str) -> None:
        began.set()
        await held(released)

    one = guarded(SimpleNamespace(describe=describe))
    asking = asyncio.create_task(one.describe("m"))
    await soon(began.wait())
    if how == "cancelled":
        asking.cancel()
    with pytest.raises((UpstreamTimeout, asyncio.CancelledError)):
        await soon(asking)
    await until(lambda: "lets_go" in rules(one))
    await gone(released)


class Pause:
    """A wait that needs no event loop."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def test_what_is_left_at_the_end_of_the_process_ends_without_a_word() -> None:
    """The interpreter closes what nobody waits for; an error in it is printed with a trace."""

    async def describe() -> None:
        while True:
            await Pause()

    left = isolation._contained(describe)
    left.send(None)
    left.close()
    assert inspect.getcoroutinestate(left) == inspect.CORO_CLOSED


async def test_many_frames_cost_no_timer_each() -> None:
    """The fast way: a frame that is there is handed on without a task, a timer or a turn."""

    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        for _ in range(63):
            yield Frame.of(delta("a"))
        yield Frame.of(finish("stop"))

    loop = asyncio.get_running_loop()
    made: list[Any] = []
    factory = loop.get_task_factory()

    def count(loop: Any, coro: Any, **more: Any) -> Any:
        made.append(coro)
        return asyncio.Task(coro, loop=loop, **more)

    loop.set_task_factory(count)
    try:
        assert len([frame async for frame in provider(chat).chat(CHAT)]) == 64
    finally:
        loop.set_task_factory(factory)
    assert made == []
