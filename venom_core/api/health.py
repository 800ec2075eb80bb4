"""Is it up, is it ready, what has it done: ``/healthz``, ``/readyz``, ``/metrics``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from venom_core._version import __version__
from venom_core.accounting.engine_metrics import engine_exposition
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.sdk.errors import InvalidApiKey
from venom_core.sdk.records import ReasonRecord

if TYPE_CHECKING:
    from venom_core.composition import Venom

router = keyed_router()


class Health(TypedDict):
    """The process answers; ``component`` is always ``venom-core``."""

    status: str
    component: str
    version: str


class ReasonCode(TypedDict):
    """A reason for those who have shown no key."""

    code: str


class Readiness(TypedDict):
    """``reasons`` say what is missing; empty where the profile can be served."""

    status: Literal["ready", "not_ready"]
    profile: str
    reasons: list[ReasonRecord | ReasonCode]


def venom_of(request: Request) -> Venom:
    """Return the installation that this application serves."""
    return cast("Venom", request.app.state.venom)


@answers(Health)
async def healthz(request: Request) -> Response:
    """Say that the process answers; nothing about providers."""
    return JSONResponse({"status": "ok", "component": "venom-core", "version": __version__})


@answers(Readiness, statuses=(200, 503))
async def readyz(request: Request) -> Response:
    """Answer 200 when the profile can be served; 503 with what is missing.

    A probe needs no key; the sentences, which name addresses, are for those who have one.
    """
    venom = venom_of(request)
    missing = await venom.runtime.readiness()
    try:
        await request.app.state.key_ring.require(request.headers)
        reasons: list[ReasonRecord | ReasonCode] = [reason.record() for reason in missing]
    except InvalidApiKey:
        reasons = [{"code": reason.code} for reason in missing]
    body: Readiness = {
        "status": "not_ready" if reasons else "ready",
        "profile": venom.profile.name,
        "reasons": reasons,
    }
    return localized(request, body, 503 if reasons else 200)


@router.get("/metrics")
@answers(text="text/plain")
async def metrics(request: Request) -> Response:
    """Return Prometheus text: of Venom, then of the engines that run and tell any."""
    venom = venom_of(request)
    text, content_type = venom.meter.exposition()
    if told := await venom.engines.metrics():
        text += await asyncio.to_thread(engine_exposition, told)
    return Response(text, media_type=content_type)
