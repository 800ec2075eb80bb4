"""What a first screen needs, in one answer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from venom_core.api.health import venom_of
from venom_core.api.language import localized

router = APIRouter()


@router.get("/overview")
async def overview(request: Request) -> Response:
    """The machine, the providers, the model that answers when none is named, what to get next."""
    venom = venom_of(request)
    key_required = await request.app.state.key_ring.required()
    page = {"key_required": key_required, "theme": venom.settings.core.ui_theme_default}
    return localized(request, {**await venom.overview.show(), **page})
