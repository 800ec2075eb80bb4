"""Responses in the store: each with its input, owned by the key that asked for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from venom_core.sdk.errors import NotFound
from venom_core.sdk.utc import utc_text
from venom_core.store.transactions import store_errors, writing

if TYPE_CHECKING:
    from sqlalchemy import Engine, RowMapping

#: Bytes of one key's responses; the oldest go first.
MOST_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class KeptResponse:
    """A response as it was told, and the items that it was asked with."""

    id: str
    previous_id: str | None
    input: Sequence[Mapping[str, Any]]
    response: Mapping[str, Any]


class ResponseRepository:
    """Its methods block for a disk access: call them in a thread. A key of "" owns what was asked
    without one. All but ``add`` raise ``NotFound`` (``response_not_found``) for a response that is
    not the key's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, key_id: str, kept: KeptResponse) -> None:
        """Keep one, and forget the key's oldest beyond ``MOST_BYTES``."""
        from sqlalchemy import func, select

        from venom_core.store.tables import responses as t

        size = len(json.dumps([kept.input, kept.response], default=list))
        row = {
            "id": kept.id, "key_id": key_id, "previous_id": kept.previous_id,
            "created_at": utc_text(), "bytes": size,
            "input": [dict(item) for item in kept.input], "response": dict(kept.response),
        }  # fmt: skip
        newest = (t.c.created_at.desc(), t.c.id)
        total = func.sum(t.c.bytes).over(order_by=newest).label("total")
        sums = select(t.c.id, total).where(t.c.key_id == key_id).subquery()
        old = select(sums.c.id).where(sums.c.total > MOST_BYTES)
        with store_errors(), writing(self._engine) as connection:
            connection.execute(t.insert().values(row))
            connection.execute(t.delete().where(t.c.id.in_(old), t.c.id != kept.id))

    def get(self, key_id: str, response_id: str) -> KeptResponse:
        from sqlalchemy import select

        from venom_core.store.tables import responses as t

        query = select(t).where(t.c.id == response_id, t.c.key_id == key_id)
        with store_errors(), self._engine.begin() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise _not_found(response_id)
        return _kept(row)

    def delete(self, key_id: str, response_id: str) -> None:
        from venom_core.store.tables import responses as t

        with store_errors(), writing(self._engine) as connection:
            done = connection.execute(t.delete().where(t.c.id == response_id, t.c.key_id == key_id))
        if not done.rowcount:
            raise _not_found(response_id)


def _kept(row: RowMapping) -> KeptResponse:
    items = row["input"] if isinstance(row["input"], list) else []
    response = row["response"] if isinstance(row["response"], dict) else {}
    whole = [item for item in items if isinstance(item, dict)]
    return KeptResponse(row["id"], row["previous_id"], whole, response)


def _not_found(response_id: str) -> NotFound:
    return NotFound(
        f"There is no response {response_id!r}.",
        code="response_not_found",
        fix="A response is kept where store is not false, until it is deleted or room is needed.",
    )
