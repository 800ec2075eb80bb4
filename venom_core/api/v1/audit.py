"""The audit trail: who changed what, newest first."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from venom_core.api.health import venom_of
from venom_core.store.audit import AuditEntry, read_audit

router = APIRouter()


@router.get("/audit")
async def audit(
    request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> dict[str, Any]:
    """Every change by a key or a command, with what was there before."""
    venom = venom_of(request)

    def read() -> list[AuditEntry]:
        # Looking makes no store.
        there = venom.settings.paths.store_file.exists()
        return read_audit(venom.database, limit) if there else []

    entries = await asyncio.to_thread(read)
    return {
        "success": True,
        "entries": [entry.record() for entry in entries],
        "count": len(entries),
    }
