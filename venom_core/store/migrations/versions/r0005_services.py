"""The history of services, and the model that each server answered with last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "service_history",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("service", sa.String(50), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
    )
    op.create_table(
        "last_models",
        sa.Column("provider", sa.String(50), primary_key=True),
        sa.Column("ref", sa.String(200), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
    )
    op.execute(
        "INSERT INTO last_models (provider, ref, since)"
        " SELECT provider, ref, since FROM active_models WHERE role = 'chat'"
    )
