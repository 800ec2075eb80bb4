"""Refusals of SQLite and of the disk below it: each with the true reason and the way out."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venom_core.sdk.disk import is_full
from venom_core.sdk.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext

_RESTORE = "Put a backup in its place: venom restore FILE. venom doctor says what is damaged."
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


def translate(context: ExceptionContext) -> BaseException | None:
    """Raise what the database refuses as a refusal; the listener of every engine of ours. What
    breaks a rule of the tables is the caller's business."""
    from sqlalchemy import exc

    error = context.original_exception
    if isinstance(error, sqlite3.Error) and not isinstance(
        context.sqlalchemy_exception, exc.IntegrityError
    ):
        return store_refusal(error)
    return None


def store_refusal(error: BaseException | None) -> StorageError:
    """Return the refusal that an error of SQLite, of SQLAlchemy over it, or of the disk stands
    for."""
    origin = getattr(error, "orig", None) or error
    if isinstance(origin, StorageError):
        return origin
    if isinstance(origin, OSError):
        return store_full() if is_full(origin) else store_not_writable()
    code = getattr(origin, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in _DAMAGED or "no such table" in str(origin) or "no such column" in str(origin):
        return store_damaged()
    if isinstance(origin, sqlite3.OperationalError) and "decode to UTF-8" in str(origin):
        return store_damaged()
    if primary in _LOCKED:
        return StorageError(
            "Another process holds the store locked.",
            code="store_locked",
            fix="Wait until it is done, or end it; venom doctor names a running server.",
        )
    if primary == sqlite3.SQLITE_FULL:
        return store_full()
    if primary == sqlite3.SQLITE_IOERR:
        return StorageError(
            "The disk failed while the store was read or written.",
            code="store_unreadable",
            fix="Check the disk and its free space. If it is damaged: venom restore FILE",
        )
    return store_not_writable()


def store_damaged(what: str = "") -> StorageError:
    """Return the refusal for a store whose content is not what was written."""
    message = f"The store is damaged ({what})." if what else "The store is damaged."
    return StorageError(message, code="store_damaged", fix=_RESTORE)


def store_full() -> StorageError:
    return StorageError(
        "The disk that holds the store is full.",
        code="store_full",
        fix="Free some space, or set VENOM_HOME to a folder on another disk.",
    )


def store_not_writable() -> StorageError:
    return StorageError(
        "The store cannot be written.",
        code="store_not_writable",
        fix="Make the data directory writable, or set VENOM_HOME to a folder that is.",
    )


def faults_of(file: Path, *, most: int = 5) -> list[str]:
    """Return what is wrong with the pages, indexes and rows of a store; nothing for a sound one.

    Blocks for a read of the whole file. Raises ``StorageError`` where it cannot be read at all.
    """
    import contextlib

    try:
        with contextlib.closing(sqlite3.connect(file, timeout=10.0)) as connection:
            rows: list[tuple[Any, ...]] = connection.execute(
                f"PRAGMA integrity_check({most:d})"
            ).fetchall()
            rows += [
                (f"{table}: row {row} names a row of {parent} that is not there",)
                for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check")
            ][:most]
    except sqlite3.Error as error:
        raise store_refusal(error) from error
    return [text for (text,) in rows if text != "ok"]
