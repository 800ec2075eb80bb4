"""Benchmarks of models, and the figures of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "benchmarks",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("completed_at", sa.String(32), nullable=False),
        sa.Column("num_questions", sa.Integer(), nullable=False),
        sa.Column("venom_version", sa.String(50), nullable=False),
        sa.Column("machine", sa.JSON(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
    )
