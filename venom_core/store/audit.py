"""The audit trail: who changed what, from what to what.

An entry is written in the transaction of the change itself: neither is there without the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from venom_core.sdk.masking import masked, masked_values
from venom_core.sdk.numbers import whole
from venom_core.sdk.utc import utc_text
from venom_core.store.columns import an_object

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine

MAX_LISTED = 201
MAX_SUBJECT = 250
#: Among so many of the newest entries the one is looked for in which something is counted.
COUNTED_WITHIN = 500
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
    in UTC; ``number`` counts up."""

    at: str
    action: str
    subject: str
    key_id: str | None
    request_id: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    number: int = 0

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


@dataclass(frozen=True, slots=True)
class AuditWanted:
    """The entries that are meant; None is any. ``action`` is one or all of a kind (``key``), a
    ``key_id`` of "" stands for requests without a key; days are UTC, both included."""

    action: str | None = None
    key_id: str | None = None
    since: str | None = None
    until: str | None = None


EVERY_ENTRY = AuditWanted()


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


def count_audit(connection: Connection, actor: Actor, action: str, subject: str) -> None:
    """Add an entry for what one key may do any number of times. Within an hour of the first it is
    counted there (``after``: ``times``, ``last_at``), so that no key can fill the trail or push
    what others did out of sight."""
    from sqlalchemy import func, select

    from venom_core.store.tables import audit as t

    newest = select(func.max(t.c.id)).scalar_subquery()
    hour_ago = utc_text(datetime.now(UTC) - timedelta(hours=1))
    query = (
        select(t.c.id, t.c.after)
        .where(t.c.id > newest - COUNTED_WITHIN, t.c.at > hour_ago)
        .where(t.c.action == action, t.c.key_id == actor.key_id, t.c.subject == subject)
        .order_by(t.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        write_audit(connection, actor, action, subject, None, None)
        return
    told = (an_object(row.after) or {}).get("times", 1)
    times = (whole(told, "store.audit.times") or 1) + 1
    after = {"times": times, "last_at": utc_text()}
    connection.execute(t.update().where(t.c.id == row.id).values(after=after))


def read_audit(
    engine: Engine,
    limit: int = 50,
    before: int | None = None,
    wanted: AuditWanted = EVERY_ENTRY,
) -> list[AuditEntry]:
    """Return entries, the newest first, at most ``MAX_LISTED``; those older than number ``before``.
    Blocks: call it in a thread."""
    from sqlalchemy import select

    from venom_core.store.tables import audit as t

    shown = (t.c.at, t.c.action, t.c.subject, t.c.key_id, t.c.request_id, t.c.before, t.c.after)
    query = select(*shown, t.c.id).order_by(t.c.id.desc()).limit(min(limit, MAX_LISTED))
    if before is not None:
        query = query.where(t.c.id < before)
    query = query.where(*_conditions(wanted))
    with engine.connect() as connection:
        return [
            AuditEntry(*row[:5], an_object(row.before), an_object(row.after), row.id)
            for row in connection.execute(query)
        ]


def _conditions(wanted: AuditWanted) -> list[ColumnElement[bool]]:
    from venom_core.store.tables import audit as t

    found: list[ColumnElement[bool]] = []
    if wanted.action is not None:
        kind = t.c.action.startswith(f"{wanted.action}.", autoescape=True)
        found.append((t.c.action == wanted.action) | kind)
    if wanted.key_id is not None:
        found.append(t.c.key_id == wanted.key_id if wanted.key_id else t.c.key_id.is_(None))
    if wanted.since is not None:
        found.append(t.c.at >= wanted.since)
    if wanted.until is not None:
        # A moment of the day is its text with more behind it, up to "T23:59:59.999Z".
        found.append(t.c.at <= f"{wanted.until}U")
    return found
