"""The last self-test of each model, as stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from venom_core.store.audit import Actor, write_audit
from venom_core.store.in_use import ModelKey
from venom_core.store.transactions import store_errors, writing

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A self-test. ``tested_at`` is ISO 8601 in UTC.

    Args:
        digest: of the model that was asked; None where its provider tells none.
        rows: of each question ``group``, ``name``, ``outcome`` and ``note``.
    """

    tested_at: str
    venom_version: str
    engine_version: str | None
    digest: str | None
    rows: Sequence[Mapping[str, Any]]

    @property
    def outcomes(self) -> dict[tuple[str, str], str]:
        """Return the outcome of each question by its group and name."""
        return {(str(row["group"]), str(row["name"])): str(row["outcome"]) for row in self.rows}


class SelfTestRepository:
    """Its methods block for a disk access: call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self) -> dict[ModelKey, SelfTest]:
        """Return the last self-test of each model."""
        from sqlalchemy import select

        from venom_core.store.tables import self_tests

        with store_errors(), self._engine.begin() as connection:
            rows = connection.execute(select(self_tests)).mappings().all()
        return {
            (row["provider"], row["ref"]): SelfTest(
                row["tested_at"], row["venom_version"], row["engine_version"], row["digest"],
                [one for one in row["rows"] or () if isinstance(one, dict)],
            )
            for row in rows
        }  # fmt: skip

    def keep(self, model: ModelKey, test: SelfTest, actor: Actor) -> None:
        """Keep a self-test in the place of the model's last one."""
        from venom_core.store.tables import self_tests as t

        provider, ref = model
        told = {"tested_at": test.tested_at, "engine_version": test.engine_version}
        with store_errors(), writing(self._engine) as connection:
            connection.execute(t.delete().where(t.c.provider == provider, t.c.ref == ref))
            connection.execute(
                t.insert().values(
                    provider=provider, ref=ref, digest=test.digest, rows=list(test.rows),
                    venom_version=test.venom_version, **told,
                )
            )  # fmt: skip
            write_audit(connection, actor, "model.selftest", f"{provider}://{ref}", None, told)
