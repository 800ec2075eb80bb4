"""Operations, models in use, conversations, the usage ledger, what a key may do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "active_models",
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("provider", sa.String(50), nullable=False),
        sa.Column("ref", sa.String(200), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("role"),
    )
    op.create_table(
        "aliases",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("target", sa.String(250), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("action", sa.String(50), nullable=False),
        sa.Column("subject", sa.String(250), nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("request_id", sa.String(64)),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "generation_overrides",
        sa.Column("provider", sa.String(50), nullable=False),
        sa.Column("ref", sa.String(200), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("provider", "ref"),
    )
    op.create_table(
        "operations",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("provider", sa.String(50), nullable=False),
        sa.Column("ref", sa.String(200), nullable=False),
        sa.Column("model_name", sa.String(250), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger()),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("error", sa.JSON()),
        sa.Column("key_id", sa.String(16)),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("completed_at", sa.String(32)),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("operations") as batch_op:
        batch_op.create_index("operations_by_start", ["started_at"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("sessions") as batch_op:
        batch_op.create_index("sessions_by_key", ["key_id", "id"], unique=True)
        batch_op.create_index("sessions_by_update", ["updated_at"], unique=False)

    op.create_table(
        "usage_days",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("provider", sa.String(50), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("without_usage", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("estimated_tokens", sa.BigInteger(), nullable=False),
        sa.Column("first_tokens", sa.Integer(), nullable=False),
        sa.Column("first_token_seconds", sa.Float(), nullable=False),
        sa.Column("generation_tokens", sa.BigInteger(), nullable=False),
        sa.Column("generation_seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("day", "key_id", "provider", "model"),
    )
    op.create_table(
        "usage_errors",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("provider", sa.String(50), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("code", sa.String(50), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "key_id", "provider", "model", "code"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parent_message_id", sa.String(36)),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("model", sa.String(250)),
        sa.Column("details", sa.JSON()),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("messages") as batch_op:
        batch_op.create_index("messages_by_session", ["session", "position"], unique=True)

    with op.batch_alter_table("api_keys") as batch_op:
        batch_op.add_column(sa.Column("scopes", sa.JSON()))
        batch_op.add_column(sa.Column("models", sa.JSON()))
        batch_op.add_column(sa.Column("requests_per_day", sa.Integer()))
        batch_op.add_column(sa.Column("tokens_per_day", sa.BigInteger()))
