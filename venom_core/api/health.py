"""Is it up, is it ready, what has it done: ``/healthz``, ``/readyz``, ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from venom_core._version import __version__
from venom_core.api.language import localized
from venom_core.sdk.errors import InvalidApiKey

if TYPE_CHECKING:
    from venom_core.composition import Venom

router = APIRouter()


def venom_of(request: Request) -> Venom:
    """The installation that this application serves."""
    return cast("Venom", request.app.state.venom)


async def healthz(request: Request) -> Response:
    """The process answers; says nothing of providers."""
    return JSONResponse({"status": "ok", "component": "venom-core", "version": __version__})


async def readyz(request: Request) -> Response:
    """200 when the profile can be served; 503 with what is missing.

    A probe needs no key; the sentences, which name addresses, are for those who have one.
    """
    venom = venom_of(request)
    missing = await venom.runtime.readiness()
    try:
        await request.app.state.key_ring.require(request.headers)
        reasons = [reason.record() for reason in missing]
    except InvalidApiKey:
        reasons = [{"code": reason.code} for reason in missing]
    body = {
        "status": "not_ready" if reasons else "ready",
        "profile": venom.profile.name,
        "reasons": reasons,
    }
    return localized(request, body, 503 if reasons else 200)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus text."""
    venom = venom_of(request)
    text, content_type = venom.meter.exposition()
    return Response(text, media_type=content_type)
