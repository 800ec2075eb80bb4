"""The models in use: made active, taken out of memory."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from venom_core.api.callers import actor_of, write_down
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.v1.models.shapes import ActivateRequest, RoleRequest, SwitchRequest
from venom_core.usecases import models as choices

router = APIRouter()


@router.post("/models/switch")
async def switch_model(request: Request, body: SwitchRequest) -> Response:
    """Make a model the active one of a role; all of it happens, or nothing."""
    switch = await venom_of(request).manager.use(
        body.name, role=body.role, load=body.load, actor=actor_of(request)
    )
    done = {**choices.switch_view(switch), "active_model": switch.item.model.ref}
    return localized(request, done)


@router.post("/models/activate")
async def activate_model(request: Request, body: ActivateRequest) -> Response:
    """The same, served by a named runtime."""
    venom = venom_of(request)
    switch = await venom.manager.use(
        body.name, role=body.role, runtime=body.runtime, load=body.load, actor=actor_of(request)
    )
    done = {**choices.switch_view(switch), "runtime": await venom.runtime(switch.item)}
    return localized(request, done)


@router.post("/models/deactivate")
async def deactivate_model(request: Request, body: RoleRequest) -> Response:
    """Let a role have no active model."""
    done = await choices.deactivate(venom_of(request).manager, body.role, actor_of(request))
    return localized(request, done)


@router.post("/models/unload-all")
async def unload_all(request: Request) -> Response:
    """Ask every provider to take its models out of memory."""
    done = await choices.unload_all(venom_of(request).manager)
    await write_down(request, "model.unload_all", "every provider")
    return localized(request, done)
