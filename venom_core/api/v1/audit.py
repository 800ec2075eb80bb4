"""The audit trail: who changed what, newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from venom_core.api.health import venom_of

router = APIRouter()


@router.get("/audit")
async def audit(request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Response:
    """Every change by a key or a command, with what was there before."""
    entries = [entry.record() for entry in await venom_of(request).journal.entries(limit)]
    return JSONResponse({"success": True, "entries": entries, "count": len(entries)})
