"""The audit trail: who changed what, from what to what.

An entry is written in the transaction of the change itself: neither is there without the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from venom_core.sdk.masking import masked, masked_values
from venom_core.sdk.utc import utc_text

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

MAX_LISTED = 200
MAX_SUBJECT = 250
#: In place of a key's id: the commands of the machine's own user, who needs no key.
LOCAL_USER = "local"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who asks for a change: the key's id (None where no key is needed, ``LOCAL_USER`` for
    the user's own commands) and the request's id."""

    key_id: str | None = None
    request_id: str | None = None

    @classmethod
    def local(cls) -> Actor:
        """Return the machine's own user at the command line, with a new request id."""
        return cls(LOCAL_USER, f"cli-{uuid.uuid4().hex}")


class AuditRecord(TypedDict):
    """A change as the API and the commands show it: ``before`` and ``after`` are null for
    "nothing"."""

    at: str
    action: str
    subject: str
    key_id: str | None
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. ``before`` and ``after`` are JSON objects, None for "nothing"; ``at`` is ISO 8601
    in UTC."""

    at: str
    action: str
    subject: str
    key_id: str | None
    request_id: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    def record(self) -> AuditRecord:
        return {
            "at": self.at,
            "action": self.action,
            "subject": self.subject,
            "key_id": self.key_id,
            "request_id": self.request_id,
            "before": None if self.before is None else dict(self.before),
            "after": None if self.after is None else dict(self.after),
        }


def write_audit(
    connection: Connection,
    actor: Actor,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Add an entry within the caller's transaction. Never a prompt or an answer; secrets that are
    known are masked."""
    from sqlalchemy import null

    from venom_core.store.tables import audit

    connection.execute(
        audit.insert().values(
            at=utc_text(),
            action=action,
            subject=masked(subject)[:MAX_SUBJECT],
            key_id=actor.key_id,
            request_id=actor.request_id,
            before=null() if before is None else masked_values(before),
            after=null() if after is None else masked_values(after),
        )
    )


def read_audit(engine: Engine, limit: int = 50) -> list[AuditEntry]:
    """Return entries, the newest first, at most ``MAX_LISTED``. Blocks: call it in a thread."""
    from sqlalchemy import select

    from venom_core.store.tables import audit as t

    query = (
        select(t.c.at, t.c.action, t.c.subject, t.c.key_id, t.c.request_id, t.c.before, t.c.after)
        .order_by(t.c.id.desc())
        .limit(min(limit, MAX_LISTED))
    )
    with engine.connect() as connection:
        return [AuditEntry(*row) for row in connection.execute(query)]
