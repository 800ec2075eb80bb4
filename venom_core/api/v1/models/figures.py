"""The use of models and machine."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from venom_core.api.health import venom_of
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.usecases.runtime import UsageFigures

router = keyed_router()


class ModelUsage(TypedDict):
    success: bool
    usage: UsageFigures


@router.get("/models/usage")
@answers(ModelUsage)
async def model_usage(request: Request) -> Response:
    """All keys always, null where not known. Asks no provider: what was heard last counts."""
    body: ModelUsage = {"success": True, "usage": await venom_of(request).runtime.figures()}
    return JSONResponse(body)
