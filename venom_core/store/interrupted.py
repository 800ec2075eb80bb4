"""A look at what a process before this one left: unfinished operations, and keys.

Asked at every start, so without SQLAlchemy, whose import costs more than the question.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path


def any_interrupted(store_file: Path) -> bool:
    """Return whether an operation was left unfinished. Blocks for a disk access. A store of an
    earlier release has none."""
    query = "SELECT 1 FROM operations WHERE status IN ('pending', 'in_progress') LIMIT 1"
    return _any(store_file, query)


def any_key(store_file: Path) -> bool:
    """Return whether there is a key that is not revoked. Blocks for a disk access."""
    return _any(store_file, "SELECT 1 FROM api_keys WHERE revoked_at IS NULL LIMIT 1")


def _any(store_file: Path, query: str) -> bool:
    if not store_file.exists():
        return False
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{store_file}?mode=ro", uri=True)) as connection,
    ):
        return connection.execute(query).fetchone() is not None
    return False
