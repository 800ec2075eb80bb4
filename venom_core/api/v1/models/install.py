"""Models: what is there, what is in memory, fetching and removing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from venom_core.api.callers import write_down
from venom_core.api.health import venom_of
from venom_core.api.language import (
    localized,
)
from venom_core.models.views import model_view

router = APIRouter()


@router.get("/models")
async def list_models(request: Request) -> Response:
    """Installed models, and those that can be had by name (``installed: false``)."""
    return localized(request, await venom_of(request).models())


@router.get("/models/loaded")
async def loaded_models(request: Request) -> dict[str, Any]:
    """What is in memory now, over all providers that can tell."""
    models = await venom_of(request).loaded()
    return {"success": True, "count": len(models), "models": models}


@router.get("/models/{name:path}/details")
async def model_details(request: Request, name: str) -> Response:
    """One model with everything that is known of it."""
    venom = venom_of(request)
    item = await venom.describe(name)
    return localized(request, {"success": True, "model": model_view(item, whole=True)})


@router.post("/models/{name:path}/unload")
async def unload_model(request: Request, name: str) -> Response:
    """Take a model out of memory."""
    reference = (await venom_of(request).manager.unload(name)).reference
    await write_down(request, "model.unload", reference, {"loaded": True}, {"loaded": False})
    return localized(request, {"success": True, "message": f"{reference} is no longer in memory."})


@router.delete("/models/{name:path}")
async def remove_model(request: Request, name: str) -> Response:
    """Delete an installed model."""
    reference = await venom_of(request).transfers.remove(name)
    await write_down(request, "model.remove", reference, {"installed": True}, {"installed": False})
    return localized(request, {"success": True, "message": f"{reference} was removed."})
