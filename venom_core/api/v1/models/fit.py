"""The fit check of a model and this machine's memory."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.sdk.architecture import MAX_CONTEXT
from venom_core.usecases.fit import FitView

router = keyed_router()

Context = Annotated[int | None, Query(ge=1, le=MAX_CONTEXT)]


@router.get("/models/{name:path}/fit")
@answers(FitView)
async def model_fit(request: Request, name: str, context: Context = None) -> Response:
    """Say whether a model fits, at which context, of what its need consists and what is assumed;
    for a model that is not fetched too, where its provider can tell its numbers."""
    return localized(request, await venom_of(request).fit.check(name, context))
