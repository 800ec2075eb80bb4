"""The record of what use cases did: the audit trail and the events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.store.access import Store
from venom_core.store.audit import Actor, AuditEntry


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

    async def entries(self, limit: int) -> list[AuditEntry]:
        """Return the newest audit entries first. Looking makes no store."""
        return await asyncio.to_thread(self._store.audit, limit)
