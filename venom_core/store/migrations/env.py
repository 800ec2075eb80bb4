"""Alembic's environment for each migration, on the connection that the store gives it."""

from __future__ import annotations

from alembic import context

from venom_core.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
