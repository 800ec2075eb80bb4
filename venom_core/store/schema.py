"""The schema's revision: a new store is made at the newest one, an older one is migrated to it.

Alembic is imported only when a migration is due: it costs ten megabytes and a tenth of a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venom_core.sdk.errors import StorageError
from venom_core.store.refusals import store_refusal
from venom_core.store.transactions import writing

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD = "0008"
#: Newest first; a store with another revision was made by a newer Venom.
KNOWN = ("0008", "0007", "0006", "0005", "0004", "0003", "0002", "0001")
_FIRST_WITHOUT_REVISION = 1  # ``PRAGMA user_version`` of 2026.11.0


def prepare(engine: Engine, file: Path) -> None:
    """Bring the store to ``HEAD``. Before a migration the old file is copied beside it, as
    ``<file>.<revision>.bak``.

    Raises ``StorageError`` (``store_too_new``).
    """
    with engine.connect() as connection:
        found = revision(connection)
    if found == HEAD:
        return
    if found is not None and found not in KNOWN:
        raise StorageError(
            f"The store has schema {found}; this Venom knows {HEAD}.",
            code="store_too_new",
            fix="Run the newer Venom that made it, or set VENOM_HOME to another folder.",
        )
    if found is not None:
        from venom_core.store.snapshot import copy_database

        copy_database(file, file.with_name(f"{file.name}.{found}.bak"))
    with writing(engine) as connection:
        # Another process may have done it while this one waited for the lock.
        found = revision(connection)
        if found is None:
            _create(connection)
        elif found != HEAD:
            _migrate(connection, found)


def revision(connection: Connection) -> str | None:
    """Return the store's revision; None for a file without tables."""
    tables = set(
        connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    )
    if "alembic_version" in tables:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return str(found) if found is not None else None
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > _FIRST_WITHOUT_REVISION:
        return f"user_version {version}"
    return KNOWN[-1] if "api_keys" in tables else None


def schema_of(file: Path) -> str | None:
    """Return the revision of a store that nothing else has open. Raises ``StorageError``."""
    from sqlalchemy import create_engine, exc

    engine = create_engine(f"sqlite:///{file}")
    try:
        with engine.connect() as connection:
            return revision(connection)
    except exc.DatabaseError as error:
        raise store_refusal(error) from error
    finally:
        engine.dispose()


def is_store(engine: Engine) -> bool:
    """Return whether a file at ``HEAD`` has every table and column that this Venom reads."""
    from sqlalchemy import inspect

    from venom_core.store.tables import metadata

    found = inspect(engine)
    names = set(found.get_table_names())
    return all(
        table.name in names
        and {column.name for column in table.columns}
        <= {column["name"] for column in found.get_columns(table.name)}
        for table in metadata.sorted_tables
    )


def _create(connection: Connection) -> None:
    from venom_core.store.tables import metadata

    metadata.create_all(connection)
    _stamp(connection, HEAD)


def _migrate(connection: Connection, found: str) -> None:
    from alembic import command
    from alembic.config import Config

    _stamp(connection, found)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _stamp(connection: Connection, found: str) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    )
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO alembic_version (version_num) VALUES (?)", (found,)
    )
