"""The usage ledger: sums, a series of days, its lines, and forgetting a key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from venom_core.accounting.ledger import Ledger
from venom_core.accounting.usage import (
    CSV_COLUMNS,
    UsageSeries,
    UsageSummary,
    csv_row,
    csv_text,
    series_view,
    summary_view,
)
from venom_core.store.access import Store
from venom_core.store.audit import Actor
from venom_core.store.ledger import Grouping, Line, Range, UsageRepository

CSV_PAGE = 500
T = TypeVar("T")


class UsageUseCases:
    """Reads the store; what this process has counted and not written yet is written first."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    async def summary(
        self, where: Range, by: Grouping, limit: int, offset: int = 0
    ) -> UsageSummary:
        """Return totals, and sums by model, key, provider or day."""
        return await self._read(lambda found: summary_view(found, where, by, limit, offset))

    async def series(self, where: Range) -> UsageSeries:
        """Return one point a day."""
        return await self._read(lambda found: series_view(found, where))

    async def csv(self, where: Range) -> AsyncGenerator[str, None]:
        """Yield every line of the range as CSV, in pieces."""
        await self._ledger.flush()
        yield csv_text([CSV_COLUMNS])
        after: Line | None = None
        while self._store.exists():
            page = await asyncio.to_thread(self._page, where, after)
            if not page:
                return
            after = page[-1][0]
            yield csv_text([csv_row(line, tally) for line, tally in page])

    async def erase(self, key_id: str, actor: Actor) -> int:
        """Forget everything that was counted for a key, an empty one is requests without a key;
        return how many lines that was. Raises ``StorageError``."""
        await self._ledger.flush()  # where anything was counted there is a store then
        return await self._ledger.erase(key_id, actor) if self._store.exists() else 0

    async def _read(self, question: Callable[[UsageRepository | None], T]) -> T:
        """Ask the store, everything up to now in it. Looking makes no store."""
        await self._ledger.flush()

        def ask() -> T:
            return question(self._store.usage() if self._store.exists() else None)

        return await asyncio.to_thread(ask)

    def _page(self, where: Range, after: Line | None) -> Any:
        # No transaction is held while a slow client reads.
        return self._store.usage().lines(where, after, CSV_PAGE)
