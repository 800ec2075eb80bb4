"""The usage ledger: what was asked of which model, by day (UTC), key, provider and model.

No prompt and no answer, and no name that a client made up: a refusal whose model is not known
stands under empty names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from typing_extensions import TypedDict

from venom_core.sdk.numbers import real, whole
from venom_core.store.audit import Actor, write_audit
from venom_core.store.keys import COMMAND
from venom_core.store.transactions import writing

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Insert, Table

log = logging.getLogger(__name__)

Grouping = Literal["model", "key", "provider", "day"]
GROUPINGS: tuple[Grouping, ...] = ("model", "key", "provider", "day")


class Line(NamedTuple):
    """The subject of a tally. ``day`` is ``YYYY-MM-DD`` in UTC; a ``key_id`` of "" stands for
    requests without a key; ``model`` is the provider's own reference."""

    day: str
    key_id: str
    provider: str
    model: str


class TallyView(TypedDict):
    """Sums over requests; times and speeds are null where nothing was measured."""

    requests: int
    refused: int
    failed: int
    errors: dict[str, int]
    prompt_tokens: int
    completion_tokens: int
    estimated_tokens: int
    without_usage: int
    time_to_first_token_ms: float | None
    tokens_per_second: float | None


@dataclass(slots=True)
class Tally:
    """Sums over requests; docs/usage.md says what counts where.

    ``requests`` went to a provider, ``refused`` did not; ``errors`` holds both by code. Tokens are
    the engine's own count, but for ``estimated_tokens``: the pieces relayed of streams that ended
    before the engine counted. The mean time to first token is ``first_token_seconds`` over
    ``first_tokens``, the speed ``generation_tokens`` over ``generation_seconds``.
    """

    requests: int = 0
    refused: int = 0
    without_usage: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated_tokens: int = 0
    first_tokens: int = 0
    first_token_seconds: float = 0.0
    generation_tokens: int = 0
    generation_seconds: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for code, count in other.errors.items():
            self.errors[code] = self.errors.get(code, 0) + count

    @property
    def tokens(self) -> int:
        """Return the tokens that count against a key's limit."""
        return self.prompt_tokens + self.completion_tokens + self.estimated_tokens

    def view(self) -> TallyView:
        """Return it as the API and the commands show it; null where nothing was measured."""
        first, speed = None, None
        if self.first_tokens:
            first = round(1000 * self.first_token_seconds / self.first_tokens, 1)
        if self.generation_tokens and self.generation_seconds > 0:
            speed = round(self.generation_tokens / self.generation_seconds, 1)
        return {
            "requests": self.requests,
            "refused": self.refused,
            "failed": sum(self.errors.values()) - self.refused,
            "errors": dict(sorted(self.errors.items())),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "estimated_tokens": self.estimated_tokens,
            "without_usage": self.without_usage,
            "time_to_first_token_ms": first,
            "tokens_per_second": speed,
        }


SUMS = tuple(part.name for part in fields(Tally) if part.name != "errors")
SECONDS = ("first_token_seconds", "generation_seconds")
#: The most that a line counts: thousands of them still add up to a whole number in SQLite, which
#: turns what is larger into one with a fraction.
MOST = 10**12


@dataclass(frozen=True, slots=True)
class Range:
    """The lines that are meant: from the day ``since`` to the day ``until``, both included; None is
    any key, provider or model."""

    since: str
    until: str
    key_id: str | None = None
    provider: str | None = None
    model: str | None = None


class UsageRepository:
    """The ledger in the store. Its methods block for a disk access: call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, batch: Mapping[Line, Tally]) -> None:
        """Add to what is there, all of it or, where this raises, nothing. A line that no store
        could take is left out, and that is said: it must not hold up the others."""
        from sqlalchemy import func
        from sqlalchemy.dialects.sqlite import insert

        from venom_core.store.tables import usage_days, usage_errors

        days = [
            {**line._asdict(), **{name: _sum(name, getattr(tally, name)) for name in SUMS}}
            for line, tally in batch.items()
        ]
        errors = [
            {**line._asdict(), "code": code, "requests": _sum("requests", count)}
            for line, tally in batch.items()
            for code, count in tally.errors.items()
        ]
        with writing(self._engine) as connection:
            for table, rows, sums in (
                (usage_days, days, SUMS),
                (usage_errors, errors, ("requests",)),
            ):
                if not rows:
                    continue
                statement = insert(table)
                grown = {
                    name: func.min(_possible(table, name) + statement.excluded[name], MOST)
                    for name in sums
                }
                keys = [column.name for column in table.primary_key]
                _insert(
                    connection,
                    statement.on_conflict_do_update(index_elements=keys, set_=grown),
                    rows,
                )

    def summary(self, where: Range, by: Grouping | None) -> dict[str, Tally]:
        """Return sums for each model (``provider://model``), key, provider or day that was used in
        the range; without ``by`` one, under ""."""
        from sqlalchemy import func, literal, select

        from venom_core.store.tables import usage_days, usage_errors

        def group(table: Table) -> ColumnElement[str]:
            if by == "model":
                return table.c.provider + "://" + table.c.model
            return literal("") if by is None else table.c["key_id" if by == "key" else by]

        found: dict[str, Tally] = {}
        sums = [func.sum(_possible(usage_days, name)) for name in SUMS]
        name = group(usage_days).label("name")
        days = select(name, *sums).where(*_conditions(usage_days, where)).group_by(name)
        name = group(usage_errors).label("name")
        count = func.sum(_possible(usage_errors, "requests"))
        errors = (
            select(name, usage_errors.c.code, count)
            .where(*_conditions(usage_errors, where))
            .group_by(name, usage_errors.c.code)
        )
        with self._engine.connect() as connection:
            for one, *values in connection.execute(days):
                found[one] = Tally(**dict(zip(SUMS, values, strict=True)))
            for one, code, number in connection.execute(errors):
                found.setdefault(one, Tally()).errors[code] = number
        return found

    def lines(self, where: Range, after: Line | None, limit: int) -> Sequence[tuple[Line, Tally]]:
        """Return up to ``limit`` lines in their order, those behind ``after``."""
        from sqlalchemy import select, tuple_

        from venom_core.store.tables import usage_days, usage_errors

        def place(table: Table) -> Any:
            return tuple_(*(table.c[name] for name in Line._fields))

        days = select(usage_days).where(*_conditions(usage_days, where)).limit(limit)
        if after is not None:
            days = days.where(place(usage_days) > tuple_(*after))
        days = days.order_by(*(usage_days.c[name] for name in Line._fields))
        found: dict[Line, Tally] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(days).mappings():
                line = Line(*(row[name] for name in Line._fields))
                found[line] = Tally(**{name: _sum(name, row[name]) for name in SUMS})
            if found:
                first, *_, last = (*found, *found)
                errors = select(usage_errors).where(
                    *_conditions(usage_errors, where),
                    place(usage_errors) >= tuple_(*first),
                    place(usage_errors) <= tuple_(*last),
                )
                for row in connection.execute(errors).mappings():
                    line = Line(*(row[name] for name in Line._fields))
                    if line in found:
                        found[line].errors[row["code"]] = _sum("requests", row["requests"])
        return list(found.items())

    def key_names(self) -> dict[str, str]:
        """Return the names of the keys, by id."""
        from sqlalchemy import select

        from venom_core.store.tables import api_keys as t

        with self._engine.connect() as connection:
            return {row.id: row.name for row in connection.execute(select(t.c.id, t.c.name))}

    def used(self, key_id: str, day: str) -> tuple[int, int]:
        """Return requests and tokens of a key on a day."""
        tally = self.summary(Range(day, day, key_id=key_id), None).get("", Tally())
        return tally.requests, tally.tokens

    def erase(self, key_id: str, actor: Actor = COMMAND) -> int:
        """Forget everything of a key, and write that down; gives how many lines that was."""
        with writing(self._engine) as connection:
            lines = _delete(connection, lambda table: table.c.key_id == key_id)
            write_audit(connection, actor, "usage.erase", key_id, {"lines": lines}, None)
            return lines

    def prune(self, before: str) -> int:
        """Forget the days before ``before``; gives how many lines that was."""
        with writing(self._engine) as connection:
            return _delete(connection, lambda table: table.c.day < before)


def _sum(name: str, value: object) -> Any:
    """Return a sum as a line may hold it; 0 for what cannot be one."""
    if name in SECONDS:
        return real(value, f"the ledger: {name}", 0, MOST) or 0.0
    return whole(value, f"the ledger: {name}", MOST) or 0


def _possible(table: Table, name: str) -> ColumnElement[Any]:
    """Return a column in which what cannot be a sum is 0."""
    from sqlalchemy import case, func, type_coerce

    column = table.c[name]
    kind = func.typeof(column)
    number = (kind == "integer") | (kind == "real") if name in SECONDS else kind == "integer"
    good = number & column.between(0, MOST)
    return type_coerce(case((good, column), else_=0), column.type)


def _insert(connection: Connection, statement: Insert, rows: list[dict[str, Any]]) -> None:
    """Write rows, one by one where they cannot be written together."""
    from sqlalchemy import exc

    unfit = (exc.DataError, exc.IntegrityError, exc.InterfaceError, OverflowError, ValueError)
    try:
        with connection.begin_nested():
            connection.execute(statement, rows)
    except unfit as error:
        if len(rows) == 1:
            log.warning("a line of the ledger is left out: %s", type(error).__name__)
            return
        for row in rows:
            _insert(connection, statement, [row])


def _delete(connection: Connection, which: Callable[[Table], ColumnElement[bool]]) -> int:
    from venom_core.store.tables import usage_days, usage_errors

    connection.execute(usage_errors.delete().where(which(usage_errors)))
    return connection.execute(usage_days.delete().where(which(usage_days))).rowcount


def _conditions(table: Table, where: Range) -> list[ColumnElement[bool]]:
    conditions = [table.c.day >= where.since, table.c.day <= where.until]
    for name in ("key_id", "provider", "model"):
        wanted = getattr(where, name)
        if wanted is not None:
            conditions.append(table.c[name] == wanted)
    return conditions
