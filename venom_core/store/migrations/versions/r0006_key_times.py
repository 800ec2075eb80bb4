"""When a key ends, and when it was used last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("expires_at", sa.String(32)))
    op.add_column("api_keys", sa.Column("last_used_at", sa.String(32)))
