"""The feed: order, choice of topics, going on after a gap, slow watchers, its end."""

from __future__ import annotations

import asyncio

import pytest

from venom_core.api.v1.events import TOPIC_DATA
from venom_core.runtime import feed as module
from venom_core.runtime.feed import TOPICS, Feed, FeedEvent
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.testing.deadlines import patience


async def told(feed: Feed, *topics: str, after: int | None = None) -> list[FeedEvent]:
    """Return what a watcher gets until the feed is closed, which happens at once."""
    with feed.watch(topics or TOPICS, after) as events:
        feed.close()
        return [event async for event in events if event is not None]


async def test_events_come_in_order_and_by_topic() -> None:
    feed = Feed()
    with feed.watch(("models",)) as events:
        feed.publish("models", {"n": 1})
        feed.publish("operations", {"n": 2})
        feed.publish("models", {"n": 3})
        assert [(await anext(events)).data["n"] for _ in range(2)] == [1, 3]


async def test_who_comes_back_goes_on_where_it_was() -> None:
    feed = Feed()
    for number in range(5):
        feed.publish("models", {"n": number})
    assert [event.data["n"] for event in await told(feed, after=3)] == [3, 4]


@pytest.mark.parametrize("after", [5, None])
async def test_who_missed_nothing_is_told_nothing(after: int | None) -> None:
    feed = Feed()
    for number in range(5):
        feed.publish("models", {"n": number})
    assert await told(feed, after=after) == []


@pytest.mark.parametrize("after", [0, 700], ids=["too long ago", "of another start"])
async def test_a_gap_is_told_and_not_passed_over(
    after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed()
    for number in range(module.REPLAYED + 10):
        feed.publish("models", {"n": number})
    assert [event.topic for event in await told(feed, after=after)] == ["resync"]


async def test_a_slow_watcher_loses_events_and_is_told_and_holds_up_nobody() -> None:
    feed = Feed()
    with feed.watch(("models",)) as slow, feed.watch(("models",)) as quick:
        for number in range(module.WAITING + 1):
            feed.publish("models", {"n": number})
            assert (await anext(quick)).data["n"] == number
        assert (await anext(slow)).topic == "resync"
        feed.publish("models", {"n": "next"})
        assert (await anext(slow)).data["n"] == "next"


async def test_closing_ends_every_watch_also_a_full_one() -> None:
    feed = Feed()
    with feed.watch(("models",)) as full, feed.watch(("models",)) as waiting:
        for number in range(module.WAITING):
            feed.publish("models", {"n": number})
        reading = asyncio.create_task(_read(waiting))
        feed.close()
        async with asyncio.timeout(patience(5)):
            assert len(await _read(full)) < module.WAITING
            await reading
    async with asyncio.timeout(patience(5)):
        assert await told(feed) == [], "who comes late does not wait for ever"


async def _read(events: object) -> list[FeedEvent]:
    return [event async for event in events]  # type: ignore[attr-defined]


async def test_a_quiet_spell_is_told() -> None:
    watcher = module._Watcher(frozenset({"models"}))
    async with asyncio.timeout(patience(5)):
        assert await anext(watcher.events(quiet_seconds=0.01)) is None


async def test_chats_are_no_news() -> None:
    feed = Feed()
    feed.venom_observe(ObservedEvent("chat.finished", {"model": "m"}))
    feed.venom_observe(ObservedEvent("request.refused", {"model": "m"}))
    assert await told(feed, after=0) == []


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("model.activated", "models"), ("model.pulled", "models"), ("model.removed", "models"),
        ("plugin.state", "providers"), ("provider.state", "providers"),
    ],
)  # fmt: skip
async def test_what_the_parts_report_is_told(name: str, topic: str) -> None:
    feed = Feed()
    feed.venom_observe(ObservedEvent(name, {"n": 1}))
    (event,) = await told(feed, after=0)
    assert (event.topic, event.data) == (topic, {"event": name, "n": 1})


def test_what_each_topic_holds_is_described() -> None:
    assert TOPIC_DATA.keys() == {*TOPICS, "resync"}
