"""Services at work: what each takes, what happened to it; started, stopped, restarted."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from venom_core.api.callers import actor_of, caller_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.scopes import ADMIN
from venom_core.api.v1.models.shapes import Limit
from venom_core.usecases.service_views import (
    HistoryListing,
    RuntimeStatusListing,
    ServiceChange,
    ServiceLogs,
)

router = keyed_router("/runtime")

ServiceName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
ActionName = Annotated[str, Path(pattern=r"^[a-z_]{1,20}$")]


@router.get("/status")
@answers(RuntimeStatusListing)
async def runtime_status(request: Request) -> Response:
    """Return every service with its processes, what they take and since when they run; the last
    line of a log for keys that may administer."""
    logs = caller_of(request).may(ADMIN)
    return localized(request, await venom_of(request).services.running(logs=logs))


@router.get("/history")
@answers(HistoryListing)
async def runtime_history(request: Request, limit: Limit = 50) -> Response:
    """Return what happened to services, the newest first; it is kept over a restart."""
    return localized(request, await venom_of(request).services.history(limit))


@router.get("/{service}/log")
@answers(ServiceLogs)
async def service_log(
    request: Request, service: ServiceName, lines: Annotated[int, Query(ge=1, le=1000)] = 200
) -> Response:
    """Return the last lines of a service's logs: the server's, or those of its engines."""
    return localized(request, await venom_of(request).services.logs(service, lines))


@router.post("/{service}/{action}")
@answers(ServiceChange)
async def change_service(request: Request, service: ServiceName, action: ActionName) -> Response:
    """Start, stop or restart a service; asked again, the first two change nothing more."""
    services = venom_of(request).services
    return localized(request, await services.change(service, action, actor_of(request)))
