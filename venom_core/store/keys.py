"""API keys: shown once, kept as a hash, compared in constant time.

A key is ``venom-<id>-<secret>``. The secret has 256 random bits, so one SHA-256 is a sufficient
hash: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from venom_core.sdk.errors import InvalidRequest, NotFound
from venom_core.sdk.numbers import whole
from venom_core.sdk.utc import utc_text
from venom_core.store.audit import LOCAL_USER, Actor, write_audit
from venom_core.store.columns import texts
from venom_core.store.transactions import store_errors, writing

if TYPE_CHECKING:
    from sqlalchemy import Engine

KEY_PATTERN = re.compile(r"venom-([0-9a-f]{8})-([A-Za-z0-9_-]{43})", re.ASCII)
NAME_PATTERN = re.compile(r"[\w .@+-]{1,100}")
GLOB_PATTERN = re.compile(r"[\w.:/@+*?\[\]!-]{1,200}", re.ASCII)
MAX_GLOBS = 50
MAX_PER_DAY = 10**15
MAX_DAYS = 3650
#: A command of the user, who needs no key for it.
COMMAND = Actor(LOCAL_USER)

Scope = Literal["chat", "models", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class KeyRights:
    """The rights of a key; None is everything, as keys of the first schema may.

    ``models`` are globs: with ``://`` in them of a whole reference, else of a model's name. The
    limits are per day (UTC). ``expires_at`` is ISO 8601 in UTC, to the second.
    """

    scopes: tuple[Scope, ...] | None = None
    models: tuple[str, ...] | None = None
    requests_per_day: int | None = None
    tokens_per_day: int | None = None
    expires_at: str | None = None

    def check(self) -> None:
        """Raise ``InvalidRequest`` where these are no rights."""
        if self.scopes is not None and (not self.scopes or not set(self.scopes) <= set(SCOPES)):
            raise InvalidRequest(
                f"A key's scopes are some of {', '.join(SCOPES)}.",
                param="scope",
                fix="venom keys create laptop --scope chat",
            )
        globs = self.models
        if globs is not None and not (
            0 < len(globs) <= MAX_GLOBS and all(map(GLOB_PATTERN.fullmatch, globs))
        ):
            raise InvalidRequest(
                "A key's models are names, with * and ? where any will do.",
                param="model",
                fix="venom keys create laptop --model 'gemma3:*'",
            )
        for name in ("requests_per_day", "tokens_per_day"):
            limit = getattr(self, name)
            if limit is not None and not 1 <= limit <= MAX_PER_DAY:
                raise InvalidRequest(
                    f"{name} is at least 1.", param=name, fix="Leave it out for no limit."
                )

    def is_within(self, others: KeyRights) -> bool:
        """Return whether these are no more than ``others``; globs are compared as they stand."""

        def some(mine: tuple[str, ...] | None, theirs: tuple[str, ...] | None) -> bool:
            return theirs is None or (mine is not None and set(mine) <= set(theirs))

        def fewer(mine: int | None, theirs: int | None) -> bool:
            return theirs is None or (mine is not None and mine <= theirs)

        def sooner(mine: str | None, theirs: str | None) -> bool:
            return theirs is None or (mine is not None and mine <= theirs)

        return (
            some(self.scopes, others.scopes)
            and some(self.models, others.models)
            and sooner(self.expires_at, others.expires_at)
            and fewer(self.requests_per_day, others.requests_per_day)
            and fewer(self.tokens_per_day, others.tokens_per_day)
        )


EVERYTHING = KeyRights()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it may be shown. Times are ISO 8601 in UTC; ``last_used_at`` is right to a
    minute."""

    id: str
    name: str
    created_at: str
    revoked_at: str | None = None
    rights: KeyRights = EVERYTHING
    last_used_at: str | None = None

    @property
    def is_expired(self) -> bool:
        """Return whether its time is over; a stored time that is none counts as over."""
        until = self.rights.expires_at
        if until is None:
            return False
        try:
            return datetime.fromisoformat(until) <= datetime.now(UTC)
        except (TypeError, ValueError):
            return True

    def record(self) -> dict[str, Any]:
        """Return the key as the audit trail has it."""
        shown = asdict(self)
        del shown["last_used_at"]
        return {**shown, **shown.pop("rights")}


def expiry(days: int | None) -> str | None:
    """Return the end of a key that is to last so many days from now on."""
    if days is None:
        return None
    return utc_text(datetime.now(UTC) + timedelta(days=days), "seconds")


def hash_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class KeyRepository:
    """Keys in the store. Its methods block for a disk access: call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(
        self, name: str, rights: KeyRights = EVERYTHING, actor: Actor = COMMAND
    ) -> tuple[str, ApiKey]:
        """Make a key and return its text, which is shown this once, and its record."""
        from venom_core.store.tables import api_keys

        if not NAME_PATTERN.fullmatch(name):
            raise InvalidRequest(
                "A key's name is 1 to 100 letters, digits, spaces or any of . @ + - _",
                param="name",
                fix="venom keys create laptop",
            )
        rights.check()
        key_id = secrets.token_hex(4)
        key = f"venom-{key_id}-{secrets.token_urlsafe(32)}"
        record = ApiKey(key_id, name, utc_text(precision="seconds"), rights=rights)
        with writing(self._engine) as connection:
            connection.execute(
                api_keys.insert().values(
                    id=key_id,
                    name=name,
                    sha256=hash_key(key),
                    created_at=record.created_at,
                    **{
                        field: list(value) if isinstance(value, tuple) else value
                        for field, value in asdict(rights).items()
                        if value is not None
                    },
                )
            )
            write_audit(connection, actor, "key.create", key_id, None, record.record())
        return key, record

    def list(self) -> list[ApiKey]:
        """Return every key, revoked ones too, oldest first."""
        from venom_core.store.tables import api_keys as t

        query = _select().order_by(t.c.created_at)
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def revoke(self, key_id: str, actor: Actor = COMMAND) -> ApiKey:
        """Revoke for good; revoking twice is no error. Raises ``NotFound``."""
        from venom_core.store.tables import api_keys as t

        known = {key.id: key for key in self.list()}
        if key_id not in known:
            raise NotFound(
                f"There is no key {key_id!r}.", code="key_not_found", fix="venom keys list"
            )
        with writing(self._engine) as connection:
            changed = connection.execute(
                t.update()
                .where(t.c.id == key_id, t.c.revoked_at.is_(None))
                .values(revoked_at=(now := utc_text(precision="seconds")))
            )
            if changed.rowcount:
                before = known[key_id].record()
                after = {**before, "revoked_at": now}
                write_audit(connection, actor, "key.revoke", key_id, before, after)
        return next(key for key in self.list() if key.id == key_id)

    def any_active(self) -> bool:
        return any(key.revoked_at is None for key in self.list())

    def verify(self, key: str) -> ApiKey | None:
        """Return the key of this text, which may have expired, or None. The id part only selects
        the row."""
        from venom_core.store.tables import api_keys as t

        match = KEY_PATTERN.fullmatch(key)
        if match is None:
            return None
        query = _select(t.c.sha256).where(t.c.id == match[1], t.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        stored = bytes(32) if row is None else row["sha256"]
        found = isinstance(stored, bytes) and hmac.compare_digest(stored, hash_key(key))
        return _record(row) if found and row is not None else None

    def active(self, key_id: str) -> ApiKey | None:
        """Return the key of this id, or None where there is none, it was revoked or has
        expired."""
        from venom_core.store.tables import api_keys as t

        query = _select().where(t.c.id == key_id, t.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        found = None if row is None else _record(row)
        return None if found is None or found.is_expired else found

    def note_use(self, key_id: str) -> None:
        """Write down that a key was used now."""
        from venom_core.store.tables import api_keys as t

        now = utc_text(precision="seconds")
        with store_errors(), writing(self._engine) as connection:
            connection.execute(t.update().where(t.c.id == key_id).values(last_used_at=now))


def _select(*more: Any) -> Any:
    from sqlalchemy import select

    from venom_core.store.tables import api_keys as t

    shown = (t.c.id, t.c.name, t.c.created_at, t.c.revoked_at)
    rights = (t.c.scopes, t.c.models, t.c.requests_per_day, t.c.tokens_per_day)
    return select(*shown, *rights, t.c.expires_at, t.c.last_used_at, *more)


def _record(row: Any) -> ApiKey:
    rights = KeyRights(
        cast(Any, texts(row["scopes"])),
        texts(row["models"]),
        _limit(row["requests_per_day"], "requests"),
        _limit(row["tokens_per_day"], "tokens"),
        row["expires_at"],
    )
    shown = (row["id"], row["name"], row["created_at"], row["revoked_at"])
    return ApiKey(*shown, rights, row["last_used_at"])


def _limit(value: object, what: str) -> int | None:
    """Return a stored limit; the least where what is stored cannot be one: a damaged limit opens
    nothing."""
    return None if value is None else whole(value, f"key.{what}_a_day", MAX_PER_DAY, 1) or 1
