"""Whole copies of a SQLite file that may be in use."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from venom_core.store.refusals import store_refusal


def copy_database(source: Path, target: Path) -> None:
    """Make a consistent copy, readable by its owner only; an older ``target`` is replaced at the
    end.

    Raises ``OSError``, or ``StorageError`` where the source is no readable store.
    """
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    try:
        with (
            contextlib.closing(sqlite3.connect(source)) as old,
            contextlib.closing(sqlite3.connect(partial)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        partial.unlink(missing_ok=True)
        raise store_refusal(error) from error
    partial.replace(target)
