"""Names that stand for other names."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.v1.models.shapes import AliasRequest
from venom_core.usecases import models as choices

router = APIRouter()


@router.get("/models/aliases")
async def list_aliases(request: Request) -> dict[str, Any]:
    """Every alias and its target, by name."""
    return await choices.aliases(venom_of(request).manager)


@router.post("/models/aliases")
async def set_alias(request: Request, body: AliasRequest) -> Response:
    """Let a name stand for a reference, a bare name or another alias."""
    manager = venom_of(request).manager
    done = await choices.set_alias(manager, body.name, body.target, actor_of(request))
    return localized(request, done)


@router.delete("/models/aliases/{name:path}")
async def remove_alias(request: Request, name: str) -> Response:
    """Forget an alias."""
    done = await choices.remove_alias(venom_of(request).manager, name, actor_of(request))
    return localized(request, done)
