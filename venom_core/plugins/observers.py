"""Telling observers what happened, each by itself, so that an exception has an author."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pluggy

from venom_core.sdk.hookspecs import ObservedEvent

logger = logging.getLogger(__name__)

#: How often one observer's failures are logged in full; after that every hundredth is.
FAILURES_LOGGED = 3


class Observers:
    """The plugins that implement ``venom_observe``, by name.

    pluggy has checked them; they are called without it, because it costs more than most of them do
    and each request is an event.
    """

    def __init__(self) -> None:
        self._calls: dict[str, tuple[Callable[[ObservedEvent], Any], ...]] = {}
        self._failures: Counter[str] = Counter()

    def add(self, name: str, hooks: pluggy.PluginManager) -> None:
        calls = tuple(map(_call, hooks.hook.venom_observe.get_hookimpls()))
        if calls:
            self._calls[name] = calls

    def remove(self, name: str) -> None:
        self._calls.pop(name, None)

    def observe(self, event: ObservedEvent) -> None:
        for name, calls in tuple(self._calls.items()):
            try:
                for call in calls:
                    call(event)
            except BaseException as error:
                # what is no Exception would end the event loop, or what the core is doing
                self._log(name, event, error)

    def _log(self, name: str, event: ObservedEvent, error: BaseException) -> None:
        self._failures[name] += 1
        count = self._failures[name]
        if count <= FAILURES_LOGGED or count % 100 == 0:
            logger.warning(
                "observer %s failed on %s (%d times so far)", name, event.name, count,
                exc_info=error,
            )  # fmt: skip


def _call(impl: pluggy.HookImpl) -> Callable[[ObservedEvent], Any]:
    """Return the call of an implementation, which may leave the argument out."""
    return impl.function if impl.argnames else partial(_without_event, impl.function)


def _without_event(function: Callable[[], Any], _event: ObservedEvent) -> None:
    function()
