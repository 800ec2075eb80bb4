"""What a model can do, and with which parameters it generates."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.v1.models.shapes import ConfigRequest
from venom_core.models.views import capabilities_view, schema_view

router = APIRouter()
Runtime = Annotated[str | None, Query(min_length=1, max_length=50)]


@router.get("/models/{name:path}/capabilities")
async def model_capabilities(request: Request, name: str) -> Response:
    """Read from the model; null is "not known"."""
    venom = venom_of(request)
    item = await venom.describe(name)
    config = venom.manager.generation(item, {})
    capabilities = {**capabilities_view(item), "generation_schema": schema_view(config)}
    body = {"success": True, "model_name": item.model.ref, "capabilities": capabilities}
    return localized(request, body)


@router.get("/models/{name:path}/config")
async def model_config(request: Request, name: str, runtime: Runtime = None) -> Response:
    """Schema, current values, and the views saved, effective and default."""
    return localized(request, await venom_of(request).generation(name, runtime))


@router.post("/models/{name:path}/config")
async def change_model_config(request: Request, name: str, body: ConfigRequest) -> Response:
    """Store the parameters in place of what was stored; none forgets them."""
    venom = venom_of(request)
    return localized(
        request, await venom.configure(name, body.runtime, body.params, actor_of(request))
    )
