"""What a first screen needs, in one answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from venom_core.api.health import venom_of

router = APIRouter()


@router.get("/overview")
async def overview(request: Request) -> dict[str, Any]:
    """The machine, the providers, the model that answers when none is named, what to get next."""
    venom = venom_of(request)
    key_required = await request.app.state.key_ring.required()
    return {**await venom.overview(), "key_required": key_required}
