"""The record of what use cases did: the audit trail and the events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from typing_extensions import TypedDict

from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.store.access import Store
from venom_core.store.audit import EVERY_ENTRY, Actor, AuditRecord, AuditWanted


class AuditTrail(TypedDict):
    """A part of the trail; ``next_cursor`` asks for what is older, null where nothing is."""

    entries: list[AuditRecord]
    count: int
    next_cursor: str | None


class Journal:
    """Records changes and publishes events.

    Args:
        store: holds the audit trail.
        report: hands an event to the observers, the feed among them, without waiting for them.
    """

    def __init__(self, store: Store, report: Callable[[ObservedEvent], None]) -> None:
        self._store = store
        self._report = report

    async def record_audit(
        self,
        actor: Actor,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a change that was made outside the store to the audit trail. Raises
        ``StorageError``."""
        entry = (actor, action, subject, before, after)
        await asyncio.to_thread(self._store.record_audit, *entry)

    def publish(self, name: str, **data: Any) -> None:
        """Tell the observers of an event; the names are in ``sdk.hookspecs.ObservedEvent``."""
        self._report(ObservedEvent(name, data))

    async def count_audit(self, actor: Actor, action: str, subject: str) -> None:
        """Add what one key may do any number of times; within an hour it is counted in one entry.
        Raises ``StorageError``."""
        await asyncio.to_thread(self._store.count_audit, actor, action, subject)

    async def page(
        self, limit: int, before: int | None = None, wanted: AuditWanted = EVERY_ENTRY
    ) -> AuditTrail:
        """Return the newest audit entries first, those older than number ``before``. Looking makes
        no store."""
        found = await asyncio.to_thread(self._store.audit, limit + 1, before, wanted)
        shown = found[:limit]
        return {
            "entries": [entry.record() for entry in shown],
            "count": len(shown),
            "next_cursor": str(shown[-1].number) if len(found) > limit else None,
        }
