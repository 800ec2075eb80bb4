"""The audit trail: who changed what, newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import JSONResponse, Response

from venom_core.api.health import venom_of
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
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
) -> Response:
    """Return changes by keys and commands, with what was there before; ``cursor`` is the
    ``next_cursor`` of the answer before."""
    trail = await venom_of(request).journal.page(limit, cursor)
    body: AuditAnswer = {"success": True, **trail}
    return JSONResponse(body)
