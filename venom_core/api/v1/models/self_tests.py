"""Keeping the outcome of a self-test."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.models.shapes import SelfTestRequest
from venom_core.usecases.selftest.keeping import KeptSelfTest

router = keyed_router()


@router.post("/models/{name:path}/selftest")
@answers(KeptSelfTest)
async def keep_self_test(request: Request, name: str, body: SelfTestRequest) -> Response:
    """Keep what `venom selftest` saw a model do just now; listings tell of it."""
    rows = [row.model_dump() for row in body.rows]
    done = await venom_of(request).self_tests.keep(name, rows, actor_of(request))
    return localized(request, done)
