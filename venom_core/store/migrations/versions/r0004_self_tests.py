"""The last self-test of each model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "self_tests",
        sa.Column("provider", sa.String(50), primary_key=True),
        sa.Column("ref", sa.String(200), primary_key=True),
        sa.Column("digest", sa.String(250)),
        sa.Column("engine_version", sa.String(100)),
        sa.Column("venom_version", sa.String(50), nullable=False),
        sa.Column("tested_at", sa.String(32), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
    )
