"""Browsers that are signed in: list them, sign one out. Never a token, nor what one is made of."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from venom_core.api.callers import actor_of, caller_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.scopes import ADMIN
from venom_core.api.security import ring_of
from venom_core.api.signin_links import LINK_SECONDS, link_path
from venom_core.api.signins import SignIn
from venom_core.chat.validation import Body
from venom_core.sdk.errors import Forbidden, NotFound
from venom_core.store.audit import LOCAL_USER
from venom_core.usecases.models import Done

router = keyed_router("/signins")


class SignInView(TypedDict):
    """A browser; ``browser`` is its own word for itself (User-Agent), ``here`` says that it sent
    this request."""

    id: str
    key_id: str
    browser: str
    began_at: str
    last_seen_at: str
    expires_at: str
    here: bool


class SignInListing(TypedDict):
    """The newest first, from the ``offset``-th of ``count`` on."""

    success: bool
    signins: list[SignInView]
    count: int


@router.get("")
@answers(SignInListing)
async def list_sign_ins(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1000)] = 0,
) -> Response:
    """Return the browsers that are signed in; without the scope ``admin`` those of the own key."""
    found = _visible(request)
    here = caller_of(request).signin
    shown = [_view(one, here) for one in found[offset : offset + limit]]
    body: SignInListing = {"success": True, "signins": shown, "count": len(found)}
    return JSONResponse(body)


class LinkRequest(Body):
    """``key_id`` names the key that the browser will be signed in with. Only commands of the
    server's own user name one; everybody else's is their own."""

    key_id: str | None = Field(default=None, pattern=r"^[0-9a-z-]{4,40}$")


class SignInLink(TypedDict):
    """``path`` follows the server's address; it works once, within ``expires_in`` seconds."""

    success: bool
    key_id: str
    path: str
    expires_in: int


@router.post("/links")
@answers(SignInLink)
async def make_sign_in_link(request: Request, body: LinkRequest) -> Response:
    """Make an address that signs one browser in, once, without a key being typed."""
    ring = ring_of(request)
    own = caller_of(request).key_id
    key_id = body.key_id if own == LOCAL_USER else own
    if body.key_id not in (None, key_id):
        raise Forbidden(
            "A link signs in with the key that asks for it.",
            code="scope_missing",
            fix="Leave key_id out, or ask on the server's machine: venom keys link ID",
        )
    if key_id is None or not await ring.has(key_id):
        raise NotFound(
            "There is no such key to sign in with.",
            code="key_not_found",
            fix="List them with: venom keys list",
        )
    await venom_of(request).journal.count_audit(actor_of(request), "session.link", key_id)
    made: SignInLink = {
        "success": True,
        "key_id": key_id,
        "path": link_path(ring.links.make(key_id)),
        "expires_in": LINK_SECONDS,
    }
    return JSONResponse(made)


@router.delete("/{signin_id}")
@answers(Done)
async def end_sign_in(
    request: Request, signin_id: Annotated[str, Path(pattern=r"^[0-9a-f]{10}$")]
) -> Response:
    """Sign a browser out; what it has under way ends within seconds."""
    ended = next((one for one in _visible(request) if one.id == signin_id), None)
    if ended is None:
        raise NotFound(
            "No browser is signed in so.",
            code="signin_not_found",
            fix="Look at the list again: it may have signed out meanwhile.",
        )
    ring = ring_of(request)
    ring.signins.end_named(ended.id)
    ring.forget_answers()
    await venom_of(request).journal.count_audit(actor_of(request), "session.end", ended.key_id)
    body: Done = {"success": True, "message": "The browser was signed out."}
    return localized(request, body)


def _visible(request: Request) -> list[SignIn]:
    caller = caller_of(request)
    everybodys = caller.may(ADMIN)
    found = ring_of(request).signins.listing()
    return [one for one in found if everybodys or one.key_id == caller.key_id]


def _view(one: SignIn, here: str | None) -> SignInView:
    return {
        "id": one.id,
        "key_id": one.key_id,
        "browser": one.browser,
        "began_at": one.began_at,
        "last_seen_at": one.last_seen_at,
        "expires_at": one.expires_at,
        "here": one.id == here,
    }
