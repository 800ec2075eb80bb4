"""Models: what is there, what is in memory, fetching and removing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from venom_core.api.errors import internal_error
from venom_core.api.health import venom_of
from venom_core.api.language import (
    Language,
    in_language,
    language_headers,
    language_of,
    localized,
)
from venom_core.models.registry import ListedModel
from venom_core.models.views import listing_view, model_view
from venom_core.sdk.errors import VenomError
from venom_core.sdk.provider import PullProgress

router = APIRouter()


class PullRequest(BaseModel):
    """``name`` is a reference; ``provider://`` in front says who fetches it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=200)


@router.get("/models")
async def list_models(request: Request) -> Response:
    """Installed models, and those that can be had by name (``installed: false``)."""
    venom = venom_of(request)
    listing = await venom.registry.listing(fresh=True)
    return localized(request, listing_view(listing, await _default(venom)))


async def _default(venom: Any) -> ListedModel | None:
    with contextlib.suppress(VenomError):
        item, _ = await venom.default_model()
        return item  # type: ignore[no-any-return]
    return None


@router.get("/models/loaded")
async def loaded_models(request: Request) -> dict[str, Any]:
    """What is in memory now, over all providers that can tell."""
    models = await venom_of(request).loaded()
    return {"success": True, "count": len(models), "models": models}


@router.post("/models/pull")
async def pull_model(request: Request, body: PullRequest) -> Response:
    """Fetch a model; progress as events. A client that leaves stops the transfer."""
    steps = venom_of(request).transfers.pull(body.name)
    try:
        first = await anext(steps, None)
    except BaseException:
        await steps.aclose()
        raise
    language = language_of(request.scope)
    events = _events(first, steps, language)
    return StreamingResponse(
        events, headers=language_headers(language), media_type="text/event-stream"
    )


@router.get("/models/{name:path}/details")
async def model_details(request: Request, name: str) -> Response:
    """One model with everything that is known of it."""
    venom = venom_of(request)
    item = await venom.describe(name)
    return localized(request, {"success": True, "model": model_view(item, None, whole=True)})


@router.post("/models/{name:path}/unload")
async def unload_model(request: Request, name: str) -> Response:
    """Take a model out of memory."""
    reference = await venom_of(request).transfers.unload(name)
    return localized(request, {"success": True, "message": f"{reference} is no longer in memory."})


@router.delete("/models/{name:path}")
async def remove_model(request: Request, name: str) -> Response:
    """Delete an installed model."""
    reference = await venom_of(request).transfers.remove(name)
    return localized(request, {"success": True, "message": f"{reference} was removed."})


async def _events(
    first: PullProgress | None, steps: AsyncGenerator[PullProgress, None], language: Language
) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(steps):
        try:
            step, percent = first, 0
            while step is not None:
                # A total that grows as layers become known must not turn the bar back.
                percent = max(percent, progress_percent(step))
                told = {**progress_view(step), "progress": percent}
                yield _event(in_language(told, language))
                step = await anext(steps, None)
        except VenomError as error:
            yield _event(in_language(_failed(error), language))
        except Exception as error:
            yield _event(in_language(_failed(internal_error(error)), language))
    yield b"data: [DONE]\n\n"


def progress_view(step: PullProgress) -> dict[str, Any]:
    return {
        "status": step.status,
        "message": step.message,
        "bytes_done": step.bytes_done,
        "bytes_total": step.bytes_total,
    }


def progress_percent(step: PullProgress) -> int:
    """Whole percent, 100 only at the end."""
    if step.status == "completed":
        return 100
    return min(99, step.bytes_done * 100 // step.bytes_total) if step.bytes_total else 0


def _failed(error: VenomError) -> dict[str, Any]:
    return {"status": "failed", "error": {**error.record(), "status": error.status}}


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"
