"""Models: what is there, what is in memory, one in full; taking it out of memory, removing it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized

router = APIRouter()


@router.get("/models")
async def list_models(request: Request) -> Response:
    """Installed models, and those that can be had by name (``installed: false``)."""
    return localized(request, await venom_of(request).models.listing())


@router.get("/models/loaded")
async def loaded_models(request: Request) -> Response:
    """What is in memory now, over all providers that can tell."""
    models = await venom_of(request).models.loaded()
    return JSONResponse({"success": True, "count": len(models), "models": models})


@router.get("/models/{name:path}/details")
async def model_details(request: Request, name: str) -> Response:
    """One model with everything that is known of it."""
    model = await venom_of(request).models.details(name)
    return localized(request, {"success": True, "model": model})


@router.post("/models/{name:path}/unload")
async def unload_model(request: Request, name: str) -> Response:
    """Take a model out of memory."""
    return localized(request, await venom_of(request).models.unload(name, actor_of(request)))


@router.delete("/models/{name:path}")
async def remove_model(request: Request, name: str) -> Response:
    """Delete an installed model."""
    return localized(request, await venom_of(request).models.remove(name, actor_of(request)))
