"""The system: services and whether they answer."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.runtime import ServiceName
from venom_core.usecases.service_views import ServiceAnswer, ServiceListing

router = keyed_router("/system")


@router.get("/services")
@answers(ServiceListing)
async def list_services(request: Request) -> Response:
    """Return every service that the profile allows, and whether it answers."""
    return localized(request, await venom_of(request).services.listing())


@router.get("/services/{name}")
@answers(ServiceAnswer)
async def get_service(request: Request, name: ServiceName) -> Response:
    """Return one service, and whether it answers."""
    return localized(request, await venom_of(request).services.one(name))
