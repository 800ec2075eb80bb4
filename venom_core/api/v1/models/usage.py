"""What models and machine take."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from venom_core.api.health import venom_of

router = APIRouter()


@router.get("/models/usage")
async def usage(request: Request) -> dict[str, Any]:
    """All keys always, null where not known. Asks no provider: what was heard last counts."""
    return {"success": True, "usage": await venom_of(request).figures()}
