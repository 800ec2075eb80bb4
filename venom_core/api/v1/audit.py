"""The audit trail: who changed what, newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from venom_core.api.health import venom_of
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.store.audit import AuditRecord

router = keyed_router()


class AuditTrail(TypedDict):
    success: bool
    entries: list[AuditRecord]
    count: int


@router.get("/audit")
@answers(AuditTrail)
async def list_audit(request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Response:
    """Return every change by a key or a command, with what was there before."""
    entries = [entry.record() for entry in await venom_of(request).journal.entries(limit)]
    body: AuditTrail = {"success": True, "entries": entries, "count": len(entries)}
    return JSONResponse(body)
