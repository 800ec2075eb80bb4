"""Profiles: the table, and switching to another."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from venom_core.api.callers import actor_of
from venom_core.api.errors import api_error, error_headers
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.sdk.errors import VenomError
from venom_core.usecases.profiles import ProfileList, ProfileSwitch

router = keyed_router()


@router.get("/profiles")
@answers(ProfileList)
async def list_profiles(request: Request) -> Response:
    """Return every profile with what it requires, leaves out and runs, and which one is active and
    why."""
    return localized(request, await venom_of(request).profiles.listing())


@router.post("/runtime/profile/{name}")
@answers(ProfileSwitch)
async def switch_profile(request: Request, name: str) -> Response:
    """Make a profile the active one, for new requests at once, and keep it. The active one again is
    a success. A refusal has ``success`` and ``message`` beside what every refusal has."""
    try:
        done = await venom_of(request).profiles.switch(name, actor_of(request))
    except VenomError as error:
        refusal = api_error(error)
        body = {**refusal, "success": False, "message": refusal["detail"]}
        answer = localized(request, body, error.status)
        answer.headers.update(error_headers(error))
        return answer
    return localized(request, done)
