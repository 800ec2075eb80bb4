"""API keys: list, make, revoke.

Each change is in the audit trail; the feed, which every key may watch, has nothing of keys.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import cast

from typing_extensions import TypedDict

from venom_core.sdk.errors import Forbidden
from venom_core.store.access import Store
from venom_core.store.audit import Actor
from venom_core.store.keys import ApiKey, KeyRights, Scope


class KeyView(TypedDict):
    """A key as it may be shown, never its text; null rights are everything, null limits none.

    ``expires_at`` is null for "never"; ``last_used_at`` is right to a minute, null where the key
    was not used since Venom writes it down.
    """

    id: str
    name: str
    created_at: str
    revoked_at: str | None
    scopes: list[Scope] | None
    models: list[str] | None
    requests_per_day: int | None
    tokens_per_day: int | None
    expires_at: str | None
    last_used_at: str | None


class KeyListing(TypedDict):
    """Every key, revoked ones too, oldest first."""

    success: bool
    keys: list[KeyView]
    count: int


class NewKey(KeyView):
    """``key`` is the key itself, which is shown this once."""

    success: bool
    key: str


class RevokedKey(KeyView):
    """``last`` says that no key is left: a server that listens on its own machine alone then lets
    everybody on it in, one that others can reach lets nobody in."""

    success: bool
    last: bool


class KeyUseCases:
    """Use cases of API keys, over the store alone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def listing(self) -> KeyListing:
        """Return every key. Looking makes no store."""

        def read() -> list[ApiKey]:
            return self._store.keys().list() if self._store.exists() else []

        keys = [key_view(key) for key in await asyncio.to_thread(read)]
        return {"success": True, "keys": keys, "count": len(keys)}

    async def create(self, name: str, rights: KeyRights, actor: Actor) -> NewKey:
        """Make a key; it may do no more than the key that asks for it.

        Raises:
            InvalidRequest: a name or rights that cannot be.
            Forbidden: rights that the asking key has not (``scope_missing``).
        """

        def make() -> tuple[str, ApiKey]:
            keys = self._store.keys()
            giver = next((key for key in keys.list() if key.id == actor.key_id), None)
            if giver and (giver.revoked_at is not None or not rights.is_within(giver.rights)):
                raise Forbidden(
                    "A key gives no more rights than it has itself.",
                    code="scope_missing",
                    fix="Give fewer scopes, models, limits or days, or make it at the command "
                    "line: venom keys create NAME",
                )
            return keys.create(name, rights, actor)

        text, key = await asyncio.to_thread(make)
        return {"success": True, "key": text, **key_view(key)}

    async def revoke(self, key_id: str, actor: Actor) -> RevokedKey:
        """Revoke a key for good; revoking twice is no error. Raises ``NotFound``
        (``key_not_found``)."""

        def revoke() -> tuple[ApiKey, bool]:
            keys = self._store.keys()
            return keys.revoke(key_id, actor), keys.any_active()

        key, others = await asyncio.to_thread(revoke)
        return {"success": True, "last": not others, **key_view(key)}


def key_view(key: ApiKey) -> KeyView:
    """Return a key as every surface shows it."""
    rights = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(key.rights).items()
    }
    shown = {"id": key.id, "name": key.name, "created_at": key.created_at}
    times = {"revoked_at": key.revoked_at, "last_used_at": key.last_used_at}
    return cast(KeyView, {**shown, **times, **rights})
