"""The usage ledger: sums, a series of days, all of it as CSV, and forgetting a key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from venom_core.accounting.ledger import day_of
from venom_core.accounting.usage import (
    CSV_COLUMNS,
    csv_row,
    csv_text,
    series_view,
    summary_view,
)
from venom_core.api.callers import actor_of, caller_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.scopes import ADMIN
from venom_core.composition import Venom
from venom_core.sdk.errors import InvalidRequest
from venom_core.store.ledger import Grouping, Line, Range, UsageRepository

router = APIRouter(prefix="/usage")

MAX_DAYS = 3660
CSV_PAGE = 500
T = TypeVar("T")

KeyId = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,16}$")]


async def wanted(
    request: Request,
    days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 30,
    since: date | None = None,
    until: date | None = None,
    key: KeyId | None = None,
    provider: Annotated[str | None, Query(max_length=50)] = None,
    model: Annotated[str | None, Query(max_length=200)] = None,
) -> Range:
    """The last ``days`` days, today included, or ``since`` to ``until``; UTC throughout. An empty
    ``key`` means requests without one; whose key lacks the scope ``admin`` sees its own only."""
    caller = caller_of(request)
    if not caller.may(ADMIN):
        if key not in (None, caller.key_id):
            caller.check(ADMIN)
        key = caller.key_id
    last = until or date.fromisoformat(day_of(time.time()))
    first = since.toordinal() if since else last.toordinal() - days + 1
    if first < 1 or not 0 <= last.toordinal() - first < MAX_DAYS:
        raise InvalidRequest(
            f"A range is 1 to {MAX_DAYS} days, the earlier one first.",
            param="since",
            fix="Leave since and until out for the last 30 days.",
        )
    return Range(date.fromordinal(first).isoformat(), last.isoformat(), key, provider, model)


Wanted = Annotated[Range, Depends(wanted)]


async def _read(venom: Venom, question: Callable[[UsageRepository | None], T]) -> T:
    """Ask the ledger, everything up to now in it. Looking makes no store."""
    await venom.ledger.flush()

    def ask() -> T:
        return question(venom.usage if venom.settings.paths.store_file.exists() else None)

    return await asyncio.to_thread(ask)


@router.get("/summary")
async def summary(
    request: Request,
    where: Wanted,
    by: Grouping = "model",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Totals, and sums by model, key, provider or day."""
    view = await _read(venom_of(request), lambda found: summary_view(found, where, by, limit))
    return JSONResponse({"success": True, **view})


@router.get("/series")
async def series(request: Request, where: Wanted) -> Response:
    """One point a day."""
    view = await _read(venom_of(request), lambda found: series_view(found, where))
    return JSONResponse({"success": True, **view})


@router.get("/export.csv")
async def export(request: Request, where: Wanted) -> Response:
    """Every line of the range, streamed."""
    await venom_of(request).ledger.flush()
    name = f"venom-usage-{where.since}-{where.until}.csv"
    return StreamingResponse(
        _lines(venom_of(request), where),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _lines(venom: Venom, where: Range) -> AsyncIterator[str]:
    yield csv_text([CSV_COLUMNS])
    after: Line | None = None
    while venom.settings.paths.store_file.exists():
        page = await asyncio.to_thread(_page, venom, where, after)
        if not page:
            return
        after = page[-1][0]
        yield csv_text([csv_row(line, tally) for line, tally in page])


def _page(venom: Venom, where: Range, after: Line | None) -> Any:
    # No transaction is held while a slow client reads.
    return venom.usage.lines(where, after, CSV_PAGE)


@router.delete("")
async def erase(request: Request, key: KeyId) -> Response:
    """Forget everything that was counted for a key; an empty one is requests without a key."""
    lines = await venom_of(request).ledger.erase(key, actor_of(request))
    message = f"The usage of {key or 'requests without a key'} was erased."
    return localized(request, {"success": True, "message": message, "lines": lines})
