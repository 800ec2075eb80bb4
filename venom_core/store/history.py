"""The history of services, as stored: the newest entries, so many and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from venom_core.sdk.masking import masked
from venom_core.store.transactions import store_errors, writing

if TYPE_CHECKING:
    from sqlalchemy import Engine

#: Entries that are kept; the oldest go first.
KEPT = 1000
#: Letters of an entry's message.
LONGEST_MESSAGE = 500


class HistoryRecord(TypedDict):
    """One thing that happened to a service; ``message`` is the sentence that says so."""

    timestamp: str
    service: str
    action: str
    success: bool
    message: str


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """One thing that happened. ``at`` is ISO 8601 in UTC."""

    at: str
    service: str
    action: str
    success: bool
    message: str

    def record(self) -> HistoryRecord:
        """Return it as JSON values."""
        return {
            "timestamp": self.at,
            "service": self.service,
            "action": self.action,
            "success": self.success,
            "message": self.message,
        }


class HistoryRepository:
    """Its methods block for a disk access: call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, events: Sequence[ServiceEvent]) -> None:
        """Add events in their order, and forget the oldest beyond ``KEPT``."""
        from sqlalchemy import func, select

        from venom_core.store.tables import service_history as t

        rows = [
            {
                "at": one.at,
                "service": one.service[:50],
                "action": one.action[:20],
                "success": one.success,
                "message": masked(one.message)[:LONGEST_MESSAGE],
            }
            for one in events
        ]
        with store_errors(), writing(self._engine) as connection:
            connection.execute(t.insert(), rows)
            newest = connection.execute(select(func.max(t.c.id))).scalar_one()
            connection.execute(t.delete().where(t.c.id <= newest - KEPT))

    def read(self, limit: int) -> list[ServiceEvent]:
        """Return the newest entries first."""
        from sqlalchemy import select

        from venom_core.store.tables import service_history as t

        shown = (t.c.at, t.c.service, t.c.action, t.c.success, t.c.message)
        query = select(*shown).order_by(t.c.id.desc()).limit(limit)
        with store_errors(), self._engine.begin() as connection:
            return [ServiceEvent(*row) for row in connection.execute(query)]
