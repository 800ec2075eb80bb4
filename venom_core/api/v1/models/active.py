"""The models in use: made active, taken out of memory."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.models.shapes import ActivateRequest, RoleRequest, SwitchRequest
from venom_core.usecases.models import (
    ActivateResult,
    DeactivateResult,
    SwitchResult,
    UnloadAllResult,
)

router = keyed_router()


@router.post("/models/switch")
@answers(SwitchResult)
async def switch_model(request: Request, body: SwitchRequest) -> Response:
    """Make a model the active one of a role; all of it happens, or nothing."""
    done = await venom_of(request).models.use(
        body.name, body.role, load=body.load, actor=actor_of(request)
    )
    return localized(request, done)


@router.post("/models/activate")
@answers(ActivateResult)
async def activate_model(request: Request, body: ActivateRequest) -> Response:
    """Make a model the active one, served by a named runtime."""
    done = await venom_of(request).models.activate(
        body.name, body.runtime, body.role, load=body.load, actor=actor_of(request)
    )
    return localized(request, done)


@router.post("/models/deactivate")
@answers(DeactivateResult)
async def deactivate_model(request: Request, body: RoleRequest) -> Response:
    """Let a role have no active model."""
    return localized(
        request, await venom_of(request).models.deactivate(body.role, actor_of(request))
    )


@router.post("/models/unload-all")
@answers(UnloadAllResult)
async def unload_all(request: Request) -> Response:
    """Ask every provider to take its models out of memory."""
    return localized(request, await venom_of(request).models.unload_all(actor_of(request)))
