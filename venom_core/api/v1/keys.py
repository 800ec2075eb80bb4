"""API keys: list, make, revoke."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.security import ring_of
from venom_core.chat.validation import Body
from venom_core.store.keys import MAX_DAYS, MAX_GLOBS, MAX_PER_DAY, KeyRights, Scope, expiry
from venom_core.usecases.keys import KeyListing, NewKey, RevokedKey

router = keyed_router("/keys")

#: A key is shown once: no cache keeps it.
_NO_STORE = {"cache-control": "no-store"}


class CreateKeyRequest(Body):
    """``scopes`` and ``models`` that are left out are everything, limits that are left out none;
    ``models`` are names with * and ? where any will do. Without ``expires_in_days`` it lasts until
    it is revoked."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[Scope] | None = Field(default=None, min_length=1, max_length=3)
    models: list[str] | None = Field(default=None, min_length=1, max_length=MAX_GLOBS)
    requests_per_day: int | None = Field(default=None, ge=1, le=MAX_PER_DAY)
    tokens_per_day: int | None = Field(default=None, ge=1, le=MAX_PER_DAY)
    expires_in_days: int | None = Field(default=None, ge=1, le=MAX_DAYS)

    def rights(self) -> KeyRights:
        """Return what the key is to be allowed."""
        return KeyRights(
            None if self.scopes is None else tuple(dict.fromkeys(self.scopes)),
            None if self.models is None else tuple(dict.fromkeys(self.models)),
            self.requests_per_day,
            self.tokens_per_day,
            expiry(self.expires_in_days),
        )


@router.get("")
@answers(KeyListing)
async def list_keys(request: Request) -> Response:
    """Return every key, revoked ones too; never the key itself."""
    return JSONResponse(await venom_of(request).keys.listing())


@router.post("")
@answers(NewKey)
async def create_key(request: Request, body: CreateKeyRequest) -> Response:
    """Make a key; the answer has it, this once. As soon as there is one, every request needs a
    key. It may do no more than the key that asks for it."""
    made = await venom_of(request).keys.create(body.name, body.rights(), actor_of(request))
    ring_of(request).forget_answers()
    return JSONResponse(made, headers=_NO_STORE)


@router.delete("/{key_id}")
@answers(RevokedKey)
async def revoke_key(
    request: Request, key_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
) -> Response:
    """Revoke a key for good; what it has under way ends within seconds."""
    revoked = await venom_of(request).keys.revoke(key_id, actor_of(request))
    ring_of(request).forget_answers()
    return JSONResponse(revoked)
