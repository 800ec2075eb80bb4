"""Whole copies of a SQLite file that may be in use."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy, readable by its owner only; an older ``target`` is replaced at the end.

    Raises ``OSError`` or ``sqlite3.Error``.
    """
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with (
        contextlib.closing(sqlite3.connect(source)) as old,
        contextlib.closing(sqlite3.connect(partial)) as new,
    ):
        old.backup(new)
    partial.replace(target)
