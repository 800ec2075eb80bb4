"""What models and machine take."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from venom_core.api.health import venom_of

router = APIRouter()


@router.get("/models/usage")
async def usage(request: Request) -> Response:
    """All keys always, null where not known. Asks no provider: what was heard last counts."""
    figures = await venom_of(request).runtime.figures()
    return JSONResponse({"success": True, "usage": figures})
