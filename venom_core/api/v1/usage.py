"""The usage ledger: sums, a series of days, all of it as CSV, and forgetting a key."""

from __future__ import annotations

import time
from datetime import date
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from venom_core.accounting.ledger import day_of
from venom_core.accounting.usage import UsageSeries, UsageSummary
from venom_core.api.callers import actor_of, caller_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.revocation import pieces_while_allowed
from venom_core.api.routing import keyed_router
from venom_core.api.scopes import ADMIN
from venom_core.models.references import MAX_LENGTH
from venom_core.sdk.errors import InvalidRequest
from venom_core.store.ledger import Grouping, Range
from venom_core.usecases.models import Done

router = keyed_router("/usage")


class SummaryResult(UsageSummary):
    success: bool


class SeriesResult(UsageSeries):
    success: bool


class Erased(Done):
    """``lines`` is how many there were."""

    lines: int


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
    model: Annotated[str | None, Query(max_length=MAX_LENGTH)] = None,
) -> Range:
    """Return the range: the last ``days`` days, today included, or ``since`` to ``until``; UTC
    throughout. An empty ``key`` means requests without one; whose key lacks the scope ``admin``
    sees its own only."""
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


@router.get("/summary")
@answers(SummaryResult)
async def summarize_usage(
    request: Request,
    where: Wanted,
    by: Grouping = "model",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Return totals, and sums by model, key, provider or day, from the ``offset``-th of ``count``
    on."""
    view = await venom_of(request).usage.summary(where, by, limit, offset)
    body: SummaryResult = {"success": True, **view}
    return JSONResponse(body)


@router.get("/series")
@answers(SeriesResult)
async def list_usage_days(request: Request, where: Wanted) -> Response:
    """Return one point a day."""
    body: SeriesResult = {"success": True, **await venom_of(request).usage.series(where)}
    return JSONResponse(body)


@router.get("/export.csv")
@answers(text="text/csv")
async def export_usage(request: Request, where: Wanted) -> Response:
    """Stream every line of the range."""
    name = f"venom-usage-{where.since}-{where.until}.csv"
    return StreamingResponse(
        pieces_while_allowed(request, venom_of(request).usage.csv(where)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.delete("")
@answers(Erased)
async def erase_usage(request: Request, key: KeyId) -> Response:
    """Forget everything that was counted for a key; an empty one is requests without a key."""
    lines = await venom_of(request).usage.erase(key, actor_of(request))
    message = f"The usage of {key or 'requests without a key'} was erased."
    body: Erased = {"success": True, "message": message, "lines": lines}
    return localized(request, body)
