"""The SQLite database: opened at first use, never at import, WAL so that the CLI may read beside
a running server."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venom_core.sdk.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

BUSY_SECONDS = 10


def open_database(path: Path) -> Engine:
    """The engine over ``path``, its schema made or migrated to the newest.

    Raises ``StorageError`` where the file cannot be written or was made by a newer Venom.
    """
    from sqlalchemy import create_engine, event, exc

    from venom_core.store.schema import prepare

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        prepare(engine, path)
        path.chmod(0o600)
    except (OSError, sqlite3.Error, exc.DatabaseError) as error:
        raise StorageError(
            "The store cannot be opened.",
            code="store_not_writable",
            fix="Make the data directory writable, or set VENOM_HOME to a folder that is.",
        ) from error
    return engine


@contextlib.contextmanager
def store_errors() -> Iterator[None]:
    """What SQLite refuses (a full disk, a lock held too long), as ``StorageError``."""
    from sqlalchemy import exc

    try:
        yield
    except exc.DatabaseError as error:
        raise StorageError(
            "The store cannot be written.",
            code="store_not_writable",
            fix="Free some space, or make the data directory writable; venom doctor looks at both.",
        ) from error


def _set_up(connection: Any, _record: object) -> None:
    # Python's own transactions leave changes of the schema outside; see _begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction that will write. It takes the writer's lock at once and so waits its turn; one
    that reads first and writes later fails where another wrote between."""
    return engine.execution_options(immediate=True).begin()
