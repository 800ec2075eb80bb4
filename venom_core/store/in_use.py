"""The models in use, as stored: the active one of each role, overrides, aliases.

Every change is one transaction with its entry in the audit trail, so that whatever ends the process
leaves the old state or the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from venom_core.sdk.parameter_bounds import possible_parameters
from venom_core.sdk.utc import utc_text
from venom_core.store.audit import Actor, write_audit
from venom_core.store.columns import an_object
from venom_core.store.transactions import store_errors, writing

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

ModelKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class InUse:
    """Everything stored. Models are ``(provider, ref)``."""

    active: Mapping[str, ModelKey] = field(default_factory=dict)
    overrides: Mapping[ModelKey, Mapping[str, Any]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    #: Provider -> the reference of the model that was last active for chat there.
    last: Mapping[str, str] = field(default_factory=dict)


class InUseRepository:
    """Its methods block for a disk access: call them in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self) -> InUse:
        """Return everything, as of one moment."""
        from sqlalchemy import select

        from venom_core.store.tables import (
            active_models,
            aliases,
            generation_overrides,
            last_models,
        )

        with store_errors(), self._engine.begin() as connection:
            active = connection.execute(select(active_models)).mappings().all()
            overrides = connection.execute(select(generation_overrides)).mappings().all()
            named = connection.execute(select(aliases).order_by(aliases.c.name)).mappings().all()
            last = connection.execute(select(last_models)).mappings().all()
        return InUse(
            {row["role"]: (row["provider"], row["ref"]) for row in active},
            {
                (row["provider"], row["ref"]): possible_parameters(
                    an_object(row["parameters"]) or {}, "store.override"
                )
                for row in overrides
            },
            {row["name"]: row["target"] for row in named},
            {row["provider"]: row["ref"] for row in last},
        )

    def set_active(self, role: str, model: ModelKey | None, actor: Actor) -> None:
        """Make a model the active one of its role; None leaves the role without one. A chat model
        is also kept as the last one of its provider."""
        from venom_core.store.tables import active_models as t

        values = None
        if model is not None:
            values = {"role": role, "provider": model[0], "ref": model[1], "since": utc_text()}
        last = model if role == "chat" else None
        self._replace(t, {"role": role}, values, ("model.activate", role), actor, last)

    def set_override(
        self, model: ModelKey, parameters: Mapping[str, Any] | None, actor: Actor
    ) -> None:
        """Keep the generation parameters of a model; None forgets them."""
        from venom_core.store.tables import generation_overrides as t

        key = {"provider": model[0], "ref": model[1]}
        values = None
        if parameters is not None:
            values = {**key, "parameters": dict(parameters), "updated_at": utc_text()}
        subject = f"{model[0]}://{model[1]}"
        self._replace(t, key, values, ("model.configure", subject), actor)

    def set_alias(self, name: str, target: str | None, actor: Actor) -> None:
        """Let ``name`` stand for ``target``; None forgets the alias."""
        from venom_core.store.tables import aliases as t

        values = None
        if target is not None:
            values = {"name": name, "target": target, "created_at": utc_text()}
        self._replace(t, {"name": name}, values, ("alias.set", name), actor)

    def _replace(
        self,
        table: Table,
        key: Mapping[str, str],
        values: Mapping[str, Any] | None,
        what: tuple[str, str],
        actor: Actor,
        last: ModelKey | None = None,
    ) -> None:
        """Set the row of ``key`` to ``values`` or delete it; ``what`` is the audit's action and
        subject, ``last`` a model to keep as its provider's last."""
        with store_errors(), writing(self._engine) as connection:
            before = _row(connection, table, key)
            where = [table.c[name] == value for name, value in key.items()]
            connection.execute(table.delete().where(*where))
            if values is not None:
                connection.execute(table.insert().values(**values))
            if last is not None:
                _keep_last(connection, last)
            after = _row(connection, table, key)
            write_audit(connection, actor, *what, before, after)


def _keep_last(connection: Connection, model: ModelKey) -> None:
    from venom_core.store.tables import last_models as t

    provider, ref = model
    connection.execute(t.delete().where(t.c.provider == provider))
    connection.execute(t.insert().values(provider=provider, ref=ref, since=utc_text()))


def _row(connection: Connection, table: Table, key: Mapping[str, str]) -> dict[str, Any] | None:
    from sqlalchemy import select

    where = [table.c[name] == value for name, value in key.items()]
    found = connection.execute(select(table).where(*where)).mappings().one_or_none()
    if found is None or "parameters" not in found:
        return None if found is None else dict(found)
    return {**found, "parameters": an_object(found["parameters"])}
