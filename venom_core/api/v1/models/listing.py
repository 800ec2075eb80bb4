"""Models: what is there, what is in memory, one in full; taking it out of memory, removing it."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.models.views import ModelDetails
from venom_core.usecases.models import AllModels, Done, LoadedRecord, LoadResult

router = keyed_router()


class LoadedModels(TypedDict):
    success: bool
    count: int
    models: list[LoadedRecord]


class OneModel(TypedDict):
    success: bool
    model: ModelDetails


@router.get("/models")
@answers(AllModels)
async def list_models(request: Request) -> Response:
    """Installed models, and those that can be had by name (``installed: false``)."""
    listing = await venom_of(request).models.listing()
    # Thousands of models bring words of theirs, each of which is looked for among ours.
    return await asyncio.to_thread(localized, request, listing)


@router.get("/models/loaded")
@answers(LoadedModels)
async def loaded_models(request: Request) -> Response:
    """Return the models in memory now, over all providers that can tell."""
    models = await venom_of(request).models.loaded()
    body: LoadedModels = {"success": True, "count": len(models), "models": models}
    return JSONResponse(body)


@router.get("/models/{name:path}/details")
@answers(OneModel)
async def model_details(request: Request, name: str) -> Response:
    """One model with everything that is known of it."""
    body: OneModel = {"success": True, "model": await venom_of(request).models.details(name)}
    return localized(request, body)


@router.post("/models/{name:path}/load")
@answers(LoadResult)
async def load_model(request: Request, name: str) -> Response:
    """Bring a model into memory."""
    return localized(request, await venom_of(request).models.load(name, actor_of(request)))


@router.post("/models/{name:path}/unload")
@answers(Done)
async def unload_model(request: Request, name: str) -> Response:
    """Take a model out of memory."""
    return localized(request, await venom_of(request).models.unload(name, actor_of(request)))


@router.delete("/models/{name:path}")
@answers(Done)
async def remove_model(request: Request, name: str) -> Response:
    """Delete an installed model."""
    return localized(request, await venom_of(request).models.remove(name, actor_of(request)))
