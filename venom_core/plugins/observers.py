"""Telling observers what happened, each by itself, so that an exception has an author."""

from __future__ import annotations

import logging
from collections import Counter

import pluggy

from venom_core.sdk.hookspecs import ObservedEvent

logger = logging.getLogger(__name__)

#: How often one observer's failures are logged in full; after that every hundredth is.
FAILURES_LOGGED = 3


class Observers:
    """Who implements ``venom_observe``, by name."""

    def __init__(self) -> None:
        self._hooks: dict[str, pluggy.PluginManager] = {}
        self._failures: Counter[str] = Counter()

    def add(self, name: str, hooks: pluggy.PluginManager) -> None:
        if hooks.hook.venom_observe.get_hookimpls():
            self._hooks[name] = hooks

    def remove(self, name: str) -> None:
        self._hooks.pop(name, None)

    def observe(self, event: ObservedEvent) -> None:
        for name, hooks in list(self._hooks.items()):
            try:
                hooks.hook.venom_observe(event=event)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                # SystemExit or CancelledError of an observer would end what the core is doing
                self._log(name, event, error)

    def _log(self, name: str, event: ObservedEvent, error: BaseException) -> None:
        self._failures[name] += 1
        count = self._failures[name]
        if count <= FAILURES_LOGGED or count % 100 == 0:
            logger.warning(
                "observer %s failed on %s (%d times so far)", name, event.name, count,
                exc_info=error,
            )  # fmt: skip
