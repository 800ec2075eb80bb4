"""The capabilities of a model and its generation parameters."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.models.shapes import ConfigRequest
from venom_core.models.views import GenerationView
from venom_core.usecases.models import CapabilitiesResult, ConfigureResult

router = keyed_router()
Runtime = Annotated[str | None, Query(min_length=1, max_length=50)]


@router.get("/models/{name:path}/capabilities")
@answers(CapabilitiesResult)
async def model_capabilities(request: Request, name: str) -> Response:
    """Read from the model; null is "not known"."""
    return localized(request, await venom_of(request).models.capabilities(name))


@router.get("/models/{name:path}/config")
@answers(GenerationView)
async def model_config(request: Request, name: str, runtime: Runtime = None) -> Response:
    """Return schema, current values, and the views saved, effective and default."""
    return localized(request, await venom_of(request).models.generation(name, runtime))


@router.post("/models/{name:path}/config")
@answers(ConfigureResult)
async def change_model_config(request: Request, name: str, body: ConfigRequest) -> Response:
    """Store the parameters in place of what was stored; none forgets them."""
    models = venom_of(request).models
    done = await models.configure(name, body.runtime, body.params, actor_of(request))
    return localized(request, done)
