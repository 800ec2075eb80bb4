"""Names that stand for other names."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.models.shapes import AliasRequest
from venom_core.usecases.models import AliasesResult, Done, SetAliasResult

router = keyed_router()


@router.get("/models/aliases")
@answers(AliasesResult)
async def list_aliases(request: Request) -> Response:
    """Return every alias and its target, by name."""
    return localized(request, await venom_of(request).models.aliases())


@router.post("/models/aliases")
@answers(SetAliasResult)
async def set_alias(request: Request, body: AliasRequest) -> Response:
    """Let a name stand for a reference, a bare name or another alias."""
    models = venom_of(request).models
    return localized(request, await models.set_alias(body.name, body.target, actor_of(request)))


@router.delete("/models/aliases/{name:path}")
@answers(Done)
async def remove_alias(request: Request, name: str) -> Response:
    """Forget an alias."""
    return localized(request, await venom_of(request).models.remove_alias(name, actor_of(request)))
