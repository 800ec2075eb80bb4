"""Observers are told, each by itself, whatever they look like."""

from __future__ import annotations

import logging

import pytest

from venom_core.plugins.loader import observer
from venom_core.plugins.observers import Observers
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl

EVENT = ObservedEvent("provider.state", {"provider": "p"})


class Whole:
    def __init__(self) -> None:
        self.seen: list[ObservedEvent] = []

    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        self.seen.append(event)


class Counting:
    """Wants to know that something happened, not what: pluggy lets it leave the argument out."""

    seen = 0

    @hookimpl
    def venom_observe(self) -> None:
        self.seen += 1


class Broken:
    @hookimpl
    def venom_observe(self, event: ObservedEvent) -> None:
        raise SystemExit(3)


def test_each_is_told_and_one_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    observers, whole, counting = Observers(), Whole(), Counting()
    for name, plugin in (("broken", Broken()), ("whole", whole), ("counting", counting)):
        observers.add(name, observer(plugin, name))
    observers.observe(EVENT)
    observers.remove("whole")
    observers.observe(EVENT)
    assert whole.seen == [EVENT]
    assert counting.seen == 2
    assert "observer broken failed on provider.state" in caplog.text
