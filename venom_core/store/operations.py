"""Operations in the store: installs, removals and builds, as they were last known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from venom_core.sdk.architecture import MAX_BYTES
from venom_core.sdk.errors import VenomError, restored
from venom_core.sdk.numbers import whole
from venom_core.store.columns import an_object
from venom_core.store.transactions import writing

if TYPE_CHECKING:
    from sqlalchemy import Engine, Row

OperationType = Literal["install", "remove", "activate", "build"]
OperationStatus = Literal["pending", "in_progress", "completed", "failed", "paused", "cancelled"]

#: Those of which something is still to come.
OPEN: frozenset[OperationStatus] = frozenset({"pending", "in_progress", "paused"})
#: Ended operations that are kept; the oldest go first.
KEPT = 1000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``progress`` is whole percent and ``error`` why it failed; times are ISO 8601
    in UTC. ``model_name`` is the name as it was asked for, and ``parameters`` are what a build
    needs besides."""

    id: str
    type: OperationType
    status: OperationStatus
    provider: str
    ref: str
    model_name: str
    message: str
    started_at: str
    progress: int = 0
    bytes_done: int = 0
    bytes_total: int | None = None
    parameters: Mapping[str, str] | None = None
    error: VenomError | None = None
    key_id: str | None = None
    completed_at: str | None = None


class OperationRepository:
    """Its methods block for a disk access: call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, operation: Operation) -> None:
        """Insert or replace; once this returns a killed process has not lost it."""
        from sqlalchemy.dialects.sqlite import insert

        from venom_core.store.tables import operations

        row = {field.name: getattr(operation, field.name) for field in fields(operation)}
        row["error"] = operation.error and operation.error.whole()
        statement = insert(operations).values(row)
        changes = {name: statement.excluded[name] for name in row if name != "id"}
        with writing(self._engine) as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))

    def get(self, operation_id: str) -> Operation | None:
        from sqlalchemy import select

        from venom_core.store.tables import operations as t

        with self._engine.connect() as connection:
            row = connection.execute(select(t).where(t.c.id == operation_id)).one_or_none()
        return None if row is None else _operation(row)

    def list(
        self,
        limit: int,
        statuses: Collection[OperationStatus] | None = None,
        after: str | None = None,
    ) -> list[Operation]:
        """Return operations, newest first; those behind the one of id ``after``, all where that is
        gone."""
        from sqlalchemy import and_, or_, select

        from venom_core.store.tables import operations as t

        query = select(t).order_by(t.c.started_at.desc(), t.c.id).limit(limit)
        if statuses is not None:
            query = query.where(t.c.status.in_(statuses))
        last = None if after is None else self.get(after)
        if last is not None:
            same = and_(t.c.started_at == last.started_at, t.c.id > last.id)
            query = query.where(or_(t.c.started_at < last.started_at, same))
        with self._engine.connect() as connection:
            return [_operation(row) for row in connection.execute(query)]

    def prune(self) -> None:
        """Forget the oldest of the ended operations beyond ``KEPT``."""
        from sqlalchemy import delete, select

        from venom_core.store.tables import operations as t

        ended = t.c.status.not_in(OPEN)
        kept = select(t.c.id).where(ended).order_by(t.c.started_at.desc()).limit(KEPT)
        with writing(self._engine) as connection:
            connection.execute(delete(t).where(ended, t.c.id.not_in(kept)))


def _operation(row: Row[Any]) -> Operation:
    columns = dict(row._mapping)
    error = an_object(columns["error"])
    columns["error"] = restored(error) if error else None
    parameters = an_object(columns["parameters"]) or {}
    columns["parameters"] = {name: str(value) for name, value in parameters.items()} or None
    for name, most in (("progress", 100), ("bytes_done", MAX_BYTES), ("bytes_total", MAX_BYTES)):
        columns[name] = whole(columns[name], f"store.operation.{name}", most)
    columns |= {name: columns[name] or 0 for name in ("progress", "bytes_done")}
    return Operation(**columns)
