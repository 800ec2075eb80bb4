"""A look for operations that a process before this one left unfinished.

Asked at every start, so without SQLAlchemy, whose import costs more than the question.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path


def any_interrupted(store_file: Path) -> bool:
    """Return whether an operation was left unfinished. Blocks for a disk access. A store of an
    earlier release has none."""
    if not store_file.exists():
        return False
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{store_file}?mode=ro", uri=True)) as connection,
    ):
        query = "SELECT 1 FROM operations WHERE status IN ('pending', 'in_progress') LIMIT 1"
        return connection.execute(query).fetchone() is not None
    return False
