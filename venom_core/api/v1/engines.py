"""The engines that Venom started, one process or more for each model in use."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.usecases.engines import EngineListing

router = keyed_router()


@router.get("/engines")
@answers(EngineListing)
async def list_engines(request: Request) -> Response:
    """Return the engines that Venom started, how far those are that start, and which providers
    start any."""
    return localized(request, await venom_of(request).engines.listing())
