"""The SQLite database: opened at first use, never at import, WAL so that the CLI may read beside
a running server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venom_core.sdk.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

SCHEMA_VERSION = 1


def open_database(path: Path) -> Engine:
    """The engine over ``path``, its tables made where they are missing.

    Raises ``StorageError`` where the file cannot be written or was made by a newer Venom.
    """
    from sqlalchemy import create_engine, event, exc

    from venom_core.store.tables import metadata

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 5})
        event.listen(engine, "connect", _set_pragmas)
        with engine.begin() as connection:
            found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if found > SCHEMA_VERSION:
                raise StorageError(
                    f"The store has schema {found}; this Venom knows {SCHEMA_VERSION}.",
                    code="store_too_new",
                    fix="Run the newer Venom that made it, or set VENOM_HOME to another folder.",
                )
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
        path.chmod(0o600)
    except (OSError, exc.OperationalError, exc.DatabaseError) as error:
        raise StorageError(
            "The store cannot be opened.",
            code="store_not_writable",
            fix="Make the data directory writable, or set VENOM_HOME to a folder that is.",
        ) from error
    return engine


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
