"""The system: services, the LLM servers among them, and which of these is active."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.runtime import ActionName, ServiceName
from venom_core.chat.validation import Body
from venom_core.models.references import MAX_LENGTH
from venom_core.usecases.llm_servers import (
    ActivatedServer,
    ActiveRuntime,
    ActiveServer,
    LlmServerListing,
)
from venom_core.usecases.runtime_options import RuntimeOptions
from venom_core.usecases.service_views import ServiceAnswer, ServiceChange, ServiceListing
from venom_core.usecases.system import FigureSeries, SystemStatus

router = keyed_router("/system")


class ActivateServerRequest(Body):
    """``model`` is a name or reference, by default the one that the server would answer with;
    ``trace_id`` is kept in the audit trail."""

    server_name: str = Field(min_length=1, max_length=50)
    model: str | None = Field(default=None, min_length=1, max_length=MAX_LENGTH)
    trace_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,64}$")


@router.get("/status")
@answers(SystemStatus)
async def system_status(request: Request) -> Response:
    """Return whether the profile can be served, and what memory is taken."""
    return localized(request, await venom_of(request).system.show())


@router.get("/figures")
@answers(FigureSeries)
async def system_figures(
    request: Request,
    seconds: Annotated[float, Query(ge=2, le=600)] = 300,
    since: AwareDatetime | None = None,
) -> Response:
    """Return figures of the last seconds for charts: requests and tokens always, the machine's
    while somebody asks for them. With ``since``, the ``at`` of the last point that is known, only
    that one, which may have gone on, and those after it."""
    return localized(request, await venom_of(request).system.series(seconds, since))


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


@router.get("/llm-servers")
@answers(LlmServerListing)
async def list_llm_servers(request: Request) -> Response:
    """Return every provider that the profile allows and that answers chats."""
    return localized(request, await venom_of(request).llm_servers.listing())


@router.get("/llm-servers/active")
@answers(ActiveServer)
async def get_active_server(request: Request) -> Response:
    """Return the server whose model answers where a request names none."""
    return localized(request, await venom_of(request).llm_servers.active())


@router.post("/llm-servers/active")
@answers(ActivatedServer)
async def activate_server(request: Request, body: ActivateServerRequest) -> Response:
    """Make a server the active one: its model is loaded first, then it is active and kept in the
    settings, then the engines of the one before end. All of it happens, or nothing."""
    done = await venom_of(request).llm_servers.activate(
        body.server_name, body.model, actor_of(request), body.trace_id
    )
    return localized(request, done)


@router.post("/llm-servers/{name}/{action}")
@answers(ServiceChange)
async def change_llm_server(request: Request, name: ServiceName, action: ActionName) -> Response:
    """Start, stop or restart a server, as of any service."""
    done = await venom_of(request).llm_servers.change(name, action, actor_of(request))
    return localized(request, done)


@router.get("/llm-runtime/active")
@answers(ActiveRuntime)
async def get_active_runtime(request: Request) -> Response:
    """Return the runtime that answers where a request names no model."""
    return localized(request, await venom_of(request).llm_servers.runtime())


@router.get("/llm-runtime/options")
@answers(RuntimeOptions)
async def list_runtime_options(request: Request) -> Response:
    """Return the runtimes and models that can be chosen from, for every selector."""
    return localized(request, await venom_of(request).runtime_options.listing())
