"""Benchmarks as stored: the newest ones, so many and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from venom_core.store.columns import an_object
from venom_core.store.transactions import store_errors, writing

if TYPE_CHECKING:
    from sqlalchemy import Engine, Row

#: Benchmarks that are kept; the oldest go first.
KEPT = 200


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark that has ended. Times are ISO 8601 in UTC; ``results`` are one object a model."""

    id: str
    status: str
    started_at: str
    completed_at: str
    num_questions: int
    venom_version: str
    machine: dict[str, Any]
    results: Sequence[dict[str, Any]]


class BenchmarkRepository:
    """Its methods block for a disk access: call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, benchmark: Benchmark) -> None:
        """Keep one, and forget the oldest beyond ``KEPT``."""
        from sqlalchemy import select

        from venom_core.store.tables import benchmarks as t

        kept = select(t.c.id).order_by(t.c.started_at.desc()).limit(KEPT)
        with store_errors(), writing(self._engine) as connection:
            row = {**asdict(benchmark), "results": list(benchmark.results)}
            connection.execute(t.insert().values(row))
            connection.execute(t.delete().where(t.c.id.not_in(kept)))

    def list(self, limit: int) -> list[Benchmark]:
        """Return the newest first."""
        from sqlalchemy import select

        from venom_core.store.tables import benchmarks as t

        query = select(t).order_by(t.c.started_at.desc(), t.c.id).limit(limit)
        with store_errors(), self._engine.begin() as connection:
            return [_benchmark(row) for row in connection.execute(query)]

    def get(self, benchmark_id: str) -> Benchmark | None:
        from sqlalchemy import select

        from venom_core.store.tables import benchmarks as t

        with store_errors(), self._engine.begin() as connection:
            row = connection.execute(select(t).where(t.c.id == benchmark_id)).one_or_none()
        return None if row is None else _benchmark(row)

    def remove(self, benchmark_id: str) -> bool:
        """Return whether there was one."""
        from venom_core.store.tables import benchmarks as t

        with store_errors(), writing(self._engine) as connection:
            done = connection.execute(t.delete().where(t.c.id == benchmark_id))
        return bool(done.rowcount)


def _benchmark(row: Row[Any]) -> Benchmark:
    columns = dict(row._mapping)
    results = columns["results"] if isinstance(columns["results"], list) else []
    columns["results"] = [one for one in results if isinstance(one, dict)]
    columns["machine"] = an_object(columns["machine"]) or {}
    return Benchmark(**columns)
