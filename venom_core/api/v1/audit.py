"""The audit trail: who changed what, newest first."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import JSONResponse, Response

from venom_core.api.health import venom_of
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.store.audit import AuditWanted
from venom_core.usecases.journal import AuditTrail

router = keyed_router()


class AuditAnswer(AuditTrail):
    success: bool


@router.get("/audit")
@answers(AuditAnswer)
async def list_audit(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    action: Annotated[str | None, Query(pattern=r"^[a-z]{1,25}(\.[a-z_]{1,24})?$")] = None,
    key: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{0,16}$")] = None,
    since: date | None = None,
    until: date | None = None,
) -> Response:
    """Return changes by keys and commands, with what was there before; ``cursor`` is the
    ``next_cursor`` of the answer before.

    ``action`` is one (``key.create``) or all of a kind (``key``); ``key`` is a key's id, ``local``
    for the machine's own user, empty for requests without a key; ``since`` and ``until`` are days
    (UTC), both included.
    """
    days = (day.isoformat() if day else None for day in (since, until))
    wanted = AuditWanted(action, key, *days)
    trail = await venom_of(request).journal.page(limit, cursor, wanted)
    body: AuditAnswer = {"success": True, **trail}
    return JSONResponse(body)
