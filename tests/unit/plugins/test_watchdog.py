"""The watch on the event loop names whoever keeps it, with the stack."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.guards import guarded
from tests.unit.plugins.distributions import PROVIDER, install_plugin
from venom_core.plugins import watchdog as module
from venom_core.plugins.breaches import Breaches
from venom_core.plugins.guarded import GuardedProvider
from venom_core.plugins.watchdog import watchdog
from venom_core.sdk.frames import Frame, delta, finish
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.provider import Model
from venom_core.testing.deadlines import eventually, patience, until

CHAT = ChatRequest("m", {}, True, "r")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCKING_SECONDS", 0.02)
    monkeypatch.setattr(module, "REST_SECONDS", 0.01)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == module.__name__]


class Blocking:
    """Blocks the loop until the watchdog has said so, however slow the machine is; where it does
    not, the loop turns again and the test sees what was not said."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def __call__(self) -> None:
        before = len(told(self._caplog))
        eventually(lambda: len(told(self._caplog)) > before, 5)


@pytest.fixture
def block(caplog: pytest.LogCaptureFixture) -> Blocking:
    return Blocking(caplog)


def provider(method: str, block: Callable[[], None]) -> GuardedProvider:
    async def describe(ref: str) -> Model:
        block()
        return Model(ref, "x")

    async def chat(_request: Any) -> AsyncGenerator[Frame, None]:
        yield Frame.of(delta("a"))
        await asyncio.sleep(0)
        block()
        yield Frame.of(finish("stop"))

    def canonical(ref: str) -> str:
        block()
        return ref

    return guarded(SimpleNamespace(describe=describe, chat=chat, canonical=canonical))


async def use(one: GuardedProvider, method: str) -> None:
    if method == "chat":
        assert len([frame async for frame in one.chat(CHAT)]) == 2
    elif method == "canonical":
        assert one.canonical("m") == "m"
        await asyncio.sleep(0)  # the loop has turned
    else:
        assert (await one.describe("m")).ref == "m"


@pytest.mark.parametrize("method", ["describe", "chat", "canonical"])
async def test_a_call_that_blocks_is_named_each_time_once(
    caplog: pytest.LogCaptureFixture, block: Blocking, method: str
) -> None:
    one = provider(method, block)
    watch = watchdog(lambda _module: None)
    watch.start()
    for times in (1, 2):
        await use(one, method)
        assert len(told(caplog)) == times
    await until(lambda: [b["count"] for b in one.faults.breaches.records()] == [2])
    watch.stop()
    said = told(caplog)
    assert f"provider stub has kept everything else waiting for 0.02 s in {method}" in said[0]
    assert "test_watchdog.py" in said[0] and "block()" in said[0], "the stack says where"
    (breach,) = one.faults.breaches.records()
    assert (breach["rule"], breach["method"]) == ("never_blocks", method)


async def test_one_long_block_is_said_once(
    caplog: pytest.LogCaptureFixture, block: Blocking
) -> None:
    def twice() -> None:
        block()
        time.sleep(0.2)  # ten times as long as it may be

    watch = watchdog(lambda _module: None)
    watch.start()
    await use(provider("describe", twice), "describe")
    watch.stop()
    assert len(told(caplog)) == 1


async def test_a_task_of_a_plugins_own_is_known_by_its_module(
    caplog: pytest.LogCaptureFixture, block: Blocking
) -> None:
    breaches = Breaches("acme")
    asked: list[str] = []

    def owner(name: str) -> Breaches | None:
        asked.append(name)
        return breaches if name == "venom_acme.provider" else None

    space: dict[str, Any] = {"__name__": "venom_acme.provider", "block": block}
    exec("async def work():\n    block()\n", space)
    watch = watchdog(owner)
    watch.start()
    await asyncio.create_task(space["work"]())
    assert asked
    assert ["provider acme" in line for line in told(caplog)] == [True]
    await until(breaches.records)
    watch.stop()
    assert breaches.records()[0]["method"] == "task"


async def test_what_is_no_providers_is_not_laid_at_ones_door(
    caplog: pytest.LogCaptureFixture,
) -> None:
    looked = threading.Event()

    def owner(_module: str) -> None:
        looked.set()

    watch = watchdog(owner)
    watch.start()
    assert eventually(looked.is_set, 5)  # it blocks the loop, which no provider does
    watch.stop()
    assert told(caplog) == []


async def test_a_loop_that_turns_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    watch = watchdog(lambda _module: Breaches("nobody"))
    watch.start()
    beats: list[int] = []
    loop = asyncio.get_running_loop()
    asked = loop.call_soon_threadsafe

    def count(callback: Any, *more: Any, **context: Any) -> Any:
        beats.append(1)
        return asked(callback, *more, **context)

    loop.call_soon_threadsafe = count  # type: ignore[method-assign]
    try:
        await until(lambda: len(beats) >= 3)
    finally:
        del loop.call_soon_threadsafe  # type: ignore[method-assign]
    watch.stop()
    watch.start()  # a second time changes nothing
    assert sum(thread.name == "loop watch" for thread in threading.enumerate()) <= 1


async def test_the_record_and_the_observers_are_told(
    site: Any, make_host: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Observer:
        def __init__(self) -> None:
            self.seen: list[ObservedEvent] = []

        @hookimpl
        def venom_observe(self, event: ObservedEvent) -> None:
            self.seen.append(event)

    blocks = PROVIDER.replace(
        "    async def models(self):\n        return []",
        f"    async def models(self):\n        HELD.wait({patience(5)})\n        return []",
    ).replace("class Acme", "import threading\nHELD = threading.Event()\n\nclass Acme")
    install_plugin(site, "acme", provider=blocks)
    observer = Observer()
    host = make_host()
    host.add_observer("test", observer)
    host.scan()
    host.watch()
    one = await host.provider("acme")

    class Release(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            import venom_acme.provider as planted

            if "kept everything else waiting" in record.getMessage():
                planted.HELD.set()

    handler = Release()
    logging.getLogger(module.__name__).addHandler(handler)
    try:
        await one.models()
        await until(lambda: [e for e in observer.seen if e.name == "provider.breach"])
    finally:
        logging.getLogger(module.__name__).removeHandler(handler)
        await host.close()
    (event,) = [event for event in observer.seen if event.name == "provider.breach"]
    assert event.data == {"provider": "acme", "rule": "never_blocks", "method": "models"}
    (breach,) = host.records()[0].record()["providers"][0]["breaches"]
    assert (breach["rule"], breach["count"]) == ("never_blocks", 1)
