"""The feed: what changes, told to whoever watches, as it changes.

Nothing here is kept for those who were not there: a watcher that missed something is told so and
asks for the present state, which every topic has.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from venom_core.sdk.hookspecs import ObservedEvent, hookimpl

Topic = Literal[
    "operations", "models", "providers", "profile", "services", "settings", "benchmarks"
]
TOPICS: tuple[str, ...] = get_args(Topic)

_TOPIC_OF: Mapping[str, Topic] = {
    "alias.removed": "models",
    "alias.set": "models",
    "model.activated": "models",
    "model.built": "models",
    "model.configured": "models",
    "model.deactivated": "models",
    "model.loaded": "models",
    "model.pulled": "models",
    "model.removed": "models",
    "model.tested": "models",
    "model.unloaded": "models",
    "plugin.state": "providers",
    "profile.switched": "profile",
    "provider.breach": "providers",
    "provider.state": "providers",
    "server.activated": "services",
    "service.failed": "services",
    "service.recovered": "services",
    "service.restarted": "services",
    "service.started": "services",
    "service.stopped": "services",
    "settings.changed": "settings",
    "settings.restored": "settings",
}
REPLAYED = 256
WAITING = 256


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """``topic`` is ``resync`` where events were missed: ask anew for what is watched."""

    id: int
    topic: str
    data: Mapping[str, Any]


class Feed:
    """Events to many watchers; one that is slow loses events, never holds up the others."""

    def __init__(self) -> None:
        self._past: deque[FeedEvent] = deque(maxlen=REPLAYED)
        self._watchers: set[_Watcher] = set()
        self._last_id = 0
        self._closed = False

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        """Pass on what the host and the model transfers report; chats are no news."""
        topic = _TOPIC_OF.get(event.name)
        if topic is not None:
            self.publish(topic, {"event": event.name, **event.data})

    def publish(self, topic: Topic, data: Mapping[str, Any]) -> None:
        """Tell everybody; never waits."""
        self._last_id += 1
        event = FeedEvent(self._last_id, topic, data)
        self._past.append(event)
        for watcher in self._watchers:
            watcher.offer(event)

    @contextlib.contextmanager
    def watch(
        self, topics: Collection[str], after: int | None = None
    ) -> Iterator[AsyncGenerator[FeedEvent | None, None]]:
        """Yield events from now on, or after the one that was seen last; None stands for a quiet
        spell of fifteen seconds. Ends when the feed is closed."""
        watcher = _Watcher(frozenset(topics))
        for event in self._missed(after):
            watcher.offer(event)
        self._watchers.add(watcher)
        if self._closed:
            watcher.end()
        try:
            yield watcher.events()
        finally:
            self._watchers.discard(watcher)

    def close(self) -> None:
        """End every watch."""
        self._closed = True
        for watcher in self._watchers:
            watcher.end()

    def _missed(self, after: int | None) -> Iterator[FeedEvent]:
        if after is None or after == self._last_id:
            return
        oldest = self._past[0].id if self._past else self._last_id + 1
        if after > self._last_id or after < oldest - 1:  # of another start, or too long ago
            yield FeedEvent(self._last_id, "resync", {})
            return
        yield from (event for event in self._past if event.id > after)


class _Watcher:
    def __init__(self, topics: frozenset[str]) -> None:
        self._topics = topics | {"resync"}
        self._queue: asyncio.Queue[FeedEvent | None] = asyncio.Queue(WAITING)
        self._ended = False

    def offer(self, event: FeedEvent) -> None:
        if event.topic not in self._topics or self._ended:
            return
        if self._queue.full():
            while not self._queue.empty():
                self._queue.get_nowait()
            event = FeedEvent(event.id, "resync", {})
        self._queue.put_nowait(event)

    def end(self) -> None:
        self._ended = True
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def events(self, quiet_seconds: float = 15.0) -> AsyncGenerator[FeedEvent | None, None]:
        while True:
            try:
                event = await asyncio.wait_for(self._queue.get(), quiet_seconds)
            except TimeoutError:
                yield None
                continue
            if event is None:
                return
            yield event
