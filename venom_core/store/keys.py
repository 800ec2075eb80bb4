"""API keys: shown once, kept as a hash, compared in constant time.

A key is ``venom-<id>-<secret>``. The secret has 256 random bits, so one SHA-256 is a sufficient
hash: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from venom_core.sdk.errors import InvalidRequest, NotFound
from venom_core.store.database import writing

if TYPE_CHECKING:
    from sqlalchemy import Engine

KEY_PATTERN = re.compile(r"venom-([0-9a-f]{8})-([A-Za-z0-9_-]{43})", re.ASCII)
NAME_PATTERN = re.compile(r"[\w .@+-]{1,100}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What may be shown of a key. Times are ISO 8601 in UTC."""

    id: str
    name: str
    created_at: str
    revoked_at: str | None = None


def hash_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class KeyRepository:
    """Keys in the store. Its methods block for a disk access: call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str) -> tuple[str, ApiKey]:
        """A new key: its text, which is shown this once, and its record."""
        from venom_core.store.tables import api_keys

        if not NAME_PATTERN.fullmatch(name):
            raise InvalidRequest(
                "A key's name is 1 to 100 letters, digits, spaces or any of . @ + - _",
                param="name",
                fix="venom keys create laptop",
            )
        key_id = secrets.token_hex(4)
        key = f"venom-{key_id}-{secrets.token_urlsafe(32)}"
        record = ApiKey(key_id, name, _now())
        with writing(self._engine) as connection:
            connection.execute(
                api_keys.insert().values(
                    id=key_id, name=name, sha256=hash_key(key), created_at=record.created_at
                )
            )
        return key, record

    def list(self) -> list[ApiKey]:
        """Every key, revoked ones too, oldest first."""
        from sqlalchemy import select

        from venom_core.store.tables import api_keys as t

        query = select(t.c.id, t.c.name, t.c.created_at, t.c.revoked_at).order_by(t.c.created_at)
        with self._engine.connect() as connection:
            return [ApiKey(*row) for row in connection.execute(query)]

    def revoke(self, key_id: str) -> ApiKey:
        """Revoke for good; revoking twice is no error. Raises ``NotFound``."""
        from venom_core.store.tables import api_keys as t

        known = {key.id: key for key in self.list()}
        if key_id not in known:
            raise NotFound(
                f"There is no key {key_id!r}.", code="key_not_found", fix="venom keys list"
            )
        with writing(self._engine) as connection:
            connection.execute(
                t.update()
                .where(t.c.id == key_id, t.c.revoked_at.is_(None))
                .values(revoked_at=_now())
            )
        return next(key for key in self.list() if key.id == key_id)

    def any_active(self) -> bool:
        return any(key.revoked_at is None for key in self.list())

    def verify(self, key: str) -> str | None:
        """The id of an active key, or None. The id part only selects the row."""
        from sqlalchemy import select

        from venom_core.store.tables import api_keys as t

        match = KEY_PATTERN.fullmatch(key)
        if match is None:
            return None
        query = select(t.c.sha256).where(t.c.id == match[1], t.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            stored = connection.execute(query).scalar_one_or_none()
        found = hmac.compare_digest(stored or bytes(32), hash_key(key))
        return match[1] if found and stored is not None else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
