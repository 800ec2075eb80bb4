"""Signing a browser in and out. Needs no key: the key comes in the body, and leaves as a cookie."""

from __future__ import annotations

from typing import NotRequired

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from venom_core.api.callers import request_id
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import OpenRoute
from venom_core.api.security import Caller, ring_of
from venom_core.api.signins import SIGNED_IN_SECONDS, cookie, presented_token
from venom_core.chat.validation import Body
from venom_core.sdk.errors import InvalidApiKey, InvalidRequest
from venom_core.store.audit import Actor
from venom_core.store.keys import Scope

router = APIRouter(route_class=OpenRoute)


class SignInState(TypedDict):
    """``scopes`` are null where the key may do everything; ``expires_in`` is in seconds."""

    success: bool
    key_required: bool
    signed_in: bool
    key_id: str | None
    scopes: list[Scope] | None
    expires_in: NotRequired[int]


class SignedOut(TypedDict):
    success: bool
    signed_in: bool


class SignIn(Body):
    """One of two: ``key`` is an API key, as `venom keys create` printed it, ``ticket`` what stands
    behind ``#sign-in=`` in a sign-in link."""

    key: str | None = Field(default=None, min_length=1, max_length=200, repr=False)
    ticket: str | None = Field(default=None, min_length=1, max_length=200, repr=False)


@router.get("/session")
@answers(SignInState)
async def get_sign_in(request: Request) -> Response:
    """Say whether a key is needed, and whether this browser has shown one."""
    ring = ring_of(request)
    try:
        caller = await ring.require(request.headers)
    except InvalidApiKey:
        return JSONResponse(_sign_in_state(None, required=True))
    return JSONResponse(_sign_in_state(caller, required=await ring.required()))


@router.post("/session")
@answers(SignInState)
async def sign_in(request: Request, body: SignIn) -> Response:
    """Exchange a key, or the ticket of a sign-in link, for a session cookie."""
    if (body.key is None) is (body.ticket is None):
        raise InvalidRequest("Send a key or a ticket, one of them.", param="key")
    ring = ring_of(request)
    if not await ring.required():
        return localized(request, _sign_in_state(None, required=False))
    browser = request.headers.get("user-agent", "")
    if body.ticket is not None:
        token, caller = await ring.sign_in_by_link(body.ticket, browser)
    else:
        token, caller = await ring.sign_in(body.key or "", browser)
    await _count(request, "session.begin", caller.key_id)
    state: SignInState = {
        **_sign_in_state(caller, required=True),
        "expires_in": SIGNED_IN_SECONDS,
    }
    response = localized(request, state)
    response.headers["Set-Cookie"] = _cookie(request, token)
    return response


@router.delete("/session")
@answers(SignedOut)
async def sign_out(request: Request) -> Response:
    """Forget the session; doing it twice is no error."""
    token = presented_token(request.headers)
    ended = ring_of(request).signins.end(token) if token else None
    if ended is not None:
        await _count(request, "session.end", ended)
    body: SignedOut = {"success": True, "signed_in": False}
    response = localized(request, body)
    response.headers["Set-Cookie"] = _cookie(request, "")
    return response


def _sign_in_state(caller: Caller | None, *, required: bool) -> SignInState:
    scopes = None if caller is None or caller.scopes is None else sorted(caller.scopes)
    return {
        "success": True,
        "key_required": required,
        "signed_in": caller is not None and required,
        "key_id": None if caller is None else caller.key_id,
        "scopes": scopes,
    }


def _cookie(request: Request, token: str) -> str:
    path = request.app.arrival.root_path or "/"
    return cookie(token, path=path, secure=request.scope["scheme"] == "https")


async def _count(request: Request, action: str, key_id: str | None) -> None:
    actor = Actor(key_id, request_id(request))
    await venom_of(request).journal.count_audit(actor, action, key_id or "")
