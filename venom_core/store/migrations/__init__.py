"""Revisions of the schema, run by Alembic; see ``venom_core.store.schema``."""
